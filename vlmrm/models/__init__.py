"""CLIP models: obtaining them, loading them, and the small offline family."""
