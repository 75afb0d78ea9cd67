"""The page of a run: what it found, with its figures, films, tables, times, and settings."""
