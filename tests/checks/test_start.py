"""Problems are reported before the first job."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.checks.conftest import Usage
from tests.paths import ROOT
from tests.plan.jobs import DEMO, PAPER, RUN, embedding, fetching, training, unnamed
from tests.processes import snakemake
from tests.workflow.conftest import Project
from vlmrm.checks.start import FORCE, _filament, find_problems
from vlmrm.config import Corpus, load_config
from vlmrm.machine.doctor import Check, Verdict
from vlmrm.plan.jobs import Job, planned_jobs


def test_what_imports_mujoco_is_not_started_where_rendering_does_not_work(machine):
    broken = Check("Rendering", Verdict.broken, "no answer within 60 seconds")
    machine.setattr("vlmrm.checks.start.check_rendering", lambda: broken)
    jobs = [Job("sample_states", {"states": "cartpole-grid"})]
    assert find_problems(jobs, PAPER) == (
        "rendering does not work: no answer within 60 seconds; VLMRM_FORCE=1 starts it anyway"
    )
    assert find_problems([embedding("RN50")], PAPER) is None
    machine.setenv(FORCE, "1")
    assert find_problems(jobs, PAPER) is None
    machine.delenv(FORCE)
    assert find_problems(jobs, PAPER, cluster=True) is None


def test_trainings_that_take_for_ever_are_not_started(machine):
    jobs = [training("ViT-bigG-14")]
    problems = find_problems(jobs, PAPER)
    assert problems is not None
    assert "1 training on published models" in problems
    assert "VLMRM_FORCE=1 starts it anyway" in problems
    assert find_problems(jobs, PAPER, cluster=True) is None
    machine.setenv(FORCE, "1")
    assert find_problems(jobs, PAPER) is None
    machine.delenv(FORCE)
    machine.setattr("vlmrm.checks.start.cuda_works", lambda: True)
    assert find_problems(jobs, PAPER) is None


def test_embeddings_count_as_well_as_trainings(machine):
    # 5,000 pictures of 967.5 GFLOP take 2.9 hours on eight cores.
    assert find_problems([embedding("ViT-bigG-14")] * 60, PAPER) is None
    problems = find_problems([embedding("ViT-bigG-14")] * 80, PAPER)
    assert problems is not None
    assert problems.startswith("80 embeddings on published models: about 234 hours on 8 cores, and")


@pytest.mark.parametrize(
    "job",
    [
        Job("render_frames", {"states": "kneeling-poses", "scene": "filament"}),
        Job("train_policy", {**RUN, "scene": "filament", "reward_source": "RN50"}),
        Job("search_poses", {**RUN, "scene": "filament", "search": "sizes"}),
        Job("make_corpus", {"corpus": "real"}),
    ],
    ids=lambda job: job.rule,
)
def test_the_scene_filament_is_tried_before_the_start(machine, job):
    corpus = Corpus(frames={"humanoid": {"filament": 10}})
    config = PAPER.model_copy(update={"corpora": {"real": corpus}})
    machine.setattr("vlmrm.checks.start.filament_problem", lambda: "scene: filament needs Vulkan")
    problem = _filament([job], config)
    assert list(problem) == ["scene: filament needs Vulkan"]
    elsewhere = job._replace(wildcards={**job.wildcards, "scene": "textured-fixed"})
    assert job.rule == "make_corpus" or not list(_filament([elsewhere], config))


def test_searches_count_as_well_as_trainings(machine):
    path = ROOT / "config" / "searches.yaml"
    wildcards = {**RUN, "search": "sizes", "reward_source": "ViT-bigG-14"}
    large = {"ViT-bigG-14": PAPER.models["ViT-bigG-14"]}
    config = load_config(path)
    config = config.model_copy(update={"models": {**config.models, **large}})
    problems = find_problems([Job("search_poses", wildcards)] * 400, config)
    assert problems is not None
    assert problems.startswith("400 searches on published models: about ")


def test_a_model_of_unknown_size_takes_as_long_as_a_published_one(machine):
    config = unnamed(repository="a/b", revision="0" * 40)
    assert find_problems([training("X")], config) is None
    problems = find_problems([training("X")] * 4, config)
    assert problems is not None
    assert problems.startswith("4 trainings on published models: about ")


@pytest.mark.usefixtures("quick_dry_runs")
def test_what_needs_no_published_tower_is_started_at_once(machine):
    machine.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 2e9))
    jobs = planned_jobs(["--configfile", "config/demo.yaml", "--forceall"], folder=ROOT)
    assert {"train_policy", "copy_model", "embed_frames"} <= {job.rule for job in jobs}
    assert find_problems(jobs, DEMO) is None


def test_a_start_loads_neither_pytorch_nor_mujoco():
    code = (
        "import sys; from vlmrm.config import load_config; from vlmrm.plan.jobs import Job;"
        "from vlmrm.checks.start import find_problems;"
        "w = dict(model='RN50', states='cartpole-grid', scene='gymnasium');"
        "rules = ('sample_states', 'render_frames', 'embed_frames');"
        "jobs = [Job(rule, w, ('results/x',)) for rule in rules];"
        "find_problems(jobs, load_config('config.yaml'));"
        "sys.exit(bool({'torch', 'mujoco'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_disk_that_is_too_small_is_reported_before_the_start(machine):
    machine.setattr("vlmrm.checks.models.check_hub", lambda: Check("Hub", Verdict.fine, "answers"))
    machine.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 5e9))
    jobs = [fetching("ViT-bigG-14")]
    for cluster in (True, False):
        problems = find_problems(jobs, PAPER, cluster)
        assert problems is not None
        assert problems.startswith("about 10.2 GB of disk space are needed, but the disk of ")
        assert "has 5.0 GB free" in problems
    assert find_problems([fetching("RN50")], PAPER) is None
    # What was downloaded before needs no further space.
    parts = Path("resources", "models", ".ViT-bigG-14.download")
    parts.mkdir(parents=True)
    with (parts / "weights.part").open("wb") as file:
        file.truncate(6_000_000_000)
    assert find_problems(jobs, PAPER) is None
    shutil.rmtree(parts)
    machine.setenv(FORCE, "1")
    assert find_problems(jobs, PAPER) is None


def test_results_on_a_disk_of_their_own_need_no_space_elsewhere(machine):
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == Path().stat().st_dev:
        pytest.skip("there is no second disk")
    with tempfile.TemporaryDirectory(dir=shared) as other:
        Path("results").symlink_to(other)
        there = Path(other).stat().st_dev

        def free(path):
            return Usage(0, 0, 1e6 if Path(path).stat().st_dev == there else 1e12)

        machine.setattr(shutil, "disk_usage", free)
        machine.setattr(
            "vlmrm.checks.models.check_hub", lambda: Check("Hub", Verdict.fine, "answers")
        )
        assert find_problems([fetching("ViT-bigG-14")], PAPER) is None
        problems = find_problems([training("oracle")], PAPER)
        assert problems is not None
        assert f"the disk of {other} has 1.0 MB free" in problems


def test_a_replay_buffer_larger_than_memory_is_refused_before_the_start(machine):
    machine.setattr("vlmrm.machine.memory.main_memory", lambda: 2000)
    machine.setenv(FORCE, "1")  # it would be killed hours later
    jobs = [training("oracle"), training("ViT-bigG-14")]
    assert find_problems(jobs, PAPER) == (
        "training.humanoid.agent.buffer_size: needs about 2.9 GB of memory, but this machine, or "
        "the limit of this process, has 2.0 GB; choose a smaller value"
    )
    assert find_problems(jobs, PAPER, cluster=True) is None  # a node may have more


def test_a_folder_that_cannot_be_written_is_named_before_the_start(machine, tmp_path):
    (tmp_path / "results").mkdir()
    job = Job("score_states", {}, ("results/paper/rewards/x.parquet",))
    assert find_problems([job], PAPER) is None
    writable = os.access
    machine.setattr(
        os, "access", lambda path, mode: Path(path).name != "results" and writable(path, mode)
    )
    assert find_problems([job], PAPER) == (
        f"{tmp_path}/results: cannot be written; make it writable, or make it a link to a folder "
        "that is"
    )


def test_label_files_that_cannot_be_read_are_named_before_the_start(machine, tmp_path):
    (tmp_path / "bad.csv").write_text("state,answer\n1,yes\n")
    files = [str(tmp_path), str(tmp_path / "bad.csv"), str(tmp_path / "missing.csv")]
    name, measured = next(iter(PAPER.epic.items()))
    labeled = {**PAPER.epic, name: measured.model_copy(update={"labels": files})}
    problems = find_problems(
        [Job("measure_epic", {"epic": name})], PAPER.model_copy(update={"epic": labeled})
    )
    assert problems == (
        f"epic.{name}.labels: {tmp_path}: cannot be read (Is a directory)\n"
        f"epic.{name}.labels: {tmp_path}/bad.csv:1: the columns must be "
        "rater,task,state,label,time,states"
    )


def test_all_problems_are_reported_at_once(machine):
    machine.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 5e9))
    problems = find_problems([fetching("ViT-bigG-14"), training("ViT-bigG-14")], PAPER)
    assert problems is not None
    hub, gpu, disk = problems.splitlines()
    assert "must be downloaded" in hub
    assert "no GPU that PyTorch can use" in gpu
    assert "of disk space are needed" in disk


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def environment(project, without_egl) -> dict[str, str]:
    """Variables of processes that find neither libEGL nor a GPU."""
    return {**without_egl, "PATH": f"{project.folder / 'bin'}:{os.environ['PATH']}"}


SMOKE = ("--configfile", "config/smoke.yaml", "--cores", "1")
STATES = "results/smoke/states/kneeling.h5"


def test_without_egl_a_run_is_planned(project, environment):
    """In a process of its own, because that of `snakemake` has loaded libEGL."""
    command = [sys.executable, "-m", "snakemake", *SMOKE, "--dry-run"]
    options = {"cwd": project.folder, "env": environment}
    run = subprocess.run(command, **options, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    config = load_config(ROOT / "config" / "smoke.yaml")
    trainings = {run for name in config.experiments for run in config.runs(name)}
    assert re.search(rf"^train_policy +{len(trainings)}$", run.stdout, re.MULTILINE)


def test_without_egl_a_run_stops_before_its_first_job_and_says_what_to_install(
    project, environment
):
    run = snakemake(*SMOKE, cwd=project.folder, env=environment)
    assert run.returncode != 0
    (line,) = [line for line in run.stderr.splitlines() if "vlmrm: " in line]
    assert "vlmrm: rendering does not work: MUJOCO_GL: OpenGL cannot start" in line
    assert "install the Debian packages libegl1 and libgl1-mesa-dri" in line
    assert "Traceback" not in run.stderr
    assert not (project.folder / "results").exists()


def test_without_egl_a_cluster_is_sent_jobs(project, environment):
    sbatch = project.folder / "bin" / "sbatch"
    sbatch.write_text("#!/bin/sh\nexit 1\n")
    sbatch.chmod(0o755)
    # A terminal on a node has SLURM's commands, too, and runs jobs itself.
    run = snakemake(STATES, *SMOKE, cwd=project.folder, env=environment)
    assert "rendering does not work" in run.stderr
    slurm = ("--executor", "slurm", "--jobs", "1")
    slurm += ("--slurm-init-seconds-before-status-checks", "1")
    run = snakemake(STATES, *SMOKE, *slurm, cwd=project.folder, env=environment)
    assert "rendering does not work" not in run.stderr
    assert "failed    sample states: kneeling" in run.stderr  # without a controller
