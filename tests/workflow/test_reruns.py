"""What is computed again after a change: all that depends on it, and nothing else."""

import copy
import json
import os
import re
import shlex
import shutil
from collections import Counter

import pytest

from vlmrm.config.architectures import WEIGHTS_FOLDER
from vlmrm.plan.jobs import parse_dry_run

EPIC = {
    "measure_epic",
    "draw_epic",
    "draw_epic_by_alpha",
    "draw_epic_overview",
    "draw_rewards_by_label",
    "draw_best_of_n",
    "draw_gallery",
}
VIDEOS = {"record_video", "draw_filmstrip"}
TRAINING = {"train_policy", "evaluate_policy", "draw_learning_curves", "draw_success", *VIDEOS}
OPTIMIZATION = {"measure_checkpoints", "draw_optimization"}
PAGE = {"make_page", "update_page", "check_claims"}
"""The page shows the results and the configuration, and claims are held against the tables."""


def test_a_run_ends_with_what_was_found(finished):
    assert "what was found in results/smoke" in finished.told, finished.shown


def test_a_run_starts_with_what_its_models_have_never_seen(finished):
    warning = "vlmrm: warning: smoke-S has never seen pendulum; its rewards may mean nothing there."
    assert finished.shown.splitlines().count(warning) == 1


def test_a_run_shows_a_line_for_each_job_and_no_more(finished):
    lines = finished.shown.splitlines()
    (count,) = (int(line.split()[0]) for line in lines if re.fullmatch(r"\d+ jobs", line))
    started, ended = (
        [re.sub(r" \(0:\d\d\)$", "", line[19:]) for line in lines if line[9:18].strip() == word]
        for word in ("started", "finished")
    )
    assert sorted(started) == sorted(ended)
    assert len(started) == count - 1  # the last one asks for all others
    assert "train policy: kneeling, textured-fixed, smoke-S, alpha-0, seed 0" in ended
    # Besides these, a few lines from Snakemake itself.
    assert len(lines) < 2 * count + 8


def test_nothing_the_second_time(finished, whole):
    assert not finished.planned(whole)


def test_frames_that_were_looked_at_can_be_deleted(finished, whole):
    run = finished.folder / "results" / "smoke"
    frames = list((run / "frames").rglob("*.h5"))
    assert frames
    for file in frames:
        file.rename(file.with_suffix(".away"))
    try:
        assert not finished.planned(whole)
        whole["models"]["random-S"] = {"source": "random", "architecture": "sim-S"}
        whole["epic"]["kneeling"]["models"].append("random-S")
        assert finished.planned(whole)["render_frames"] == 1
    finally:
        for file in frames:
            file.with_suffix(".away").rename(file)


def test_another_scoring_scores_again_without_looking_again(finished, whole):
    whole["scorings"].append("alpha-0.75")
    jobs = set(finished.planned(whole))
    assert "score_states" in jobs
    # Classic control trains on the table of rewards, so it is one of its consumers, and an ensemble
    # on that of the statistics.
    scored = {"score_states", "draw_landscape", "check_lookup"}
    scored |= {"score_by_goal", "measure_members", "score_ensemble"}
    scored |= {"measure_diagnosis", "draw_diagnosis"}
    scored.add("draw_success_by_size")
    assert jobs <= scored | EPIC | TRAINING | OPTIMIZATION | PAGE


def test_other_videos_train_no_agent_again(finished, whole):
    whole["evaluation"] |= {"video_size": 64, "training_videos": False}
    assert set(finished.planned(whole)) <= {"record_video"} | PAGE


def test_what_agents_do_not_read_trains_none_of_them_again(finished, whole):
    whole["tasks"]["kneeling"]["baseline"] = "a robot"  # alpha-0 alone is trained there
    whole["training"]["cartpole"]["lookup"]["max_error"] = 9
    trained = runs_of(finished.jobs(whole), "train_policy")
    assert trained == {("kneeling", "views")}, "whose statistics are of all scorings"


def test_another_model_renders_nothing_and_touches_no_other_model(finished, whole):
    whole["models"]["random-S"] = {"source": "random", "architecture": "sim-S"}
    whole["epic"]["kneeling"]["models"].append("random-S")
    jobs = finished.planned(whole)
    looking = {"make_random_model", "embed_prompts", "embed_frames", "score_states"}
    assert set(jobs) == EPIC | looking | PAGE
    assert all(count == 1 for count in jobs.values())


def test_another_ensemble_is_scored_without_looking(finished, whole):
    whole["models"]["mean"] = {**whole["models"]["views"], "aggregate": "mean"}
    whole["epic"]["kneeling"]["models"].append("mean")
    jobs = finished.planned(whole)
    scoring = {"make_ensemble", "measure_members", "score_ensemble"}
    assert set(jobs) == EPIC | scoring | PAGE
    assert all(count == 1 for count in jobs.values())


def test_another_state_set_is_scored_by_known_statistics(finished, whole):
    whole["state_sets"]["others"] = {"sampler": "poses", "task": "kneeling", "size": 20}
    whole["epic"]["kneeling"]["states"] = "others"
    jobs = finished.planned(whole)
    assert jobs["score_ensemble"] == 1
    assert "measure_members" not in jobs


def test_another_member_changes_its_ensembles_alone(finished, whole):
    record = finished.folder / "resources" / "models" / "smoke-S" / "provenance.json"
    before, times = record.read_text(), record.stat()
    try:
        record.write_text(json.dumps({**json.loads(before), "sha256": "1"}))
        assert runs_of(finished.jobs(whole), "score_ensemble") == {("standing", "duo")}
    finally:
        record.write_text(before)
        os.utime(record, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_copy_without_the_times_of_its_files_is_finished_too(finished, whole, tmp_path):
    copied = copy.copy(finished)
    copied.folder = tmp_path / "copy"
    shutil.copytree(finished.folder, copied.folder, symlinks=True)
    # `cp -r` writes files in any order: each is newer than what was made of it.
    files = sorted(copied.folder.glob("re*/**/*"), key=lambda path: path.stat().st_mtime)
    for number, path in enumerate(reversed(files)):
        os.utime(path, (1e9 + number, 1e9 + number))
    assert not copied.planned(whole)
    # Another model is noticed, by the record of its weights.
    (copied.folder / "resources/models/smoke-S/provenance.json").write_text('{"sha256": "1"}')
    assert copied.planned(whole)["embed_frames"] > 0


def test_a_training_without_its_last_file_is_not_finished(finished, whole):
    run = finished.folder / "results" / "smoke"
    final = next((run / "policies" / "kneeling").rglob("policy.zip"))
    evaluation = run / "evaluations" / final.parent.relative_to(run / "policies")
    judged = (evaluation / "trajectories.h5", evaluation / "video.mp4")
    assert (final.parent / "best.zip").exists()
    for file in (final, *judged):
        file.rename(file.with_suffix(".away"))
    try:
        assert finished.planned(whole)["train_policy"] == 1
    finally:
        for file in (*judged, final):
            file.with_suffix(".away").rename(file)


def test_a_published_model_is_not_thrown_away_before_it_is_fetched_again(finished, whole):
    """The stand-in downloads nothing: what is there afterwards was there before."""
    source = shutil.copytree(WEIGHTS_FOLDER / "sim-XS", finished.folder / "somewhere")
    whole["models"]["published"] = {"source": "pretrained", "path": source.name}
    whole["epic"]["kneeling"]["models"].append("published")
    target = "resources/models/published/provenance.json"
    assert finished.snakemake(whole, target).returncode == 0
    weights = finished.folder / "resources" / "models" / "published" / "weights"
    weights.touch()
    whole["models"]["published"]["allow_pickle"] = True
    assert not finished.planned(whole, target), "it has been accepted"
    run = finished.snakemake(whole, target, "--forcerun", "fetch_model")
    assert run.returncode == 0
    assert "fetch model: published" in run.stderr
    assert weights.exists()


def test_human_labels_measure_again_and_nothing_else(finished, whole):
    files = ["anna's labels.csv", "bo.csv"]
    for file in files:
        (finished.folder / file).touch()
    whole["epic"]["kneeling"]["labels"] = files
    commands = finished.snakemake(whole, "--dry-run", "--printshellcmds").stdout
    jobs = Counter(job.rule for job in parse_dry_run(commands))
    by_oracle = {"draw_rewards_by_label", "draw_best_of_n", "draw_gallery"}
    measuring = {"measure_epic", "measure_agreement", "draw_success_by_size"}
    assert set(jobs) == measuring | EPIC - by_oracle | PAGE
    assert jobs["measure_epic"] == 4
    assert jobs["measure_agreement"] == 1
    assert commands.count("""--labels='anna'"'"'s labels.csv' --labels=bo.csv --output""") == 4
    assert commands.count("""agreement-kneeling.csv -- 'anna'"'"'s labels.csv' bo.csv""") == 1


def test_any_name_of_a_label_file(finished, whole):
    files = ["-labels.csv", "--help", "a*b$(date);[1]{.csv", "folder }{/é \"'.csv"]
    for file in files:
        (finished.folder / file).parent.mkdir(exist_ok=True)
        (finished.folder / file).touch()
    whole["epic"]["kneeling"]["labels"] = files
    commands = finished.snakemake(whole, "--dry-run", "--printshellcmds").stdout
    [agreement] = re.findall("(?<=agreement-kneeling.csv -- ).*", commands)
    assert shlex.split(agreement) == files
    for options in re.findall("(--labels=.*) --output", commands):
        assert shlex.split(options) == [f"--labels={file}" for file in files]


@pytest.mark.parametrize(
    "change",
    [{"version": "2"}, {"settings": {"gain": 2}}, {"window": 3}],
    ids=lambda change: next(iter(change)),
)
def test_another_version_of_a_function_computes_its_rewards_again_and_nothing_else(
    finished, whole, change
):
    whole["models"]["brightness"] |= change
    jobs = finished.jobs(whole)
    assert Counter(job.rule for job in jobs) == {
        "make_function_model": 1,
        "score_frames": 1,
        **dict.fromkeys(EPIC, 1),
        **dict.fromkeys(TRAINING, 1),
        **dict.fromkeys(PAGE, 1),
        "update_page": 2,  # of the measurements, and of the agents
    }
    for rule in ("score_frames", "train_policy"):
        assert runs_of(jobs, rule) == {("kneeling", "brightness")}


def test_another_alpha_leaves_the_plain_score_of_a_function_alone(finished, whole):
    del whole["optimization"]  # has states of an agent of another model
    whole["scorings"].append("alpha-0.75")
    whole["tasks"]["kneeling"]["baseline"] = "a robot"
    jobs = finished.jobs(whole)
    assert runs_of(jobs, "score_states")
    assert not runs_of(jobs, "score_frames")
    assert ("kneeling", "brightness") not in runs_of(jobs, "train_policy")


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"run": "other"}, "sample_states"),
        ({"rendering": {"humanoid_size": 96, "shadows": True}}, "render_frames"),
        ({"rendering": {"humanoid_size": 128}}, "render_frames"),
    ],
)
def test_other_runs_and_other_pictures_leave_shared_models_alone(finished, whole, change, again):
    jobs = set(finished.planned(whole | change))
    assert again in jobs
    assert not jobs & {"make_corpus", "train_model", "make_random_model"}


@pytest.mark.parametrize(
    ("section", "name", "key", "value"),
    [
        ("models", "smoke-S", "epochs", 3),
        ("corpora", "smoke", "rendering", {"humanoid_size": 97}),
    ],
)
def test_what_all_runs_share_is_not_made_again_by_other_settings(
    finished, whole, section, name, key, value
):
    whole["run"] = "other"
    whole[section][name][key] = value
    run = finished.snakemake(whole, "--dry-run")
    assert run.returncode != 0
    assert "Traceback" not in run.stderr
    (line,) = [line for line in run.stderr.splitlines() if line.startswith("vlmrm: ")]
    assert line.startswith(f"vlmrm: {section}.{name}.{key}: ")
    assert f"choose another name, or delete resources/{section}/{name}" in line


def runs_of(jobs, rule):
    """Tasks and reward sources of a rule's jobs."""
    found = [job.wildcards for job in jobs if job.rule == rule]
    return {(of["task"], of.get("reward_source", of.get("model"))) for of in found}


def test_another_prompt_embeds_no_frame_and_leaves_other_tasks_and_references(finished, whole):
    del whole["optimization"]  # has states of an agent that learns from the prompt
    del whole["diagnoses"], whole["epic"]["standing"]  # compared with the prompt
    whole["tasks"]["kneeling"]["goal"] = "a robot on its knees"
    jobs = finished.jobs(whole)
    unchanged = {"sample_states", "render_frames", "embed_frames", "train_model"}
    assert not (unchanged | {"evaluate_random_policy"}) & {job.rule for job in jobs}
    assert {task for task, _ in runs_of(jobs, "score_states")} == {"kneeling"}
    assert {task for task, _ in runs_of(jobs, "embed_prompts")} == {"kneeling"}
    trained = {("kneeling", model) for model in ("smoke-S", "brightness", "views")}
    assert runs_of(jobs, "train_policy") == trained
    # The sentence is written in the video of the reference, whose policy is as good as before.
    assert ("kneeling", "oracle") not in runs_of(jobs, "evaluate_policy")
    assert ("kneeling", "oracle") in runs_of(jobs, "record_video")


def test_another_episode_length_judges_every_policy_of_the_environment_again(finished, whole):
    whole["training"]["humanoid"]["agent"]["episode_steps"] = 30
    tasks = {task for task in whole["tasks"] if whole["tasks"][task]["environment"] == "humanoid"}
    tasks &= {task for e in whole["experiments"].values() for task in e["tasks"]}
    jobs = finished.jobs(whole)
    count = Counter(job.rule for job in jobs)
    assert count["evaluate_random_policy"] == len(tasks) > 0
    assert {task for task, _ in runs_of(jobs, "evaluate_policy")} == tasks
    assert count["sample_rollouts"] == 1


def test_another_oracle_measures_agreement_again(finished, whole):
    (finished.folder / "anna.csv").touch()
    whole["epic"]["kneeling"]["labels"] = "anna.csv"
    table = "results/smoke/tables/agreement-kneeling.csv"
    run = finished.snakemake(whole, table)
    assert run.returncode == 0, run.stderr
    assert not finished.planned(whole, table)
    whole["landscapes"] = {}  # paths lead to one oracle's poses
    whole["tasks"]["kneeling"]["oracle"] = "standing"
    assert finished.planned(whole, table)["measure_agreement"] == 1


def test_another_task_leaves_states_and_frames_alone(finished, whole):
    whole["tasks"]["lotus"] = {**whole["tasks"]["kneeling"], "oracle": "lotus"}
    jobs = set(finished.planned(whole))
    assert not jobs & {"sample_states", "render_frames", "embed_frames", "train_model"}


def test_another_seed_trains_that_run_alone(finished, whole):
    whole["experiments"]["humanoid"]["seeds"] = [1]
    jobs = finished.planned(whole)
    # The reward model and the oracle as reference.
    assert jobs == {
        "train_policy": 2,
        "evaluate_policy": 2,
        "record_video": 2,
        "draw_filmstrip": 1,
        "draw_learning_curves": 1,
        "draw_success": 1,
        "check_claims": 1,
        "make_page": 1,
        "update_page": 1,
        # What the checkpoints of the one that learns from the model visit.
        **dict.fromkeys(("sample_rollouts", "render_frames", "embed_frames", "score_states"), 1),
        **dict.fromkeys(OPTIMIZATION, 1),
    }


def test_another_setting_of_an_agent_trains_its_environment_alone(finished, whole):
    whole["training"]["cartpole"]["agent"]["gamma"] = 0.9
    jobs = finished.planned(whole)
    assert jobs["train_policy"] == 1
    assert set(jobs) == TRAINING | PAGE


def test_judging_another_checkpoint_trains_nothing(finished, whole):
    whole["evaluation"]["checkpoint"] = "final"
    judging = {"evaluate_policy", "evaluate_live_policy", "draw_success", "draw_success_by_size"}
    assert set(finished.planned(whole)) == judging | {"draw_optimization"} | VIDEOS | PAGE
