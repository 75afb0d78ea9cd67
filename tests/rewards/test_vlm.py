import numpy as np
import pytest

from vlmrm.models.clip import ClipModel
from vlmrm.rewards.vlm import VLMReward

GOAL, BASELINE = "pole vertically upright on top of the cart", "pole and cart"
FRAMES = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)


def test_without_regularization_it_is_the_cosine_of_image_and_sentence(model_folder):
    model = ClipModel.load(model_folder, "cpu")
    expected = model.embed_images(FRAMES) @ model.embed_prompts([GOAL])[0]
    rewards = VLMReward(model, GOAL)(FRAMES)
    assert rewards.dtype == np.float32
    np.testing.assert_allclose(rewards, expected, atol=1e-5)


def test_a_list_of_one_sentence_is_that_sentence(model_folder):
    model = ClipModel.load(model_folder, "cpu")
    one = VLMReward(model, GOAL, BASELINE, "alpha-0.5")(FRAMES)
    np.testing.assert_allclose(VLMReward(model, [GOAL], [BASELINE], "alpha-0.5")(FRAMES), one)
    two = VLMReward(model, [GOAL, "a pole"], [BASELINE], "alpha-0.5")(FRAMES)
    assert not np.allclose(one, two)


def test_wrong_arguments_fail_before_the_first_frame(model_folder):
    model = ClipModel.load(model_folder, "cpu")
    with pytest.raises(ValueError, match="baseline"):
        VLMReward(model, GOAL, scoring="alpha-0.5")
    with pytest.raises(ValueError, match="other sentences"):
        VLMReward(model, GOAL, scoring="contrast-0.05")
    with pytest.raises(ValueError, match="scoring"):
        VLMReward(model, GOAL, BASELINE, scoring="alpha-2")


def test_a_contrast_is_the_probability_of_the_goal(model_folder):
    model = ClipModel.load(model_folder, "cpu")
    goal, other = VLMReward(model, GOAL)(FRAMES), VLMReward(model, BASELINE)(FRAMES)
    chance = 1 / (1 + np.exp((other - goal) / 0.05))
    reward = VLMReward(model, GOAL, scoring="contrast-0.05", contrast=BASELINE)
    np.testing.assert_allclose(reward(FRAMES), chance, atol=1e-5)


def test_several_scorings_give_the_rewards_of_each(model_folder):
    model = ClipModel.load(model_folder, "cpu")
    reward = VLMReward(model, GOAL, BASELINE)
    found = reward.by_scoring(FRAMES, ["alpha-0.50", "alpha-0"])
    assert list(found) == ["alpha-0.5", "alpha-0"]
    for scoring, rewards in found.items():
        alone = VLMReward(model, GOAL, BASELINE, scoring)(FRAMES)
        np.testing.assert_allclose(rewards, alone, atol=1e-5)
    with pytest.raises(ValueError, match="contrast needs other sentences"):
        reward.by_scoring(FRAMES, ["contrast-0.05"])


@pytest.mark.parametrize("baseline", [GOAL, f" {GOAL.upper()}\n", [GOAL, GOAL.title()]])
def test_a_baseline_that_the_model_reads_as_the_goal_needs_alpha_0(model_folder, baseline):
    model = ClipModel.load(model_folder, "cpu")
    with pytest.raises(ValueError, match="alpha > 0 needs a baseline that differs from the goal"):
        VLMReward(model, GOAL, baseline, "alpha-0.1")
    np.testing.assert_equal(
        VLMReward(model, GOAL, baseline)(FRAMES), VLMReward(model, GOAL)(FRAMES)
    )


@pytest.mark.parametrize("goal", ["", " ", [], [GOAL, ""]])
def test_a_goal_is_a_sentence(model_folder, goal):
    with pytest.raises(ValueError, match="the goal is empty; give a sentence"):
        VLMReward.load(model_folder, goal, device="cpu")


@pytest.mark.parametrize(
    ("frames", "given"),
    [
        (FRAMES / 255, r"float64 \[3, 96, 96, 3\]"),
        (FRAMES[0], r"uint8 \[96, 96, 3\]"),
        (FRAMES.transpose(0, 3, 1, 2), r"uint8 \[3, 3, 96, 96\]"),
        (FRAMES[..., :1], r"uint8 \[3, 96, 96, 1\]"),
    ],
)
def test_other_frames_than_pictures_are_refused(model_folder, frames, given):
    reward = VLMReward.load(model_folder, GOAL, device="cpu")
    with pytest.raises(ValueError, match=rf"must be uint8 RGB \[N, H, W, 3\] .*, not {given}"):
        reward(frames)
