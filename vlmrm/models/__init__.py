"""CLIP models: downloading, initializing, and loading them."""
