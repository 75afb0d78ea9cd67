"""CLIP models as zero-shot reward models for reinforcement learning."""

__version__ = "0.1.0"

import os
from typing import TYPE_CHECKING, Any

# Render without a display, whatever notebooks and other programs have set. MuJoCo, PyOpenGL, and
# pygame read these variables when they are imported, which Gymnasium delays until an environment is
# made.
OPENGL = "osmesa" if os.environ.get("MUJOCO_GL", "").lower() == "osmesa" else "egl"
os.environ.update(MUJOCO_GL=OPENGL, PYOPENGL_PLATFORM=OPENGL, SDL_VIDEODRIVER="dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
# Processes render frames in parallel; threads of Mesa's software rasterizer only add overhead.
os.environ.setdefault("LP_NUM_THREADS", "0")

if TYPE_CHECKING:
    from vlmrm.rewards.ensemble import EnsembleReward
    from vlmrm.rewards.vlm import VLMReward, VLMRewardWrapper

__all__ = ["EnsembleReward", "VLMReward", "VLMRewardWrapper"]


def __getattr__(name: str) -> Any:
    """Imports torch only when a reward model is used, so that the command line starts faster."""
    if name in __all__:
        from vlmrm.rewards import ensemble, vlm

        return getattr(ensemble if name == "EnsembleReward" else vlm, name)
    raise AttributeError(f"module 'vlmrm' has no attribute '{name}'")
