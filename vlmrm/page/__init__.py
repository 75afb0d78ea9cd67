"""The page of a run: what it found, with its figures, videos, tables, times, and settings."""
