"""CLIP models as zero-shot reward models for reinforcement learning."""

__version__ = "0.1.0"

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlmrm.reward_model import VLMReward, VLMRewardWrapper

__all__ = ["VLMReward", "VLMRewardWrapper"]


def __getattr__(name: str) -> Any:
    """Loads torch only when a reward model is asked for; the command line answers faster so."""
    if name in __all__:
        from vlmrm import reward_model

        return getattr(reward_model, name)
    raise AttributeError(f"module 'vlmrm' has no attribute '{name}'")
