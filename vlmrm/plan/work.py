"""How much there is to do in each job: frames, images, steps, updates, bytes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from vlmrm.config import REFERENCES, Config, GridStates, PathStates, PretrainedModel, SimulatorModel
from vlmrm.config.training import SAC, OffPolicyAgent
from vlmrm.plan.jobs import Job
from vlmrm.plan.sizes import model_config, towers_of

Kind = Literal["frames", "images", "steps", "updates", "states", "resamples", "downloads", "starts"]

CLASSIC_MEGAPIXELS = 0.24
"""Of the 400 x 600 frames of CartPole and MountainCar."""

SEEN_AGAIN = 3
"""A training step computes about three times what looking at its images does (Kaplan et al.,
Scaling Laws for Neural Language Models, 2020: the way back takes twice the way there)."""

TRAINED_ON = 0.9
"""Share of a corpus that is not held out."""

COMPRESSED = {"humanoid": 0.072, "cartpole": 0.001, "mountain-car": 0.044}
"""Bytes of a stored frame per byte of the frame, measured on state sets of the offline study."""

CORPUS_COMPRESSED = 0.12
"""The same of a corpus, whose pictures are small."""

FILM_BYTES = 1000
"""Bytes of a film per frame, measured on the demo's."""

FLOAT = 4
"""Bytes of a float32: of weights, embeddings and policies."""

ROLLOUT_KEEPS = 5
"""One state in so many is kept of a rollout."""

OBSERVED = {"cartpole": (4, 2), "mountain-car": (2, 1), "humanoid": (348, 17)}
"""Lengths of observations and actions."""


@dataclass(frozen=True)
class Amount:
    """Work of one kind.

    Attributes:
        kind: What is counted.
        what: Of which environment, architecture, ...
        count: How many.
        size: What one takes: megapixels of a frame, floating-point operations of an image, bytes
            of a download.
    """

    kind: Kind
    what: str
    count: float
    size: float = 1.0


@dataclass(frozen=True)
class Work:
    """All that a job does, and the bytes that it leaves on the disk."""

    amounts: tuple[Amount, ...]
    disk: float = 0.0


def work_of(job: Job, config: Config) -> Work:
    """What a job of the workflow takes; figures and tables count as their start alone."""
    amounts = (Amount("starts", "processes", 1), *_amounts(job, config))
    return Work(amounts, disk=disk_of(job, config))


def _amounts(job: Job, config: Config) -> Iterator[Amount]:
    w = job.wildcards
    match job.rule:
        case "fetch_model":
            yield Amount("downloads", w["model"], 1, weight_bytes(config, w["model"]))
        case "make_corpus":
            for environment, scenes in config.corpora[w["corpus"]].frames.items():
                for scene, count in scenes.items():
                    yield _frames(config, environment, scene, count)
                yield Amount("states", environment, sum(scenes.values()))
        case "pretrain_model":
            yield _pretraining(config, w["model"])
        case "make_states":
            yield Amount("states", config.state_sets[w["states"]].environment, _size(config, w))
        case "make_rollout_states":
            environment = config.state_sets[w["states"]].environment
            kept = _size(config, w)
            yield Amount("steps", environment, ROLLOUT_KEEPS * kept)
        case "render_frames":
            states = config.state_sets[w["states"]]
            yield _frames(config, states.environment, w["scene"], _size(config, w))
        case "embed_frames":
            yield _images(config, w["model"], _size(config, w))
        case "measure_epic":
            epic = config.epic[w["epic"]]
            count = state_count(config, epic.states)
            yield Amount("resamples", "states", epic.bootstrap * len(config.alphas) * count)
        case "train_policy":
            yield from _training(config, w)
        case "evaluate_policy" | "evaluate_random_policy":
            environment = config.tasks[w["task"]].environment
            length = config.training[environment].agent.episode_steps
            yield Amount("steps", environment, config.evaluation.trajectories * length)
            if job.rule == "evaluate_policy":
                filmed = config.evaluation.video_trajectories * length
                yield _frames(config, environment, w["scene"], filmed, film=True)


def _training(config: Config, w: dict[str, str]) -> Iterator[Amount]:
    environment = config.tasks[w["task"]].environment
    training = config.training[environment]
    agent = training.agent
    steps = _rounds(agent) * _round_steps(agent)
    yield Amount("steps", environment, steps)
    yield Amount("updates", environment, updates(agent))
    if w["reward_source"] not in REFERENCES and training.lookup is None:
        yield _frames(config, environment, w["scene"], steps)
        yield _images(config, w["reward_source"], steps)
    if config.evaluation.training_videos:
        filmed = checkpoints(agent) * agent.episode_steps
        yield _frames(config, environment, w["scene"], filmed, film=True)


def updates(agent: OffPolicyAgent) -> int:
    """Gradient steps of a whole training: those of each round that ends after the start."""
    return agent.gradient_steps * max(
        _rounds(agent) - agent.learning_starts // _round_steps(agent), 0
    )


def checkpoints(agent: OffPolicyAgent) -> int:
    """Checkpoints of a whole training, the last policy not among them."""
    return agent.total_timesteps // agent.save_freq


def _rounds(agent: OffPolicyAgent) -> int:
    return math.ceil(agent.total_timesteps / _round_steps(agent))


def _round_steps(agent: OffPolicyAgent) -> int:
    return agent.train_freq * agent.n_envs


def _frames(
    config: Config, environment: str, scene: str, count: float, film: bool = False
) -> Amount:
    if environment != "humanoid":
        return Amount("frames", environment, count, CLASSIC_MEGAPIXELS)
    side = config.evaluation.video_size if film else config.rendering.humanoid_size
    return Amount(
        "frames", "filament" if scene == "filament" else environment, count, side**2 / 1e6
    )


def _images(config: Config, model: str, count: float) -> Amount:
    name = config.models[model].architecture or model
    return Amount("images", name, count, towers_of(config, model).image_flops)


def _pretraining(config: Config, name: str) -> Amount:
    model = config.models[name]
    assert isinstance(model, SimulatorModel)
    frames = config.corpora[model.corpus].frames
    images = TRAINED_ON * sum(count for scenes in frames.values() for count in scenes.values())
    flops = SEEN_AGAIN * towers_of(config, name).image_flops
    return Amount("images", model.architecture, round(model.epochs * images), flops)


def weight_bytes(config: Config, model: str) -> float:
    """Bytes to download of a model: its weights, in float32 as most are published."""
    settings = config.models[model]
    if isinstance(settings, PretrainedModel) and settings.path is not None:
        return 0
    return FLOAT * towers_of(config, model).parameters


def _size(config: Config, w: dict[str, str]) -> int:
    return state_count(config, w["states"])


def state_count(config: Config, name: str) -> int:
    """How many states a set of the configuration holds."""
    states = config.state_sets[name]
    if isinstance(states, GridStates):
        from vlmrm.states.grid import sample_grid

        return len(sample_grid(states))
    if isinstance(states, PathStates):
        return states.points * len(states.tasks)
    return states.size


def disk_of(job: Job, config: Config) -> float:
    """Bytes that stay; small files are left out."""
    w = job.wildcards
    match job.rule:
        case "fetch_model" | "make_random_model" | "pretrain_model":
            return FLOAT * towers_of(config, w["model"]).parameters
        case "make_corpus":
            corpus = config.corpora[w["corpus"]]
            count = sum(c for scenes in corpus.frames.values() for c in scenes.values())
            return CORPUS_COMPRESSED * count * 3 * corpus.image_size**2
        case "render_frames":
            states = config.state_sets[w["states"]]
            frames = _frames(config, states.environment, w["scene"], _size(config, w))
            return COMPRESSED[states.environment] * frames.count * frames.size * 3e6
        case "embed_frames":
            return FLOAT * int(model_config(config, w["model"])["embed_dim"]) * _size(config, w)
        case "train_policy":
            return _policies(config, w)
        case "evaluate_policy":
            environment = config.tasks[w["task"]].environment
            length = config.training[environment].agent.episode_steps
            return FILM_BYTES * config.evaluation.video_trajectories * length
    return 0


def _policies(config: Config, w: dict[str, str]) -> float:
    """The policies of every checkpoint, the last one, and copies of the best two; films."""
    environment = config.tasks[w["task"]].environment
    agent = config.training[environment].agent
    kept = checkpoints(agent) + 4
    film = FILM_BYTES * agent.episode_steps * checkpoints(agent)
    return kept * policy_bytes(environment, agent) + film


def policy_bytes(environment: str, agent: OffPolicyAgent) -> int:
    """Bytes of a saved agent: networks, targets, averages, and two moments of Adam."""
    observed, actions = OBSERVED[environment]
    if isinstance(agent, SAC):
        actor = _weights([observed, *agent.net_arch, 2 * actions])
        critics = 2 * _weights([observed + actions, *agent.net_arch, 1])
        averaged = actor if agent.actor_ema else 0
        return FLOAT * (3 * (actor + critics) + critics + averaged)
    network = _weights([observed, *agent.net_arch, actions])
    return FLOAT * 4 * network


def _weights(widths: list[int]) -> int:
    return sum((a + 1) * b for a, b in itertools.pairwise(widths))
