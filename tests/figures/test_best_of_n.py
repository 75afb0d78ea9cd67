import numpy as np
import pytest

from vlmrm.config.settings import BestOfNSettings
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.figures.best_of_n import best_of_n_table, draw_best_of_n
from vlmrm.figures.style import GREY

from .conftest import rewards_of

SETTINGS = BestOfNSettings(task="kneel", oracle="kneeling", bootstrap=20, seed=0)


@pytest.fixture
def labeled():
    labels = np.arange(100) >= 80
    return States("humanoid", np.zeros((100, 47)), labels={"kneeling": labels})


def test_a_right_reward_rises_and_a_wrong_one_falls(labeled, labels_of):
    """Right at alpha 0, wrong at alpha 1."""
    rewards = rewards_of(
        labeled, lambda a: (0.5 - a) * np.arange(100.0), "kneel", models=("sim-S", "sim-M")
    )
    table = best_of_n_table(labeled, rewards, SETTINGS)
    assert list(table)[:5] == ["task", "scene", "model", "scoring", "n"]
    assert np.allclose(table[table["n"] == 1]["gold"], 0.2)
    largest = table[(table["n"] == 8) & (table["model"] == "sim-M")].set_index("scoring")["gold"]
    assert largest["alpha-0"] == pytest.approx(1 - 0.8**8, abs=0.02)
    assert largest["alpha-0.5"] == pytest.approx(0.2)
    assert largest["alpha-1"] == pytest.approx(0.2**8, abs=0.01)
    figure = draw_best_of_n(table)
    assert labels_of(figure) == ["sim-S", "sim-M", "flipped-0.1"]
    assert len(figure.axes) == 3
    line, _, _ = figure.axes[0].lines
    assert list(line.get_xdata()) == [1, 2, 4, 8, 10]


def test_models_keep_their_order(labeled):
    models = ("XS", "S", "M", "L")
    rewards = rewards_of(labeled, lambda a: np.arange(100.0), "kneel", models=models)
    assert tuple(best_of_n_table(labeled, rewards, SETTINGS)["model"].unique()) == (
        *models,
        "flipped-0.1",
    )


def test_rewards_of_each_scene_are_drawn_apart(labeled):
    rewards = rewards_of(
        labeled, lambda a: np.arange(100.0), "kneel", scenes=("textured", "gymnasium")
    )
    figure = draw_best_of_n(best_of_n_table(labeled, rewards, SETTINGS))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(titles) == 6
    assert titles[0].startswith("textured · ")


def test_a_single_trajectory_is_too_few(labeled):
    labeled.columns["trajectory"] = np.zeros(100)
    rewards = rewards_of(labeled, lambda a: np.arange(100.0), "kneel")
    with pytest.raises(UserError, match="best of n for task kneel: all states are in one cluster"):
        best_of_n_table(labeled, rewards, SETTINGS)


def test_controls_are_gray_and_come_last(labeled, labels_of):
    rewards = rewards_of(labeled, lambda a: np.arange(100.0), "kneel", models=("random-S", "sim-S"))
    figure = draw_best_of_n(best_of_n_table(labeled, rewards, SETTINGS), ["random-S"])
    assert labels_of(figure) == ["sim-S", "random-S", "flipped-0.1"]
    model, *controls = [line.get_color() for line in figure.legends[0].get_lines()]
    assert controls == [GREY, GREY] and model != GREY
