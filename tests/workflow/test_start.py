"""What happens before the first job."""

import os
import re
import shlex
from collections import Counter

import pytest
import yaml

from tests.paths import smoke_all
from tests.processes import snakemake
from vlmrm.config import parse_config
from vlmrm.machine.machines import MACHINES
from vlmrm.plan.jobs import finished_jobs, planned_jobs
from vlmrm.plan.work import work_of

from .conftest import Project

pytestmark = pytest.mark.usefixtures("quick_dry_runs")


def complaints(run):
    """The lines by which a workflow that failed tells why."""
    assert run.returncode != 0
    return [line for line in run.stderr.splitlines() if "vlmrm: " in line]


def only_complaint(run):
    [told] = complaints(run)
    return told


def complaint_about(subject, run):
    """The one about this subject: what a machine lacks depends on the machine."""
    [told] = [line for line in complaints(run) if subject in line]
    return told


def test_every_rule_takes_part_in_the_smoke_run(fresh):
    jobs = set(fresh.planned(smoke_all()))
    files = (fresh.folder / "workflow" / "rules").glob("*.smk")
    lines = [line for file in files for line in file.read_text().splitlines()]
    names = (re.match(r"(?:use rule \w+ as|rule) (\w+)", line) for line in lines)
    rules = {name[1] for name in names if name}
    # Published models and people are what the smoke run does without.
    assert jobs == rules - {"fetch_model", "measure_agreement"}


def test_a_folder_may_have_any_name_and_jobs_run_the_command_of_their_workflow(tmp_path):
    folder = tmp_path / 'it\'s $(touch ran);`touch ran` {x}\n"ü" %s'
    folder.mkdir()
    Project(folder)
    other = tmp_path / "bin" / "vlmrm"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 9\n")
    other.chmod(0o755)
    target = "results/smoke/states/kneeling.h5"
    env = {"VLMRM_FORCE": "1", **os.environ, "PATH": f"{other.parent}:{os.environ['PATH']}"}
    arguments = (target, "--cores", "1", "--configfile", "config/smoke.yaml")
    run = snakemake(*arguments, cwd=folder, env=env)
    assert run.returncode == 0, run.stderr
    assert (folder / target).is_file()
    assert not [*tmp_path.rglob("ran")]


def test_human_labels_are_missed_only_where_they_are_needed(fresh, smoke):
    smoke["epic"]["kneeling"]["labels"] = "none.csv"
    run = fresh.snakemake(smoke, "--dry-run")
    assert run.returncode != 0
    assert "none.csv" in run.stdout + run.stderr
    # The states that people shall label can be made.
    run = fresh.snakemake(smoke, "--dry-run", "results/smoke/states/kneeling.h5")
    assert run.returncode == 0, run.stderr


def test_label_files_may_have_any_name(fresh, smoke):
    names = ["-l.csv", "a}.csv", "a b's.csv", "$(false);é.csv", "--help", "50%.csv", "null"]
    for name in names:
        (fresh.folder / name).write_text("")
    smoke["epic"]["kneeling"]["labels"] = names
    run = fresh.snakemake(smoke, "--dry-run")
    assert run.returncode == 0, run.stderr
    commands = [line for line in run.stdout.splitlines() if "--labels" in line]
    assert commands
    for line in commands:
        given = [w.partition("=")[2] for w in shlex.split(line) if w.startswith("--labels=")]
        assert given == names
    [line] = [line for line in run.stdout.splitlines() if " measure-agreement " in line]
    words = shlex.split(line)
    assert words[words.index("--") + 1 :] == names


@pytest.mark.parametrize("name", ["config.yaml", "config/demo.yaml", "config/evening.yaml"])
def test_the_other_configurations_make_a_workflow(fresh, name):
    config = yaml.safe_load((fresh.folder / name).read_text())
    jobs = fresh.planned(config)
    settings = parse_config(config)
    runs = {run for name in settings.experiments for run in settings.runs(name)}
    assert jobs["train_policy"] == len(runs)


@pytest.mark.parametrize(
    ("section", "key", "value", "answer"),
    [
        ("tasks", "kneeling", {"environment": "humanoid", "baseline": "b"}, "tasks.kneeling.goal"),
        ("models", "smoke-S", {"source": "random", "architecture": "x"}, "models.smoke-S.architec"),
        ("rendering", "humanoid_sise", 96, "did you mean 'humanoid_size'?"),
    ],
)
def test_bad_input_is_one_line_before_anything_starts(fresh, smoke, section, key, value, answer):
    smoke[section][key] = value
    run = fresh.snakemake(smoke)
    assert answer in only_complaint(run)
    assert not (fresh.folder / "results").exists()


@pytest.mark.parametrize("place", [".", ".."])
def test_quiet_starts_in_other_folders_are_checked_too(fresh, smoke, place):
    large = {"buffer_size": 10**11, "total_timesteps": 10**11}
    smoke["training"]["humanoid"]["agent"].update(large)
    (fresh.folder / "large.yaml").write_text(yaml.safe_dump(smoke))
    there = (fresh.folder / place).resolve()
    folder = fresh.folder.relative_to(there)
    # Relative paths, from where it is started; what is there is not its own.
    command = ("--directory", folder, "--snakefile", folder / "workflow" / "Snakefile")
    command += ("--configfile", folder / "large.yaml", "--cores", "1", "-q")
    target = "results/smoke/policies/kneeling/textured-fixed/smoke-S/alpha-0/seed-0/policy.zip"
    run = snakemake(target, *command, cwd=there, env={**os.environ, "VLMRM_FORCE": "1"})
    assert "training.humanoid.agent.buffer_size: needs about" in only_complaint(run)
    assert not (fresh.folder / "results").exists()


def test_a_key_given_twice_starts_nothing(fresh, smoke):
    text = yaml.safe_dump(smoke)
    (fresh.folder / "twice.yaml").write_text(f"{text}run: other\n")
    run = snakemake("--cores", "2", "--configfile", "twice.yaml", cwd=fresh.folder)
    lines = text.splitlines()
    first = lines.index("run: smoke") + 1
    answer = f"twice.yaml: run: given twice, in lines {first} and {len(lines) + 1}; remove or"
    assert answer in only_complaint(run)
    assert not (fresh.folder / "results" / "other").exists()


def test_two_configurations_of_which_snakemake_would_read_one_start_nothing(fresh, smoke):
    run = fresh.snakemake(smoke, "--configfile", "config/smoke.yaml")
    assert "vlmrm: --configfile: given twice" in only_complaint(run)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("run: 2024-99-99\n", "other.yaml: line 1 holds no timestamp; correct it, or quote a text"),
        ("run: \xdcbung\n", "other.yaml: line 1 is not UTF-8 text; save the file as UTF-8"),
        ("a: &a {b: *a}\n", "other.yaml: line 1 has more than 50 levels, or contains itself; wri"),
        ("pathvars: 3\n", "other.yaml: pathvars: unknown key"),
        ("- run\n", "other.yaml: has no keys; start from config/demo.yaml"),
        (
            '__use_yte__: true\n__definitions__:\n  - open("run", "w")\n',
            "other.yaml: __use_yte__: unknown key",
        ),
    ],
)
def test_what_snakemake_would_run_or_answer_with_a_traceback_is_read_before(fresh, text, answer):
    (fresh.folder / "other.yaml").write_bytes(text.encode("latin-1"))
    command = ("--cores", "1", "--dry-run", "--configfile", "other.yaml")
    run = snakemake(*command, cwd=fresh.folder)
    [line] = [line for line in run.stderr.splitlines() if not line.startswith("Using workflow")]
    assert line.startswith(f"vlmrm: {answer}")
    assert run.returncode == 1
    assert not (fresh.folder / "run").exists()


def test_an_alpha_may_be_very_small(fresh, smoke):
    smoke["scorings"].append("alpha-1e-05")
    before = fresh.planned(smoke)["train_policy"]
    smoke["experiments"]["classic-control"]["scorings"].append("alpha-1e-05")
    assert fresh.planned(smoke)["train_policy"] == before + 1


@pytest.mark.parametrize("name", ["config/smoke.yaml", "config/demo.yaml"])
def test_the_plan_has_the_jobs_of_a_dry_run(fresh, name):
    config = yaml.safe_load((fresh.folder / name).read_text())
    jobs = planned_jobs(["--configfile", name], folder=fresh.folder)
    counts = re.findall(r"^(\w+) +(\d+)$", fresh.snakemake(config, "--dry-run").stdout, re.M)
    assert {rule: int(n) for rule, n in counts} == {
        **Counter(job.rule for job in jobs),
        **{"all": 1, "total": len(jobs) + 1},
    }
    settings = parse_config(config)
    alone = {job.rule for job in jobs if work_of(job, settings, MACHINES["laptop"]).alone}
    assert {"render_frames", "embed_frames", "train_policy", "evaluate_policy"} <= alone
    assert not alone & {"sample_states", "score_states", "draw_epic"}
    if name == "config/smoke.yaml":  # its jobs are too small for more than one core
        return
    # These are the rules that take several cores, for sets that are not small and one training.
    config["state_sets"]["kneeling"]["size"] = 10_000
    del config["experiments"]["classic-control"]
    shown = fresh.snakemake(config, "--dry-run", "--cores", "8").stdout
    threads = re.findall(r"^rule (\w+):$.*?^    (?:threads: (\d+)|resources)", shown, re.M | re.S)
    assert {rule for rule, number in threads if number} == alone


def test_trainings_run_beside_each_other(fresh):
    # Two trainings of one core each take less time than one after the other on both.
    config = yaml.safe_load((fresh.folder / "config/demo.yaml").read_text())
    shown = fresh.snakemake(config, "--dry-run", "--cores", "2").stdout
    assert len(re.findall(r"^rule train_policy:$", shown, re.M)) == 5
    assert not re.search(r"^rule train_policy:$(?:\n.+)*\n    threads:", shown, re.M)


def test_searches_share_the_cores(fresh, whole):
    # One by a model, and one by a control, which computes no more than a few numbers.
    shown = fresh.snakemake(whole, "--dry-run", "--cores", "8").stdout
    threads = re.findall(
        r"^rule search_poses:$.*?^    (?:threads: (\d+)|resources)", shown, re.M | re.S
    )
    assert sorted(threads) == ["", "4"]


def test_only_the_tasks_in_use_have_pictures_of_poses(fresh):
    config = yaml.safe_load((fresh.folder / "config/demo.yaml").read_text())
    config["state_sets"]["words"] = {"sampler": "diagnosis"}
    diagnosis = {"states": "words", "models": ["sim-XS"], "tasks": ["lotus"]}
    config["diagnoses"] = {"words": diagnosis}
    shown = fresh.snakemake(config, "--dry-run", "--cores", "2").stdout
    commands = re.findall(r"vlmrm .*draw-(?:poses|boundaries) .*", shown)
    found = [re.findall(r"--oracle (\S+)", command) for command in commands]
    assert found == [["kneeling", "lotus"]] * 2


def test_small_state_sets_leave_a_core_to_other_jobs(fresh):
    # Otherwise they would wait for several cores while trainings take each that becomes free.
    config = yaml.safe_load((fresh.folder / "config/demo.yaml").read_text())
    shown = fresh.snakemake(config, "--dry-run", "--cores", "8").stdout
    jobs = re.findall(r"^rule (render_frames|embed_frames):$(.*?)^$", shown, re.M | re.S)
    assert jobs
    assert not any("threads" in text for _, text in jobs)


def test_the_plan_is_what_is_left_to_do(finished, whole):
    (finished.folder / "left.yaml").write_text(yaml.safe_dump(whole))
    arguments = ["--configfile", "left.yaml"]
    assert planned_jobs(arguments, folder=finished.folder) == []
    whole["experiments"]["humanoid"]["seeds"] = [1]
    (finished.folder / "left.yaml").write_text(yaml.safe_dump(whole))
    jobs = planned_jobs(arguments, folder=finished.folder)
    assert Counter(job.rule for job in jobs)["train_policy"] == 2


def test_finished_jobs_have_the_present_settings(finished, whole):
    # With these as they were, the benchmarks of the finished jobs say how long others take.
    whole["experiments"]["humanoid"]["seeds"] = [1]
    whole["training"]["cartpole"]["agent"]["total_timesteps"] = 1_000_000
    whole["state_sets"]["cartpole-grid"]["resolution"] = 1
    (finished.folder / "other.yaml").write_text(yaml.safe_dump(whole))
    arguments = ["--configfile", "other.yaml"]
    left = planned_jobs(arguments, finished.folder)
    done = finished_jobs(arguments, left, finished.folder)
    trained = [job.wildcards for job in done if job.rule == "train_policy"]
    # The agents of `other-sources` and `own-environment`; one of `humanoid` is there, too.
    assert Counter(of["task"] for of in trained) == {"kneeling": 3, "upright": 1}
    embedded = {job.wildcards["states"] for job in done if job.rule == "embed_frames"}
    assert "kneeling" in embedded
    assert "cartpole-grid" not in embedded


@pytest.fixture
def published(smoke):
    """The smoke run with a published model."""
    smoke["models"]["smoke-S"] = {
        "source": "pretrained",
        "architecture": "ViT-bigG-14",
        "tag": "laion2b_s39b_b160k",
    }
    return smoke


def test_without_hub_nothing_is_started(fresh, published, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("VLMRM_FORCE", "0")
    run = fresh.snakemake(published, "resources/models/smoke-S/provenance.json")
    told = complaint_about("models.smoke-S", run)
    assert "models.smoke-S: must be downloaded, but http://127.0.0.1:9 not reachable" in told
    assert not (fresh.folder / "results" / "smoke").exists()
    # A dry run needs no network.
    assert fresh.planned(published)["fetch_model"] == 1


def test_without_gpu_a_training_for_months_is_not_started(tmp_path, published, monkeypatch):
    project = Project(tmp_path)
    no_driver = project.folder / "bin" / "nvidia-smi"
    no_driver.write_text("#!/bin/sh\nexit 9\n")
    no_driver.chmod(0o755)
    model = project.folder / "resources" / "models" / "smoke-S"
    model.mkdir(parents=True)
    (model / "provenance.json").write_text("{}")
    # One policy is saved: many would need a large disk.
    published["training"]["humanoid"]["agent"] |= dict.fromkeys(
        ("total_timesteps", "save_freq"), 10_000_000
    )
    target = "results/smoke/policies/kneeling/textured-fixed/smoke-S/alpha-0/seed-0/policy.zip"
    monkeypatch.setenv("VLMRM_FORCE", "0")
    run = project.snakemake(published, "--keep-going", target)
    assert "1 training on published models: about" in complaint_about("on published models", run)
    monkeypatch.setenv("VLMRM_FORCE", "1")
    run = project.snakemake(published, "--keep-going", target)
    assert run.returncode == 0, run.stderr


def test_a_sentence_without_oracle_is_trained_and_recorded_but_not_scored(fresh, smoke):
    waving = {"environment": "humanoid", "goal": "a robot waving", "baseline": "a robot"}
    smoke["tasks"]["waving"] = waving
    experiment = {"tasks": ["waving"], "models": ["smoke-S"], "scorings": ["alpha-0"], "seeds": [0]}
    smoke["experiments"], smoke["optimization"] = {"mine": experiment}, {}
    jobs = fresh.planned(smoke)
    assert jobs["train_policy"] == jobs["evaluate_policy"] == jobs["draw_learning_curves"] == 1
    assert "draw_success" not in jobs


def test_a_sentence_without_oracle_is_measured_on_human_labels_alone(fresh, whole):
    (fresh.folder / "labels.csv").touch()
    whole["tasks"]["waving"] = {"environment": "humanoid", "goal": "a robot waving"}
    measured = {"task": "waving", "labels": "labels.csv"}
    whole["epic"] = {"waving": {**whole["epic"]["kneeling"], **measured}}
    whole["scorings"] = ["alpha-0"]
    for section in ("experiments", "optimization", "searches", "landscapes", "diagnoses"):
        whole[section] = {}
    jobs = fresh.planned(whole)
    assert jobs["measure_epic"] == 4
    assert jobs["draw_epic"] == jobs["draw_epic_overview"] == 1
    by_oracle = {"draw_rewards_by_label", "draw_best_of_n", "draw_gallery", "measure_agreement"}
    assert not by_oracle & {*jobs}
    whole["epic"]["waving"]["labels"] = ["labels.csv", "others.csv"]
    (fresh.folder / "others.csv").touch()
    assert fresh.planned(whole)["measure_agreement"] == 1
