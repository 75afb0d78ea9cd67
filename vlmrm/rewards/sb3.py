"""Rewards of frames for the algorithms of Stable-Baselines3, as they are.

`vlmrm.training` has its own, which render in parallel and score while the environments step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import NStepReplayBuffer, ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn
from stable_baselines3.common.vec_env.vec_normalize import VecNormalize

from vlmrm.rewards.frame_queue import FrameQueue, FrameScorer, check_rewards
from vlmrm.rewards.wrappers import ENVIRONMENT_REWARD, stack_frames


class VLMRewardVecEnvWrapper(VecEnvWrapper):
    """Replaces the rewards of vector environments, in one call per step.

    Each environment must be in a `vlmrm.FrameInfoWrapper`. Its own reward is kept in
    ``info["environment_reward"]``.
    """

    def __init__(self, venv: VecEnv, reward: FrameScorer):
        super().__init__(venv)
        self.reward = reward

    def reset(self) -> VecEnvObs:
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Waits for the step.

        Raises:
            ValueError: An environment does not give its frame.
        """
        observations, own, dones, infos = self.venv.step_wait()
        rewards = check_rewards(self.reward(stack_frames(infos)), (self.num_envs,))
        for info, value in zip(infos, own, strict=True):
            info[ENVIRONMENT_REWARD] = float(value)
        return observations, rewards, dones, infos


class VLMRewardReplayBuffer(NStepReplayBuffer):
    """A replay buffer that scores frames in large batches, before their rewards are sampled.

    Each environment must be in a `vlmrm.FrameInfoWrapper`. The rewards of the environments are
    ignored. A saved buffer has all rewards.

    Args:
        buffer_size: As in Stable-Baselines3's replay buffer. An algorithm gives this argument and
            the others of that class.
        observation_space: As there.
        args: As there.
        reward: Computes the rewards. It is saved with the agent and with the buffer; a
            `vlmrm.VLMReward` as the folder of its model.
        n_steps: Steps whose rewards are summed.
        gamma: Discount factor, which ``n_steps`` above 1 need.
        frames_per_call: As in `vlmrm.FrameQueue`.
        kwargs: As in Stable-Baselines3's replay buffer.

    Raises:
        ValueError: The discount is missing, or observations are dictionaries.
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        *args: Any,
        reward: FrameScorer,
        n_steps: int = 1,
        gamma: float | None = None,
        frames_per_call: int = 256,
        **kwargs: Any,
    ):
        if n_steps > 1 and gamma is None:
            raise ValueError("n_steps above 1 need gamma; give the agent's")
        if isinstance(observation_space, spaces.Dict):
            raise ValueError("observations are dictionaries; flatten them to vectors")
        super().__init__(
            buffer_size, observation_space, *args, n_steps=n_steps, gamma=gamma or 0.0, **kwargs
        )
        self._queue = FrameQueue(reward, self.rewards, frames_per_call)

    def add(
        self,
        obs: NDArray[Any],
        next_obs: NDArray[Any],
        action: NDArray[Any],
        reward: NDArray[Any],
        done: NDArray[Any],
        infos: list[dict[str, Any]],
    ) -> None:
        """Adds a transition of each environment.

        Raises:
            ValueError: An environment does not give its frame.
        """
        row, frames = self.pos, stack_frames(infos)
        # If an empty reward were ever sampled, every loss would be NaN.
        empty = np.full(np.shape(reward), np.nan, np.float32)  # rewards may be integers
        super().add(obs, next_obs, action, empty, done, infos)
        self._queue.add(row, frames)

    def sample(self, batch_size: int, env: VecNormalize | None = None) -> ReplayBufferSamples:
        """Samples transitions.

        Raises:
            ValueError: The rewards would be scaled by those of the environments.
        """
        if env is not None and env.norm_reward:
            raise ValueError(
                "VecNormalize would scale these rewards by those of the environments; make it with "
                "norm_reward=False"
            )
        self._queue.flush()
        return super().sample(batch_size, env)

    def _get_samples(
        self, batch_inds: NDArray[np.intp], env: VecNormalize | None = None
    ) -> ReplayBufferSamples:
        if self.n_steps == 1:  # The agent discounts.
            return ReplayBuffer._get_samples(self, batch_inds, env)
        return super()._get_samples(batch_inds, env)

    def __getstate__(self) -> dict[str, Any]:
        self._queue.flush()
        return vars(self)
