"""CLIP models: published ones, ones with random weights, and how all of them are loaded."""
