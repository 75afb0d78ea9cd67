"""Diagnosis as a part of a run: before any training, and again only where something changed."""

from vlmrm.plan.jobs import parse_dry_run

from .conftest import Project

TABLE = "results/smoke/tables/diagnosis-words.csv"


def with_diagnosis(smoke):
    smoke["state_sets"]["words"] = {"sampler": "diagnosis", "poses": 16}
    diagnosis = {"states": "words", "models": ["random-XS", "sim-XS"]}
    smoke["diagnoses"] = {"words": {**diagnosis, "scenes": ["textured-fixed", "textured"]}}
    return smoke


def planned(project, config):
    run = project.snakemake(config, "--dry-run", TABLE)
    assert run.returncode == 0, run.stderr
    return [job.rule for job in parse_dry_run(run.stdout)]


def test_a_diagnosis_needs_models_and_poses_and_no_agent(fresh, smoke):
    jobs = planned(fresh, with_diagnosis(smoke))
    assert jobs.count("measure_diagnosis") == jobs.count("embed_frames") == 4
    assert jobs.count("render_frames") == 2
    assert jobs.count("sample_states") == jobs.count("draw_diagnosis") == 1
    assert not {"train_policy", "score_states", "embed_prompts"} & {*jobs}


def test_other_words_are_measured_again_without_looking(tmp_path, smoke):
    project, config = Project(tmp_path), with_diagnosis(smoke)
    run = project.snakemake(config, "--nolock", TABLE)
    assert run.returncode == 0, run.stderr
    assert not planned(project, config)
    config["tasks"]["cartpole"]["goal"] = "a pole"
    assert not planned(project, config)
    config["tasks"]["kneeling"]["goal"] = "a robot on its knees"
    assert planned(project, config) == ["measure_diagnosis"] * 4 + ["draw_diagnosis"]
