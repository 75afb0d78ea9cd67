import gymnasium
import pytest

from tests.plan.jobs import DEMO, LAPTOP, PAPER, RUN, embedding, training
from vlmrm.config import (
    SCENES,
    Corpus,
    EnsembleModel,
    FunctionModel,
    GridStates,
    PoseStates,
    RandomModel,
    Rendering,
)
from vlmrm.envs import make_env
from vlmrm.machine.machines import load_machine
from vlmrm.plan.cost import make_plan, used_models
from vlmrm.plan.jobs import Job
from vlmrm.plan.work import (
    LOOP,
    OBSERVED,
    START_TORCH,
    policy_bytes,
    updates,
    work_of,
)
from vlmrm.states.grid import sample_grid


def test_the_paper_trains_as_many_updates_as_it_says():
    agent = PAPER.training["humanoid"].agent
    # 100 for each 3,200 steps, but for the 15 rounds that end before step 50,000.
    assert updates(agent) == 312_500 - 1_500
    # The demo's policies are of this size too, and have 7.16 MB on the disk.
    assert policy_bytes("humanoid", agent) == pytest.approx(7.16e6, rel=0.02)


def test_a_training_renders_and_embeds_every_step():
    work = work_of(training("ViT-bigG-14"), PAPER, LAPTOP)
    assert work.images == 10_000_000
    assert work.frames == 10_000_000 + 79 * 100  # videos
    reference = work_of(training("oracle"), PAPER, LAPTOP)
    assert (reference.images, reference.frames) == (0, 7_900)
    # Several references can be trained side by side, each on one core.
    assert not reference.alone
    serial = 10_000_000 * 1.45e-3 + 311_000 * 0.013
    assert reference.seconds(LAPTOP) == pytest.approx(serial, rel=0.01)


def test_a_training_saves_at_whole_rounds():
    entry = PAPER.training["humanoid"]
    agent = entry.agent.model_copy(update={"save_freq": 1000, "total_timesteps": 9_999_999})
    entries = {**PAPER.training, "humanoid": entry.model_copy(update={"agent": agent})}
    work = work_of(training("oracle"), PAPER.model_copy(update={"training": entries}), LAPTOP)
    # A video of 100 frames after each of the rounds, which have 32 x 100 steps.
    assert work.frames == 3_125 * 100


def test_a_video_renders_and_embeds_its_trajectories():
    run = training("ViT-bigG-14").wildcards
    work = work_of(Job("record_video", run), PAPER, LAPTOP)
    assert (work.frames, work.images) == (2 * 3 * 100, 3 * 100)
    assert work_of(Job("evaluate_policy", run), PAPER, LAPTOP).frames == 0


def test_an_ensemble_renders_each_view_and_embeds_it_by_each_member():
    small = ["ViT-B-32", "ViT-B-16"]
    models = {name: RandomModel(source="random", architecture=name) for name in small}
    views = ["textured-fixed", "textured-left", "textured-right"]
    trio = {"source": "ensemble", "members": small, "reference": "kneeling", "scenes": views}
    models["trio"] = EnsembleModel.model_validate(trio)
    config = PAPER.model_copy(update={"models": {**PAPER.models, **models}})
    alone = [work_of(training(name), config, LAPTOP) for name in small]
    together = work_of(training("trio"), config, LAPTOP)
    assert together.images == 3 * sum(work.images for work in alone)
    assert together.frames == 3 * 10_000_000 + 79 * 100
    learning = LOOP * LAPTOP.update * updates(PAPER.training["humanoid"].agent)
    embedding = sum(work.accelerated - learning for work in alone)
    assert together.accelerated - learning == pytest.approx(3 * embedding)
    assert used_models([training("trio")], config) == small


def test_a_corpus_is_rendered_as_it_says_whatever_the_run_renders():
    mine = Corpus(
        frames={"humanoid": {"textured-fixed": 1000}}, rendering=Rendering(humanoid_size=500)
    )
    job = Job("make_corpus", {"corpus": "mine"})
    for size in (96, 480):
        run = {"corpora": {"mine": mine}, "rendering": Rendering(humanoid_size=size)}
        work = work_of(job, DEMO.model_copy(update=run), LAPTOP)
        assert work.shared == pytest.approx(1000 * (1.26e-3 + 0.25 * 0.0448))


def test_states_of_a_corpus_are_rendered_in_equal_shares_in_its_scenes():
    states = {**DEMO.state_sets, "met": PoseStates(sampler="poses", task="lotus", size=1000)}
    hours = []
    for scenes in (("textured-fixed", "filament"), ("filament", "textured-fixed")):
        mine = Corpus(frames={"humanoid": dict.fromkeys(scenes, 10)}, states=["met"])
        config = DEMO.model_copy(update={"corpora": {"mine": mine}, "state_sets": states})
        work = work_of(Job("make_corpus", {"corpus": "mine"}), config, LAPTOP)
        hours.append(work.shared + work.accelerated + work.serial)
    assert hours[0] == pytest.approx(hours[1])


def test_videos_have_their_own_size_and_the_shadows_of_the_run():
    """Of 10,000,000 steps, 78 checkpoints have a video of 100 frames."""
    plain = work_of(training("oracle"), PAPER, LAPTOP)
    steps = 10_000_000 * 1.45e-3
    video = 7_900 * (1.26e-3 + 0.32**2 * 0.0448)
    others = plain.serial - steps - video
    assert others > 0
    shadows = PAPER.rendering.model_copy(update={"shadows": True})
    shaded = work_of(training("oracle"), PAPER.model_copy(update={"rendering": shadows}), LAPTOP)
    assert shaded.serial == pytest.approx(others + steps + 3 * video)
    silent = PAPER.evaluation.model_copy(update={"training_videos": False})
    unseen = work_of(training("oracle"), PAPER.model_copy(update={"evaluation": silent}), LAPTOP)
    assert (unseen.frames, unseen.serial) == (0, pytest.approx(others + steps))


def test_constants_are_those_of_the_modules_that_compute():
    for environment in SCENES:
        observed, actions = OBSERVED[environment]
        env = make_env(environment, episode_steps=1)
        assert env.observation_space.shape == (observed,)
        assert gymnasium.spaces.flatdim(env.action_space) == actions
        env.close()


def test_an_agent_with_a_look_up_sees_no_picture():
    wildcards = RUN | {"task": "cartpole", "scene": "gymnasium", "reward_source": "ViT-L-14"}
    work = work_of(Job("train_policy", wildcards), PAPER, LAPTOP)
    assert work.images == 0
    assert not work.alone
    assert work.serial > 3_000_000 * 1.9e-4


@pytest.mark.parametrize(
    ("name", "count"), [("cartpole-grid", 25 * 117), ("mountain-car-grid", 181), ("paths", 41)]
)
def test_states_are_counted_as_they_are_sampled(name, count):
    assert DEMO.state_sets[name].size == count


@pytest.mark.parametrize("environment", ["cartpole", "mountain-car"])
@pytest.mark.parametrize("resolution", [0.01, 0.1, 0.25, 0.3, 0.5, 1, 1.5, 2.7])
def test_the_size_of_a_grid_is_arithmetic(environment, resolution):
    grid = GridStates(sampler="grid", environment=environment, resolution=resolution)
    assert grid.size == len(sample_grid(grid))


def test_one_training_by_hand():
    """Ten million pictures, 967.5 GFLOP each, on an A100 at 0.6 of its 312 TFLOP/s.

    The whole takes 1.18 times as long as its parts.
    """
    (row,) = make_plan([training("ViT-bigG-14")], PAPER, load_machine("a100")).values()
    (work,) = row.work
    embedding_seconds = 1e7 * 967.5e9 / (312e12 * 0.6)
    assert work.accelerated == pytest.approx(1.18 * (embedding_seconds + 311_000 * 6e-3), rel=1e-3)
    # 480 x 480 pixels, and the steps; videos are few.
    shared = 1.18 * 1e7 * (1.26e-3 + 0.2304 * 0.0448 + 1.45e-3)
    assert work.shared == pytest.approx(shared, rel=2e-3)
    assert row.seconds == pytest.approx(START_TORCH + work.accelerated + work.shared / 16)


def test_a_function_counts_as_a_published_model_that_sees_its_windows(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    model = FunctionModel(source="function", function="mine:make", window=3)
    config = PAPER.model_copy(update={"models": {**PAPER.models, "X": model}})
    scoring = Job("score_frames", {**embedding("X").wildcards, "task": "kneeling"})
    assert work_of(scoring, config, LAPTOP).images == 3 * config.set_size("kneeling-poses")
    steps = work_of(training("X"), config, LAPTOP)
    assert steps.images == 3 * work_of(training("RN50"), config, LAPTOP).images > 0
