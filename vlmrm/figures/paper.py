"""What the paper reports, beside the results of a run."""

from __future__ import annotations

import functools
from importlib import resources

import numpy as np
import pandas as pd

from vlmrm.config import RANDOM_POLICY, REFERENCES
from vlmrm.config.training import SERIES
from vlmrm.figures.style import INK, LineStyle

LARGEST = "ViT-bigG-14"
"""The paper's largest model, which its agents of most tasks are trained on."""

PAPER: LineStyle = {
    "color": INK,
    "linestyle": "",
    "marker": "D",
    "markersize": 6.5,
    "markerfacecolor": "white",
    "label": "paper",
}
"""Marker of the paper's numbers: a hollow diamond."""


@functools.cache
def published_success() -> pd.DataFrame:
    """Success rates that the paper states (its table 1, scene ablation, and model sizes).

    Numbers that it states of "most alphas", or shows in plots alone, are not among them.

    Returns:
        Columns task, scene, model, parameters (of the image tower), scoring, and success_rate.
    """
    text = resources.files("vlmrm.figures").joinpath("paper.csv")
    with text.open() as file:
        return pd.read_csv(file)


def paper_column(table: pd.DataFrame, only_same_model: bool = False) -> pd.Series[float]:
    """The success rate that the paper states for each row; missing where it states none.

    It is that of the same task, scene, and scoring, with the same model. Models that the paper
    lacks are compared with its largest.

    Args:
        table: Columns `SERIES`. Rows of references and of the random policy have none.
        only_same_model: Whether other models have none either.
    """
    published = published_success().rename(columns={"model": "reward_source"})
    stated = published.set_index(SERIES)["success_rate"].to_dict()

    def of(task: str, scene: str, source: str, scoring: str) -> float:
        if source in (*REFERENCES, RANDOM_POLICY):
            return np.nan
        largest = np.nan if only_same_model else stated.get((task, scene, LARGEST, scoring), np.nan)
        return float(stated.get((task, scene, source, scoring), largest))

    rows = table[SERIES].itertuples(index=False)
    return pd.Series([of(*row) for row in rows], index=table.index, dtype=float)
