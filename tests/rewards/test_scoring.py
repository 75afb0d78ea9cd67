"""Rewards of state sets, and their errors in reduced precision."""

import numpy as np
import pytest

from vlmrm.config.settings import ScoringSettings
from vlmrm.errors import UserError
from vlmrm.rewards.scoring import (
    precision_errors,
    relative_error,
    reward_table,
    score_states,
)


def test_an_error_is_in_standard_deviations_of_the_rewards():
    rewards = np.array([0.1, 0.3, 0.2, 0.6])
    assert relative_error(rewards, rewards) == 0
    assert relative_error(rewards + 0.01, rewards) == pytest.approx(0.01 / rewards.std())
    assert relative_error(np.ones(3), np.ones(3)) == 0
    assert relative_error(np.array([1.0, 1.1]), np.ones(2)) == np.inf


def test_errors_of_a_sample_by_scoring():
    rng = np.random.default_rng(0)

    def unit(*shape):
        vectors = rng.normal(size=shape).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

    images, exact = unit(20, 8), unit(20, 8)
    prompts = {"goal": unit(8), "baseline": unit(8)}
    settings = ScoringSettings(
        task="task",
        environment="cartpole",
        goals=["goal"],
        baselines=["baseline"],
        scorings=["alpha-0", "alpha-0.5"],
    )
    rows = np.array([0, 3, 19])
    table = score_states(images, prompts, settings)
    errors = precision_errors(table, (rows, exact[rows]), prompts, settings)
    assert list(errors) == ["alpha-0", "alpha-0.5"]
    wanted = score_states(exact, prompts, settings)
    for scoring, error in errors.items():
        reduced, full = (
            t[t["scoring"] == scoring]["reward"].to_numpy()[rows] for t in (table, wanted)
        )
        assert error == pytest.approx(relative_error(reduced, full))
    none = precision_errors(table, (rows, images[rows]), prompts, settings)
    assert max(none.values()) < 1e-12


def test_contrasts_compete_with_the_goal_and_a_task_without_them_is_left_out():
    prompts = dict(zip(("goal", "other"), np.eye(2, dtype=np.float32), strict=True))
    images = np.eye(2, dtype=np.float32)
    settings = ScoringSettings(
        task="task",
        environment="cartpole",
        goals=["goal"],
        contrasts=["other"],
        scorings=["alpha-0", "alpha-0.5", "contrast-0.5"],
    )
    table = score_states(images, prompts, settings)
    assert list(table["scoring"].unique()) == ["alpha-0", "contrast-0.5"]
    chance = 1 / (1 + np.exp(-1 / 0.5))
    rewards = table[table["scoring"] == "contrast-0.5"]["reward"]
    np.testing.assert_allclose(rewards, [chance, 1 - chance])
    alone = score_states(images, prompts, settings.model_copy(update={"contrasts": []}))
    assert list(alone["scoring"].unique()) == ["alpha-0"]


def test_sentences_that_give_no_reward_are_named_by_their_task():
    goal, images = np.eye(4, dtype=np.float32)[0], np.eye(4, dtype=np.float32)
    settings = ScoringSettings(
        task="mine",
        environment="cartpole",
        goals=["a"],
        baselines=["b"],
        scorings=["alpha-0", "alpha-0.5"],
    )
    with pytest.raises(UserError, match=r"^tasks\.mine: alpha > 0 needs a baseline that differs"):
        score_states(images, {"a": goal, "b": goal + np.float32(1e-6)}, settings)
    with pytest.raises(UserError, match=r"^tasks\.mine: no embedding of 'b'; embed the prompts"):
        score_states(images, {"a": goal}, settings)
    opposite = settings.model_copy(update={"goals": ["a", "c"]})
    with pytest.raises(UserError, match=r"^tasks\.mine: the prompts' embeddings cancel out"):
        score_states(images, {"a": goal, "b": images[1], "c": -goal}, opposite)
    without = settings.model_copy(update={"scorings": ["alpha-0"]})
    rewards = score_states(images, {"a": goal, "b": goal}, without)["reward"]
    np.testing.assert_allclose(rewards, images @ goal)


def test_a_task_that_no_scoring_fits_is_named():
    with pytest.raises(UserError, match=r"tasks\.balance: none of `scorings` is possible; add"):
        reward_table("balance", {})
