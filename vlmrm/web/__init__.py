"""Local pages for a browser: serving and protecting them, pictures, a common look."""
