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
