"""CLIP models as zero-shot reward models for reinforcement learning."""

__version__ = "0.1.0"

import importlib
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
    from vlmrm.rewards.functions import CheckedFunction, FunctionReward
    from vlmrm.rewards.vlm import VLMReward, VLMRewardWrapper

_MODULES = {
    "CheckedFunction": "functions",
    "EnsembleReward": "ensemble",
    "FunctionReward": "functions",
    "VLMReward": "vlm",
    "VLMRewardWrapper": "vlm",
}

__all__ = [
    "CheckedFunction",
    "EnsembleReward",
    "FunctionReward",
    "VLMReward",
    "VLMRewardWrapper",
]


def __getattr__(name: str) -> Any:
    """Imports torch only when a reward model is used, so that the command line starts faster."""
    if name in _MODULES:
        return getattr(importlib.import_module(f"vlmrm.rewards.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'vlmrm' has no attribute '{name}'")
