"""Gold of the best of n states by reward."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from vlmrm.config.searches import FLIPPED
from vlmrm.config.settings import BestOfNSettings
from vlmrm.data.states import States
from vlmrm.data.tables import by_scoring, task_rewards
from vlmrm.errors import UserError
from vlmrm.figures.style import (
    count_axis,
    draw_band,
    finish,
    grid_lines,
    lines,
    model_styles,
    ordered,
    ordered_scorings,
    panels,
    scoring_label,
    theme,
)
from vlmrm.optimization.best_of_n import best_of_n_flipped, measure_best_of_n

WRONG = 0.1
"""Share of wrong verdicts of the oracle that is a control."""
CONTROL = f"{FLIPPED}-{WRONG:g}"
"""Its name in the column ``model``."""


def best_of_n_table(
    states: States, rewards: pd.DataFrame, settings: BestOfNSettings
) -> pd.DataFrame:
    """The expected share of fulfilled states among the best of n, by scene, model, and scoring.

    Args:
        states: Labeled states; those of a trajectory are resampled together.
        rewards: Rewards of these states by all models in all scenes.
        settings: The task, its oracle, and the bootstrap.

    Returns:
        Columns task, scene, model, and those of `vlmrm.optimization.best_of_n.measure_best_of_n`.
        The last rows are those of an oracle of whose verdicts a tenth is wrong, the
        same for every scoring.

    Raises:
        UserError: The states have no labels of the task, or too few trajectories.
    """
    labels = states.oracle_labels(settings.task, settings.oracle)
    rows = task_rewards(rewards, settings.task, len(states))
    tables = []
    for (scene, model), group in rows.groupby(["scene", "model"], sort=False):
        try:
            table = measure_best_of_n(
                by_scoring(group, len(states)),
                labels,
                states.columns.get("trajectory"),
                settings.bootstrap,
                settings.seed,
            )
        except ValueError as error:
            raise UserError(f"best of n for task {settings.task}: {error}") from error
        table.insert(0, "task", settings.task)
        table.insert(1, "scene", str(scene))
        table.insert(2, "model", str(model))
        tables.append(table)
    measured = pd.concat(tables, ignore_index=True)
    control = measured.drop_duplicates(["scene", "scoring", "n"]).assign(model=CONTROL)
    gold = best_of_n_flipped(labels.mean(), WRONG, control["n"])
    control = control.assign(gold=gold, gold_low=gold, gold_high=gold)
    return pd.concat([measured, control], ignore_index=True)


@theme()
def draw_best_of_n(table: pd.DataFrame, controls: Sequence[str] = ()) -> Figure:
    """Draws the share against n, a row of panels per scene, a column per scoring, a line per model.

    Args:
        table: As `best_of_n_table` makes it. Models are drawn in their order, darker and darker.
        controls: Models with random weights; they and the wrong oracle are gray and dashed.
    """
    styles = model_styles(ordered(table["model"]), [*controls, CONTROL])
    points = table.rename(
        columns={"n": "x", "gold": "value", "gold_low": "low", "gold_high": "high"}
    )
    scorings = ordered_scorings(table["scoring"])
    grid = panels(
        points, 2.3, 2.0, styles, hue="model", row="scene", col="scoring", col_order=scorings
    )
    grid.map_dataframe(draw_band)
    grid.set_axis_labels("n", "best of n that\nfulfills the task")
    grid.set(xscale="log", ylim=(-0.04, 1.04), yticks=[0, 0.5, 1])
    for (scene, scoring), axes in grid.axes_dict.items():
        title = scoring_label(scoring)
        axes.set_title(f"{scene} · {title}" if len(grid.row_names) > 1 else title)
        count_axis(axes)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        grid_lines(axes)
    return finish(grid, lines(styles), title=table["task"].iloc[0], alignment="left")
