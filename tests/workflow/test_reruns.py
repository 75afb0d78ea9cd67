"""What is computed again after a change: all that depends on it, and nothing else."""

import copy
import json
import os
import re
import shlex
import shutil

import pytest

from vlmrm.config.architectures import WEIGHTS_FOLDER

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


def test_nothing_the_second_time(finished, smoke):
    assert not finished.planned(smoke)


def test_frames_that_were_looked_at_can_be_deleted(finished, smoke):
    run = finished.folder / "results" / "smoke"
    frames = list((run / "frames").rglob("*.h5"))
    assert frames
    for file in frames:
        file.rename(file.with_suffix(".away"))
    try:
        assert not finished.planned(smoke)
        smoke["models"]["random-S"] = {"source": "random", "architecture": "sim-S"}
        smoke["epic"]["kneeling"]["models"].append("random-S")
        assert finished.planned(smoke)["render_frames"] == 1
    finally:
        for file in frames:
            file.with_suffix(".away").rename(file)


def test_another_scoring_scores_again_without_looking_again(finished, smoke):
    smoke["scorings"].append("alpha-0.75")
    jobs = set(finished.planned(smoke))
    assert "score_states" in jobs
    # Classic control trains on the table of rewards, so it is one of its consumers, and an ensemble
    # on that of the statistics.
    scored = {"score_states", "draw_landscape", "check_lookup"}
    scored |= {"score_by_goal", "measure_members", "score_ensemble"}
    scored |= {"measure_diagnosis", "draw_diagnosis"}
    scored.add("draw_success_by_size")
    assert jobs <= scored | EPIC | TRAINING | OPTIMIZATION | PAGE


@pytest.mark.parametrize("change", [{"video_size": 64}, {"training_videos": False}])
def test_other_videos_train_no_agent_again(finished, smoke, change):
    smoke["evaluation"].update(change)
    assert set(finished.planned(smoke)) <= {"record_video"} | PAGE


def test_another_model_renders_nothing_and_touches_no_other_model(finished, smoke):
    smoke["models"]["random-S"] = {"source": "random", "architecture": "sim-S"}
    smoke["epic"]["kneeling"]["models"].append("random-S")
    jobs = finished.planned(smoke)
    looking = {"make_random_model", "embed_prompts", "embed_frames", "score_states"}
    assert set(jobs) == EPIC | looking | PAGE
    assert all(count == 1 for count in jobs.values())


def test_another_ensemble_is_scored_without_looking(finished, smoke):
    smoke["models"]["mean"] = {**smoke["models"]["views"], "aggregate": "mean"}
    smoke["epic"]["kneeling"]["models"].append("mean")
    jobs = finished.planned(smoke)
    scoring = {"make_ensemble", "measure_members", "score_ensemble"}
    assert set(jobs) == EPIC | scoring | PAGE
    assert all(count == 1 for count in jobs.values())


def test_another_state_set_is_scored_by_known_statistics(finished, smoke):
    smoke["state_sets"]["others"] = {"sampler": "poses", "task": "kneeling", "size": 20}
    smoke["epic"]["kneeling"]["states"] = "others"
    jobs = finished.planned(smoke)
    assert jobs["score_ensemble"] == 1
    assert "measure_members" not in jobs


def test_another_member_changes_its_ensembles_alone(finished, smoke):
    record = finished.folder / "resources" / "models" / "smoke-S" / "provenance.json"
    before = record.read_text()
    try:
        record.write_text(json.dumps({**json.loads(before), "sha256": "1"}))
        run = finished.snakemake(smoke, "--dry-run").stdout
        assert re.search(r"rule score_ensemble:\n(?: .*\n)*? +wildcards: .*model=duo", run)
        assert not re.search(r"rule score_ensemble:\n(?: .*\n)*? +wildcards: .*model=views", run)
    finally:
        record.write_text(before)
        finished.snakemake(smoke, "--touch")


def test_a_copy_without_the_times_of_its_files_is_finished_too(finished, smoke, tmp_path):
    copied = copy.copy(finished)
    copied.folder = tmp_path / "copy"
    shutil.copytree(finished.folder, copied.folder, symlinks=True)
    # `cp -r` writes files in any order: each is newer than what was made of it.
    files = sorted(copied.folder.glob("re*/**/*"), key=lambda path: path.stat().st_mtime)
    for number, path in enumerate(reversed(files)):
        os.utime(path, (1e9 + number, 1e9 + number))
    assert not copied.planned(smoke)
    # Another model is noticed, by the record of its weights.
    (copied.folder / "resources/models/smoke-S/provenance.json").write_text('{"sha256": "1"}')
    assert copied.planned(smoke)["embed_frames"] > 0


def test_a_training_without_its_last_file_is_not_finished(finished, smoke):
    run = finished.folder / "results" / "smoke"
    final = next((run / "policies" / "kneeling").rglob("policy.zip"))
    evaluation = run / "evaluations" / final.parent.relative_to(run / "policies")
    judged = (evaluation / "trajectories.h5", evaluation / "video.mp4")
    assert (final.parent / "best.zip").exists()
    for file in (final, *judged):
        file.rename(file.with_suffix(".away"))
    try:
        assert finished.planned(smoke)["train_policy"] == 1
    finally:
        for file in (*judged, final):
            file.with_suffix(".away").rename(file)


def test_a_published_model_is_not_thrown_away_before_it_is_fetched_again(finished, smoke):
    """The stand-in downloads nothing: what is there afterwards was there before."""
    source = shutil.copytree(WEIGHTS_FOLDER / "sim-XS", finished.folder / "somewhere")
    smoke["models"]["published"] = {"source": "pretrained", "path": source.name}
    smoke["epic"]["kneeling"]["models"].append("published")
    model = finished.folder / "resources" / "models" / "published"
    assert finished.snakemake(smoke, "--until", "fetch_model").returncode == 0
    (model / "weights").touch()
    smoke["models"]["published"]["allow_pickle"] = True
    until = ("--until", "fetch_model")
    assert "Params have changed" in finished.snakemake(smoke, *until, "--dry-run").stdout
    assert finished.snakemake(smoke, *until).returncode == 0
    assert (model / "weights").exists()


def test_human_labels_measure_again_and_nothing_else(finished, smoke):
    files = ["anna's labels.csv", "bo.csv"]
    for file in files:
        (finished.folder / file).touch()
    smoke["epic"]["kneeling"]["labels"] = files
    jobs = finished.planned(smoke)
    by_oracle = {"draw_rewards_by_label", "draw_best_of_n", "draw_gallery"}
    measuring = {"measure_epic", "measure_agreement", "draw_success_by_size"}
    assert set(jobs) == measuring | EPIC - by_oracle | PAGE
    assert jobs["measure_epic"] == 4
    assert jobs["measure_agreement"] == 1
    commands = finished.snakemake(smoke, "--dry-run", "--printshellcmds").stdout
    assert commands.count("""--labels='anna'"'"'s labels.csv' --labels=bo.csv --output""") == 4
    assert commands.count("""agreement-kneeling.csv -- 'anna'"'"'s labels.csv' bo.csv""") == 1


def test_any_name_of_a_label_file(finished, smoke):
    files = ["-labels.csv", "--help", "a*b$(date);[1]{.csv", "folder }{/é \"'.csv"]
    for file in files:
        (finished.folder / file).parent.mkdir(exist_ok=True)
        (finished.folder / file).touch()
    smoke["epic"]["kneeling"]["labels"] = files
    commands = finished.snakemake(smoke, "--dry-run", "--printshellcmds").stdout
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
    finished, smoke, change
):
    smoke["models"]["brightness"] |= change
    jobs = finished.planned(smoke)
    assert jobs == {
        "make_function_model": 1,
        "score_frames": 2,
        "draw_landscape": 1,
        **dict.fromkeys(EPIC, 1),
        **dict.fromkeys(TRAINING, 1),
        **dict.fromkeys(PAGE, 1),
        "update_page": 2,  # of the measurements, and of the agents
    }
    assert {model for _, model in runs_of(finished, smoke, "score_frames")} == {"brightness"}
    assert runs_of(finished, smoke, "train_policy") == {("kneeling", "brightness")}


def test_another_alpha_leaves_the_plain_score_of_a_function_alone(finished, smoke):
    # Their states are those of an agent of another model.
    del smoke["epic"]["rollouts"], smoke["optimization"]
    smoke["scorings"].append("alpha-0.75")
    smoke["tasks"]["kneeling"]["baseline"] = "a robot"
    jobs = finished.planned(smoke)
    assert jobs["score_states"] > 0
    assert jobs["score_frames"] == 0
    assert ("kneeling", "brightness") not in runs_of(finished, smoke, "train_policy")


def test_another_run_shares_the_models(finished, smoke):
    smoke["run"] = "other"
    jobs = set(finished.planned(smoke))
    assert "sample_states" in jobs
    assert not jobs & {"make_corpus", "train_model", "make_random_model"}


@pytest.mark.parametrize(
    ("section", "name", "key", "value"),
    [
        ("models", "smoke-S", "epochs", 3),
        ("corpora", "smoke", "rendering", {"humanoid_size": 97}),
    ],
)
def test_what_all_runs_share_is_not_made_again_by_other_settings(
    finished, smoke, section, name, key, value
):
    smoke["run"] = "other"
    smoke[section][name][key] = value
    run = finished.snakemake(smoke, "--dry-run")
    assert run.returncode != 0
    assert "Traceback" not in run.stderr
    (line,) = [line for line in run.stderr.splitlines() if line.startswith("vlmrm: ")]
    assert line.startswith(f"vlmrm: {section}.{name}.{key}: ")
    assert f"choose another name, or delete resources/{section}/{name}" in line


def runs_of(project, config, rule):
    """The training runs for which a rule is planned, as (task, reward source)."""
    run = project.snakemake(config, "--dry-run")
    assert run.returncode == 0, run.stderr + run.stdout
    jobs = re.findall(
        rf"^rule {rule}:\n(?:    .*\n)*?    wildcards: (.*)$", run.stdout, re.MULTILINE
    )
    wildcards = [dict(re.findall(r"(\w+)=([^,]*)", job)) for job in jobs]
    return {(job["task"], job.get("reward_source", job.get("model"))) for job in wildcards}


def test_another_prompt_embeds_no_frame_and_leaves_other_tasks_and_references(finished, smoke):
    # Their states are those of an agent that learns from the prompt.
    del smoke["epic"]["rollouts"], smoke["optimization"]
    del smoke["diagnoses"]
    smoke["tasks"]["kneeling"]["goal"] = "a robot on its knees"
    jobs = set(finished.planned(smoke))
    assert not jobs & {"sample_states", "render_frames", "embed_frames", "train_model"}
    assert "evaluate_random_policy" not in jobs
    assert {task for task, _ in runs_of(finished, smoke, "score_states")} == {"kneeling"}
    assert {task for task, _ in runs_of(finished, smoke, "embed_prompts")} == {"kneeling"}
    trained = {("kneeling", model) for model in ("smoke-S", "brightness", "views")}
    assert runs_of(finished, smoke, "train_policy") == trained
    # The sentence is written in the video of the reference, whose policy is as good as before.
    assert ("kneeling", "oracle") not in runs_of(finished, smoke, "evaluate_policy")
    assert ("kneeling", "oracle") in runs_of(finished, smoke, "record_video")


def test_another_episode_length_judges_every_policy_of_the_environment_again(finished, smoke):
    smoke["training"]["humanoid"]["agent"]["episode_steps"] = 30
    tasks = {task for task in smoke["tasks"] if smoke["tasks"][task]["environment"] == "humanoid"}
    tasks &= {task for e in smoke["experiments"].values() for task in e["tasks"]}
    jobs = finished.planned(smoke)
    assert jobs["evaluate_random_policy"] == len(tasks) > 0
    assert {task for task, _ in runs_of(finished, smoke, "evaluate_policy")} == tasks
    assert jobs["sample_rollouts"] == 2


def test_another_oracle_measures_agreement_again(finished, smoke):
    (finished.folder / "anna.csv").touch()
    smoke["epic"]["kneeling"]["labels"] = "anna.csv"
    smoke["landscapes"] = {}  # paths lead to one oracle's poses
    run = finished.snakemake(smoke, "--until", "measure_agreement")
    assert run.returncode == 0, run.stderr
    assert "measure_agreement" not in finished.planned(smoke)
    smoke["tasks"]["kneeling"]["oracle"] = "standing"
    assert finished.planned(smoke)["measure_agreement"] == 1


@pytest.mark.parametrize("rendering", [{"shadows": True}, {"humanoid_size": 128}])
def test_what_one_run_renders_leaves_shared_models_alone(finished, smoke, rendering):
    smoke["rendering"] |= rendering
    jobs = set(finished.planned(smoke))
    assert "render_frames" in jobs
    assert not jobs & {"make_corpus", "train_model", "make_random_model"}


def test_another_task_leaves_states_and_frames_alone(finished, smoke):
    smoke["tasks"]["lotus"] = {**smoke["tasks"]["kneeling"], "oracle": "lotus"}
    jobs = set(finished.planned(smoke))
    assert not jobs & {"sample_states", "render_frames", "embed_frames", "train_model"}


def test_another_seed_trains_that_run_alone(finished, smoke):
    smoke["experiments"]["humanoid"]["seeds"] = [1]
    jobs = finished.planned(smoke)
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


def test_another_setting_of_an_agent_trains_its_environment_alone(finished, smoke):
    smoke["training"]["cartpole"]["agent"]["gamma"] = 0.9
    jobs = finished.planned(smoke)
    assert jobs["train_policy"] == 2
    assert set(jobs) == TRAINING | PAGE


def test_judging_another_checkpoint_trains_nothing(finished, smoke):
    smoke["evaluation"]["checkpoint"] = "final"
    judging = {"evaluate_policy", "evaluate_live_policy", "draw_success", "draw_success_by_size"}
    assert set(finished.planned(smoke)) == judging | {"draw_optimization"} | VIDEOS | PAGE
