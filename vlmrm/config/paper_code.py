"""Behaviors of the paper's own code that differ from what is right."""

from __future__ import annotations

from vlmrm.config.base import ConfigModel


class PaperCode(ConfigModel):
    """Switches for a strict comparison with the paper's own code; each brings back a fault."""

    frames_after_reset: bool = False
    """Show the reward model the first picture of the next episode instead of the last one of an
    episode. Not with a look-up, which sees no pictures."""
    time_limits_terminate: bool = False
    """Learn that nothing comes after a time limit, instead of that the episode was cut off."""
    goal_never_cleared: bool = False
    """A mountain car that was once at the flag never moves again, also after a reset."""
    openai_normalization: bool = False
    """Normalize pictures by the mean and deviation of OpenAI's models, whatever the model."""
