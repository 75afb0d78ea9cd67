"""Figures and tables of searches."""

import pandas as pd
import pytest

from vlmrm.config import Rendering
from vlmrm.config.settings import SearchFigureSettings
from vlmrm.figures.searches import draw_search, summary
from vlmrm.figures.style import GREY

GOLD = {
    "sim-S": ([0.2, 0.8, 0.4], [0.0, 1.0, 0.2]),
    "random-S": ([0.2, 0.2, 0.2], [0.0, 0.0, 0.0]),
}


@pytest.fixture
def measured(run):
    rows = [
        {
            **run(source, "alpha-0", seed, scene="textured-fixed").model_dump(),
            "generation": generation,
            "steps": 10 * (generation + 1),
            "proxy": float(generation),
            "proxy_std": float(generation),
            "gold": gold,
            "score": gold,
        }
        for source, seeds in GOLD.items()
        for seed, golds in enumerate(seeds)
        for generation, gold in enumerate(golds)
    ]
    return pd.DataFrame(rows)


def test_the_summary_says_where_the_gold_fell(measured):
    table = summary(measured).set_index("reward_source")
    row = table.loc["sim-S"]
    assert (row["seeds"], row["start"], row["peak"]) == (2, 0.1, 0.9)
    assert row["peak_steps"] == 20
    assert row["end"] == pytest.approx(0.3) and row["drop"] == pytest.approx(0.6)
    assert (row["end_low"], row["end_high"]) == (0.2, 0.4)
    assert table.loc["random-S", "drop"] == 0


def test_controls_are_gray_and_come_last(measured, labels_of):
    settings = SearchFigureSettings(
        runs=[],
        oracles={},
        survivors=1,
        controls=["random-S"],
        rendering=Rendering(),
    )
    measured = measured.iloc[::-1]  # the control is first in the table
    figure = draw_search(measured, settings)
    assert labels_of(figure) == ["sim-S", "random-S"]
    colors = [line.get_color() for line in figure.legends[0].get_lines()]
    assert colors[1] == GREY != colors[0]
    assert len(figure.axes) == 3
    line = figure.axes[1].lines[0]
    assert list(line.get_xdata()) == [10, 20, 30]
    assert list(line.get_ydata()) == pytest.approx([0.1, 0.9, 0.3])


def test_several_scorings_are_named(measured, labels_of):
    other = measured.assign(scoring="alpha-1")
    settings = SearchFigureSettings(
        runs=[], oracles={}, survivors=1, controls=["random-S"], rendering=Rendering()
    )
    labels = labels_of(draw_search(pd.concat([measured, other]), settings))
    assert len(labels) == 3 and labels[0].startswith("sim-S, ")
