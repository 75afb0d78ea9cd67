"""`vlmrm plan`: its jobs are Snakemake's, its arithmetic can be done by hand."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from vlmrm.cli.planning import plan as command
from vlmrm.config import load_config
from vlmrm.doctor import Check, Verdict
from vlmrm.errors import UserError
from vlmrm.models.towers import towers
from vlmrm.plan import preflight
from vlmrm.plan.estimate import make_plan
from vlmrm.plan.jobs import Job, parse_dry_run, planned_jobs
from vlmrm.plan.machine import known_machines, load_machine
from vlmrm.plan.work import checkpoints, policy_bytes, state_count, updates, work_of

ROOT = Path(__file__).parents[1]
PAPER = load_config(ROOT / "config.yaml")
DEMO = load_config(ROOT / "config" / "demo.yaml")
RUN = {"task": "kneeling", "scene": "textured-fixed", "alpha": "0.0", "seed": "0"}


def training(model):
    return Job("train_policy", RUN | {"reward": model}, alone=True)


def fetching(model):
    return Job("fetch_model", {"model": model})


def amounts(job, config):
    return {(a.kind, a.what): a.count for a in work_of(job, config).amounts}


def test_the_jobs_of_a_dry_run_are_told_apart():
    text = (
        "Job stats:\nall 1\n\n[Mon]\nrule train_policy:\n    output: a/policy.zip, a/best.zip\n"
        "    wildcards: task=kneeling, scene=textured-fixed, reward=S-1.2, alpha=0.0, seed=0\n"
        "    threads: 64\n    resources: tmpdir=/tmp\nShell command: vlmrm --x a=b, c=d\n\n"
        "[Mon]\nlocalrule fetch_model:\n    jobid: 3\n    wildcards: model=RN50\n\n"
        "[Mon]\nrule draw_poses:\n    jobid: 4\n\nrule all:\n    jobid: 0\n"
    )
    assert parse_dry_run(text) == [
        training("S-1.2"),
        fetching("RN50"),
        Job("draw_poses", {}),
    ]


def test_the_paper_trains_as_many_updates_as_it_says():
    agent = PAPER.training["humanoid"].agent
    # 100 for each 3,200 steps, but for the 15 rounds that end before step 50,000.
    assert updates(agent) == 312_500 - 1_500
    assert checkpoints(agent) == 78
    # The demo's policies are of this size too, and lie at 7.16 MB on the disk.
    assert policy_bytes("humanoid", agent) == pytest.approx(7.16e6, rel=0.02)


def test_a_training_draws_and_looks_at_every_step():
    counted = amounts(training("ViT-bigG-14"), PAPER)
    assert counted[("steps", "humanoid")] == counted[("images", "ViT-bigG-14")] == 10_000_000
    assert counted[("frames", "humanoid")] == 78 * 100  # films; the rest have another size
    drawn = [a.count for a in work_of(training("ViT-bigG-14"), PAPER).amounts if a.kind == "frames"]
    assert drawn == [10_000_000, 7_800]
    reference = amounts(training("oracle"), PAPER)
    assert ("images", "ViT-bigG-14") not in reference
    assert reference[("updates", "humanoid")] == 311_000


def test_an_agent_with_a_look_up_sees_no_picture():
    job = Job("train_policy", RUN | {"task": "cartpole", "scene": "original", "reward": "ViT-L-14"})
    counted = amounts(job, PAPER)
    assert counted[("steps", "cartpole")] == 3_000_000
    assert not [key for key in counted if key[0] == "images"]


@pytest.mark.parametrize(
    ("name", "count"), [("cartpole-grid", 19 * 117), ("mountain-car-grid", 181), ("paths", 41)]
)
def test_states_are_counted_as_they_are_sampled(name, count):
    assert state_count(DEMO, name) == count


def test_one_line_by_hand():
    """Ten million pictures, 967.5 GFLOP each, on an A100 at 0.6 of its 312 TFLOP/s."""
    plan = make_plan([training("ViT-bigG-14")], PAPER, load_machine("a100"))
    (stage,) = plan.stages
    terms = {(t.amount.kind, t.amount.size > 0.2): t for t in stage.terms.values()}
    looking = terms[("images", True)]
    assert looking.seconds == pytest.approx(1e7 * 967.5e9 / (312e12 * 0.6), rel=1e-3)
    assert str(looking) == (
        "10,000,000 images, ViT-bigG-14: x 967.5 GFLOP / 187.2 TFLOP/s = 14.4 hours"
    )
    # 480 x 480 pixels, by 16 cores.
    drawing = terms[("frames", True)]
    assert drawing.seconds == pytest.approx(1e7 * (1.05e-3 + 0.2304 * 0.0373) / 16, rel=1e-3)
    updating = terms[("updates", True)]
    assert updating.seconds == pytest.approx(311_000 * 6e-3)
    assert stage.gpu_seconds == pytest.approx(looking.seconds + updating.seconds)


def test_jobs_of_one_core_run_beside_each_other():
    job = Job("draw_poses", {})
    one, many = (make_plan([job] * n, PAPER, load_machine("laptop")).seconds for n in (1, 16))
    assert one == pytest.approx(5)
    assert many == pytest.approx(16 * 5 / 8)


def test_a_download_is_the_parameters_in_float32():
    plan = make_plan([fetching("RN50")], PAPER, load_machine("laptop"))
    assert plan.stages[0].download == 4 * towers("RN50-quickgelu").parameters
    assert "RN50" in "".join(str(t) for t in plan.stages[0].terms.values())


def test_a_cpu_is_warned_of_in_one_line():
    jobs = [training("ViT-L-14")]
    slow, fast = (make_plan(jobs, PAPER, load_machine(name)) for name in ("laptop", "h200"))
    assert slow.warning is not None
    assert slow.warning.startswith("Warning: about ")
    assert "`make demo` takes 50 minutes" in slow.warning
    assert "\n" not in slow.warning
    assert fast.warning is None


def test_every_rate_of_the_table_says_where_it_is_from():
    for machine in known_machines().values():
        for _, rate in machine:
            rates = rate.values() if isinstance(rate, dict) else [rate]
            assert all(len(r.how) > 5 for r in rates if hasattr(r, "how"))
    with pytest.raises(UserError, match="--machine: unknown name 'h20'; did you mean 'h200'"):
        load_machine("h20")


def test_a_folder_without_workflow_is_refused(tmp_path):
    with pytest.raises(UserError, match="no Snakefile here"):
        planned_jobs(ROOT / "config.yaml", folder=tmp_path)


def plan(*arguments):
    line = [sys.executable, "-c", "from vlmrm.cli import main; main()", "plan", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=150)


def test_on_the_command_line():
    figure = "results/paper/figures/landscape-mountain-car.svg"
    run = plan("--config", "config.yaml", "--machine", "h200", "--explain", figure)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[0] == "On one NVIDIA H200 beside 16 cores:"
    stages = [line.split()[0] for line in lines[2:] if not line.startswith((" ", "First", "Rates"))]
    assert stages == [
        "models",
        "states",
        "frames",
        "embeddings",
        "measurements",
        "figures",
        "total",
    ]
    # 181 states in two scenes, in the eyes of four models.
    assert any(line.startswith("    362 images, ViT-bigG-14: x 967.5 GFLOP") for line in lines)
    assert any("data sheet" in line for line in lines)
    assert run.stdout.count("First: models (4 jobs, ") == 1


def test_contradictions_and_unknown_files_are_told(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = Path("config.yaml")
    with pytest.raises(UserError, match="--measure: stands beside --machine"):
        command(config, machine="h200", measure=True)
    with pytest.raises(UserError, match=r"config\.yaml: .*nothing\.svg"):
        command(config, ["results/paper/nothing.svg"], machine="h200")


@pytest.fixture
def machine(monkeypatch):
    """A machine with neither hub nor GPU, and with the library of all tokenizers."""

    def unreachable():
        told = "https://huggingface.co not reachable (no route): published models cannot be ..."
        return Check("Hub", Verdict.note, told)

    monkeypatch.setattr(preflight, "check_hub", unreachable)
    monkeypatch.setattr(preflight, "cuda_works", lambda: False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    monkeypatch.delenv(preflight.PATIENCE, raising=False)
    return monkeypatch


def test_models_that_cannot_come_are_told_before_the_start(machine):
    told = preflight.refusal([fetching("RN50"), fetching("ViT-L-14")], PAPER)
    assert told is not None
    assert told.startswith("models.RN50: with 1 more, to be downloaded, but https://huggingface.co")
    assert "not reachable (no route); run `make demo`" in told
    assert "HF_ENDPOINT" in told
    # Those that are here already, or are made here, need no hub.
    assert preflight.refusal([Job("embed_prompts", {"model": "RN50"})], PAPER) is None
    machine.setattr(preflight, "check_hub", lambda: Check("Hub", Verdict.fine, "answers"))
    assert preflight.refusal([fetching("RN50")], PAPER) is None


def test_trainings_that_take_for_ever_are_not_started(machine):
    jobs = [training("ViT-bigG-14")]
    told = preflight.refusal(jobs, PAPER)
    assert told is not None
    assert "1 training on published models" in told
    assert "VLMRM_PATIENCE=1 starts it all the same" in told
    assert preflight.refusal(jobs, PAPER, here=False) is None
    machine.setenv(preflight.PATIENCE, "1")
    assert preflight.refusal(jobs, PAPER) is None
    machine.delenv(preflight.PATIENCE)
    machine.setattr(preflight, "cuda_works", lambda: True)
    assert preflight.refusal(jobs, PAPER) is None


def test_what_needs_no_published_tower_is_started_at_once(machine):
    assert preflight.refusal([training("oracle"), training("sim-S")], DEMO) is None


def test_a_tokenizers_library_is_missed_before_the_download(machine):
    machine.setattr(preflight, "check_hub", lambda: Check("Hub", Verdict.fine, "answers"))
    machine.setattr(preflight.importlib.util, "find_spec", lambda name: None)
    machine.setattr(preflight, "architecture_file", lambda _: ROOT / "none.json")
    machine.setattr(preflight, "_has_tokenizer", lambda config, name: name.startswith("SigLIP2"))
    told = preflight.refusal([fetching("RN50"), fetching("SigLIP2-B-32")], PAPER)
    assert told is not None
    assert told.startswith("models.SigLIP2-B-32: needs the library transformers")
    assert preflight.refusal([fetching("RN50")], PAPER) is None


def test_counter_of_jobs():
    jobs = [fetching("RN50"), training("oracle"), training("oracle")]
    assert make_plan(jobs, PAPER, load_machine("laptop")).jobs == Counter(
        {"train_policy": 2, "fetch_model": 1}
    )


def test_this_machine_is_measured(monkeypatch):
    from vlmrm.plan import measure

    monkeypatch.setattr(measure, "SECONDS", 0.01)
    monkeypatch.setattr(measure.os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    smoke = load_config(ROOT / "config" / "smoke.yaml")
    machine = measure.measure_machine(smoke)
    assert machine.title.startswith("this machine (")
    assert "busy" not in machine.title
    assert machine.flops == machine.small_flops  # there are no others
    measured = [machine.small_flops, machine.resample, machine.start]
    for environment in ("humanoid", "cartpole", "mountain-car"):
        for rates in (machine.frame, machine.step, machine.update, machine.state):
            measured.append(rates[environment])
    assert all(rate.how.startswith("measured here") for rate in measured)
    assert machine.download.how.startswith("chosen")
