"""Measures the speed of each part of a humanoid training, next to a plain implementation.

    python benchmarks/throughput.py --model resources/models/sim-S
    python benchmarks/throughput.py --architecture ViT-B-32     # random weights: as fast as any

Every part is measured several times; the table shows medians. Run it on an idle machine: torch's
threads suffer most when cores are shared.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from plain import PlainLoop, PlainReward, gymnasium_frames, gymnasium_steps
from stable_baselines3 import SAC

from vlmrm.config import Config, RandomModel, TrainingRun, load_config
from vlmrm.data.tables import write_table
from vlmrm.envs import make_env
from vlmrm.envs.humanoid import humanoid_model
from vlmrm.models.random_init import make_random_model
from vlmrm.rendering import make_renderer
from vlmrm.rewards.steps import FrameReward
from vlmrm.rewards.vlm import VLMReward
from vlmrm.training.algorithms import ALGORITHMS, agent_settings
from vlmrm.training.run import train
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv

SCENE = "textured-fixed"
RENDER_SIZE = 224
"""Side in pixels of the frames of the rendering comparison."""
FRAMES = 256
"""Frames or environment steps of one measurement."""

Measure = Callable[[], float]
"""Measures once; returns a rate per second."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--config", type=Path, default=Path("config/demo.yaml"))
    parser.add_argument("--model", type=Path, help="A model folder.")
    parser.add_argument("--architecture", default="sim-S", help="Random weights, without --model.")
    parser.add_argument("--task", default="kneeling")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument(
        "--rounds", type=int, default=40, help="Rounds of steps and updates in a training."
    )
    parser.add_argument("--output", type=Path, help="Write the table there (CSV).")
    options = parser.parse_args()
    config = load_config(options.config)
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or Path(folder) / options.architecture
        if options.model is None:
            random = RandomModel(source="random", architecture=options.architecture)
            make_random_model(random, model)
        table = measure(config, options.task, model, options.repeat, options.rounds)
    print(table.to_string(index=False, float_format="{:.2f}".format))
    if options.output:
        write_table(options.output, table)


def measure(config: Config, task: str, model: Path, repeat: int, rounds: int) -> pd.DataFrame:
    """One row per part: ours and plain per second (medians), and their ratio."""
    goal = config.tasks[task].goals
    reward = VLMReward.load(model, goal, precision=config.precision)
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, 224, 224, 3), dtype=np.uint8)
    small = frames[:64]
    plain_reward = PlainReward(model, goal[0])
    pairs: list[tuple[str, Measure, Measure]] = [
        ("rendering, one process", functools.partial(render, config), gymnasium_frames),
        ("environment steps", functools.partial(step, config, None), gymnasium_steps),
        (
            f"rewards, {model.name}",
            lambda: rate(lambda: reward(frames)),
            lambda: rate(lambda: plain_reward(small), len(small)),
        ),
        (
            "gradient steps",
            lambda: gradient_steps(config, True),
            lambda: gradient_steps(config, False),
        ),
        (
            "whole training",
            functools.partial(loop, config, task, reward, rounds),
            PlainLoop(config.training["humanoid"].agent, plain_reward),
        ),
    ]
    rows = []
    for part, ours, plain in pairs:
        fast, slow = median(ours, repeat), median(plain, max(1, repeat // 2))
        rows.append({"part": part, "ours": fast, "plain": slow, "ratio": fast / slow})
        print(f"{part:<32}{fast:>9.1f} per second, plain {slow:.1f}", flush=True)
    rows.append(allowed(config, {row["part"]: row["ours"] for row in rows}, model.name, repeat))
    return pd.DataFrame(rows)


def allowed(config: Config, rates: dict[str, float], model: str, repeat: int) -> dict[str, object]:
    """The whole training next to the rate of its parts, one after another on all cores."""
    agent = config.training["humanoid"].agent
    updates = agent.gradient_steps / agent.round_steps
    stepping = median(functools.partial(step, config, SCENE), repeat)
    seconds = 1 / stepping + 1 / rates[f"rewards, {model}"] + updates / rates["gradient steps"]
    whole = rates["whole training"]
    part = "whole training, next to the sum of its parts"
    return {"part": part, "ours": whole, "plain": 1 / seconds, "ratio": whole * seconds}


def median(measure: Measure, repeat: int) -> float:
    measure()  # warm up
    return statistics.median(measure() for _ in range(repeat))


def rate(work: Callable[[], object], count: int = FRAMES) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def render(config: Config) -> float:
    rendering = config.rendering.model_copy(update={"humanoid_size": RENDER_SIZE})
    renderer = make_renderer("humanoid", SCENE, rendering)
    state = np.concatenate([humanoid_model().qpos0, np.zeros(humanoid_model().nv)])
    out = np.empty(renderer.shape, np.uint8)
    renderer.render(state, out)
    result = rate(lambda: [renderer.render(state, out) for _ in range(FRAMES)])
    renderer.close()
    return result


def step(config: Config, scene: str | None) -> float:
    """Environment steps per second of all processes, with frames if there is a scene."""
    agent = config.training["humanoid"].agent
    make = functools.partial(make_env, "humanoid", agent.episode_steps)
    render = functools.partial(make_renderer, "humanoid", scene, config.rendering)
    env = VectorEnv(EnvSpec(make, agent.n_envs, render if scene else None))
    env.reset()
    count = FRAMES // agent.n_envs

    def work() -> None:
        for _ in range(count):
            env.step(np.stack([env.action_space.sample() for _ in range(env.num_envs)]))
        env.finish_frames()

    work()
    result = rate(work, count * env.num_envs)
    env.close()
    return result


def gradient_steps(config: Config, ours: bool) -> float:
    """Updates per second of our agent, or of Stable-Baselines3's with the same networks."""
    agent = config.training["humanoid"].agent
    make = functools.partial(make_env, "humanoid", agent.episode_steps)
    env = VectorEnv(EnvSpec(make, 1), workers=0)
    settings = agent_settings(agent) | {"buffer_size": 4 * agent.batch_size}
    if not ours:
        settings["policy_kwargs"] = {"net_arch": list(agent.net_arch)}
    kind = ALGORITHMS["sac"].deferred if ours else SAC
    learner = kind("MlpPolicy", env, seed=0, **settings)
    learner._setup_learn(1)
    buffer = learner.replay_buffer
    rng = np.random.default_rng(0)
    for name in ("observations", "next_observations", "actions", "rewards"):
        array = getattr(buffer, name)
        array[:] = rng.normal(size=array.shape)
    buffer.full = True
    count = 50
    result = rate(lambda: learner.train(count, agent.batch_size), count)
    env.close()
    return result


def loop(config: Config, task: str, reward: VLMReward, rounds: int = 40) -> float:
    """Environment steps per second of a short training, from its first updates on."""
    training = config.training["humanoid"]
    starts = training.agent.round_steps
    short = {"total_timesteps": rounds * starts, "learning_starts": starts, "save_freq": 10**9}
    agent = training.agent.model_copy(update=short)
    config = config.model_copy(
        update={"training": {"humanoid": training.model_copy(update={"agent": agent})}}
    )
    source = reward.model.name
    run = TrainingRun(task=task, scene=SCENE, reward_source=source, scoring=reward.scoring, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        train(config.training_settings(run), FrameReward(reward), Path(folder))
        curve = pd.read_csv(Path(folder) / "learning_curve.csv")
    late = curve[curve["steps"] > 2 * starts]
    return float(starts * len(late) / (starts / late["frames_per_second"]).sum())


if __name__ == "__main__":
    main()
