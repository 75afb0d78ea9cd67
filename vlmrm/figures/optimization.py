"""Proxy and gold of checkpoints, against steps and against the divergence of visited states."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter

from vlmrm.config import TrainingRun
from vlmrm.config.training import RUN, SERIES
from vlmrm.data.tables import require_columns
from vlmrm.figures.series import series_styles, with_bands
from vlmrm.figures.style import GREY, LineStyle, finish, grid_lines, lines, ordered, panels, theme
from vlmrm.figures.tables import RunTable, rescaled

MEASURES = {
    "proxy_rescaled": "proxy: mean reward\n(rescaled to 0-1)",
    "gold": "gold: states that\nfulfill the task",
    "fooled": "wrong states among\nwell-rewarded ones",
}
"""Rows of panels and their axis labels."""

XLABELS = {"steps": "environment steps", "divergence": "divergence of visited states"}
"""What optimization is measured by, with its axis label."""

PATHS = {"units": "seed", "estimator": None, "sort": False}
"""Draws a line for each seed, in the order of the rows."""

REFERENCE: LineStyle = {"color": GREY, "linestyle": ":", "label": "trained on the oracle"}


def reached_by_references(evaluations: Sequence[RunTable]) -> dict[str, float]:
    """Share of timesteps that fulfill a task, by task, of agents trained on its oracle.

    The mean over seeds; of the verdict and the score as the reward, that of the better one.
    """
    shares: dict[tuple[str, str], list[float]] = {}
    for run, trajectories in evaluations:
        reached = float(trajectories["success_fraction"].mean())
        shares.setdefault((run.task, run.reward_source), []).append(reached)
    best: dict[str, float] = {}
    for (task, _), values in shares.items():
        best[task] = max(best.get(task, 0.0), sum(values) / len(values))
    return best


@theme()
def draw_optimization(table: pd.DataFrame, reference: dict[str, float]) -> Figure:
    """Draws proxy, gold, and share of wrong states against steps, a column of panels per task.

    One seed is a line; several are their mean within a band from the lowest to the highest.

    Args:
        table: Tables of `vlmrm.optimization.checkpoints.measure_checkpoints`.
        reference: As in `vlmrm.optimization.checkpoints.outcomes`; a dotted line.

    Raises:
        UserError: A column is missing.
    """
    return _draw(table, reference, "steps", MEASURES)


@theme()
def draw_divergence(table: pd.DataFrame, reference: dict[str, float]) -> Figure:
    """Draws proxy and gold against the divergence of visited states, as `draw_optimization` does.

    Each seed is a line, from its first checkpoint to its last.
    """
    measures = {name: label for name, label in MEASURES.items() if name != "fooled"}
    return _draw(table, reference, "divergence", measures)


def _draw(
    table: pd.DataFrame, reference: dict[str, float], pressure: str, measures: dict[str, str]
) -> Figure:
    """A row of panels for each of the measures, against steps or divergence."""
    require_columns(table, [*RUN, *XLABELS, "proxy", "gold", "fooled"], "table of checkpoints")
    table = table.assign(proxy_rescaled=rescaled(table, "proxy", SERIES))
    runs = [TrainingRun(**row) for row in table[RUN].to_dict("records")]  # type: ignore[arg-type]
    found = series_styles(runs)
    keys = zip(table["reward_source"], table["scoring"], strict=True)
    table["series"] = [found[key].label for key in keys]
    several_scenes = len(set(table["scene"])) > 1
    table["column"] = table["task"] + (" · " + table["scene"] if several_scenes else "")
    styles = {style.label: style.keywords for style in found.values()}
    # Seeds have their checkpoints at the same steps, and at different divergences.
    along = pressure == "steps"
    shown = with_bands(styles, table) if along else styles
    options = {"err_kws": {"alpha": 0.15, "linewidth": 0}} if along else PATHS
    long = table.melt(["column", "series", "seed", *XLABELS], list(measures), "measure")
    long = long.dropna(subset=["value", pressure]).sort_values("steps")
    grid = panels(
        long, 2.6, 1.8, shown, hue="series", sharex="col", sharey="row",
        row="measure", row_order=list(measures), col="column", col_order=ordered(table["column"]),
    )  # fmt: skip
    grid.map_dataframe(
        sns.lineplot, pressure, "value", marker="o", markersize=3.5, markeredgewidth=0,
        legend=False, **options,
    )  # fmt: skip
    grid.set_axis_labels(XLABELS[pressure], "").set(ylim=(-0.04, 1.04), yticks=[0, 0.5, 1])
    intervals = 4 if len(grid.col_names) < 4 else 2
    for (measure, column), axes in grid.axes_dict.items():
        if measure == next(iter(measures)):
            axes.set_title(column)
        else:
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        if column == grid.col_names[0]:
            axes.set_ylabel(measures[measure])
        task = column.split(" · ")[0]
        if measure == "gold" and task in reference:
            axes.axhline(reference[task], **REFERENCE)
        if along:
            axes.set_xlim(0, table["steps"][table["column"] == column].max())
            axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
        # Labels of narrow panels would overlap.
        axes.xaxis.set_major_locator(MaxNLocator(intervals, steps=[1, 2, 5, 10]))
        grid_lines(axes)
    return finish(grid, lines(styles, *[REFERENCE] * bool(reference)))
