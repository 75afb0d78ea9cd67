"""Functions of users as reward models, and what they may do wrong."""

import sys

import gymnasium as gym
import numpy as np
import pytest

from tests.rewards.some_functions import Colors, make_answer, make_red
from vlmrm.config import FunctionModel
from vlmrm.config.settings import FunctionSettings, PromptSettings
from vlmrm.errors import UserError
from vlmrm.rewards.factories import load_function
from vlmrm.rewards.functions import (
    CheckedFunction,
    FunctionReward,
    function_reward,
    score_windows,
)
from vlmrm.rewards.vlm import VLMReward
from vlmrm.rewards.wrappers import VLMRewardWrapper

TASK = {"task": "t", "goals": ["a red car"], "baselines": ["a car"], "contrasts": ["a blue car"]}


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), dtype=np.uint8)


def function(name, module="tests.rewards.some_functions", **keys):
    return FunctionModel(source="function", function=f"{module}:{name}", **keys)


def settings(model, *scorings):
    return FunctionSettings(**TASK, environment="cartpole", scorings=scorings, model=model)


def test_a_frame_is_a_window_of_one(frames):
    reward = FunctionReward(make_red(), "ab")
    by_hand = 2 * frames[..., 0].mean(axis=(1, 2))
    np.testing.assert_allclose(reward(frames), by_hand, rtol=1e-6)
    np.testing.assert_allclose(reward(np.stack([255 - frames, frames], 1)), by_hand, rtol=1e-6)


def test_scores_for_several_sentences_are_averaged(frames):
    rewards = FunctionReward(make_red(), ["a", "abc"])(frames)
    np.testing.assert_allclose(rewards, FunctionReward(make_red(), "ab")(frames), rtol=1e-6)
    with pytest.raises(ValueError, match="the goal is empty"):
        FunctionReward(make_red(), " ")


def test_a_function_rewards_any_environment_that_can_render():
    env = gym.make("CartPole-v1", render_mode="rgb_array")
    wrapped = VLMRewardWrapper(env, FunctionReward(make_red(), "a pole"))
    wrapped.reset(seed=0)
    _, reward, _, _, info = wrapped.step(0)
    assert reward == pytest.approx(6 * env.render()[..., 0].mean(), rel=1e-6)
    assert info["environment_reward"] == 1


def test_a_function_with_embeddings_has_every_scoring(frames):
    def unit(vectors):
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

    images = unit(frames.mean(axis=(1, 2)) + 1)
    goal = unit(np.array([3, 1, 1]))
    model = function("Colors", embeddings=True)
    batches = [frames[:3, None], frames[3:, None]]
    scorings = ("alpha-0", "alpha-0.5", "contrast-0.1")
    table = score_windows(load_function("colors", model), batches, settings(model, *scorings))
    by_scoring = {name: rows["reward"].to_numpy() for name, rows in table.groupby("scoring")}
    assert by_scoring.keys() == set(scorings)
    np.testing.assert_allclose(by_scoring["alpha-0"], images @ goal, atol=1e-6)
    for scoring, scored in by_scoring.items():
        prompts = PromptSettings(**TASK)
        training = function_reward(CheckedFunction(Colors()), True, prompts, scoring)
        python = VLMReward(CheckedFunction(Colors()), "a red car", "a car", scoring, ["a blue car"])
        np.testing.assert_allclose(training(frames), scored, atol=1e-6)
        np.testing.assert_allclose(python(frames), scored, atol=1e-6)


def test_a_callable_has_its_plain_score_alone(frames):
    model = function("make_red", settings={"scale": 0.5})
    table = score_windows(
        load_function("red", model), [frames[:, None]], settings(model, "alpha-0")
    )
    assert table.columns.tolist() == ["state", "task", "scoring", "reward"]
    assert set(table["scoring"]) == {"alpha-0"}
    by_hand = 0.5 * 9 * frames[..., 0].mean(axis=(1, 2))
    np.testing.assert_allclose(table["reward"], by_hand, rtol=1e-6)


WRONG = {
    "column": "returned 4 x 1 numbers, not 4",
    "one": "returned a float, not 4 numbers",
    "fewer": "returned 3 numbers, not 4",
    "nan": "returned 1 of 4 numbers that are not finite, such as nan",
    "text": "returned a str, not 4 numbers",
    "none": "returned a NoneType, not 4 numbers",
}


@pytest.mark.parametrize(("answer", "message"), WRONG.items())
def test_a_wrong_answer_is_one_line_that_says_what_was_returned(frames, answer, message):
    model = function("make_answer", settings={"answer": answer})
    loaded = load_function("judge", model)
    with pytest.raises(UserError) as error:
        FunctionReward(loaded, "a car")(frames)
    assert str(error.value) == f"models.judge: {model.function} {message}"
    # In Python, without a configuration:
    with pytest.raises(ValueError, match=f"^the function {message}"):
        FunctionReward(make_answer(answer), "a car")(frames)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("raise", "raised ZeroDivisionError: division by zero"),
        ("exit", "raised SystemExit: 3"),
    ],
)
def test_an_error_is_one_line_with_its_traceback_as_a_note(frames, answer, message):
    model = function("make_answer", settings={"answer": answer})
    with pytest.raises(
        UserError, match=rf"^models.judge: .*make_answer {message}; correct it\n"
    ) as caught:
        FunctionReward(load_function("judge", model), "a car")(frames)
    (traceback,) = caught.value.__notes__
    assert traceback.startswith("Traceback")
    assert "some_functions.py" in traceback


def test_in_python_an_error_is_the_function_s_own(frames):
    with pytest.raises(ZeroDivisionError):
        FunctionReward(make_answer("raise"), "a car")(frames)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Flat", "returned 4 numbers, not 4 x E"),
        ("Black", "returned a vector of zeros"),
        ("Gray", "returned 2 numbers for each, but 3 before"),
    ],
)
def test_embeddings_are_vectors_with_a_direction(frames, name, message):
    loaded = load_function("colors", function(name, embeddings=True))
    loaded.embed_prompts(["red"])
    with pytest.raises(UserError, match=f"^models.colors: embed_images of .*{name} {message}"):
        loaded.embed_images(frames)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            function("make", module="nowhere.to_be_found"),
            "models.f.function: there is no module 'nowhere'; install the package that has it",
        ),
        (function("make_rde"), "has no function 'make_rde'; did you mean 'make_red'"),
        (function("NO_FACTORY"), "tests.rewards.some_functions has no function 'NO_FACTORY'"),
        (
            function("make_red", settings={"size": 3}),
            "models.f.settings: tests.rewards.some_functions:make_red does not take them (got an "
            "unexpected keyword argument 'size')",
        ),
        (function("make_answer"), "missing a required argument: 'answer'"),
        (
            function("make_picky", settings={"size": 3}),
            "models.f: tests.rewards.some_functions:make_picky raised ValueError: no checkpoint of "
            "size 3",
        ),
        (
            function("make_nothing"),
            "a NoneType, which cannot be called; return a callable",
        ),
        (function("Colors"), "a Colors, which cannot be called; set models.f.embeddings"),
        (function("make_red", embeddings=True), "models.f.embeddings: true, but "),
    ],
    ids=lambda value: value.function if isinstance(value, FunctionModel) else "",
)
def test_a_function_that_cannot_be_made_is_one_line(model, message):
    with pytest.raises(UserError) as error:
        load_function("f", model)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_modules_of_the_working_directory_are_found(tmp_path, monkeypatch):
    (tmp_path / "mine_alone.py").write_text("def make():\n    return lambda windows, text: [1.0]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    loaded = load_function("mine", function("make", module="mine_alone"))
    assert FunctionReward(loaded, "a")(np.zeros((1, 2, 2, 3), np.uint8)).tolist() == [1]


def test_a_module_that_fails_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "fails.py").write_text("raise RuntimeError('no GPU here')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        UserError, match=r"f.function: 'fails' cannot be imported \(RuntimeError: no"
    ):
        load_function("f", function("make", module="fails"))
