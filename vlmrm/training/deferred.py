"""Off-policy algorithms whose rewards come after the transitions.

A reward that is computed from a frame is known later than the transition that it belongs to, and
best computed for many transitions at once. `DeferredReward` lets Stable-Baselines3 store
transitions with an empty reward, streams the frames to the reward model while the environments
step on, and writes the rewards into the replay buffer before the updates of the round begin. What
is learned is exactly what would be learned if every environment returned these rewards itself.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.noise import ActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import RolloutReturn, TrainFreq
from stable_baselines3.common.vec_env import VecEnv

from vlmrm.rewards.sources import RewardSource, Steps
from vlmrm.training.policies import AveragedSACPolicy
from vlmrm.training.vec_env.vector_env import VectorEnv

QUEUED_CALLS = 2
"""Calls of the reward source under way: the next one waits while one is computed."""

RING_CALLS = QUEUED_CALLS + 2
"""Calls whose frames are kept: queued, complete, and the one whose frames are being drawn."""


def steps_per_call(source: RewardSource, environments: int, round_steps: int) -> int:
    """How many steps of all environments one call of the reward source is given.

    The number never depends on timing, because rewards can depend, in their last digits, on what
    else is in the batch.
    """
    return min(max(source.frames_per_call // environments, 1), round_steps)


class RewardQueue:
    """Computes rewards of steps while later steps are taken.

    Args:
        env: The environments; their ring has room for `RING_CALLS` calls.
        source: Computes the rewards.
        deliver: Called in order, by the thread that adds steps, with the replay-buffer rows, the
            steps, and their rewards ``[K, N]``.
    """

    def __init__(
        self,
        env: VectorEnv,
        source: RewardSource,
        deliver: Callable[[list[int], Steps, NDArray[np.float32]], None],
    ):
        self._env = env
        self._source = source
        self._deliver = deliver
        self._steps_per_call = env.slots // RING_CALLS if source.frames_per_call else math.inf
        self._slot = 0
        self._rows: list[int] = []
        self._steps: list[tuple[NDArray[Any], ...]] = []
        self._calls: deque[tuple[list[int], Steps, Future[NDArray[np.float32]]]] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reward")

    def add(self, row: int, rewards: NDArray[np.float32], dones: NDArray[np.bool_]) -> None:
        """Adds the step that the environments have just taken; its frames may be unfinished."""
        if len(self._rows) == self._steps_per_call:
            # These are finished: the environments draw one step before they take the next.
            if len(self._calls) == QUEUED_CALLS:
                self._finish_call()
            rows, steps = self._collect()
            self._calls.append((rows, steps, self._thread.submit(self._compute, steps)))
        self._rows.append(row)
        self._steps.append((self._env.states, rewards, dones))

    def flush(self) -> None:
        """Delivers the rewards of everything added."""
        self._env.finish_frames()
        last = self._collect() if self._rows else None
        while self._calls:
            self._finish_call()
        if last:
            rows, steps = last
            self._deliver(rows, steps, self._compute(steps))
        self._env.rewind()
        self._slot = 0

    def _collect(self) -> tuple[list[int], Steps]:
        count = len(self._rows)
        states, rewards, dones = (np.stack(part) for part in zip(*self._steps, strict=True))
        frames = None
        if self._source.frames_per_call:
            frames = self._env.frames(self._slot, count)
            self._slot = (self._slot + count) % self._env.slots
        rows, self._rows, self._steps = self._rows, [], []
        return rows, Steps(states, rewards, dones, frames)

    def _compute(self, steps: Steps) -> NDArray[np.float32]:
        rewards = np.asarray(self._source(steps), dtype=np.float32)
        if rewards.shape != steps.dones.shape or not np.isfinite(rewards).all():
            raise ValueError(
                f"rewards have to be finite and of shape {steps.dones.shape}, "
                f"got shape {rewards.shape}, {np.isnan(rewards).sum()} of them NaN"
            )
        return rewards

    def _finish_call(self) -> None:
        rows, steps, rewards = self._calls.popleft()
        self._deliver(rows, steps, rewards.result())


class Observer:
    """What an agent tells of its training; this one does not care."""

    def on_steps(self, steps: Steps, rewards: NDArray[np.float32]) -> None:
        """Rewards ``[K, N]`` are known. The frames are valid only during the call."""

    def on_round(self) -> None:
        """Every round of steps and updates begins with this, when nothing is under way."""


class TrainingStopped(Exception):
    """Raised out of ``learn``, with every reward in place, after `stop_requested` was set."""


class DeferredReward(OffPolicyAlgorithm):
    """Mixin for Stable-Baselines3's off-policy algorithms, to be named before them.

    Args:
        reward: Where rewards come from; needed for training only.
        observer: Told of steps and rounds.

    The environment has to be a `VectorEnv`.
    """

    def __init__(
        self,
        *args: Any,
        reward: RewardSource | None = None,
        observer: Observer | None = None,
        **kwargs: Any,
    ):
        self.attach(reward, observer)
        super().__init__(*args, **kwargs)
        self.round_steps = 0
        """Steps taken since the round began."""

    def attach(self, reward: RewardSource | None, observer: Observer | None = None) -> None:
        """Sets what is not saved with the agent."""
        self.reward = reward
        self.observer = observer or Observer()
        self.stop_requested = False
        self._queue: RewardQueue | None = None

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
        """Collects one round, or what is missing of one that was stopped.

        With gSDE the rest of a stopped round has noise of its own, everything else is as if it had
        not been stopped.
        """
        if self._queue is None:
            self._queue = self._make_queue(env)
        if self.round_steps == 0:
            self.observer.on_round()
            self._stop_if_requested()
        train_freq = TrainFreq(train_freq.frequency - self.round_steps, train_freq.unit)
        rollout = super().collect_rollouts(
            env, callback, train_freq, replay_buffer, action_noise, learning_starts, log_interval
        )
        self._queue.flush()
        self.round_steps = 0
        return rollout

    def _make_queue(self, env: VecEnv) -> RewardQueue:
        assert isinstance(env, VectorEnv), "rewards are deferred by a VectorEnv"
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
        # Should an empty reward ever be sampled, NaN shows in every loss.
        empty = np.full_like(reward, np.nan)
        super()._store_transition(replay_buffer, buffer_action, new_obs, empty, dones, infos)
        assert self._queue is not None
        self._queue.add(row, reward, dones)

    def _deliver(self, rows: list[int], steps: Steps, rewards: NDArray[np.float32]) -> None:
        assert self.replay_buffer is not None
        self.replay_buffer.rewards[rows] = rewards
        self.observer.on_steps(steps, rewards)

    def _on_step(self) -> None:
        super()._on_step()
        self.round_steps += 1
        train_freq: TrainFreq = self.train_freq  # type: ignore[assignment]  # an int before setup
        if self.round_steps < train_freq.frequency:
            self._stop_if_requested()

    def _stop_if_requested(self) -> None:
        if self.stop_requested:
            assert self._queue is not None
            self._queue.flush()
            raise TrainingStopped

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "reward", "observer", "stop_requested", "_queue"]


class DeferredDQN(DeferredReward, DQN):
    """Deep Q-learning on deferred rewards."""


class DeferredSAC(DeferredReward, SAC):
    """Soft actor-critic on deferred rewards."""

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": AveragedSACPolicy}

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        super().train(gradient_steps, batch_size)
        assert isinstance(self.policy, AveragedSACPolicy)
        self.policy.average_actor(gradient_steps)
