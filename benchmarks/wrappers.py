"""Frames per second of rewards outside the workflow, by the number of environments.

    python benchmarks/wrappers.py [--model FOLDER ...] [--envs 1 8 32] [--env-id Humanoid-v5]

The environments are stepped and rendered in this process, with random actions. Each way is measured
with each model: one call per frame (`VLMRewardWrapper`), one per step (`VLMRewardVecEnvWrapper`),
one per 256 frames (`FrameQueue`, as in the replay buffer); and the environments alone, without a
reward. The numbers are medians over rounds that take turns. With one thread on a CPU
(OMP_NUM_THREADS=1), they are frames per second of processor time, so that other programs matter
less.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from vlmrm import (
    FrameInfoWrapper,
    FrameQueue,
    VLMReward,
    VLMRewardVecEnvWrapper,
    VLMRewardWrapper,
)
from vlmrm.config import RandomModel
from vlmrm.data.tables import write_table
from vlmrm.models.random_init import make_random_model
from vlmrm.rewards.wrappers import stack_frames

GOAL = "a humanoid robot kneeling"
FRAMES = 512
"""Frames of a round."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", nargs="+", help="Default: sim-S, and ViT-B-32 at random.")
    parser.add_argument("--envs", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--env-id", default="CartPole-v1")
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--output", type=Path, help="Write the table there (CSV).")
    options = parser.parse_args()
    rows = []
    with models(options.model) as folders:
        for folder in folders:
            reward = VLMReward.load(folder, GOAL, device=options.device)
            for number in options.envs:
                rates = measure(reward, options.env_id, number, options.frames, options.repeat)
                rows.append({"model": reward.model.name, "environments": number, **rates})
                print(pd.DataFrame(rows[-1:]).to_string(index=False), flush=True)
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    if options.output:
        write_table(options.output, pd.DataFrame(rows))


@contextmanager
def models(given: list[str] | None) -> Iterator[list[str]]:
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder, "ViT-B-32")
        make_random_model(RandomModel(source="random", architecture="ViT-B-32"), large)
        yield ["sim-S", str(large)]


def measure(
    reward: VLMReward, env_id: str, number: int, frames: int, repeat: int
) -> dict[str, float]:
    """Frames per second, by way."""

    def make(wrapper: Callable[..., object], **options: object) -> VecEnv:
        return make_vec_env(
            env_id,
            number,
            env_kwargs={"render_mode": "rgb_array"},
            wrapper_class=wrapper,
            wrapper_kwargs=options,
        )

    single = make(VLMRewardWrapper, reward=reward)
    several = VLMRewardVecEnvWrapper(make(FrameInfoWrapper), reward)
    plain = make(FrameInfoWrapper)
    steps = math.ceil(frames / number)
    queue = FrameQueue(reward, np.zeros((steps, number)))

    def queued() -> None:
        for step in range(steps):
            queue.add(step, stack_frames(act(plain)))
        queue.flush()

    ways = {
        "one frame per call": lambda: [act(single) for _ in range(steps)],
        "one step per call": lambda: [act(several) for _ in range(steps)],
        "256 frames per call": queued,
        "no reward": lambda: [act(plain) for _ in range(steps)],
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for env in (single, several, plain):
        env.reset()
        act(env)  # the first frame makes the renderer
    alone = reward.model.device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    for _ in range(repeat):
        for name, way in ways.items():
            start = clock()
            way()
            taken[name].append(clock() - start)
    for env in (single, several, plain):
        env.close()
    return {
        name: round(steps * number / statistics.median(seconds), 1)
        for name, seconds in taken.items()
    }


def act(env: VecEnv) -> list[dict[str, object]]:
    actions = np.stack([env.action_space.sample() for _ in range(env.num_envs)])
    return env.step(actions)[-1]


if __name__ == "__main__":
    main()
