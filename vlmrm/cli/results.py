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
    import pandas as pd


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
) -> None:
    """Measure the EPIC distance between rewards and labels, for every alpha."""
    settings = load_config(config)
    measurement = pick(settings.epic, "epic", name)
    from vlmrm.artifacts import States, read_table, write_table
    from vlmrm.labelled import measure_labelled
    from vlmrm.models.folder import read_model_provenance

    origin = read_model_provenance(model)
    table = measure_labelled(
        States.read(states),
        read_table(rewards),
        measurement.task,
        settings.tasks[measurement.task],
        measurement.bootstrap,
        measurement.seed,
    )
    table.insert(0, "task", measurement.task)
    table.insert(1, "states", measurement.states)
    table.insert(4, "source", origin.get("source", "unknown"))
    table.insert(5, "parameters", origin.get("parameters", {}).get("image"))
    write_table(output, table)


@figures.command()
def landscape(
    rewards: Rewards, states: StatesFile, task: TaskName, output: Output, table: Table = None
) -> None:
    """Reward against state, rescaled, for every alpha."""
    from vlmrm.artifacts import States, write_table
    from vlmrm.figures.landscape import draw_landscape, landscape_table
    from vlmrm.figures.style import save_figure

    what = States.read(states)
    numbers = landscape_table(what, _read_all(rewards), task)
    if table is not None:
        write_table(table, numbers)
    save_figure(draw_landscape(numbers, what.environment), output, task=task)


@figures.command("epic")
def epic_figure(
    tables: Annotated[list[Path], typer.Argument(help="Tables of `vlmrm epic` (CSV).")],
    output: Output,
    by: Annotated[Against, typer.Option(help="What it is drawn against.")] = Against.size,
    table: Table = None,
) -> None:
    """EPIC distance, and area under the ROC curve, against model size or alpha."""
    from vlmrm.artifacts import write_table
    from vlmrm.figures.epic import MEASURES, draw_epic_by_alpha, draw_epic_by_size
    from vlmrm.figures.style import save_figure

    numbers = _read_all(tables)
    if table is not None:
        write_table(table, numbers)
    draw = draw_epic_by_size if by is Against.size else draw_epic_by_alpha
    save_figure(draw(numbers, tuple(MEASURES)), output)


@figures.command("rewards")
def rewards_figure(
    rewards: Rewards,
    states: StatesFile,
    task: TaskName,
    oracle: Annotated[str, typer.Option(help="The oracle whose labels are meant.")],
    output: Output,
) -> None:
    """Distribution of the reward for states that fulfil a task and states that do not."""
    from vlmrm.artifacts import States
    from vlmrm.figures.histogram import draw_reward_histogram
    from vlmrm.figures.style import save_figure

    figure = draw_reward_histogram(States.read(states), _read_all(rewards), task, oracle)
    save_figure(figure, output, task=task)


@figures.command()
def learning(
    curves: Annotated[list[Path], typer.Argument(help="Learning curves of runs (CSV).")],
    output: Output,
) -> None:
    """Training reward and success against steps."""
    from vlmrm.figures.learning_curves import draw_learning_curves
    from vlmrm.figures.style import save_figure

    save_figure(draw_learning_curves(_read_runs(curves)), output)


@figures.command()
def success(
    evaluations: Annotated[list[Path], typer.Argument(help="Evaluations of policies (CSV).")],
    output: Output,
    table: Table = None,
) -> None:
    """Success rates, with intervals."""
    from vlmrm.artifacts import write_table
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


def _read_all(paths: list[Path]) -> pd.DataFrame:
    import pandas as pd

    from vlmrm.artifacts import read_table

    return pd.concat([read_table(path) for path in paths], ignore_index=True)


def _read_runs(paths: list[Path]) -> list[tuple[TrainingRun, pd.DataFrame]]:
    """Tables that tell in their first columns which run they belong to."""
    from vlmrm.artifacts import read_table
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
