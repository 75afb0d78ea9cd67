"""Rates of this machine, measured in about a minute."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from vlmrm.config import SCENES, Config, EnvironmentName, Rendering
from vlmrm.config.architectures import family_architectures
from vlmrm.envs import make_env
from vlmrm.epic import measure_epic
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel, choose_device
from vlmrm.models.model_size import towers
from vlmrm.models.preprocessing import Preprocessing
from vlmrm.models.random_init import FAMILY_PREPROCESSING, build_untrained
from vlmrm.plan.machine import OTHERWISE, Machine, Rate, load_machine
from vlmrm.rendering import make_renderer
from vlmrm.rendering.parallel import draw
from vlmrm.states.training import sample_training_states
from vlmrm.training.algorithms import KINDS, agent_settings
from vlmrm.training.vec_env.vector_env import VectorEnv, available_cores

SECONDS = 1.0
"""About how long each rate is measured, after a first call that starts things up."""

PUBLISHED, SMALL = "ViT-B-32", "sim-S"
"""Architectures whose images stand for all of published size, and for all of the offline family."""

SMALL_FRAME = 64
"""Side in pixels of frames that take hardly more than any frame does."""

EPISODE = 100
"""Steps of one measurement of an environment."""


def measure_machine(config: Config) -> Machine:
    """Measures what the configuration uses; the rest is the table's, which each rate tells."""
    device = choose_device("auto")
    here = load_machine(OTHERWISE)
    environments = {task.environment for task in config.tasks.values()}
    published = any(m.architecture not in family_architectures() for m in config.models.values())
    gpus = torch.cuda.device_count() if device.type == "cuda" else 0
    name = torch.cuda.get_device_name() if gpus else "no GPU"
    cores = available_cores()
    load, *_ = os.getloadavg()
    busy = f"; busy with other things, which makes it slow: load {load:.1f}" if load > cores else ""
    rates: dict[str, object] = {
        "title": f"this machine ({cores} cores, {f'{gpus} x ' if gpus > 1 else ''}{name}{busy})",
        "gpu": gpus > 0,
        "gpus": max(gpus, 1),
        "cores": Rate(value=cores, how="counted"),
        "small_flops": _tower(SMALL, config, device),
        "start": _start(),
        "resample": _resample(),
    }
    rates["flops"] = _tower(PUBLISHED, config, device) if published else rates["small_flops"]
    frame, megapixel = dict(here.frame), dict(here.megapixel)
    step, update, state = dict(here.step), dict(here.update), dict(here.state)
    for environment in sorted(environments):
        sample = functools.partial(sample_training_states, environment, seed=0)
        state[environment] = _measured("sampling", sample, 50)
        if environment == "humanoid":
            frame[environment], megapixel[environment] = _humanoid_frames(config.rendering)
        else:
            scene, *_ = SCENES[environment]
            frame[environment] = _frames(environment, scene, config.rendering)
        if environment in config.training:
            step[environment], update[environment] = _agent(environment, config, device)
    rates |= {"frame": frame, "megapixel": megapixel}
    rates |= {"step": step, "update": update, "state": state, "download": here.download}
    return Machine.model_validate(rates)


def _seconds(work: Callable[[int], object], count: int) -> float:
    """Seconds per unit of what ``work`` does so many of."""
    work(count)  # the first call starts things up
    start, done = time.perf_counter(), 0
    while done == 0 or time.perf_counter() - start < SECONDS:
        work(count)
        done += count
    return (time.perf_counter() - start) / done


def _measured(what: str, work: Callable[[int], object], count: int) -> Rate:
    return Rate(value=_seconds(work, count), how=f"measured here: {what}")


def _tower(architecture: str, config: Config, device: torch.device) -> Rate:
    network, model_config, preprocess = build_untrained(architecture, seed=0)
    size = model_config["vision_cfg"]["image_size"]
    if architecture in family_architectures():
        preprocess = {**FAMILY_PREPROCESSING, "size": size}
    else:
        preprocess = network.visual.preprocess_cfg  # type: ignore[assignment, union-attr]
    model = ClipModel(
        architecture,
        network,
        None,
        Preprocessing.from_open_clip(preprocess),
        device,
        config.precision,
    )
    count = 256 if device.type == "cuda" or architecture == SMALL else 16
    frames = np.zeros((count, size, size, 3), np.uint8)
    seconds = _seconds(lambda n: model.embed_images(frames[:n]), count)
    rate = towers(architecture).image_flops / seconds
    return Rate(
        value=rate,
        how=f"measured here: {1 / seconds:.4g} images of {architecture} per second, "
        f"{model.precision}",
    )


def _frames(environment: EnvironmentName, scene: str, rendering: Rendering) -> Rate:
    renderer = make_renderer(environment, scene, rendering)
    states = sample_training_states(environment, 8, seed=0)
    try:
        return _measured(f"drawing {scene}", lambda n: draw(renderer, states[:n]), len(states))
    finally:
        renderer.close()


def _humanoid_frames(rendering: Rendering) -> tuple[Rate, Rate]:
    """What every frame takes, and its pixels: the line through a small and a large frame."""
    scene, *_ = SCENES["humanoid"]
    sides = (SMALL_FRAME, max(rendering.humanoid_size, 2 * SMALL_FRAME))
    small, large = (
        _frames("humanoid", scene, rendering.model_copy(update={"humanoid_size": side})).value
        for side in sides
    )
    pixels = [side**2 / 1e6 for side in sides]
    slope = max((large - small) / (pixels[1] - pixels[0]), 1e-9)
    each = max(small - slope * pixels[0], 1e-9)
    how = f"measured here: drawing {scene} at {sides[0]} and {sides[1]} pixels"
    return Rate(value=each, how=how), Rate(value=slope, how=how)


def _agent(environment: EnvironmentName, config: Config, device: torch.device) -> tuple[Rate, Rate]:
    """Environment steps with the agent's actions, and gradient steps."""
    agent = config.training[environment].agent
    make = functools.partial(make_env, environment, agent.episode_steps)
    env = VectorEnv(make, 1, workers=0)
    # The networks of agents with a look-up are computed by one core; the others' may be elsewhere.
    where = "cpu" if config.training[environment].lookup else str(device)
    settings = agent_settings(agent) | {"buffer_size": 2 * agent.batch_size}
    learner = KINDS[agent.algorithm]("MlpPolicy", env, seed=0, device=where, **settings)
    learner._setup_learn(1)
    buffer = learner.replay_buffer
    assert buffer is not None
    rng = np.random.default_rng(0)
    for values in (buffer.observations, buffer.next_observations, buffer.rewards):
        values[:] = rng.normal(size=values.shape)
    if agent.algorithm == "sac":
        buffer.actions[:] = rng.uniform(-1, 1, size=buffer.actions.shape)
    buffer.full = True

    def act(count: int) -> None:
        observations = env.reset()
        for _ in range(count):
            actions, _ = learner.predict(observations)
            observations, *_ = env.step(actions)  # type: ignore[assignment]

    try:
        return (
            _measured("a step and its action", act, EPISODE),
            _measured(
                f"updates of batches of {agent.batch_size}",
                lambda n: learner.train(n, agent.batch_size),
                10,
            ),
        )
    finally:
        env.close()


def _resample() -> Rate:
    rng = np.random.default_rng(0)
    rewards, labels = rng.normal(size=2000), rng.random(2000) < 0.5
    each = _seconds(
        lambda n: measure_epic({0.0: rewards}, labels, clusters=None, bootstrap=n, seed=0), 50
    )
    return Rate(value=each / len(rewards), how="measured here: the bootstrap of 2,000 states")


def _start() -> Rate:
    command = [sys.executable, "-c", "import vlmrm.models.clip"]
    start = time.perf_counter()
    if subprocess.run(command, capture_output=True).returncode:
        raise UserError("PyTorch: cannot be imported here; run `vlmrm doctor`")
    return Rate(value=time.perf_counter() - start, how="measured here: loading PyTorch")
