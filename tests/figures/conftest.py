from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from vlmrm.config import TrainingRun
from vlmrm.data.states import States
from vlmrm.figures.style import COLUMN, PAGE

ALPHAS = (0.0, 0.5, 1.0)


def rewards_of(states, reward, task, scenes=("gymnasium",), models=("sim-S",)):
    """Rewards files of all scenes and models, one below the other as they were read."""
    return pd.concat(
        pd.DataFrame(
            {
                "scene": scene,
                "model": model,
                "state": np.arange(len(states)),
                "task": task,
                "scoring": f"alpha-{alpha:g}",
                "reward": reward(alpha),
            }
        )
        for scene, model, alpha in itertools.product(scenes, models, ALPHAS)
    )


@pytest.fixture(autouse=True)
def legible(monkeypatch):
    """Each figure that a test draws has texts of at least 6 points, and fits a page.

    With one panel in a row, it fits one of two columns.
    """
    drawn = []
    make = Figure.__init__

    def remembered(figure, *args, **options):
        make(figure, *args, **options)
        drawn.append(figure)

    monkeypatch.setattr(Figure, "__init__", remembered)
    yield
    for figure in drawn:
        texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
        assert min((text.get_fontsize() for text in texts), default=6) >= 6
        if figure.axes and not any(axes.images for axes in figure.axes):
            across = max(axes.get_gridspec().ncols for axes in figure.axes)
            widest = PAGE if across > 1 else COLUMN
            assert figure.get_size_inches()[0] <= widest + 0.01


@pytest.fixture
def cartpole():
    """Pole angles -0.4 to 0.4 at cart positions -1, 0 and 1."""
    x, theta = np.meshgrid([-1.0, 0.0, 1.0], np.linspace(-0.4, 0.4, 17), indexing="ij")
    values = np.zeros((x.size, 4))
    values[:, 0], values[:, 2] = x.ravel(), theta.ravel()
    return States("cartpole", values)


@pytest.fixture
def mountain_car():
    position = np.linspace(-1.2, 0.6, 19)
    return States("mountain-car", np.stack([position, 0 * position], axis=1))


@pytest.fixture
def run():
    def make(reward="sim-S", scoring="alpha-0.5", seed=0, task="kneeling", scene="textured"):
        return TrainingRun(task=task, scene=scene, reward_source=reward, scoring=scoring, seed=seed)

    return make


@pytest.fixture
def labels_of():
    """The legend of a figure, as texts."""
    return lambda figure: [text.get_text() for text in figure.legends[0].get_texts()]
