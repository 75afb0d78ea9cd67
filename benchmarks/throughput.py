"""Frames per second of the parts of a humanoid training, and of the whole.

    python benchmarks/throughput.py --config config/demo.yaml --model resources/models/sim-S

Every part is measured several times; the table gives the median, and the slowest and the fastest.
Run it on an idle machine: torch's threads suffer more than others when cores are shared.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pandas as pd

from vlmrm.artifacts import write_table
from vlmrm.config import SCENES, Config, TrainingRun, load_config
from vlmrm.envs import check_scene, make_env, make_renderer
from vlmrm.envs.humanoid import humanoid_model
from vlmrm.errors import Missing
from vlmrm.reward_model import VLMReward
from vlmrm.training.rewards import FrameReward
from vlmrm.training.train import train
from vlmrm.training.vector_env import VectorEnv

FRAMES = 256
"""Frames of one measurement, or environment steps."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--config", type=Path, default=Path("config/demo.yaml"))
    parser.add_argument("--model", type=Path, default=Path("resources/models/sim-S"))
    parser.add_argument("--task", default="kneeling")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--output", type=Path, help="Write the table there (CSV).")
    options = parser.parse_args()
    config = load_config(options.config)
    reward = VLMReward.load(options.model, config.tasks[options.task].goals)
    rows = []
    for part, measure in parts(config, options.task, reward):
        measure()  # the first call starts things up
        rates = [measure() for _ in range(options.repeat)]
        rows.append((part, statistics.median(rates), min(rates), max(rates)))
        print("{:<44}{:>9.0f} per second ({:.0f} to {:.0f})".format(*rows[-1]), flush=True)
    if options.output:
        write_table(options.output, pd.DataFrame(rows, columns=["part", "median", "min", "max"]))


def parts(
    config: Config, task: str, reward: VLMReward
) -> Iterator[tuple[str, Callable[[], float]]]:
    """What is measured, and a function that measures it once, per second."""
    size = config.rendering.humanoid_size
    yield "Gymnasium's own render, 480 pixels", gymnasium_render
    for scene in SCENES["humanoid"]:
        try:
            check_scene("humanoid", scene)
        except Missing as error:
            print(f"left out: {error}", flush=True)
            continue
        yield (
            f"render {scene}, {size} px, one process",
            functools.partial(render, config, scene),
        )
    yield "environment steps, all processes", functools.partial(step, config, None)
    scene, *_ = SCENES["humanoid"]
    yield "steps and frames, all processes", functools.partial(step, config, scene)
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, size, size, 3), dtype=np.uint8)
    yield f"rewards of frames, {reward.model.name}", lambda: rate(lambda: reward(frames))
    yield "whole training", functools.partial(loop, config, task, reward)


def rate(work: Callable[[], object], count: int = FRAMES) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def gymnasium_render() -> float:
    count = FRAMES // 8
    env = gym.make("Humanoid-v5", render_mode="rgb_array", width=480, height=480)
    env.reset(seed=0)
    env.render()
    result = rate(lambda: [env.render() for _ in range(count)], count)
    env.close()
    return result


def render(config: Config, scene: str) -> float:
    renderer = make_renderer("humanoid", scene, config.rendering)
    state = np.concatenate([humanoid_model().qpos0, np.zeros(humanoid_model().nv)])
    out = np.empty(renderer.shape, np.uint8)
    renderer.render(state, out)
    result = rate(lambda: [renderer.render(state, out) for _ in range(FRAMES)])
    renderer.close()
    return result


def step(config: Config, scene: str | None) -> float:
    agent = config.training["humanoid"].agent
    env = VectorEnv(
        functools.partial(make_env, "humanoid", agent.episode_steps),
        agent.environments,
        functools.partial(make_renderer, "humanoid", scene, config.rendering) if scene else None,
    )
    env.reset()
    count = FRAMES // agent.environments

    def work() -> None:
        for _ in range(count):
            env.step(np.stack([env.action_space.sample() for _ in range(env.num_envs)]))
        env.finish_frames()

    work()
    result = rate(work, count * env.num_envs)
    env.close()
    return result


def loop(config: Config, task: str, reward: VLMReward) -> float:
    """Steps per second of a short training, from its first update on."""
    training = config.training["humanoid"]
    starts = training.agent.train_frequency * training.agent.environments
    agent = training.agent.model_copy(update={"steps": 6 * starts, "learning_starts": starts})
    short = config.model_copy(
        update={"training": {"humanoid": training.model_copy(update={"agent": agent})}}
    )
    scene, *_ = SCENES["humanoid"]
    run = TrainingRun(task=task, scene=scene, reward=reward.model.name, alpha=reward.alpha, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        train(run, short, FrameReward(reward), Path(folder))
        curve = pd.read_csv(Path(folder) / "learning_curve.csv", comment="#")
    late = curve[curve["steps"] > 2 * starts]
    return float(starts * len(late) / (starts / late["frames_per_second"]).sum())


if __name__ == "__main__":
    main()
