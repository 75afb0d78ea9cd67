"""Off-policy algorithms with deferred rewards: they arrive after the transitions.

A reward from a frame is known later than its transition, and is best computed for many transitions
at once. `DeferredReward` stores transitions with an empty reward, streams the frames to the reward
model while the environments continue, and writes the rewards into the replay buffer before the
updates of the round. The agent learns exactly as if the environments returned these rewards.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.noise import ActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import RolloutReturn, TrainFreq, TrainFrequencyUnit
from stable_baselines3.common.vec_env import VecEnv

from vlmrm.errors import UserError
from vlmrm.rewards.frame_queue import check_rewards
from vlmrm.rewards.steps import RewardSource, StepBatch
from vlmrm.training.policies import AveragedSACPolicy
from vlmrm.training.vec_env.vector_env import VectorEnv

QUEUED_CALLS = 2
"""Calls of the reward source in progress: one is computed, one waits."""

RING_CALLS = QUEUED_CALLS + 2
"""Calls whose frames are kept: queued, complete, and being rendered."""


def steps_per_call(source: RewardSource, n_envs: int, round_steps: int) -> int:
    """Number of steps of all environments per call of the reward source.

    It does not depend on timing, because the last digits of a reward can depend on its batch.
    """
    return min(max(source.frames_per_call // n_envs, 1), round_steps)


class RewardQueue:
    """Computes the rewards of steps while the environments take later steps.

    Args:
        env: The environments, with slots for the frames of `RING_CALLS` calls.
        source: Computes the rewards.
        deliver: Called in order, in the thread that adds steps, with the replay-buffer rows, the
            steps, and their rewards ``[K, N]``.
    """

    def __init__(
        self,
        env: VectorEnv,
        source: RewardSource,
        deliver: Callable[[list[int], StepBatch, NDArray[np.float32]], None],
    ):
        self._env = env
        self._source = source
        self._deliver = deliver
        self._steps_per_call = env.slots // RING_CALLS if source.frames_per_call else math.inf
        self._slot = 0
        self._rows: list[int] = []
        self._steps: list[tuple[NDArray[Any], ...]] = []
        self._calls: deque[tuple[list[int], StepBatch, Future[NDArray[np.float32]]]] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reward")

    def add(self, row: int, rewards: NDArray[np.float32], dones: NDArray[np.bool_]) -> None:
        """Adds the latest step of the environments, whose frames may still be rendering."""
        if len(self._rows) == self._steps_per_call:
            # Their frames are finished: the environments render a step before taking the next.
            if len(self._calls) == QUEUED_CALLS:
                self._finish_call()
            rows, steps = self._collect()
            self._calls.append((rows, steps, self._thread.submit(self._compute, steps)))
        self._rows.append(row)
        self._steps.append((self._env.states, rewards, dones))

    def flush(self) -> None:
        """Delivers the rewards of all added steps."""
        self._env.finish_frames()
        last = self._collect() if self._rows else None
        while self._calls:
            self._finish_call()
        if last:
            rows, steps = last
            self._deliver(rows, steps, self._compute(steps))
        self._env.rewind()
        self._slot = 0

    def _collect(self) -> tuple[list[int], StepBatch]:
        count = len(self._rows)
        states, rewards, dones = (np.stack(part) for part in zip(*self._steps, strict=True))
        frames = None
        if self._source.frames_per_call:
            frames = self._env.frames(self._slot, count)
            self._slot = (self._slot + count) % self._env.slots
        rows, self._rows, self._steps = self._rows, [], []
        return rows, StepBatch(states, rewards, dones, frames)

    def _compute(self, steps: StepBatch) -> NDArray[np.float32]:
        return check_rewards(self._source(steps), steps.dones.shape)

    def _finish_call(self) -> None:
        rows, steps, rewards = self._calls.popleft()
        self._deliver(rows, steps, rewards.result())


class DeferredReward(OffPolicyAlgorithm):
    """Mixin for Stable-Baselines3's off-policy algorithms; the first base class.

    Args:
        reward: Computes the rewards; needed for training only.

    The environment must be a `VectorEnv`.
    """

    def __init__(self, *args: Any, reward: RewardSource | None = None, **kwargs: Any):
        self.attach(reward)
        super().__init__(*args, **kwargs)
        self.round_steps = 0
        """Steps since the start of the round."""

    def attach(self, reward: RewardSource | None) -> None:
        """Sets the reward source, which is not saved with the agent."""
        self.reward = reward
        self.rewarded: list[tuple[StepBatch, NDArray[np.float32]]] = []
        """Steps of the latest `collect_rollouts`, without frames, and their rewards ``[K, N]``."""
        self.stop_requested = False
        """Whether to stop before the next step: a callback returned False, or set it elsewhere."""
        self._queue: RewardQueue | None = None

    @property
    def finished(self) -> bool:
        """Whether `learn` took all of its steps; False if a callback stopped it."""
        return self.num_timesteps >= self._total_timesteps

    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        train_freq: TrainFreq,
        replay_buffer: ReplayBuffer,
        action_noise: ActionNoise | None = None,
        learning_starts: int = 0,
        log_interval: int | None = None,
    ) -> RolloutReturn:
        """Collects one round, or the rest of one that was stopped.

        This is Stable-Baselines3's loop, except that callbacks run when training can be saved:
        `on_rollout_start` before any noise of the round is sampled, `on_step` after the transition
        is stored, and `on_rollout_end` when every reward is in the buffer (see `rewarded`). After
        a stop, training continues as if it had not stopped, except that gSDE samples new noise for
        the rest of the round. Callbacks do all logging; ``log_interval`` is ignored.
        """
        assert train_freq.unit == TrainFrequencyUnit.STEP and action_noise is None
        if self._queue is None:
            self._queue = self._make_queue(env)
        self.policy.set_training_mode(False)
        self.rewarded = []
        first = self.round_steps
        if first == 0:
            callback.on_rollout_start()
        if self.use_sde and not self.stop_requested:
            self.actor.reset_noise(env.num_envs)  # type: ignore[operator]
        while self.round_steps < train_freq.frequency and not self.stop_requested:
            taken = self.round_steps - first
            if self.use_sde and self.sde_sample_freq > 0 and taken % self.sde_sample_freq == 0:
                self.actor.reset_noise(env.num_envs)  # type: ignore[operator]
            actions, buffer_actions = self._sample_action(learning_starts, None, env.num_envs)
            new_obs, rewards, dones, infos = env.step(actions)
            # Where an episode ended, the new observation is already that after the reset.
            last = [i["terminal_observation"] for i in infos if "terminal_observation" in i]
            if not all(np.isfinite(observed).all() for observed in (new_obs, *last)):
                raise UserError(
                    f"an observation is not finite after {self.num_timesteps} steps, so the "
                    "training ends; check the environment"
                )
            self.num_timesteps += env.num_envs
            self.round_steps += 1
            self._store_transition(replay_buffer, buffer_actions, new_obs, rewards, dones, infos)  # type: ignore[arg-type]
            self._update_current_progress_remaining(self.num_timesteps, self._total_timesteps)
            self._on_step()
            callback.update_locals(locals())
            self.stop_requested = not callback.on_step()
        self._queue.flush()
        callback.on_rollout_end()
        collected = self.round_steps - first
        complete = self.round_steps == train_freq.frequency
        if complete:
            self.round_steps = 0  # The updates come first, even before a stop.
        else:
            self.stop_requested = False
        return RolloutReturn(collected * env.num_envs, 0, continue_training=complete)

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Updates the networks.

        Raises:
            UserError: Weights or losses are no longer finite.
        """
        try:
            super().train(gradient_steps, batch_size)
        except ValueError:  # PyTorch refuses distributions that are not finite.
            self._check_finite()
            raise
        self._check_finite()

    def _check_finite(self) -> None:
        losses = [value for key, value in self.logger.name_to_value.items() if "loss" in key]
        weights = self.policy.parameters()
        if not (np.isfinite(losses).all() and all(w.isfinite().all() for w in weights)):
            raise UserError(
                f"the training diverged after {self.num_timesteps} steps: weights or losses are no "
                "longer finite; lower the agent's learning_rate, or check the size of the rewards"
            )

    def _make_queue(self, env: VecEnv) -> RewardQueue:
        assert isinstance(env, VectorEnv), "deferred rewards need a VectorEnv"
        assert self.reward is not None, "training needs a reward"
        return RewardQueue(env, self.reward, self._deliver)

    def _store_transition(
        self,
        replay_buffer: ReplayBuffer,
        buffer_action: NDArray[Any],
        new_obs: NDArray[Any] | dict[str, NDArray[Any]],
        reward: NDArray[np.float32],
        dones: NDArray[np.bool_],
        infos: list[dict[str, Any]],
    ) -> None:
        row = replay_buffer.pos
        # If an empty reward were ever sampled, every loss would be NaN.
        empty = np.full_like(reward, np.nan)
        super()._store_transition(replay_buffer, buffer_action, new_obs, empty, dones, infos)
        assert self._queue is not None
        self._queue.add(row, reward, dones)

    def _deliver(self, rows: list[int], steps: StepBatch, rewards: NDArray[np.float32]) -> None:
        assert self.replay_buffer is not None
        self.replay_buffer.rewards[rows] = rewards
        self.rewarded.append((replace(steps, frames=None), rewards))

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "reward", "rewarded", "stop_requested", "_queue"]


class DeferredDQN(DeferredReward, DQN):
    """Deep Q-learning on deferred rewards."""


class DeferredSAC(DeferredReward, SAC):
    """Soft actor-critic on deferred rewards."""

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": AveragedSACPolicy}

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        super().train(gradient_steps, batch_size)
        assert isinstance(self.policy, AveragedSACPolicy)
        self.policy.average_actor(gradient_steps)
