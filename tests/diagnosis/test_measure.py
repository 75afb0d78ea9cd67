"""Measures of a reward on states whose verdicts are known, with made-up numbers."""

import numpy as np
import pytest

from vlmrm.diagnosis import measure

LABELS = np.array([False] * 20 + [True] * 5)
SCORES = np.where(LABELS, 1.0, np.linspace(0.05, 0.95, 25))


def test_near_misses_are_the_tenth_of_the_failures_that_the_oracle_scores_highest():
    assert np.flatnonzero(measure.near_misses(SCORES, LABELS)).tolist() == [18, 19]


def test_the_margin_is_from_near_misses_to_the_median_success_in_standard_deviations():
    rewards = np.zeros(25)
    rewards[LABELS], rewards[18:20] = [1, 2, 3, 4, 5], 0.5
    near = measure.near_misses(SCORES, LABELS)
    assert measure.margin(rewards, LABELS, near) == pytest.approx(2.5 / rewards.std())
    assert measure.margin(-rewards, LABELS, near) == pytest.approx(-2.5 / rewards.std())
    assert measure.margin(10 * rewards + 3, LABELS, near) == pytest.approx(2.5 / rewards.std())


def test_other_failures_do_not_change_who_is_near():
    rewards = np.zeros(25)
    rewards[LABELS], rewards[0] = 1, 9
    assert measure.margin(rewards, LABELS, measure.near_misses(SCORES, LABELS)) > 0


def test_a_constant_reward_measures_as_one_without_information():
    measures = measure.measure_poses(np.ones(25), LABELS, SCORES)
    assert (measures["auroc"], measures["closeness"], measures["margin"]) == (0.5, 0, 0)
    assert measures["best_of_n"] == pytest.approx(0.2)
    assert measures["fooled"] == pytest.approx(0.8)


def test_the_oracles_score_as_the_reward_measures_best():
    measures = measure.measure_poses(SCORES, LABELS, SCORES)
    assert measures["closeness"] == pytest.approx(1)
    assert (measures["auroc"], measures["fooled"], measures["best_of_n"]) == (1, 0, 1)
    assert measures["margin"] > 0
    assert measures["ease"] == pytest.approx(SCORES.mean())


def test_the_ease_of_a_pose_does_not_depend_on_the_reward():
    eases = [measure.measure_poses(r, LABELS, SCORES)["ease"] for r in (SCORES, -SCORES)]
    assert eases[0] == eases[1]


def test_a_sentence_prefers_the_pose_that_it_orders_best():
    rewards = np.arange(4.0)
    labels = {"low": rewards < 2, "high": rewards > 1, "middle": (rewards > 0) & (rewards < 3)}
    areas = measure.confusion(rewards, labels)
    assert areas == {"low": 0, "high": 1, "middle": 0.5}
    assert measure.preferred(areas) == "high"


def test_sentences_are_compared_by_their_order_and_by_who_is_closer():
    goal = np.array([0.1, 0.2, 0.3, 0.4])
    same, opposite = measure.compare_sentences(np.stack([goal, goal + 1, -goal], axis=1))
    assert same == {"correlation": pytest.approx(1), "closer": 0}
    assert opposite == {"correlation": pytest.approx(-1), "closer": 1}
    assert measure.compare_sentences(goal[:, None]) == []


def test_the_spread_is_relative_to_the_median_known_sentence():
    rewards = np.array([0.0, 1.0])
    known = np.array([[0, 0, 0], [1, 2, 9.0]])
    assert measure.relative_spread(rewards, known) == pytest.approx(0.5)


def test_few_pictures_are_measured_by_the_best_of_all():
    measures = measure.measure_pictures([3, 2, 1], [True, False, False])
    assert measures == {"auroc": 1, "fooled": 0, "best_of_n": 1}
