"""Ensembles as rewards of frames."""

import gymnasium as gym
import numpy as np
import pytest

from vlmrm.config.settings import (
    EmbeddingSettings,
    EnsembleSettings,
    Member,
    PromptSettings,
    ScoringSettings,
    TrainingSettings,
)
from vlmrm.data.tables import write_table
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel
from vlmrm.rewards.aggregation import Statistics, aggregate_rewards
from vlmrm.rewards.ensemble import EnsembleReward, load_ensemble
from vlmrm.rewards.members import measure_members, score_ensemble
from vlmrm.rewards.scoring import score_by_goal
from vlmrm.rewards.vlm import VLMReward
from vlmrm.rewards.wrappers import VLMRewardWrapper

GOALS = ["pole vertically upright on top of the cart", "a pole"]
RNG = np.random.default_rng(0)
# Of one color each: pictures of noise are all alike to a model.
FRAMES, REFERENCE = (
    RNG.integers(0, 256, (n, 1, 1, 3), dtype=np.uint8).repeat(64, axis=1).repeat(64, axis=2)
    for n in (3, 5)
)


@pytest.fixture(scope="module")
def model(model_folder):
    return ClipModel.load(model_folder, "cpu")


def brightness(frames):
    return frames.mean(axis=(1, 2, 3))


def test_members_are_standardized_on_reference_frames(model):
    members = [VLMReward(model, GOALS[0]), brightness]
    reward = EnsembleReward.standardized_on(REFERENCE, members, "pessimistic", 0.5)
    statistics = [Statistics.of(member(REFERENCE)) for member in members]
    rewards = [member(FRAMES) for member in members]
    expected = aggregate_rewards(rewards, statistics, "pessimistic", 0.5)
    found = reward(FRAMES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_frame_is_embedded_once_by_each_model(model, monkeypatch):
    embedded = []
    embed = ClipModel.embed_images

    def counted(self, frames):
        embedded.append(len(frames))
        return embed(self, frames)

    reward = EnsembleReward([VLMReward(model, goal) for goal in GOALS], [(0, 1), (0, 1)])
    monkeypatch.setattr(ClipModel, "embed_images", counted)
    reward(FRAMES)
    assert embedded == [len(FRAMES)]


def test_each_member_sees_its_view():
    dark, light = np.zeros((2, 4, 6, 3), np.uint8), np.full((2, 4, 6, 3), 200, np.uint8)
    views = EnsembleReward([brightness] * 2, [(0, 1), (0, 1)], "min", views=[1, 1])
    np.testing.assert_array_equal(views(np.concatenate([dark, light], axis=1)), [200, 200])
    views = EnsembleReward([brightness] * 2, [(0, 1), (0, 1)], "mean", views=[0, 1])
    np.testing.assert_array_equal(views(np.concatenate([dark, light], axis=1)), [100, 100])


def test_wrong_arguments_fail_before_the_first_frame():
    with pytest.raises(ValueError, match="2 members, but statistics of 1"):
        EnsembleReward([brightness] * 2, [(0, 1)])
    with pytest.raises(ValueError, match="all reference states have the same reward"):
        EnsembleReward.standardized_on(np.zeros((3, 4, 4, 3), np.uint8), [brightness] * 2)


def test_the_wrapper_takes_an_ensemble(model):
    reward = EnsembleReward([VLMReward(model, goal) for goal in GOALS], [(0.1, 0.2), (0, 1)])
    env = VLMRewardWrapper(gym.make("CartPole-v1", render_mode="rgb_array"), reward)
    env.reset(seed=0)
    *_, first, _, _, _ = env.step(1)
    assert first == pytest.approx(float(reward(env.render()[None])[0]))
    env.close()


def test_training_and_state_sets_give_the_same_rewards(model, model_folder, tmp_path):
    ensemble = EnsembleSettings(
        model="duo", task="t", scene="s", reference="r", aggregate="min", penalty=1,
        members=[Member(model="m", scene="s", goal=goal) for goal in GOALS],
    )  # fmt: skip
    prompts = PromptSettings(task="t", goals=GOALS)
    scoring = ScoringSettings(**prompts.model_dump(), environment="cartpole", scorings=["alpha-0"])
    sentences = dict(zip(GOALS, model.embed_prompts(GOALS), strict=True))

    def scored(frames):
        table = score_by_goal(model.embed_images(frames), sentences, scoring)
        return table.assign(scene="s", model="m")

    statistics = measure_members(scored(REFERENCE), ensemble)
    write_table(tmp_path / "statistics.csv", statistics)
    settings = TrainingSettings.model_construct(
        run=type("Run", (), {"scoring": "alpha-0"}), prompts=prompts, ensemble=ensemble,
        embedding=EmbeddingSettings(precision=model.precision),
    )  # fmt: skip
    reward = load_ensemble(settings, {"m": model_folder}, tmp_path / "statistics.csv", "cpu")
    table = score_ensemble(scored(FRAMES), statistics, ensemble)
    np.testing.assert_allclose(reward(FRAMES), table["reward"], atol=1e-3)
    write_table(tmp_path / "statistics.csv", statistics.assign(task="other"))
    with pytest.raises(UserError, match="is of the task 'other'"):
        load_ensemble(settings, {"m": model_folder}, tmp_path / "statistics.csv", "cpu")
