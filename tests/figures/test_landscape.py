import numpy as np
import pandas as pd
import pytest

from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.figures.landscape import draw_landscape, draw_rewards, landscape_table
from vlmrm.figures.style import scoring_label

from .conftest import ALPHAS, rewards_of


def angle_reward(states):
    return lambda alpha: 0.2 + (1 + alpha) * np.cos(5 * states.values[:, 2])


def test_every_curve_is_rescaled_by_itself(cartpole):
    rewards = rewards_of(cartpole, angle_reward(cartpole), "balance", models=("a", "b"))
    table = landscape_table(cartpole, rewards, {"balance": None})
    curves = table.groupby(["scene", "model", "scoring"])
    assert len(curves) == 2 * len(ALPHAS)
    assert np.allclose(curves["rescaled"].min(), 0)
    assert np.allclose(curves["rescaled"].max(), 1)
    order = curves["reward"].apply(np.argsort)
    assert all(np.array_equal(order[key], np.argsort(curve["rescaled"])) for key, curve in curves)


def test_pole_landscape_is_the_middle_of_the_track(cartpole):
    marked = rewards_of(cartpole, lambda a: cartpole.values[:, 0] + 0.0, "balance")
    table = landscape_table(cartpole, marked, {"balance": None})
    assert (table["reward"] == 0).all()
    assert table["coordinate"].abs().max() <= 0.25 + 1e-9
    one = table[table["scoring"] == "alpha-0"]
    assert np.allclose(one["coordinate"], np.linspace(-0.25, 0.25, 11))


def test_a_flat_curve_stays_at_zero(cartpole):
    table = landscape_table(
        cartpole, rewards_of(cartpole, lambda a: 0.3, "balance"), {"balance": None}
    )
    assert (table["rescaled"] == 0).all()


def test_car_landscape_covers_the_track_in_order(mountain_car):
    shuffled = States("mountain-car", mountain_car.values[::-1])
    rewards = rewards_of(shuffled, lambda a: shuffled.values[:, 0], "climb")
    one = landscape_table(shuffled, rewards, {"climb": None}).query("scoring == 'alpha-0'")
    assert np.allclose(one["coordinate"], np.linspace(-1.2, 0.6, 19))
    assert np.allclose(one["reward"], one["coordinate"])


def test_scenes_and_models_keep_their_order(mountain_car):
    rewards = rewards_of(
        mountain_car,
        lambda a: mountain_car.values[:, 0],
        "climb",
        scenes=("textured", "gymnasium"),
        models=("sim-S", "sim-M"),
    )
    figure = draw_landscape(landscape_table(mountain_car, rewards, {"climb": None}), "mountain-car")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "sim-S · textured",
        "sim-S · gymnasium",
        "sim-M · textured",
        "sim-M · gymnasium",
    ]


@pytest.mark.parametrize(
    ("fixture", "goal", "label"),
    [("cartpole", 0.0, "pole angle (rad)"), ("mountain_car", 0.45, "car position")],
)
def test_goal_line_and_axis(request, fixture, goal, label, labels_of):
    states = request.getfixturevalue(fixture)
    rewards = rewards_of(states, lambda a: states.values.sum(axis=1), "task")
    figure = draw_landscape(landscape_table(states, rewards, {"task": None}), states.environment)
    (axes,) = figure.axes
    line = next(line for line in axes.lines if line.get_label() == "goal")
    assert np.allclose(line.get_xdata(), goal)
    assert line.get_linestyle() == "--"
    assert axes.get_xlabel() == label
    assert "rescaled to 0-1" in figure.get_supylabel()
    assert labels_of(figure) == [
        "goal",
        scoring_label("alpha-0"),
        scoring_label("alpha-0.5"),
        scoring_label("alpha-1"),
    ]


@pytest.fixture
def paths():
    """Paths to two tasks, fulfilled over their last third."""
    progress = np.tile(np.linspace(0, 1, 7), 2)
    path = np.repeat(np.array(["kneeling", "splits"], dtype=object), 7)
    labels = {task: (path == task) & (progress > 0.6) for task in ("kneeling", "splits")}
    return States("humanoid", np.zeros((14, 47)), {"path": path, "progress": progress}, labels)


def humanoid_rewards(paths):
    tasks = {"kneel": "kneeling", "split": "splits"}
    rewards = pd.concat([rewards_of(paths, lambda a: np.arange(14.0), task) for task in tasks])
    return landscape_table(paths, rewards, tasks)


def test_each_task_has_its_own_path(paths):
    one = humanoid_rewards(paths).query("scoring == 'alpha-0'")
    for task, rewards in (("kneel", np.arange(7)), ("split", np.arange(7, 14))):
        curve = one[one["task"] == task]
        assert np.allclose(curve["coordinate"], np.linspace(0, 1, 7))
        assert np.allclose(curve["reward"], rewards)
        assert curve["fulfilled"].sum() == 3


def test_where_a_task_is_fulfilled_is_shaded(paths, labels_of):
    figure = draw_landscape(humanoid_rewards(paths), "humanoid")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["kneel", "split"]
    for axes in figure.axes:
        (shade,) = axes.collections
        # From the middle between the last false point and the first true one.
        assert np.isclose(shade.get_paths()[0].vertices[:, 0].min(), 3.5 / 6)
    assert labels_of(figure)[0] == "fulfilled"


@pytest.mark.parametrize(("point", "ends"), [(0, (0, 0.5)), (3, (2.5, 3.5)), (6, (5.5, 6))])
def test_a_single_fulfilled_point_is_shaded(paths, point, ends):
    for labels in paths.labels.values():
        labels[:] = np.arange(14) % 7 == point
    for axes in draw_landscape(humanoid_rewards(paths), "humanoid").axes:
        (shade,) = axes.collections
        (area,) = shade.get_paths()
        at = area.vertices[:, 0]
        assert (at.min() * 6, at.max() * 6) == pytest.approx(ends)


def test_a_humanoid_landscape_needs_paths(paths):
    states = States("humanoid", np.zeros((5, 47)))
    with pytest.raises(UserError, match="paths"):
        landscape_table(states, rewards_of(states, lambda a: 0.0, "kneel"), {"kneel": "kneeling"})
    with pytest.raises(UserError, match="no path to 'lotus'"):
        landscape_table(paths, rewards_of(paths, lambda a: 0.0, "sit"), {"sit": "lotus"})


def test_scattered_states_make_no_landscape():
    states = States("cartpole", np.random.default_rng(0).uniform(-0.2, 0.2, (50, 4)))
    with pytest.raises(UserError, match="grid"):
        landscape_table(states, rewards_of(states, lambda a: 0.0, "balance"), {"balance": None})


def test_missing_column_is_named(cartpole):
    rewards = rewards_of(cartpole, lambda a: 0.0, "balance").drop(columns="scoring")
    with pytest.raises(UserError, match="rewards: has no column 'scoring'"):
        landscape_table(cartpole, rewards, {"balance": None})


def test_a_landscape_needs_no_files(paths, labels_of):
    rewards = {"alpha-0": np.arange(14.0), "alpha-1": -np.arange(14.0)}
    figure = draw_rewards(paths, rewards, "splits", "sim-M")
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "sim-M · textured-fixed"
    heights = [line.get_ydata() for line in axes.lines]
    np.testing.assert_allclose(heights, [np.linspace(0, 1, 7), np.linspace(1, 0, 7)])
    assert labels_of(figure)[1:] == [scoring_label("alpha-0"), scoring_label("alpha-1")]
