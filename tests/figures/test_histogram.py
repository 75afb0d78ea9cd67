import numpy as np
import pytest

from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.figures.histogram import BINS, COLORS, draw_reward_histogram
from vlmrm.figures.style import scoring_label

from .conftest import rewards_of


@pytest.fixture
def labeled():
    labels = np.arange(100) < 20
    return States("humanoid", np.zeros((100, 47)), labels={"kneeling": labels})


def test_fulfilled_states_are_told_apart(labeled, labels_of):
    spread = np.linspace(0, 0.5, 100)
    reward = spread + np.where(labeled.labels["kneeling"], 10, 0)
    figure = draw_reward_histogram(
        labeled, rewards_of(labeled, lambda a: reward, "kneel"), "kneel", "kneeling"
    )
    assert labels_of(figure) == ["not fulfilled (n = 80)", "fulfilled (n = 20)"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        scoring_label("alpha-0"),
        scoring_label("alpha-0.5"),
        scoring_label("alpha-1"),
    ]
    outlines = {
        tuple(outline.get_edgecolor()[0][:3]): outline.get_paths()[0].vertices
        for outline in figure.axes[0].collections
    }
    assert len(outlines) == 2
    for label, low, high in (("not fulfilled", 0, 0.5), ("fulfilled", 10, 10.5)):
        x, density = outlines[COLORS[label]].T
        area = abs(x @ np.roll(density, 1) - density @ np.roll(x, 1)) / 2
        assert area == pytest.approx(1)
        inside = x[density > 0]
        width = 10.5 / BINS
        assert low - width <= inside.min()
        assert inside.max() <= high + width


def test_one_class_alone_is_drawn(labeled, labels_of):
    labeled.labels["kneeling"][:] = False
    rewards = rewards_of(labeled, lambda a: np.linspace(0, 1, 100), "kneeling")
    assert labels_of(draw_reward_histogram(labeled, rewards, "kneeling", "kneeling")) == [
        "not fulfilled (n = 100)"
    ]


def test_unlabeled_task_is_named(labeled):
    rewards = rewards_of(labeled, lambda a: 0.0, "kneelin")
    with pytest.raises(UserError, match="'kneelin'; did you mean 'kneeling'"):
        draw_reward_histogram(labeled, rewards, "kneelin", "kneelin")
