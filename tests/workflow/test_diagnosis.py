"""Diagnosis as a part of a run: before any training, and again only where something changed."""

from .conftest import Project

TABLE = "results/smoke/tables/diagnosis-words.csv"


def with_diagnosis(whole):
    whole["state_sets"]["words"] = {"sampler": "diagnosis", "poses": 16}
    diagnosis = {"states": "words", "models": ["random-XS", "sim-XS"]}
    whole["diagnoses"] = {"words": {**diagnosis, "scenes": ["textured-fixed", "textured"]}}
    return whole


def test_a_diagnosis_needs_models_and_poses_and_no_agent(fresh, whole):
    jobs = fresh.planned(with_diagnosis(whole), TABLE)
    assert jobs["measure_diagnosis"] == jobs["embed_frames"] == 4
    assert jobs["render_frames"] == 2
    assert jobs["sample_states"] == jobs["draw_diagnosis"] == 1
    assert not {"train_policy", "score_states", "embed_prompts"} & {*jobs}


def test_a_diagnosis_waits_for_no_gpu(fresh, whole, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    jobs = fresh.resources(with_diagnosis(whole), TABLE)
    asked = {rule: {int(job.get("gpu", 0)) for job in found} for rule, found in jobs.items()}
    assert (asked["embed_frames"], asked["measure_diagnosis"]) == ({1}, {0})


def test_other_words_are_measured_again_without_looking(tmp_path, whole):
    project, config = Project(tmp_path), with_diagnosis(whole)
    run = project.snakemake(config, "--nolock", TABLE)
    assert run.returncode == 0, run.stderr
    assert not project.planned(config, TABLE)
    config["tasks"]["cartpole"]["goal"] = "a pole"
    assert not project.planned(config, TABLE)
    config["tasks"]["kneeling"]["goal"] = "a robot on its knees"
    assert project.planned(config, TABLE) == {"measure_diagnosis": 4, "draw_diagnosis": 1}
