import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmrm.rewards.goal_baseline import goal_baseline_reward, mean_direction

unit_vectors = (
    st.lists(st.floats(-1, 1), min_size=4, max_size=4)
    .map(np.array)
    .filter(lambda v: np.linalg.norm(v) > 0.1)
    .map(lambda v: v / np.linalg.norm(v))
)
alphas = st.floats(0, 1)

GOAL, BASELINE, IMAGE = [1.0, 0, 0], [0.6, 0.8, 0], [0.0, 0.6, 0.8]


def test_published_values():
    rewards = goal_baseline_reward(IMAGE, GOAL, BASELINE, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(rewards, [0, 0.22575, 0.387, 0.48375, 0.516], atol=1e-6)


@given(unit_vectors, unit_vectors)
def test_without_regularization_it_is_the_cosine(image, goal):
    assert goal_baseline_reward(image, goal) == pytest.approx(image @ goal, abs=1e-9)


@given(unit_vectors, unit_vectors, alphas)
def test_the_goal_scores_one_and_the_baseline_its_cosine(goal, baseline, alpha):
    if np.linalg.norm(goal - baseline) < 1e-3:
        return
    assert goal_baseline_reward(goal, goal, baseline, alpha) == pytest.approx(1)
    cosine = goal @ baseline
    assert goal_baseline_reward(baseline, goal, baseline, alpha) == pytest.approx(cosine, abs=1e-9)


@given(unit_vectors, unit_vectors, unit_vectors, alphas)
def test_it_is_the_distance_of_the_blend_of_image_and_projection(image, goal, baseline, alpha):
    if np.linalg.norm(goal - baseline) < 1e-3:
        return
    direction = (goal - baseline) / np.linalg.norm(goal - baseline)
    projection = baseline + ((image - baseline) @ direction) * direction
    blend = alpha * projection + (1 - alpha) * image
    expected = 1 - 0.5 * np.sum((blend - goal) ** 2)
    assert goal_baseline_reward(image, goal, baseline, alpha) == pytest.approx(expected, abs=1e-6)


def test_many_alphas_and_images_at_once():
    images = np.array([IMAGE, GOAL, BASELINE])
    together = goal_baseline_reward(images, GOAL, BASELINE, [0, 0.5])
    assert together.shape == (2, 3)
    for row, alpha in zip(together, [0, 0.5], strict=True):
        singly = [goal_baseline_reward(s, GOAL, BASELINE, alpha) for s in images]
        np.testing.assert_allclose(row, singly)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan"), [0, 2]])
def test_alpha_outside_its_range_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        goal_baseline_reward(IMAGE, GOAL, BASELINE, alpha)


@pytest.mark.parametrize("baseline", [None, GOAL])
def test_regularization_needs_a_line_to_project_on(baseline):
    assert goal_baseline_reward(IMAGE, GOAL, baseline, 0) == pytest.approx(0)
    with pytest.raises(ValueError, match="baseline"):
        goal_baseline_reward(IMAGE, GOAL, baseline, 0.5)


def test_several_prompts_are_averaged():
    np.testing.assert_allclose(mean_direction([[1, 0], [0, 1]]), [0.5**0.5, 0.5**0.5])
    with pytest.raises(ValueError, match="cancel"):
        mean_direction([[1, 0], [-1, 0]])
