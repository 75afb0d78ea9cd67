"""Training agents, and judging them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlmrm.cli.options import ConfigFile, Device, Gpus, Output, Workers, pick
from vlmrm.config import RANDOM_POLICY, REFERENCES, SCENES, Config, TrainingRun, load_config
from vlmrm.errors import UserError
from vlmrm.machine.gpus import claim_gpus

if TYPE_CHECKING:
    from vlmrm.rewards.sources import RewardSource

TaskName = Annotated[str, typer.Option("--task", help="Name of a task of the configuration.")]
Scene = Annotated[
    str | None, typer.Option(help="Scene of the frames; default: the environment's first.")
]
Alpha = Annotated[float, typer.Option(min=0, max=1, help="Regularization strength.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the training.")]
RewardName = Annotated[
    str, typer.Option("--reward", help="Name of a model, or oracle, or ground-truth.")
]


def register(app: typer.Typer) -> None:
    for command in (train, lookup, evaluate):
        app.command()(command)


def train(
    config: ConfigFile,
    task: TaskName,
    reward: RewardName,
    output: Annotated[Path, typer.Option(help="Folder of the results.")],
    scene: Scene = None,
    alpha: Alpha = 0.0,
    seed: Seed = 0,
    model: Annotated[Path | None, typer.Option(help="Model folder, to score frames.")] = None,
    states: Annotated[Path | None, typer.Option(help="Grid of states, for look-up.")] = None,
    rewards: Annotated[Path | None, typer.Option(help="Rewards of the grid.")] = None,
    errors: Annotated[Path | None, typer.Option(help="Errors of looking them up (CSV).")] = None,
    workers: Workers = None,
    device: Device = "auto",
    gpus: Gpus = 1,
) -> None:
    """Train an agent; an interrupted training continues."""
    settings = load_config(config)
    _check_reward(settings, reward)
    run = _run(settings, task, scene, reward, alpha, seed)
    _check_training(settings, run)
    if model is not None or settings.evaluation.training_videos:
        _check_scene(settings, run)
    chosen = settings.tasks[task]
    # What looks its rewards up computes less than a GPU takes to be told.
    claim_gpus(0 if settings.training[chosen.environment].lookup else gpus)
    if run.reward in REFERENCES:
        from vlmrm.rewards.sources import reference_reward

        source = reference_reward(run.reward, chosen)
    elif model is not None:
        source = _computed(model, settings, run, device, gpus)
    else:
        source = _looked_up(settings, run, states, rewards, errors)
    from vlmrm.training.run import train as train_agent

    train_agent(run, settings, source, output, workers, device)


def lookup(
    states: Annotated[Path, typer.Option(help="Grid of states (HDF5).")],
    rewards: Annotated[Path, typer.Option(help="Rewards of the grid (Parquet).")],
    check_states: Annotated[Path, typer.Option(help="States between its points (HDF5).")],
    check_rewards: Annotated[Path, typer.Option(help="Rewards of these (Parquet).")],
    output: Output,
) -> None:
    """Measure how far rewards looked up on a grid are from those computed from frames."""
    from vlmrm.data.states import States
    from vlmrm.data.tables import read_table, write_table
    from vlmrm.rewards.lookup import measure_interpolation

    table = measure_interpolation(
        States.read(states),
        read_table(rewards),
        States.read(check_states),
        read_table(check_rewards),
    )
    write_table(output, table)


def evaluate(
    config: ConfigFile,
    task: TaskName,
    output: Output,
    policy: Annotated[
        Path | None, typer.Option(help="Trained policy; left out: uniformly random actions.")
    ] = None,
    video: Annotated[Path | None, typer.Option(help="Film some trajectories (MP4).")] = None,
    reward: Annotated[str | None, typer.Option(help="What the policy was trained on.")] = None,
    scene: Scene = None,
    alpha: Alpha = 0.0,
    seed: Seed = 0,
    workers: Workers = None,
) -> None:
    """Judge a policy by the task's oracle, over the configured number of trajectories."""
    settings = load_config(config)
    if policy is None:
        reward = RANDOM_POLICY
    elif reward is None:
        raise UserError("--reward: missing; name what the policy was trained on")
    else:
        _check_reward(settings, reward)
    run = _run(settings, task, scene, reward, alpha, seed)
    if video is not None:
        _check_scene(settings, run)
    from vlmrm.data.tables import write_table
    from vlmrm.rendering.video import film
    from vlmrm.training.evaluation import evaluate as judge

    table, trajectories = judge(policy, task, settings, workers=workers)
    for position, (name, value) in enumerate(run):
        table.insert(position, name, value)
    write_table(output, table)
    if video is not None:
        filmed = trajectories[: settings.evaluation.video_trajectories]
        film(video, filmed, settings, run)


def _run(
    config: Config, task: str, scene: str | None, reward: str, alpha: float, seed: int
) -> TrainingRun:
    environment = pick(config.tasks, "tasks", task).environment
    pick(config.training, "training", environment)
    if scene is None:
        scene, *_ = SCENES[environment]
    return TrainingRun(task=task, scene=scene, reward=reward, alpha=alpha, seed=seed)


def _check_reward(config: Config, reward: str) -> None:
    """Refuses a name that nothing bears, before it stands in a table."""
    pick(dict.fromkeys((*config.models, *REFERENCES)), "--reward", reward)


def _check_training(config: Config, run: TrainingRun) -> None:
    """Refuses by hand what the configuration refuses in experiments."""
    task = config.tasks[run.task]
    if run.reward == "oracle" and task.oracle is None:
        raise UserError(
            f"tasks.{run.task}.oracle: missing, but --reward oracle trains on it; add it"
        )
    if run.reward in REFERENCES and run.alpha:
        what = f"{run.alpha:g} means nothing to --reward {run.reward}"
        raise UserError(f"--alpha: {what}; leave it out")
    if run.alpha and not task.baselines:
        what = "missing; every alpha above 0 needs a baseline prompt"
        raise UserError(f"tasks.{run.task}.baseline: {what}")
    agent = config.training[task.environment].agent
    if agent.learning_starts >= agent.total_timesteps:
        what = f"{agent.learning_starts} is not below total_timesteps ({agent.total_timesteps})"
        raise UserError(f"training.{task.environment}.agent.learning_starts: {what}; lower it")


def _check_scene(config: Config, run: TrainingRun) -> None:
    """Fails before the work begins whose frames could not be drawn."""
    from vlmrm.rendering import check_scene

    check_scene(config.tasks[run.task].environment, run.scene)


def _computed(
    model: Path, config: Config, run: TrainingRun, device: str, gpus: int
) -> RewardSource:
    """Rewards of frames, by a model."""
    task = config.tasks[run.task]
    from vlmrm.rewards.sources import FrameReward
    from vlmrm.rewards.vlm import VLMReward

    return FrameReward(
        VLMReward.load(
            model,
            task.goals,
            task.baselines or None,
            run.alpha,
            device,
            config.precision,
            config.paper_code.openai_normalization,
            gpus,
        )
    )


def _looked_up(
    config: Config,
    run: TrainingRun,
    states: Path | None,
    rewards: Path | None,
    errors: Path | None,
) -> RewardSource:
    """Rewards of states, by interpolation on a grid that is known to be fine enough."""
    lookup = config.training[config.tasks[run.task].environment].lookup
    if lookup is None or states is None or rewards is None or errors is None:
        raise UserError("--model: missing; give it, or --states, --rewards and --errors of a grid")
    from vlmrm.data.states import States
    from vlmrm.data.tables import read_table
    from vlmrm.rewards.lookup import RewardGrid, refuse_inexact
    from vlmrm.rewards.sources import StateReward

    refuse_inexact(read_table(errors), run.task, run.alpha, lookup.max_error)
    grid = RewardGrid.from_table(States.read(states), read_table(rewards), run.task, run.alpha)
    return StateReward(grid)
