"""Moments of agents side by side."""

import numpy as np
import pandas as pd
import pytest

from vlmrm.config import Rendering, TrainingRun
from vlmrm.config.settings import FilmstripSettings
from vlmrm.errors import UserError
from vlmrm.figures.filmstrip import MOMENTS, draw_filmstrip
from vlmrm.tasks.poses import pose_library
from vlmrm.training.evaluation import Episode
from vlmrm.training.videos import kept_trajectories

POSES = {name: pose_library()[name].state for name in ("kneel, hanging", "upright, hanging")}


def agent(share, seed=0, source="sim-S", oracle=True, rates=(1, 1, 0, 0)):
    """An agent that kneels for a share of its trajectory; before it, it stands."""
    run = TrainingRun(
        task="kneel", scene="textured-fixed", reward_source=source, scoring="alpha-0", seed=seed
    )
    kneels = np.arange(20) >= 20 * (1 - share)
    standing, kneeling = POSES["upright, hanging"], POSES["kneel, hanging"]
    states = np.where(kneels[:, None], kneeling, standing)
    fractions = np.full(4, share if oracle else np.nan)
    success = pd.array(rates if oracle else [pd.NA] * 4, dtype="boolean")
    table = pd.DataFrame({"success_fraction": fractions, "success": success})
    kept = kept_trajectories({3: Episode(states, np.zeros(20))}, table, "humanoid")
    return (run, table), kept


def settings_of(agents, oracle="kneeling"):
    return FilmstripSettings(
        runs=[run for (run, _), _ in agents],
        environments={"kneel": "humanoid"},
        goals={"kneel": ["a humanoid robot kneeling"]},
        oracles={"kneel": oracle},
        rendering=Rendering(),
    )


def draw(*agents, oracle="kneeling"):
    return draw_filmstrip(agents, settings_of(agents, oracle))


def marks(figure):
    return [axes.get_title(loc="left")[0] for axes in figure.axes]


def test_each_reward_has_a_row_of_moments_with_verdicts():
    figure = draw(agent(0.5), agent(1, source="oracle"))
    assert len(figure.axes) == 2 * MOMENTS
    check, cross = "\N{CHECK MARK}", "\N{MULTIPLICATION X}"
    assert marks(figure) == [cross] * 3 + [check] * 3 + [check] * 6
    sizes = {axes.images[0].get_array().shape for axes in figure.axes}
    assert len(sizes) == 1
    name, other = (figure.axes[first].get_ylabel() for first in (0, MOMENTS))
    assert "a humanoid robot" in name and "sim-S" in name
    assert "oracle reward" in other


def test_the_success_is_of_all_seeds_and_the_seed_in_the_middle_is_shown():
    agents = [agent(share, seed, rates=[seed > 0] * 4) for seed, share in enumerate((0, 1, 0.5))]
    figure = draw(*agents)
    (text,) = [text.get_text() for text in figure.axes[-1].texts]
    assert text.startswith("67% succeed\n(0% to 100%)")
    assert "3 seeds" in text and "seed 2 shown" in text
    assert len(figure.axes) == MOMENTS


def test_without_an_oracle_nothing_is_said_of_success():
    figure = draw(agent(1, oracle=False), oracle=None)
    assert not figure.axes[-1].texts
    assert figure.axes[0].get_title(loc="left") == "0.0 s"


def test_no_agent_is_named():
    with pytest.raises(UserError, match="evaluations: none"):
        draw()
