"""Gymnasium wrappers that replace the reward of environments by that of their frames.

env = VLMRewardWrapper(gym.make("Ant-v5", render_mode="rgb_array"), reward)

scores one frame per step. Many environments are faster with one call for all of them:

envs = gym.make_vec("Ant-v5", num_envs=8, render_mode="rgb_array", wrappers=[FrameInfoWrapper])
envs = VLMRewardVectorWrapper(envs, reward)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from numpy.typing import NDArray

from vlmrm.envs.viewers import frame_problem, separate_viewers
from vlmrm.rewards.frame_queue import FrameScorer, check_rewards

FRAME = "frame"
"""Key of an info for the frame after the step."""
ENVIRONMENT_REWARD = "environment_reward"
"""Key of an info for the environment's own reward."""

NO_FRAMES = f"an info has no '{FRAME}'; wrap each environment in FrameInfoWrapper"


class _Renders(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Renders an environment made with ``render_mode="rgb_array"``."""

    def __init__(self, env: gym.Env[Any, Any], **arguments: Any):
        if env.render_mode != "rgb_array":
            raise ValueError(
                f'make the environment with render_mode="rgb_array", not {env.render_mode}'
            )
        # With its arguments in the environment's spec, Gymnasium can make it again.
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, **arguments)
        gym.Wrapper.__init__(self, env)
        separate_viewers()
        self.metadata = {**env.metadata, "render_modes": ["rgb_array"]}

    def _frame(self) -> NDArray[np.uint8]:
        frame: Any = self.env.render()
        if problem := frame_problem(frame):
            raise ValueError(
                f"render() returns {problem}, not uint8 [height, width, 3]; convert it"
            )
        # An environment may draw the next frame into the same array.
        copy: NDArray[np.uint8] = frame.copy()
        return copy


class VLMRewardWrapper(_Renders):
    """Replaces an environment's reward with that of its frame.

    The environment's own reward is kept in ``info["environment_reward"]``.
    """

    def __init__(self, env: gym.Env[Any, Any], reward: FrameScorer):
        """Wraps an environment made with ``render_mode="rgb_array"``.

        Raises:
            ValueError: The environment has another render mode, or none.
        """
        super().__init__(env, reward=reward)
        self.reward = reward

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, own, terminated, truncated, info = self.env.step(action)
        (reward,) = check_rewards(self.reward(self._frame()[None]), (1,)).tolist()
        return observation, reward, terminated, truncated, {**info, ENVIRONMENT_REWARD: own}


class FrameInfoWrapper(_Renders):
    """Puts the frame after each step, uint8 ``[H, W, 3]``, into ``info["frame"]``.

    Vector environments reset by themselves. Only a wrapper of each environment can still render the
    last frame of an episode, and in the process that steps it.
    """

    def __init__(self, env: gym.Env[Any, Any]):
        """Wraps an environment made with ``render_mode="rgb_array"``.

        Raises:
            ValueError: The environment has another render mode, or none.
        """
        super().__init__(env)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated, truncated, {**info, FRAME: self._frame()}


class VLMRewardVectorWrapper(
    VectorWrapper[Any, Any, Any, Any, NDArray[Any]], RecordConstructorArgs
):
    """Replaces the rewards of Gymnasium's vector environments, in one call per step.

    Each environment must be in a `FrameInfoWrapper`. Its own reward is kept in
    ``infos["environment_reward"]``. All modes of automatic reset are supported; a step that only
    resets an environment has reward 0, as in Gymnasium.
    """

    def __init__(self, env: VectorEnv[Any, Any, NDArray[Any]], reward: FrameScorer):
        """Wraps a vector environment of environments in a `FrameInfoWrapper`."""
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, reward=reward)
        VectorWrapper.__init__(self, env)
        self.reward = reward
        self._ended = np.zeros(self.num_envs, dtype=np.bool_)
        self._mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        self._ended[(options or {}).get("reset_mask", slice(None))] = False
        return self.env.reset(seed=seed, options=options)

    def step(
        self, actions: Any
    ) -> tuple[Any, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Steps all environments.

        Raises:
            ValueError: An environment does not give its frame.
        """
        observations, own, terminated, truncated, infos = self.env.step(actions)
        frames, stepped = frames_in(infos, self.num_envs)
        only_reset = self._ended & (self._mode == AutoresetMode.NEXT_STEP)
        if not (stepped | only_reset).all():
            raise ValueError(NO_FRAMES)
        rewards = np.zeros(self.num_envs)
        if len(frames):
            rewards[stepped] = check_rewards(self.reward(frames), (len(frames),))
        self._ended = terminated | truncated
        infos |= {ENVIRONMENT_REWARD: own, f"_{ENVIRONMENT_REWARD}": stepped}
        return observations, rewards, terminated, truncated, infos


def frames_in(infos: dict[str, Any], num_envs: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Takes the frames after a step out of the infos of Gymnasium's vector environments.

    Args:
        infos: Infos of ``step``, of environments in a `FrameInfoWrapper`.
        num_envs: Number of environments, N.

    Returns:
        The frames ``[M, H, W, 3]`` and which environments they are of, ``[N]``: all but those that
        this step has only reset.
    """
    frames: list[NDArray[np.uint8] | None] = [None] * num_envs
    # Where an episode has ended and the next has begun, the last frame is in the final info.
    for source in (infos, infos.get("final_info", {})):
        kept = source.pop(FRAME, ())
        for i in np.flatnonzero(source.pop(f"_{FRAME}", ())).tolist():
            frames[i] = kept[i]
    found = [frame for frame in frames if frame is not None]
    stepped = np.array([frame is not None for frame in frames])
    return np.stack(found) if found else np.empty((0, 0, 0, 3), np.uint8), stepped


def stack_frames(infos: Sequence[dict[str, Any]]) -> NDArray[np.uint8]:
    """Takes the frames ``[N, H, W, 3]`` after a step out of the infos of N environments.

    Raises:
        ValueError: An info has no frame.
    """
    if not all(FRAME in info for info in infos):
        raise ValueError(NO_FRAMES)
    return np.stack([info.pop(FRAME) for info in infos])
