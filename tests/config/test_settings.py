import pytest

from vlmrm.config import TrainingRun, parse_config


@pytest.mark.parametrize(
    ("switch", "read_by"),
    [
        ("openai_normalization", {"kneeling", "mountain-car"}),
        ("frames_after_reset", {"kneeling", "mountain-car"}),
        ("goal_never_cleared", {"mountain-car", "mountain-car oracle"}),
        (
            "time_limits_terminate",
            {"kneeling", "kneeling oracle", "mountain-car", "mountain-car oracle"},
        ),
    ],
)
def test_a_switch_of_the_papers_code_trains_again_only_what_reads_it(content, switch, read_by):
    for training in content["training"].values():
        training.pop("lookup", None)  # not with every switch

    def settings():
        config = parse_config(content)
        return {
            f"{task} {source}".removesuffix(" smoke-S"): config.training_settings(
                TrainingRun(task=task, scene=scene, reward_source=source, scoring="alpha-0", seed=0)
            )
            for task, scene in (("kneeling", "textured-fixed"), ("mountain-car", "textured"))
            for source in ("smoke-S", "oracle")
        }

    before = settings()
    content["paper_code"] = {switch: True}
    after = settings()
    assert {name for name in after if after[name] != before[name]} == read_by


def test_another_baseline_trains_again_only_what_reads_it(content):
    content["tasks"]["standing"]["contrast"] = "a humanoid robot lying down"
    run = TrainingRun(task="kneeling", scene="textured-fixed", reward_source="smoke-S", seed=0)
    changes = {
        "alpha-0": {"scoring": "alpha-0"},
        "alpha-0.5": {"scoring": "alpha-0.5"},
        "contrast": {"scoring": "contrast-0.05"},
        "stated contrast": {"scoring": "contrast-0.05", "task": "standing"},
        "oracle": {"scoring": "alpha-0", "reward_source": "oracle"},
    }
    runs = {name: run.model_copy(update=change) for name, change in changes.items()}

    def settings():
        config = parse_config(content)
        return {name: config.training_settings(run) for name, run in runs.items()}

    before = settings()
    content["tasks"]["kneeling"]["baseline"] = "a robot"
    content["tasks"]["standing"]["baseline"] = "a robot"
    after = settings()
    assert {name for name in after if after[name] != before[name]} == {"alpha-0.5", "contrast"}


def test_how_wide_frames_become_square_is_not_read_where_frames_are_square(content):
    for training in content["training"].values():
        training.pop("lookup", None)
    humanoid = TrainingRun(task="kneeling", scene="textured-fixed", reward_source="smoke-S", seed=0)
    car = humanoid.model_copy(update={"task": "mountain-car", "scene": "textured"})
    before = parse_config(content)
    after = parse_config({**content, "wide_frames": "pad"})
    assert after.training_settings(humanoid) == before.training_settings(humanoid)
    assert after.training_settings(car) != before.training_settings(car)


def test_the_quorum_of_an_environment_is_read_by_the_judge_alone(content):
    own = {"id": "Pendulum-v1", "oracle": "my.oracle:upright"}
    content["environments"] = {"pendulum": own}
    content["tasks"]["swing"] = {"environment": "pendulum", "goal": "a rod", "oracle": "success"}
    content["training"]["pendulum"] = content["training"]["humanoid"]
    seen = {"sampler": "rollouts", "environment": "pendulum", "size": 10}
    run = TrainingRun(task="swing", scene="default", reward_source="smoke-S", seed=0)
    content["state_sets"]["seen"] = {**seen, "run": run.model_dump()}
    before = parse_config(content)
    own["quorum"] = 0.5
    after = parse_config(content)
    assert after.training_settings(run) == before.training_settings(run)
    assert after.recording_settings(run) == before.recording_settings(run)
    assert after.rollout_settings("seen") == before.rollout_settings("seen")
    assert after.evaluation_settings(run) != before.evaluation_settings(run)
    assert after.random_evaluation_settings("swing") != before.random_evaluation_settings("swing")


def test_a_contrast_reads_the_baseline_and_the_goals_of_other_tasks(content):
    tasks = content["tasks"]
    config = parse_config(content)
    others = tasks["standing"]["goal"]
    sentences = config.prompt_settings("kneeling").contrasts
    assert sorted(sentences) == sorted([tasks["kneeling"]["baseline"], *others])
    tasks["kneeling"]["contrast"] = "a humanoid robot lying down"
    contrasts = parse_config(content).scoring_settings("kneeling").contrasts
    assert contrasts == ["a humanoid robot lying down"]


def test_a_task_that_says_the_same_is_no_contrast(content):
    content["tasks"]["shouted"] = {
        **content["tasks"]["kneeling"],
        "goal": content["tasks"]["kneeling"]["goal"].upper(),
    }
    contrasts = parse_config(content).prompt_settings("kneeling").contrasts
    assert content["tasks"]["shouted"]["goal"] not in contrasts


def test_another_wording_of_the_same_pose_is_no_contrast(content):
    content["tasks"]["reworded"] = {**content["tasks"]["kneeling"], "goal": "a robot on its knees"}
    config = parse_config(content)
    assert "a robot on its knees" not in config.prompt_settings("kneeling").contrasts
    assert "a robot on its knees" in config.prompt_settings("standing").contrasts


def test_without_a_contrast_other_tasks_are_not_read(content):
    content["scorings"].remove("contrast-0.05")
    config = parse_config(content)
    assert config.prompt_settings("kneeling").contrasts == []
    (run,) = [run for run in config.runs("humanoid") if run.reward_source in config.models][:1]
    contrast = run.model_copy(update={"scoring": "contrast-0.05"})
    assert config.training_settings(run).prompts.contrasts == []
    assert config.training_settings(contrast).prompts.contrasts
