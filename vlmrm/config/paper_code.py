"""Switches that bring back the behavior of the paper's own code."""

from __future__ import annotations

from vlmrm.config.base import ConfigModel


class PaperCode(ConfigModel):
    """Switches for a strict comparison with the paper's own code. Each one restores a bug."""

    frames_after_reset: bool = False
    """Replace the last frame of an episode by the first frame of the next one. Cannot be combined
    with a look-up, which uses no frames."""
    time_limits_terminate: bool = False
    """Treat a time limit as a termination instead of a truncation."""
    goal_never_cleared: bool = False
    """MountainCar: once the car has reached the flag, it never moves again, even after a reset."""
    openai_normalization: bool = False
    """Normalize the frames of all models with the mean and standard deviation of OpenAI's
    models."""
