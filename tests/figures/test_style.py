import json
import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from vlmrm.errors import UserError
from vlmrm.figures.style import (
    GREY,
    PAGE,
    finish,
    lines,
    model_styles,
    panels,
    save_figure,
    scoring_color,
    size_colors,
    theme,
    wrapped,
)


def luminance(color):
    return np.dot(color, [0.2126, 0.7152, 0.0722])


@theme()
def a_figure():
    table = pd.DataFrame({"x": [0, 1], "y": [1, 0], "panel": ["a", "b"]})
    grid = panels(table, 3.0, 2.3, col="panel")
    grid.map_dataframe(sns.scatterplot, "x", "y")
    grid.axes[0, 1].imshow(np.arange(12).reshape(3, 4))
    return finish(grid, lines({"line": {"color": GREY, "marker": "o"}}))


def test_a_users_own_settings_of_matplotlib_change_no_figure(tmp_path):
    own = {"text.usetex": True, "savefig.facecolor": "red", "font.size": 40, "axes.grid": True}
    save_figure(a_figure(), [tmp_path / "plain.svg"])
    with matplotlib.rc_context(own):
        save_figure(a_figure(), [tmp_path / "own.svg"])
        assert matplotlib.rcParams["font.size"] == 40
    assert (tmp_path / "own.svg").read_bytes() == (tmp_path / "plain.svg").read_bytes()


def test_equal_figures_are_equal_files(tmp_path):
    for name in ("x.svg", "x.png"):
        one, other = tmp_path / "a" / name, tmp_path / "b" / name
        save_figure(a_figure(), [one], inputs=["t.csv"])
        save_figure(a_figure(), [other], inputs=["t.csv"])
        assert one.read_bytes() == other.read_bytes()


def test_both_files_hold_their_provenance_and_no_date(tmp_path):
    svg, png = tmp_path / "x.svg", tmp_path / "x.png"
    save_figure(a_figure(), [svg, png], seed=7)
    description = json.loads(Image.open(png).text["Description"])
    assert description["seed"] == 7
    assert "numpy" in description["versions"]
    assert "created" not in description
    text = svg.read_text()
    assert "&quot;seed&quot;: 7" in text or '"seed": 7' in text
    assert not re.search(r"<dc:date>", text)


def test_nothing_but_the_figure_is_left_in_the_folder(tmp_path):
    save_figure(a_figure(), [tmp_path / "x.svg", tmp_path / "y.png"])
    assert sorted(f.name for f in tmp_path.iterdir()) == ["x.svg", "y.png"]


def test_a_failed_drawing_keeps_the_old_figure(tmp_path):
    svg = tmp_path / "x.svg"
    save_figure(a_figure(), [svg])
    before = svg.read_bytes()

    class Broken(Figure):
        def savefig(self, fname, **kwargs):
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        save_figure(Broken(), [svg])
    assert svg.read_bytes() == before


def test_another_suffix_is_refused_by_name(tmp_path):
    with pytest.raises(UserError, match=r"x\.pdf"):
        save_figure(a_figure(), [tmp_path / "x.svg", tmp_path / "x.pdf"])
    assert not any(tmp_path.iterdir())


def test_theme_leaves_matplotlib_as_it_was():
    before = dict(matplotlib.rcParams)
    a_figure()
    assert dict(matplotlib.rcParams) == before


def test_pyplot_keeps_no_figure():
    a_figure()
    assert not plt.get_fignums()


def test_alphas_are_ordered_by_lightness():
    light = [luminance(scoring_color(f"alpha-{a:g}")) for a in np.linspace(0, 1, 11)]
    assert np.all(np.diff(light) > 0)
    assert light[-1] < 0.85


@pytest.mark.parametrize("n", range(2, 7))
def test_sizes_are_ordered_by_darkness(n):
    light = [luminance(color) for color in size_colors(n)]
    assert np.all(np.diff(light) < -0.02)


def test_models_differ_without_color():
    styles = model_styles([*"abcdef"], controls=["f"])
    assert len({(style["marker"], style["linestyle"]) for style in styles.values()}) == 6


@pytest.mark.parametrize(("width", "place"), [(2.0, "beside"), (3.3, "below")])
@theme()
def test_a_legend_is_beside_narrow_panels_and_below_wide_ones(width, place):
    table = pd.DataFrame({"x": [0, 1], "y": [1, 0], "panel": ["a", "b"]})
    grid = panels(table, width, 2.0, col="panel")
    figure = finish(grid, lines({name: {"color": GREY} for name in "abc"}))
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    panel = grid.axes[0, 1].get_window_extent()
    assert legend.x0 > panel.x1 if place == "beside" else legend.y1 < panel.y0
    assert figure.get_size_inches()[0] <= PAGE


@theme()
def test_texts_of_panels_have_lines_within_the_panel():
    table = pd.DataFrame({"x": [0], "y": [1], "panel": ["a"]})
    grid = panels(table, 1.5, 2.0, col="panel")
    grid.axes[0, 0].set(title="kneeling · textured-fixed", xlabel="tower parameters, T = 0.05")
    finish(grid, [])
    assert grid.axes[0, 0].get_title(loc="left") == "kneeling\ntextured-fixed"
    assert grid.axes[0, 0].get_xlabel() == "tower parameters,\nT = 0.05"


@pytest.mark.parametrize(("n", "grid"), [(1, (1, 1)), (4, (1, 4)), (5, (2, 3)), (8, (2, 4))])
def test_panels_wrap_into_rows_of_about_equal_length(n, grid):
    assert wrapped(n) == grid
