"""Vectorized environments. Worker processes import this package, so it must not import torch."""
