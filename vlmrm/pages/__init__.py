"""Pages for a browser on this machine: serving and protecting them, pictures, a common look."""
