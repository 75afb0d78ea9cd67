"""Rewards of states that fulfill the task and of states that do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from vlmrm.data.states import States
from vlmrm.data.tables import task_rewards
from vlmrm.figures.style import category_colors, finish, panels, scoring_label, theme

BINS = 30
ALPHA = 0.45
"""Opacity of the areas."""
COLORS = {"not fulfilled": (0.72, 0.72, 0.72), "fulfilled": category_colors(1)[0]}


@theme()
def draw_reward_histogram(states: States, rewards: pd.DataFrame, task: str, oracle: str) -> Figure:
    """Draws the reward by label, a row of panels per model and scene, a column per scoring.

    Each distribution integrates to 1, since the labels are seldom balanced.

    Args:
        states: Labeled states.
        rewards: Rewards of these states, with columns scene, model, state, task, scoring, reward.
        task: The task of the rewards.
        oracle: The oracle whose labels are used.

    Raises:
        UserError: The states have no labels of the oracle, or the rewards lack a column or the
            task.
    """
    labels = states.oracle_labels(task, oracle)
    table = task_rewards(rewards, task, len(states))
    fulfilled = labels[table["state"]]
    table = table.assign(
        row=table["model"] + "\n" + table["scene"],
        label=np.where(fulfilled, "fulfilled", "not fulfilled"),
    )
    grid = panels(table, 2.1, 1.9, row="row", col="scoring", sharex=False, sharey=False)
    grid.map_dataframe(
        sns.histplot, "reward", hue="label", hue_order=list(COLORS), palette=COLORS, bins=BINS,
        stat="density", common_norm=False, element="step", alpha=ALPHA, linewidth=1.2, legend=False,
    )  # fmt: skip
    for (row, scoring), axes in grid.axes_dict.items():
        axes.set_title(scoring_label(scoring))
        axes.set_ylabel(f"{row}\n\ndensity" if scoring == grid.col_names[0] else "")
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(2))
        axes.ticklabel_format(axis="x", useOffset=False)
        axes.set_visible(axes.has_data())  # a model may lack some scorings
    each = table.drop_duplicates("state")
    handles = [
        Patch(facecolor=(*color, ALPHA), edgecolor=color, label=f"{label} (n = {count:,})")
        for label, color in COLORS.items()
        if (count := int((each["label"] == label).sum()))
    ]
    return finish(grid, handles, title=task, alignment="left")
