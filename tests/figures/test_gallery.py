"""Galleries of wrong states."""

import numpy as np
import pytest

from vlmrm.config import Rendering
from vlmrm.config.settings import GallerySettings, SearchFigureSettings
from vlmrm.data.states import States
from vlmrm.figures.gallery import draw_gallery, draw_search_gallery, gallery_table
from vlmrm.tasks.oracles import labeled
from vlmrm.tasks.poses import pose_library

from .conftest import rewards_of

SMALL = Rendering(humanoid_size=48)
SETTINGS = GallerySettings(task="kneel", oracle="kneeling", scoring="alpha-0", rendering=SMALL)


@pytest.fixture(scope="module")
def poses():
    states = np.stack([pose.state for pose in pose_library().values()])
    return labeled("humanoid", states)


def reward_of(states):
    """Rises with the row at alpha 0, falls at alpha 1."""
    return lambda alpha: (0.5 - alpha) * np.arange(float(len(states)))


def test_the_best_wrong_and_the_worst_true_states_are_listed(poses):
    rewards = rewards_of(poses, reward_of(poses), "kneel", ("textured-fixed",), ("S", "M"))
    table = gallery_table(poses, rewards, SETTINGS)
    labels = poses.labels["kneeling"]
    rows = table[(table["model"] == "M") & (table["scoring"] == "alpha-0")]
    wrong, true = (rows[rows["kind"] == kind] for kind in ("wrong", "true"))
    assert wrong["state"].tolist() == np.flatnonzero(~labels)[::-1][:4].tolist()
    assert true["state"].tolist() == np.flatnonzero(labels)[:4].tolist()
    assert (wrong["rank"] == len(poses) - wrong["state"]).all()
    assert (true["fails"] == "").all() and (wrong["fails"] != "").all()
    assert wrong["reward_std"].iloc[0] > 1 > -1 > true["reward_std"].min()


def test_a_trajectory_is_shown_once(poses):
    trajectory = np.arange(len(poses)) // 3
    states = States("humanoid", poses.values, {"trajectory": trajectory}, poses.labels)
    rewards = rewards_of(states, reward_of(states), "kneel", ("textured-fixed",))
    table = gallery_table(states, rewards, SETTINGS)
    for _, rows in table.groupby(["scoring", "kind"]):
        assert len(set(trajectory[rows["state"]])) == len(rows)


def test_a_row_of_pictures_for_each_model(poses):
    rewards = rewards_of(poses, reward_of(poses), "kneel", ("textured-fixed",), ("S", "M"))
    table = gallery_table(poses, rewards, SETTINGS, count=2)
    figure = draw_gallery(table, poses, SETTINGS)
    assert len(figure.axes) == 2 * 4
    assert [axes.get_ylabel() for axes in figure.axes[::4]] == ["S", "M"]
    first = table.iloc[0]
    title = figure.axes[0].get_title(loc="left")
    assert title.startswith(f"\N{MULTIPLICATION X} rank {first['rank']} (")
    assert title.endswith(first["fails"].split("; ")[0])


def test_a_perfect_reward_has_no_wrong_states_to_show():
    """All states are successes."""
    values = np.stack([p.state for p in pose_library().values() if "kneeling" in p.tasks])
    states = labeled("humanoid", values)
    rewards = rewards_of(states, reward_of(states), "kneel", ("textured-fixed",))
    table = gallery_table(states, rewards, SETTINGS, count=1)
    assert set(table["kind"]) == {"true"}
    shown = [bool(axes.images) for axes in draw_gallery(table, states, SETTINGS).axes]
    assert len(shown) == 2


def test_classic_control_is_shown_whole(cartpole):
    states = labeled("cartpole", cartpole.values)
    settings = GallerySettings(
        task="pole", oracle="cartpole", scoring="alpha-0", rendering=Rendering()
    )
    rewards = rewards_of(states, reward_of(states), "pole")
    table = gallery_table(states, rewards, settings, count=1)
    figure = draw_gallery(table, states, settings)
    assert figure.axes[0].images[0].get_array().shape == (400, 600, 3)


def test_the_winner_of_every_search_is_shown(poses, run):
    runs = [
        run(reward, "alpha-0", seed, scene="textured-fixed")
        for reward in ("sim-S", "oracle-score")
        for seed in (0, 1)
    ]
    best = poses.labels["kneeling"].astype(float)
    columns = {"generation": np.zeros(len(poses), int), "reward": best}
    right = States("humanoid", poses.values, columns, poses.labels)
    wrong = States("humanoid", poses.values, {**columns, "reward": 1 - best}, poses.labels)
    settings = SearchFigureSettings(
        runs=runs,
        oracles={"kneeling": "kneeling"},
        survivors=1,
        controls=["oracle-score"],
        rendering=SMALL,
    )
    figure = draw_search_gallery([wrong, wrong, right, right], settings)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[2:] == ["\N{CHECK MARK} fulfilled"] * 2
    assert all(title.startswith("\N{MULTIPLICATION X} ") for title in titles[:2])
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == ["sim-S", "oracle-score"]
