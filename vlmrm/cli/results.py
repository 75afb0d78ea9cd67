"""Measurements, figures and tables."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from vlmrm.cli.options import ConfigFile, ModelFolder, Output, StatesFile, pick
from vlmrm.config import SCENES, EnvironmentName, TrainingRun, load_config
from vlmrm.errors import UserError, suggest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from vlmrm.data.states import States


class Against(StrEnum):
    """The horizontal axis of an EPIC figure."""

    size = "size"
    alpha = "alpha"


figures = typer.Typer(help="Draw figures, each as SVG and PNG.", no_args_is_help=True)

Rewards = Annotated[list[Path], typer.Argument(help="Rewards of the states (Parquet).")]
TaskName = Annotated[str, typer.Option("--task", help="The task whose rewards are meant.")]
Table = Annotated[Path | None, typer.Option(help="Write the numbers behind it here (CSV).")]


def register(app: typer.Typer) -> None:
    app.command()(epic)
    app.add_typer(figures, name="figure")


def epic(
    name: Annotated[str, typer.Argument(help="Name of a measurement of the configuration.")],
    config: ConfigFile,
    model: ModelFolder,
    states: StatesFile,
    rewards: Annotated[Path, typer.Option(help="The model's rewards of the states (Parquet).")],
    output: Output,
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Labels of people (CSV), instead of the oracle's; may be repeated."),
    ] = None,
) -> None:
    """Measure the EPIC distance between rewards and labels, for every alpha."""
    settings = load_config(config)
    measurement = pick(settings.epic, "epic", name)
    from vlmrm.data.states import States
    from vlmrm.data.tables import read_table, write_table
    from vlmrm.epic.measure import measure_rewards
    from vlmrm.models.folder import read_model_provenance

    origin = read_model_provenance(model)
    what = States.read(states)
    table = measure_rewards(
        what,
        read_table(rewards),
        measurement,
        settings.tasks[measurement.task],
        _decided(labels, measurement.task, what) if labels else None,
    )
    table.insert(0, "task", measurement.task)
    table.insert(1, "states", measurement.states)
    table.insert(5, "source", origin.get("source", "unknown"))
    table.insert(6, "parameters", origin.get("parameters", {}).get("image"))
    table.insert(7, "text_parameters", origin.get("parameters", {}).get("text"))
    write_table(output, table)


@figures.command()
def landscape(
    name: Annotated[str, typer.Argument(help="Name of a landscape of the configuration.")],
    rewards: Rewards,
    config: ConfigFile,
    states: StatesFile,
    output: Output,
    table: Table = None,
) -> None:
    """Reward against state, rescaled, for every alpha."""
    settings = load_config(config)
    tasks = pick(settings.landscapes, "landscapes", name).tasks
    from vlmrm.data.states import States
    from vlmrm.data.tables import write_table
    from vlmrm.figures.landscape import draw_landscape, landscape_table
    from vlmrm.figures.style import save_figure

    what = States.read(states)
    oracles = {task: settings.tasks[task].oracle for task in tasks}
    numbers = landscape_table(what, _read_all(rewards), oracles)
    if table is not None:
        write_table(table, numbers)
    save_figure(draw_landscape(numbers, what.environment), output, landscape=name)


@figures.command("epic")
def epic_figure(
    tables: Annotated[list[Path], typer.Argument(help="Tables of `vlmrm epic` (CSV).")],
    output: Output,
    by: Annotated[Against, typer.Option(help="What it is drawn against.")] = Against.size,
    table: Table = None,
) -> None:
    """EPIC distance, and area under the ROC curve, against model size or alpha."""
    from vlmrm.data.tables import write_table
    from vlmrm.figures.epic import draw_epic_by_alpha, draw_epic_by_size, measured
    from vlmrm.figures.style import save_figure

    numbers = _read_all(tables)
    if table is not None:
        write_table(table, numbers)
    draw = draw_epic_by_size if by is Against.size else draw_epic_by_alpha
    save_figure(draw(numbers, measured(numbers)), output)


@figures.command()
def epic_overview(
    tables: Annotated[list[Path], typer.Argument(help="Tables of `vlmrm epic` (CSV).")],
    output: Output,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="Regularization strength.")] = 0.0,
) -> None:
    """EPIC distance of every task and model."""
    from vlmrm.figures.epic_overview import draw_epic_overview
    from vlmrm.figures.style import save_figure

    save_figure(draw_epic_overview(_read_all(tables), alpha), output)


@figures.command("rewards")
def rewards_figure(
    rewards: Rewards,
    states: StatesFile,
    task: TaskName,
    oracle: Annotated[str, typer.Option(help="The oracle whose labels are meant.")],
    output: Output,
) -> None:
    """Distribution of the reward for states that fulfill a task and states that do not."""
    from vlmrm.data.states import States
    from vlmrm.figures.histogram import draw_reward_histogram
    from vlmrm.figures.style import save_figure

    figure = draw_reward_histogram(States.read(states), _read_all(rewards), task, oracle)
    save_figure(figure, output, task=task)


@figures.command()
def learning(
    curves: Annotated[list[Path], typer.Argument(help="Learning curves of runs (CSV).")],
    output: Output,
    random: Annotated[
        list[Path] | None, typer.Option(help="Evaluation of a task's random policy (CSV).")
    ] = None,
) -> None:
    """Training reward and success against steps."""
    from vlmrm.figures.learning_curves import draw_learning_curves
    from vlmrm.figures.style import save_figure

    save_figure(draw_learning_curves(_read_runs(curves), _read_runs(random or [])), output)


@figures.command()
def success(
    evaluations: Annotated[list[Path], typer.Argument(help="Evaluations of policies (CSV).")],
    output: Output,
    table: Table = None,
) -> None:
    """Success rates, with intervals."""
    from vlmrm.data.tables import write_table
    from vlmrm.figures.style import save_figure
    from vlmrm.figures.success import draw_success, success_table

    judged = _read_runs(evaluations)
    if table is not None:
        write_table(table, success_table(judged, by_seed=True))
    save_figure(draw_success(judged), output)


@figures.command()
def scenes(
    environment: Annotated[str, typer.Argument(help="Name of an environment.")],
    config: ConfigFile,
    output: Output,
) -> None:
    """Example frames of an environment in each of its scenes."""
    rendering = load_config(config).rendering
    if environment not in SCENES:
        raise UserError(f"environment: unknown name '{environment}'{suggest(environment, SCENES)}")
    from vlmrm.figures.scenes import draw_scenes, example_frames
    from vlmrm.figures.style import save_figure

    frames = example_frames(cast(EnvironmentName, environment), rendering)
    missing = [scene for scene in SCENES[environment] if scene not in frames]
    save_figure(draw_scenes(frames, missing), output, environment=environment)


@figures.command()
def poses(output: Output) -> None:
    """The humanoid's pose library, with the oracles that accept each pose."""
    from vlmrm.figures.poses import draw_contact_sheet
    from vlmrm.figures.style import save_figure

    save_figure(draw_contact_sheet(), output)


@figures.command()
def boundaries(output: Output, table: Table = None) -> None:
    """The humanoid states on which each oracle's verdict hangs by a hair.

    The table tells how often the oracles are right about the pose library.
    """
    from vlmrm.data.tables import write_table
    from vlmrm.figures.poses import draw_boundaries
    from vlmrm.figures.style import save_figure
    from vlmrm.tasks.oracle_accuracy import accuracies

    if table is not None:
        write_table(table, accuracies())
    save_figure(draw_boundaries(), output)


def _decided(
    labels: list[Path], task: str, states: States
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """What most people said."""
    from vlmrm.labeling.labels import majority, read_answers

    decided = majority(read_answers(labels, task, states))
    if not len(decided[0]):
        raise UserError(f"{labels[0]}: no state is decided for task '{task}'; label more")
    return decided


def _read_all(paths: list[Path]) -> pd.DataFrame:
    import pandas as pd

    from vlmrm.data.tables import read_table

    return pd.concat([read_table(path) for path in paths], ignore_index=True)


def _read_runs(paths: list[Path]) -> list[tuple[TrainingRun, pd.DataFrame]]:
    """Tables that tell in their first columns which run they belong to."""
    from vlmrm.data.tables import read_table
    from vlmrm.figures.tables import require_columns

    runs = []
    for path in paths:
        table = read_table(path)
        require_columns(table, list(TrainingRun.model_fields), str(path))
        if table.empty:
            raise UserError(f"{path}: holds no rows; train for more steps")
        first = table.iloc[0]
        runs.append((TrainingRun(**{key: first[key] for key in TrainingRun.model_fields}), table))
    return runs
