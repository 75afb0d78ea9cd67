"""CLIP models as zero-shot reward models for reinforcement learning."""

__version__ = "0.2.0"

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
    from vlmrm.rewards.frame_queue import FrameQueue
    from vlmrm.rewards.functions import CheckedFunction, FunctionReward
    from vlmrm.rewards.sb3 import VLMRewardReplayBuffer, VLMRewardVecEnvWrapper
    from vlmrm.rewards.vlm import VLMReward
    from vlmrm.rewards.wrappers import (
        FrameInfoWrapper,
        VLMRewardVectorWrapper,
        VLMRewardWrapper,
        frames_in,
    )

__all__ = [
    "CheckedFunction",
    "EnsembleReward",
    "FrameInfoWrapper",
    "FrameQueue",
    "FunctionReward",
    "VLMReward",
    "VLMRewardReplayBuffer",
    "VLMRewardVecEnvWrapper",
    "VLMRewardVectorWrapper",
    "VLMRewardWrapper",
    "frames_in",
]

_MODULES = {
    "CheckedFunction": "functions",
    "EnsembleReward": "ensemble",
    "FrameQueue": "frame_queue",
    "FunctionReward": "functions",
    "VLMReward": "vlm",
    "VLMRewardReplayBuffer": "sb3",
    "VLMRewardVecEnvWrapper": "sb3",
}
"""Modules of `vlmrm.rewards` with these names; the others are in its `wrappers`."""


def __getattr__(name: str) -> Any:
    """Imports PyTorch only when a reward is used, so that the command line starts faster."""
    if name in __all__:
        module = importlib.import_module(f"vlmrm.rewards.{_MODULES.get(name, 'wrappers')}")
        return getattr(module, name)
    raise AttributeError(f"module 'vlmrm' has no attribute '{name}'")
