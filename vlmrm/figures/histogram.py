"""How far the reward tells states that fulfill the task from those that do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from vlmrm.data.states import States
from vlmrm.errors import UserError, suggest
from vlmrm.figures.style import GREY, alpha_label, category_colors, ordered, panels, theme
from vlmrm.figures.tables import task_rewards

BINS = 30


@theme()
def draw_reward_histogram(states: States, rewards: pd.DataFrame, task: str, oracle: str) -> Figure:
    """Distribution of the reward by label, a row of panels per model and scene, a column per alpha.

    Either distribution integrates to 1, since the labels are seldom balanced.

    Args:
        states: Labeled states.
        rewards: Rewards of these states, with columns scene, model, state, task, alpha, reward.
        task: The task whose rewards are meant.
        oracle: The oracle whose labels are meant.

    Raises:
        UserError: The states have no labels of the oracle, or the rewards lack a column or the
            task.
    """
    if oracle not in states.labels:
        raise UserError(f"states: no labels of '{oracle}'{suggest(oracle, states.labels)}")
    table = task_rewards(states, rewards, task)
    labels = states.labels[oracle]
    rows = list(table[["model", "scene"]].drop_duplicates().itertuples(index=False, name=None))
    alphas = sorted(ordered(table["alpha"]))
    figure, axes = panels(len(rows), len(alphas), width=2.1, height=1.9)
    for row, (model, scene) in enumerate(rows):
        for column, alpha in enumerate(alphas):
            keys = (table["model"] == model) & (table["scene"] == scene)
            chosen = table[keys & (table["alpha"] == alpha)]
            _draw_distributions(
                axes[row, column],
                chosen["reward"].to_numpy(),
                labels[chosen["state"].to_numpy()],
            )
            axes[row, column].set_title(alpha_label(alpha))
        axes[row, 0].set_ylabel(f"{model}\n{scene}\n\ndensity")
    for panel in axes[-1]:
        panel.set_xlabel("reward")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right upper", title=task, alignment="left")
    return figure


def _draw_distributions(
    axes: Axes, rewards: NDArray[np.float64], labels: NDArray[np.bool_]
) -> None:
    edges = np.histogram_bin_edges(rewards, bins=BINS)
    fulfilled = category_colors(1)[0]
    for value, name, color in ((False, "not fulfilled", GREY), (True, "fulfilled", fulfilled)):
        group = rewards[labels == value]
        if not group.size:
            continue
        density, _ = np.histogram(group, bins=edges, density=True)
        label = f"{name} (n = {group.size:,})"
        axes.stairs(density, edges, fill=True, color=color, alpha=0.35)
        axes.stairs(density, edges, color=color, linewidth=1.2, label=label)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(3))
