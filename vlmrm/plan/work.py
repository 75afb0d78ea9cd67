"""What a job does, and how long that takes."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from vlmrm.config import (
    SCENES,
    Config,
    FunctionModel,
    PretrainedModel,
    Rendering,
    SimulatorModel,
    TrainingRun,
)
from vlmrm.config.architectures import sim_architectures
from vlmrm.config.ensembles import towers
from vlmrm.config.models import HELD_OUT
from vlmrm.config.settings import VideoSettings
from vlmrm.config.states import KEEP_EVERY
from vlmrm.config.training import DQN, Algorithm, OffPolicyAgent
from vlmrm.machine.machines import Machine
from vlmrm.plan.jobs import Job
from vlmrm.plan.sizes import model_size

# Seconds of one core, measured (Mesa's llvmpipe renders): the humanoid's on an AMD EPYC, the others
# on an x86-64 server with AVX-512, which is a fifth faster.
# Those of `OWN`, the user's own environments, are guesses; benchmarks of jobs correct them.
OWN = "own"
FRAME = {"humanoid": 1.26e-3, "filament": 0.01, "cartpole": 3.2e-3, "mountain-car": 2.1e-3}
FRAME[OWN] = 0.02
MEGAPIXEL = {"humanoid": 0.0448, "filament": 1.34}  # in addition, where the size can be set
SHADOWS = 3  # times as long; the scene filament always has them
STEP = {"humanoid": 1.45e-3, "cartpole": 1.9e-4, "mountain-car": 3.6e-4, OWN: 1e-3}  # and action
UPDATE = {"cartpole": 2.7e-3, "mountain-car": 7.6e-3}
STATE = {"humanoid": 2.2e-3, "cartpole": 1e-6, "mountain-car": 1e-6}
LOOP = 1.18  # a training over the sum of its parts, measured
START = 1.5  # importing NumPy and pandas
START_TORCH = 4.5  # importing PyTorch, and open_clip or Stable-Baselines3

# Bytes on disk, measured.
COMPRESSED = {"humanoid": 0.072, "cartpole": 0.001, "mountain-car": 0.044, OWN: 0.05}  # per byte
CORPUS_COMPRESSED = 0.12
VIDEO_FRAME = 1000
FLOAT = 4

BACKWARD = 4  # 3 times the operations (Kaplan et al., 2020), a little slower (measured)
# Numbers of an observation and of an action.
OBSERVED = {"cartpole": (4, 2), "mountain-car": (2, 1), "humanoid": (348, 17), OWN: (100, 8)}

LIGHT = (
    *("copy_model", "make_ensemble", "sample_states", "join_states"),
    *("render_", "score_", "measure_", "check_"),
    *("draw_", "make_page", "update_page"),
)
"""Prefixes of the rules whose commands do not import PyTorch."""


@dataclass
class Work:
    """What a job does, and what it leaves.

    Attributes:
        frames: Rendered.
        images: Embedded.
        serial: Seconds of one core.
        shared: Seconds of one core that the cores of the job share.
        accelerated: Seconds of the GPU, or of all cores where there is none.
        download: Bytes.
        disk: Bytes that stay; small files are left out.
    """

    frames: float = 0
    images: float = 0
    serial: float = 0
    shared: float = 0
    accelerated: float = 0
    download: float = 0
    disk: float = 0

    @property
    def alone(self) -> bool:
        """Whether the job takes all cores, or those beside a GPU; others take one."""
        return self.shared + self.accelerated > 0

    def seconds(self, machine: Machine) -> float:
        """Duration of the job, without its download."""
        cores = machine.cores / max(machine.gpus, 1)
        return self.serial + self.shared / cores + self.accelerated

    def render(self, environment: str, scene: str, count: float, rendering: Rendering) -> float:
        """Adds frames; returns their bytes."""
        pixels = rendering.humanoid_size**2 if environment == "humanoid" else 400 * 600
        name = "filament" if scene == "filament" else rated(environment)
        seconds = FRAME[name] + MEGAPIXEL.get(name, 0) * pixels / 1e6
        if rendering.shadows and name == "humanoid":
            seconds *= SHADOWS
        self.frames += count
        self.shared += count * seconds
        return 3 * pixels * count

    def record(self, video: VideoSettings | None, count: float) -> None:
        """Adds the frames of a video, if there is one."""
        if video is not None:
            self.render(video.environment, video.scene, count, video.rendering)
            self.disk += VIDEO_FRAME * count

    def embed(self, config: Config, machine: Machine, model: str, count: float) -> None:
        """Adds images that a model, each member of an ensemble, or a function's windows see."""
        for tower in towers(config, model):
            entry = config.models[tower]
            images = count * (entry.window if isinstance(entry, FunctionModel) else 1)
            small = entry.architecture in sim_architectures()
            flops = machine.small_flops if small else machine.flops
            self.images += images
            self.accelerated += images * model_size(config, tower).image_flops / flops


def rated(environment: str) -> str:
    """The name under which an environment's rates are."""
    return environment if environment in SCENES else OWN


def work_of(job: Job, config: Config, machine: Machine) -> Work:
    """What a job of the workflow does; figures and tables count as their start alone."""
    w = job.wildcards
    work = Work(serial=START if job.rule.startswith(LIGHT) else START_TORCH)
    match job.rule:
        case "copy_model" | "fetch_model" | "make_random_model" | "train_model":
            model = config.models[w["model"]]
            work.disk = FLOAT * model_size(config, w["model"]).parameters
            if isinstance(model, PretrainedModel) and model.path is None:
                work.download = work.disk  # float32, as most are published
            if isinstance(model, SimulatorModel):
                images = (1 - HELD_OUT) * config.corpus_size(model.corpus)
                work.embed(config, machine, w["model"], round(model.epochs * images))
                work.accelerated *= BACKWARD
        case "make_corpus":
            corpus = config.corpora[w["corpus"]]
            for simulator, by_scene in corpus.frames.items():
                for scene, count in by_scene.items():
                    work.render(simulator, scene, count, corpus.rendering)
                    work.serial += count * STATE[simulator]
            scenes = {str(simulator): list(held) for simulator, held in corpus.frames.items()}
            for name in corpus.states if corpus.frames else []:
                environment = config.state_sets[name].environment
                count, views = config.set_size(name), scenes[environment]
                for scene in views:
                    work.render(environment, scene, round(count / len(views)), corpus.rendering)
                work.serial += count * STATE[environment]
            pixels = config.corpus_size(w["corpus"]) * corpus.image_size**2
            work.disk = CORPUS_COMPRESSED * 3 * pixels
        case "sample_states":
            environment = config.state_sets[w["states"]].environment
            work.serial += config.set_size(w["states"]) * STATE[environment]
        case "sample_rollouts":
            environment = config.state_sets[w["states"]].environment
            work.shared = KEEP_EVERY * config.set_size(w["states"]) * STEP[environment]
        case "sample_live_rollouts":
            count = config.set_size(w["states"])
            work.shared = KEEP_EVERY * count * STEP[OWN]
            work.disk = COMPRESSED[OWN] * work.render(OWN, "default", count, Rendering())
        case "render_frames":
            environment = config.state_sets[w["states"]].environment
            rendering, count = config.rendering_settings(environment), config.set_size(w["states"])
            size = work.render(environment, w["scene"], count, rendering)
            work.disk = COMPRESSED[environment] * size
        case "embed_frames":
            work.embed(config, machine, w["model"], config.set_size(w["states"]))
            work.disk = FLOAT * work.images * model_size(config, w["model"]).embedding
        case "score_frames":
            work.serial = START_TORCH
            work.embed(config, machine, w["model"], config.set_size(w["states"]))
        case "measure_diagnosis":
            work.serial = START_TORCH
        case "search_poses":
            search = config.searches[w["search"]]
            count = search.population * search.generations
            work.serial += count * STATE["humanoid"]
            if w["reward_source"] in config.models:
                work.render("humanoid", w["scene"], count, config.rendering)
                work.embed(config, machine, w["reward_source"], count)
        case "train_policy":
            _train(work, TrainingRun.model_validate(w), config, machine)
        case "evaluate_policy" | "evaluate_live_policy":
            run = config.evaluation_settings(TrainingRun.model_validate(w))
            work.shared = run.trajectories * run.episode_steps * STEP[rated(run.environment)]
            if job.rule == "evaluate_live_policy":
                count = run.video_trajectories * run.episode_steps
                work.disk = COMPRESSED[OWN] * work.render(OWN, "default", count, Rendering())
        case "record_video":
            _recording(work, TrainingRun.model_validate(w), config, machine)
        case "evaluate_random_policy":
            random = config.random_evaluation_settings(w["task"])
            step = STEP[rated(random.environment)]
            work.shared = random.trajectories * random.episode_steps * step
    return work


def _train(work: Work, run: TrainingRun, config: Config, machine: Machine) -> None:
    settings = config.training_settings(run)
    environment, agent = settings.environment, settings.agent
    steps = agent.whole_timesteps
    saved = math.ceil(steps / agent.whole_save_freq)
    update = UPDATE.get(environment, machine.update)
    work.shared = steps * STEP[rated(environment)]
    work.accelerated = updates(agent) * update
    work.record(settings.video, saved * agent.episode_steps)
    # The policies of every checkpoint, and copies of the last and of the best two.
    work.disk += (saved + 3) * policy_bytes(environment, agent)
    if config.sees_frames(run):
        for scene in settings.scenes:
            work.render(environment, scene, steps, settings.rendering)
        work.embed(config, machine, run.reward_source, steps)
        work.shared, work.accelerated = LOOP * work.shared, LOOP * work.accelerated
        return
    work.serial += work.shared
    work.shared = 0
    if machine.gpus == 0 or config.training[environment].lookup is not None:
        work.serial += work.accelerated
        work.accelerated = 0


def _recording(work: Work, run: TrainingRun, config: Config, machine: Machine) -> None:
    settings, played = config.recording_settings(run), config.evaluation_settings(run)
    count = played.video_trajectories * played.episode_steps
    sees_frames = config.sees_frames(run)
    if settings.own is None:
        work.record(settings.video, count)
        for scene in settings.scenes if sees_frames else []:
            work.render(settings.environment, scene, count, settings.rendering)
    if sees_frames:
        work.embed(config, machine, run.reward_source, count)


def updates(agent: OffPolicyAgent) -> int:
    """Gradient steps of a whole training: those of each round that ends after the start."""
    rounds = agent.whole_timesteps // agent.round_steps
    rounds -= agent.learning_starts // agent.round_steps
    return agent.gradient_steps * max(rounds, 0)


def replay_bytes(environment: str, agent: OffPolicyAgent) -> int:
    """Size of the replay buffer of a training, as far as it is filled.

    Args:
        environment: One of the package's; others are measured where they are tried.
        agent: Settings of the agent.
    """
    observed, actions = OBSERVED[environment]
    return agent.replay_bytes(FLOAT * observed, FLOAT * actions)


def policy_bytes(environment: str, agent: Algorithm) -> int:
    """Size of a saved agent: its networks, their targets, and two moments of Adam.

    The critics of SAC are about as large as the actor.
    """
    observed, actions = OBSERVED[rated(environment)]
    widths = [observed + actions, *agent.net_arch, actions]
    copies = 4 if isinstance(agent, DQN) else 3 + 8 + (agent.actor_ema > 0)
    return FLOAT * copies * sum((a + 1) * b for a, b in itertools.pairwise(widths))
