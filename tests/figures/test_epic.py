import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from vlmrm.errors import UserError
from vlmrm.figures.epic import MEASURES, draw_epic_by_alpha, draw_epic_by_size
from vlmrm.figures.style import GREY, scoring_color

MODELS = (
    ("sim-M", "simulator", 3e6, 0.5),
    ("sim-S", "simulator", 1e6, 0.6),
    ("random-S", "random", 1e6, 0.7),
)


@pytest.fixture
def table():
    rows = []
    for (model, source, parameters, epic), alpha in itertools.product(MODELS, (0.0, 1.0)):
        row = {
            "task": "kneeling",
            "states": "poses",
            "scene": "textured",
            "model": model,
            "source": source,
            "parameters": parameters,
            "scoring": f"alpha-{alpha:g}",
        }
        for measure in MEASURES:
            value = epic - 0.1 * alpha
            row |= {measure: value, f"{measure}_low": value - 0.05, f"{measure}_high": value + 0.02}
        rows.append(row)
    return pd.DataFrame(rows)


def only(table, *measures):
    """A table that has no other measures."""
    return table.drop(columns=[name for name in MEASURES if name not in measures])


def points_of(axes):
    """The lines with markers, as far as anything of them can be seen."""
    return [
        line
        for line in axes.lines
        if line.get_marker() != "None" and np.isfinite(line.get_xydata()).all(axis=1).any()
    ]


def series(axes, color):
    return [
        line for line in axes.lines if line.get_color() == color and line.get_marker() != "None"
    ]


def test_line_of_an_alpha_ascends_in_size(table):
    figure = draw_epic_by_size(only(table, "epic", "epic_balanced"))
    labels = [axes.get_ylabel().replace("\n", " ") for axes in figure.axes]
    assert labels == [MEASURES["epic"], MEASURES["epic_balanced"]]
    for alpha in (0.0, 1.0):
        (line,) = series(figure.axes[0], scoring_color(f"alpha-{alpha:g}"))
        assert np.allclose(line.get_xdata(), [1e6, 3e6], rtol=0.1)
        assert np.allclose(line.get_ydata(), [0.6 - 0.1 * alpha, 0.5 - 0.1 * alpha])
    assert figure.axes[0].get_xscale() == "log"


@pytest.mark.parametrize("draw", [draw_epic_by_size, draw_epic_by_alpha])
def test_measures_that_are_undefined_leave_their_panels_empty(table, draw):
    empty = table.assign(task="splits")
    empty[[name for name in table if name.split("_low")[0].split("_high")[0] in MEASURES]] = np.nan
    for shown in (empty, pd.concat([table, empty], ignore_index=True)):
        figure = draw(only(shown, "epic", "epic_balanced"))
        figure.canvas.draw()
        assert len(figure.axes) == 2 * shown["task"].nunique()
        drawn = [axes for axes in figure.axes if points_of(axes)]
        assert len(drawn) == 2 * (shown is not empty)


def test_error_bars_reach_from_low_to_high(table):
    figure = draw_epic_by_size(only(table, "epic"))
    color = scoring_color("alpha-0")
    (bars,) = (c for c in figure.axes[0].collections if np.allclose(c.get_colors()[0][:3], color))
    ends = [path.vertices[:, 1] for path in bars.get_paths()]
    assert np.allclose(ends, [[0.55, 0.62], [0.45, 0.52]])


def test_controls_are_grey_hollow_and_unconnected(table, labels_of):
    figure = draw_epic_by_size(only(table, "epic"))
    controls = series(figure.axes[0], GREY)
    assert len(controls) == 2
    assert {line.get_linestyle() for line in controls} == {"None"}
    assert {line.get_markerfacecolor() for line in controls} == {"white"}
    assert "random weights" in labels_of(figure)
    assert "pretrained" not in labels_of(figure)


@pytest.mark.parametrize("draw", [draw_epic_by_size, draw_epic_by_alpha])
def test_a_model_of_unknown_source_is_drawn(table, draw, labels_of):
    alone = table[table["model"] == "sim-M"].assign(source="unknown", model="mine")
    shown = draw(only(pd.concat([table, alone.assign(epic=0.3)]), "epic"))
    assert {"of unknown source", "mine"} & set(labels_of(shown))
    drawn = [line for line in shown.axes[0].lines if line.get_marker() == "v"]
    assert drawn and all((line.get_ydata() == 0.3).all() for line in drawn)


def test_models_are_named_at_their_size(table):
    figure = draw_epic_by_size(only(table, "epic"))
    texts = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts}
    assert texts.keys() == {"sim-M", "sim-S"}
    assert 0 < texts["sim-S"] < texts["sim-M"] < 1


@pytest.mark.parametrize(("measure", "value"), [("epic", 0.7071067812), ("auroc", 0.5)])
def test_uninformative_rewards_are_marked(table, measure, value):
    axes = draw_epic_by_size(only(table, measure)).axes[0]
    dotted = next(line for line in axes.lines if line.get_linestyle() == ":")
    assert np.allclose(dotted.get_ydata(), value)


def test_each_task_and_scene_has_its_row(table):
    both = pd.concat([table, table.assign(scene="gymnasium")])
    titles = [a.get_title(loc="left") for a in draw_epic_by_size(only(both, "epic")).axes]
    assert titles == ["kneeling · textured", "kneeling · gymnasium"]


def test_human_labels_have_their_row_and_older_tables_are_the_oracle_s(table):
    both = pd.concat([table.assign(labels="human"), table])
    titles = [a.get_title(loc="left") for a in draw_epic_by_size(only(both, "epic")).axes]
    assert titles == ["kneeling · textured · human labels", "kneeling · textured"]


def test_against_alpha_models_are_ordered_by_size_with_controls_last(table, labels_of):
    figure = draw_epic_by_alpha(table)
    assert labels_of(figure) == ["sim-S", "sim-M", "random-S", "uninformative reward"]
    line = next(line for line in figure.axes[0].lines if line.get_label() == "sim-M")
    assert np.allclose(line.get_xydata(), [[0, 0.5], [1, 0.4]])
    low, high = figure.axes[0].get_ylim()
    assert low < 0.35
    assert high > 0.72


def test_a_single_model_at_a_single_alpha_is_drawn(table):
    one = table[(table["model"] == "sim-S") & (table["scoring"] == "alpha-0")]
    (line,) = series(draw_epic_by_size(only(one, "epic")).axes[0], scoring_color("alpha-0"))
    assert np.allclose(line.get_xydata(), [[1e6, 0.6]])


def test_missing_column_is_named(table):
    with pytest.raises(UserError, match="EPIC table: has no column 'auroc_low'"):
        draw_epic_by_size(table.drop(columns="auroc_low"))


def test_functions_of_unknown_size_stand_to_the_right_unconnected(table):
    judges = [
        table[table["model"] == "sim-S"].assign(model=name, source="function", parameters=np.nan)
        for name in ("judge", "other")
    ]
    figure = draw_epic_by_size(only(pd.concat([*judges, table]), "epic"))
    axes = figure.axes[0]
    points = [line for line in axes.lines if line.get_marker() == "^"]
    assert all(min(line.get_xdata()) > 4e6 for line in points)
    assert {line.get_linestyle() for line in points} == {"None"}
    assert len({round(x, -6) for line in points for x in line.get_xdata()}) == 2
    assert {"judge", "other", "sim-M"} <= {text.get_text() for text in axes.texts}
    assert "functions to the right: unknown" in axes.get_xlabel()


def test_functions_alone_have_places_too(table):
    alone = table[table["model"] == "sim-S"].assign(source="function", parameters=np.nan)
    axes = draw_epic_by_size(only(alone, "epic")).axes[0]
    points = [line for line in axes.lines if line.get_marker() == "^"]
    assert points and all(np.isfinite(line.get_xdata()).all() for line in points)


def test_a_single_alpha_has_an_interval(table):
    one = table[(table["model"] == "sim-S") & (table["scoring"] == "alpha-0")]
    judge = one.assign(model="judge", source="function", parameters=np.nan)
    axes = draw_epic_by_alpha(only(pd.concat([table, judge]), "epic")).axes[0]
    ends = [
        path.vertices[:, 1].tolist()
        for bars in axes.collections
        if isinstance(bars, LineCollection)
        for path in bars.get_paths()
    ]
    assert ends == [pytest.approx([0.55, 0.62])]
