"""The probability of the goal among other sentences."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmrm.rewards.contrast import contrast_reward


def unit(rng, *shape):
    vectors = rng.normal(size=shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


cases = given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.floats(0.003, 10))


@cases
def test_it_is_the_softmax_of_the_cosine_similarities(seed, k, temperature):
    rng = np.random.default_rng(seed)
    images, goal, others = unit(rng, 7, 8), unit(rng, 8), unit(rng, k, 8)
    rewards = contrast_reward(images, goal, others, temperature)
    for image, reward in zip(images, rewards, strict=True):
        weights = [math.exp((image @ sentence) / temperature) for sentence in (goal, *others)]
        assert reward == pytest.approx(weights[0] / sum(weights), abs=1e-6)


@cases
def test_what_all_sentences_have_in_common_does_not_matter(seed, k, temperature):
    rng = np.random.default_rng(seed)
    images, goal, others, shift = unit(rng, 7, 8), unit(rng, 8), unit(rng, k, 8), unit(rng, 8)
    rewards = contrast_reward(images, goal, others, temperature)
    shifted = contrast_reward(images, goal + shift, others + shift, temperature)
    np.testing.assert_allclose(shifted, rewards, atol=1e-6)


def test_low_temperatures_choose_the_nearest_sentence():
    images, sentences = np.eye(3), np.eye(3)
    rewards = contrast_reward(images, sentences[0], sentences[1:], 1e-4)
    np.testing.assert_array_equal(rewards, [1, 0, 0])


def test_the_goal_alone_among_equals_has_its_share():
    goal = np.eye(3)[0]
    assert contrast_reward(goal, goal, [goal] * 3, 0.05) == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("others", "temperature", "message"),
    [([], 0.1, "other sentences"), (np.eye(2), 0, "temperature"), (np.eye(2), np.nan, "temper")],
)
def test_unusable_arguments_are_refused(others, temperature, message):
    with pytest.raises(ValueError, match=message):
        contrast_reward(np.eye(2), np.eye(2)[0], others, temperature)
