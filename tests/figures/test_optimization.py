import itertools

import numpy as np
import pandas as pd
import pytest

from vlmrm.errors import UserError
from vlmrm.figures.optimization import (
    draw_divergence,
    draw_optimization,
    reached_by_references,
)


@pytest.fixture
def table(run):
    rows = []
    for task in ("kneeling", "lotus"):
        for seed in (0, 1):
            fields = run(scoring="alpha-0", seed=seed, task=task).model_dump()
            for number, steps in enumerate((100, 200, 300)):
                measured = {"proxy": 5.0 + number + seed, "gold": number / 4, "fooled": np.nan}
                measured["divergence"] = number * (0.2 + seed / 10)
                rows.append({**fields, "steps": steps, **measured})
    return pd.DataFrame(rows)


def test_each_task_has_a_column_of_proxy_gold_and_wrong_states(table, labels_of):
    figure = draw_optimization(table, {"kneeling": 0.8})
    proxy, _, gold, other, *_ = figure.axes
    assert [text.get_text() for text in proxy.get_yticklabels()] == ["0.0", "0.5", "1.0"]
    assert proxy.get_title(loc="left") == "kneeling"
    line, *_ = proxy.lines
    # The mean of seeds 0 and 1, of 5 to 7 and 6 to 8, on the way from 5 to 8.
    assert np.allclose(line.get_xydata(), [[100, 1 / 6], [200, 1 / 2], [300, 5 / 6]])
    line, dotted = gold.lines
    assert np.allclose(line.get_ydata(), [0, 0.25, 0.5])
    assert list(dotted.get_ydata()) == [0.8, 0.8]
    assert len(other.lines) == 1
    assert labels_of(figure) == ["sim-S, \N{GREEK SMALL LETTER ALPHA} = 0", "trained on the oracle"]


def test_columns_name_their_scenes_where_there_are_several(table):
    table.loc[table["task"] == "lotus", "scene"] = "gymnasium"
    titles = {axes.get_title(loc="left") for axes in draw_optimization(table, {}).axes[:2]}
    assert titles == {"kneeling · textured", "lotus · gymnasium"}


def test_labels_of_many_narrow_panels_do_not_overlap(table):
    tasks = ["kneeling", "lotus", "standing", "splits", "one-leg"]
    rows = table[table["task"] == "kneeling"].assign(steps=lambda rows: 1000 * rows["steps"])
    figure = draw_optimization(pd.concat([rows.assign(task=task) for task in tasks]), {})
    figure.canvas.draw()
    bottom = figure.axes[2 * len(tasks) : 3 * len(tasks)]
    boxes = [label.get_window_extent() for axes in bottom for label in axes.get_xticklabels()]
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))


def test_proxy_and_gold_are_drawn_against_the_divergence_with_a_line_per_seed(table):
    table.loc[0, "divergence"], table.loc[2, "divergence"] = 0.3, 0.1  # returns to its start
    figure = draw_divergence(table.sample(frac=1, random_state=0), {"kneeling": 0.8})
    columns = [axes.get_title(loc="left") for axes in figure.axes[:2]]
    gold = figure.axes[2 + columns.index("kneeling")]
    assert gold.get_xlabel() == "divergence of visited states"
    first, second, _ = gold.lines
    assert np.allclose(first.get_xydata(), [[0.3, 0], [0.2, 0.25], [0.1, 0.5]])
    assert np.allclose(second.get_xdata(), [0, 0.3, 0.6])


def test_a_missing_column_is_named(table):
    with pytest.raises(UserError, match="table of checkpoints: has no column 'gold'"):
        draw_optimization(table.drop(columns="gold"), {})


def test_of_two_references_the_better_one_counts(run):
    judged = [
        (run(source, "alpha-0", seed), pd.DataFrame({"success_fraction": [share]}))
        for source, shares in (("oracle", (0.0, 0.1)), ("oracle-score", (0.8, 0.9)))
        for seed, share in enumerate(shares)
    ]
    assert reached_by_references(judged) == {"kneeling": pytest.approx(0.85)}
    assert reached_by_references(judged[::-1]) == {"kneeling": pytest.approx(0.85)}


def test_references_are_averaged_over_seeds(run):
    judged = [
        (run("oracle-score", "alpha-0", seed), pd.DataFrame({"success_fraction": [share, 1.0]}))
        for seed, share in enumerate((0.0, 0.5))
    ]
    assert reached_by_references(judged) == {"kneeling": 0.625}
