"""Where the workflow runs: the profiles, and what each job asks for."""

import importlib.metadata
import re

import pytest
import yaml

from tests.paths import ROOT
from vlmrm.machine.memory import main_memory

from .conftest import asked_for

PROFILES = sorted(path.name for path in (ROOT / "workflow" / "profiles").iterdir())


def profile(name: str) -> dict:
    return yaml.safe_load((ROOT / "workflow" / "profiles" / name / "config.yaml").read_text())


def test_the_executor_of_the_slurm_profiles_is_installed():
    version = importlib.metadata.version("snakemake-executor-plugin-slurm")
    assert tuple(map(int, version.split(".")[:2])) >= (2, 8)


@pytest.fixture
def apptainer(fresh, monkeypatch):
    """A dry run only wants to know which version would start the container."""
    command = fresh.folder / "bin" / "apptainer"
    command.write_text("#!/bin/sh\necho apptainer version 1.3.0\n")
    command.chmod(0o755)
    (fresh.folder / "vlmrm.sif").touch()
    yield
    command.unlink()
    (fresh.folder / "vlmrm.sif").unlink()


@pytest.mark.usefixtures("apptainer")
@pytest.mark.parametrize("name", PROFILES)
def test_every_job_asks_for_memory_and_time_under_every_profile(fresh, whole, name):
    # What the smoke run does without.
    whole["models"]["published"] = {
        "source": "pretrained",
        "architecture": "RN50",
        "tag": "openai",
    }
    whole["epic"]["kneeling"]["models"].append("published")
    (fresh.folder / "labels.csv").touch()
    whole["epic"]["kneeling"]["labels"] = "labels.csv"
    jobs = fresh.resources(whole, "--profile", f"workflow/profiles/{name}")
    del jobs["all"]
    assert {"fetch_model", "measure_agreement", "train_policy"} <= set(jobs)
    for rule, requests in jobs.items():
        for request in requests:
            assert int(request["mem_mb"]) >= 1000, rule
            assert int(request["runtime"]) >= 10, rule


def test_jobs_of_one_machine_fit_its_memory_by_the_size_of_their_model(fresh):
    evening = yaml.safe_load((fresh.folder / "config" / "evening.yaml").read_text())
    free = fresh.resources(evening, "--resources", "mem_mb=1000000")["fetch_model"]
    asked = sorted(int(request["mem_mb"]) for request in free)
    # RN50 has 0.4 GB of weights, ViT-bigG-14 10 GB.
    assert asked[0] == 8_000
    assert 15_000 < asked[-1] < 24_000
    here = fresh.resources(evening)
    del here["all"]
    assert "fetch_model" in here
    assert all(int(r["mem_mb"]) <= main_memory() for requests in here.values() for r in requests)


@pytest.mark.parametrize(("gpus", "most"), [("", 4_000), ("0", 6_000)])
def test_jobs_with_small_models_leave_memory_to_others(fresh, smoke, monkeypatch, gpus, most):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)
    jobs = fresh.resources(smoke, "--resources", "mem_mb=100000")
    rules = ("embed_frames", "render_frames", "score_states", "sample_states", "draw_gallery")
    assert all(int(request["mem_mb"]) <= most for rule in rules for request in jobs[rule])


def test_what_measures_rewards_goes_before_agents(fresh, whole):
    shown = fresh.snakemake(whole, "--dry-run").stdout
    behind = re.findall(r"^rule (\w+):\n(?:    .*\n)*?    priority: -", shown, re.MULTILINE)
    assert set(behind) == {"train_policy"}
    assert "priority: 1" not in shown


def test_on_a_cluster_trainings_that_look_at_frames_ask_for_a_gpu(fresh, whole):
    jobs = fresh.resources(whole, "--profile", "workflow/profiles/slurm")
    gpus = {rule: {int(job.get("gpu", 0)) for job in found} for rule, found in jobs.items()}
    assert gpus["embed_frames"] == gpus["train_model"] == {1}
    assert gpus["train_policy"] == {0, 1}  # classic control looks its rewards up
    assert gpus["evaluate_policy"] == gpus["draw_epic"] == {0}


def test_a_cluster_without_gpus(fresh, whole):
    arguments = ("--profile", "workflow/profiles/slurm", "--resources", "gpu=0")
    jobs = fresh.resources(whole, *arguments)
    assert all(int(job.get("gpu", 0)) == 0 for found in jobs.values() for job in found)


@pytest.mark.parametrize(("visible", "gpus", "threads"), [("", 0, 8), ("1", 1, 8), ("0,2", 1, 4)])
def test_one_machine_gives_what_gpus_it_has(fresh, smoke, monkeypatch, visible, gpus, threads):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    run = fresh.snakemake(smoke, "--dry-run", "--cores", "8")
    assert run.returncode == 0, run.stderr
    for job in asked_for(run.stdout)["train_model"]:
        assert int(job["gpu"]) == gpus
    shown = re.findall(r"^rule train_model:$.*?^    threads: (\d+)$", run.stdout, re.M | re.S)
    assert set(map(int, shown)) == {threads}


@pytest.mark.parametrize(("mode", "gpus"), [("default", "0,1"), ("remote", "")])
def test_a_job_of_a_cluster_has_the_gpu_that_the_scheduler_gave_it(
    fresh, smoke, monkeypatch, mode, gpus
):
    monkeypatch.setenv("VLMRM_GPUS", "0,1")  # of the machine that submitted it
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    file = fresh.folder / "gpus.smk"
    file.write_text(
        "include: 'workflow/rules/common.smk'\n"
        "include: 'workflow/rules/inputs.smk'\n"
        "include: 'workflow/rules/resources.smk'\n"
        "print('GPUs:', repr(os.environ['VLMRM_GPUS']))\n"
        "rule all:\n"
    )
    run = fresh.snakemake(smoke, "--dry-run", "--mode", mode, "--snakefile", str(file))
    assert f"GPUs: '{gpus}'" in run.stdout, run.stderr


def test_a_training_takes_as_many_gpus_as_it_is_given(fresh, smoke, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    several = ("--set-resources", "train_policy:gpu=2")
    run = fresh.snakemake(smoke, "--dry-run", "--cores", "8", *several)
    commands = re.findall(r"vlmrm .* (train-policy|embed-frames) .*--gpus (\d)", run.stdout)
    assert set(commands) == {("train-policy", "2"), ("embed-frames", "1")}


def test_no_job_starts_more_processes_than_it_has_cores(fresh, whole):
    run = fresh.snakemake(whole, "--dry-run", "--cores", "3")
    drawing = "render-frames|train-policy|evaluate-policy|evaluate-random-policy|sample-rollouts"
    commands = re.findall(rf"vlmrm --log \S+ ((?:{drawing}) .*)", run.stdout)
    assert {command.split()[0] for command in commands} == {
        *("render-frames", "train-policy", "evaluate-policy", "evaluate-random-policy"),
        "sample-rollouts",
    }
    assert all(re.search(r" --workers [123]\b", command) for command in commands)
    references = [c for c in commands if re.search(r"--reward-source (oracle|ground-truth)", c)]
    assert references
    assert all(re.search(r" --workers 1\b", command) for command in references)


def test_what_the_machine_has_is_asked_of_its_driver(fresh, smoke, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    driver = fresh.folder / "bin" / "nvidia-smi"
    driver.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    driver.chmod(0o755)
    try:
        jobs = fresh.resources(smoke, "--cores", "8")
    finally:
        driver.unlink()
    assert {job["gpu"] for job in jobs["embed_frames"]} == {"1"}


def test_the_container_changes_nothing_else():
    container = profile("slurm-apptainer")
    assert container.pop("software-deployment-method") == ["apptainer"]
    assert "--nv" in container.pop("apptainer-args")
    assert container == profile("slurm")


def test_the_default_profile_overrules_no_other():
    # Snakemake prefers its entries.
    assert not set(profile("default")) & (set(profile("slurm")) | set(profile("slurm-apptainer")))


def test_a_further_attempt_asks_for_more(fresh, smoke):
    file = fresh.folder / "attempts.smk"
    file.write_text(
        "configfile: 'config/smoke.yaml'\n"
        "include: 'workflow/rules/common.smk'\n"
        "include: 'workflow/rules/inputs.smk'\n"
        "include: 'workflow/rules/resources.smk'\n"
        "from snakemake.iocontainers import Wildcards\n"
        "print([memory(1000)(None, attempt) for attempt in (1, 2, 3, 10)])\n"
        "print([minutes(60)(None, attempt) for attempt in (1, 2, 3)])\n"
        "run = TrainingRun(task='kneeling', scene='textured-fixed', reward_source='smoke-S',"
        " scoring='alpha-0', seed=0)\n"
        "long = Wildcards(fromdict=run.model_dump())\n"
        "print([training_memory(long, 3) / training_memory(long, 1), training_minutes(long, 10)])\n"
        "rule all:\n"
    )
    run = fresh.snakemake(smoke, "--dry-run", "--snakefile", str(file))
    assert "[1000, 2000, 4000, 4000]\n[60, 120, 180]\n[4.0, 2880]\n" in run.stdout, run.stderr
