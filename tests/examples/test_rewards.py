"""The functions under examples/rewards, on tiny models with random weights."""

import numpy as np
import pytest

from vlmrm.config import FunctionModel
from vlmrm.config.settings import PromptSettings
from vlmrm.rewards.factories import load_function
from vlmrm.rewards.functions import CheckedFunction, FunctionReward, function_reward
from vlmrm.rewards.vlm import VLMReward

KNEELING = "a humanoid robot kneeling"


@pytest.fixture
def windows():
    return np.random.default_rng(0).integers(0, 256, (3, 4, 24, 24, 3), dtype=np.uint8)


def function(path, **keys):
    return FunctionModel(source="function", function=f"examples.rewards.{path}", **keys)


def test_a_vision_language_model_gives_the_probability_of_yes(generative_model, windows):
    model = function("vqa:make_reward", settings={"checkpoint": str(generative_model)})
    reward = FunctionReward(load_function("judge", model), KNEELING)
    rewards = reward(windows)
    assert ((rewards > 0) & (rewards < 1)).all()
    assert len(set(rewards.tolist())) == 3, "each picture shall have its own"
    np.testing.assert_allclose(reward(windows[1:, -1]), rewards[1:], rtol=1e-4)
    other = FunctionReward(load_function("judge", model), "a cat")
    assert not np.allclose(other(windows), rewards, rtol=1e-3)


def test_yes_and_no_together_are_certain(generative_model, windows):
    from examples.rewards.vqa import make_reward

    yes = make_reward(str(generative_model))(windows, KNEELING).numpy()
    # By hand, from the logits of the same prompt.
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(generative_model)
    network = AutoModelForImageTextToText.from_pretrained(generative_model).eval()
    prompt = f"user :  <image> Does the picture show {KNEELING}? Answer yes or no. assistant"
    image = Image.fromarray(windows[0, -1])
    inputs = processor(images=image, text=prompt, return_tensors="pt")
    logits = network(**inputs).logits[0, -1].exp()
    tokens = processor.tokenizer.convert_tokens_to_ids(["yes", "Yes", "no", "No"])
    by_hand = logits[tokens[:2]].sum() / logits[tokens].sum()
    assert yes[0] == pytest.approx(by_hand.item(), rel=1e-4)


def test_a_video_encoder_sees_all_frames_of_a_window(video_model, windows):
    settings = {"checkpoint": str(video_model)}
    model = function("video_text:VideoText", settings=settings, embeddings=True, window=4)
    prompts = PromptSettings(task="t", goals=[KNEELING], baselines=["a humanoid robot"])
    loaded = load_function("video", model)
    plain = function_reward(loaded, True, prompts, "alpha-0")(windows)
    assert (np.abs(plain) <= 1).all()
    other_past = windows.copy()
    other_past[:, 0] = 255 - other_past[:, 0]
    changed = function_reward(loaded, True, prompts, "alpha-0")(other_past)
    assert np.abs(changed - plain).min() > 1e-4
    regularized = function_reward(loaded, True, prompts, "alpha-0.5")(windows)
    assert not np.allclose(regularized, plain)


def test_a_video_encoder_works_in_python(video_model, windows):
    from examples.rewards.video_text import VideoText

    encoder = CheckedFunction(VideoText(str(video_model)))
    reward = VLMReward(encoder, KNEELING, contrast=["a cat"], scoring="contrast-1")
    assert ((reward(windows) > 0) & (reward(windows) < 1)).all()
    with pytest.raises(ValueError, match="reads 4 frames"):
        reward(windows[:, :2])
