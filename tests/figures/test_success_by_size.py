import numpy as np
import pandas as pd
import pytest

from vlmrm.errors import UserError
from vlmrm.figures.style import scoring_label
from vlmrm.figures.success import success_interval
from vlmrm.figures.success_by_size import draw_success_by_size, success_by_size_table

SIZES = pd.DataFrame(
    [("sim-S", "packaged", 1e6), ("sim-M", "packaged", 3e6), ("judge", "function", np.nan)],
    columns=["model", "source", "parameters"],
)


def evaluation(successes, trials=10):
    success = np.arange(trials) < successes
    return pd.DataFrame({"success": success, "success_fraction": np.where(success, 0.9, 0.1)})


def distances(epic, states="poses", **changes):
    reward = {"task": "kneeling", "scene": "textured", "scoring": "alpha-0.5", "states": states}
    rows = [
        {"model": model, "epic": value, "epic_low": value - 0.1, "epic_high": value + 0.2}
        for model, value in epic.items()
    ]
    return pd.DataFrame(rows).assign(**reward | changes)


@pytest.fixture
def agents(run):
    """Two sizes with two seeds each, a function, an oracle, and a random policy."""
    return [
        (run("sim-M", seed=0), evaluation(6)),
        (run("sim-M", seed=1), evaluation(10)),
        (run("sim-S", seed=0), evaluation(1)),
        (run("sim-S", seed=1), evaluation(3)),
        (run("judge"), evaluation(5)),
        (run("oracle"), evaluation(9)),
        (run("random-policy"), evaluation(0)),
    ]


def lines_of(axes, **style):
    return [
        line
        for line in axes.lines
        if all(getattr(line, f"get_{key}")() == value for key, value in style.items())
    ]


def test_the_table_has_pooled_seeds_by_size_without_references_and_functions(agents):
    table = success_by_size_table(agents, SIZES)
    assert table["model"].tolist() == ["sim-S", "sim-M"]
    assert table["parameters"].tolist() == [1e6, 3e6]
    assert table["success_rate"].tolist() == [0.2, 0.8]
    ends = table[["success_rate_low", "success_rate_high"]].to_numpy()
    assert ends[1] == pytest.approx(success_interval([6, 10], [10, 10]))
    assert table["epic"].isna().all()


def test_a_reward_has_a_row_for_each_state_set_of_its_distances(agents):
    both = [distances({"sim-S": 0.6, "sim-M": 0.4}), distances({"sim-M": 0.5}, "rollouts")]
    other = distances({"sim-S": 0.1}, scene="textured-fixed")
    table = success_by_size_table(agents, SIZES, pd.concat([*both, other]))
    assert table[["model", "states", "epic"]].to_numpy().tolist() == [
        ["sim-S", "poses", 0.6],
        ["sim-M", "poses", 0.4],
        ["sim-M", "rollouts", 0.5],
    ]


def test_distances_to_labels_of_people_are_told_apart(agents):
    both = [distances({"sim-S": 0.6}), distances({"sim-S": 0.3}, labels="human")]
    table = success_by_size_table(agents, SIZES, pd.concat(both))
    small = table[table["model"] == "sim-S"]
    assert small["states"].tolist() == ["poses", "poses · human labels"]


def test_a_line_per_task_with_intervals_and_dots(agents, run, labels_of):
    agents += [(run(model, task="lotus"), evaluation(5)) for model in ("sim-S", "sim-M")]
    figure = draw_success_by_size(agents, SIZES)
    (axes,) = figure.axes
    kneeling, lotus = lines_of(axes, linestyle="-", markersize=5)
    assert np.allclose(kneeling.get_xdata(), [1e6, 3e6], rtol=0.05)
    assert kneeling.get_ydata() == pytest.approx([0.2, 0.8])
    assert lotus.get_ydata() == pytest.approx([0.5, 0.5])
    assert kneeling.get_marker() != lotus.get_marker()
    ends = axes.collections[0].get_paths()[1].vertices[:, 1]
    assert ends == pytest.approx(success_interval([6, 10], [10, 10]))
    (dots,) = lines_of(axes, markersize=3)  # lotus has one seed
    assert sorted(dots.get_ydata()) == pytest.approx([0.1, 0.3, 0.6, 1.0])
    assert axes.get_xscale() == "log"
    assert {text.get_text() for text in axes.texts} == {"sim-S", "sim-M"}
    assert labels_of(figure) == ["kneeling", "lotus", "one seed"]


def test_the_distance_stands_beside_it_and_success_against_the_distance(agents, labels_of):
    both = [distances({"sim-S": 0.6, "sim-M": 0.4}), distances({"sim-M": 0.5}, "rollouts")]
    figure = draw_success_by_size(agents, SIZES, pd.concat(both))
    _, epic, against = figure.axes
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "success rate",
        "EPIC distance",
        "success rate",
    ]
    (poses,) = lines_of(epic, linestyle="-", markersize=5)
    assert poses.get_ydata() == pytest.approx([0.6, 0.4])
    points = [line.get_xydata().tolist() for line in lines_of(against, markersize=5)]
    assert points == [[[0.4, 0.8], [0.6, 0.2]], [[0.5, 0.8]]]
    assert labels_of(figure)[:3] == ["kneeling", "kneeling · poses", "kneeling · rollouts"]


def test_random_weights_are_a_control_without_a_line(agents, run):
    control = pd.DataFrame({"model": ["random-S"], "source": ["random"], "parameters": [1e6]})
    agents.append((run("random-S"), evaluation(0)))
    (axes,) = draw_success_by_size(agents, pd.concat([SIZES, control])).axes
    (point,) = lines_of(axes, marker="D")
    assert point.get_linestyle() == "None"
    assert {text.get_text() for text in axes.texts} == {"sim-S", "sim-M"}


def test_scenes_and_scorings_have_rows(run):
    agents = [
        (run("sim-S", scoring, scene=scene), evaluation(5))
        for scoring in ("alpha-0.5", "alpha-0")
        for scene in ("textured", "gymnasium")
    ]
    titles = [axes.get_title(loc="left") for axes in draw_success_by_size(agents, SIZES).axes]
    rows = [(scene, a) for a in ("alpha-0", "alpha-0.5") for scene in ("textured", "gymnasium")]
    assert titles == [f"{scene} · {scoring_label(scoring)}" for scene, scoring in rows]


def test_the_paper_is_marked_at_its_own_models(run, labels_of):
    sizes = SIZES.assign(model=["RN50", "ViT-H-14", "sim-S"], parameters=[38e6, 632e6, 1e6])
    agents = [
        (run(model, "alpha-0", scene="textured-fixed"), evaluation(5)) for model in sizes["model"]
    ]
    figure = draw_success_by_size(agents, sizes)
    (diamonds,) = lines_of(figure.axes[0], marker="D")
    marked = diamonds.get_xydata()[~np.isnan(diamonds.get_ydata())]
    assert np.allclose(marked, [[38e6, 0], [632e6, 0]])
    assert labels_of(figure)[-1] == "paper"


def test_without_a_known_size_there_is_nothing_to_draw(agents):
    with pytest.raises(UserError, match="models: none"):
        draw_success_by_size(agents, SIZES[SIZES["model"] == "judge"])
