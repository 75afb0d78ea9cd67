"""CLIP models as zero-shot reward models for reinforcement learning."""

__version__ = "0.1.0"
