"""`vlmrm plan`: its jobs are Snakemake's, its arithmetic can be done by hand."""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, namedtuple
from pathlib import Path

import pytest

from tests.processes import vlmrm
from vlmrm.cli.planning import plan as command
from vlmrm.config import PretrainedModel, load_config
from vlmrm.config.architectures import architecture_file
from vlmrm.errors import UserError
from vlmrm.machine.doctor import Check, Verdict
from vlmrm.models.model_size import towers
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
    output = f"results/paper/policies/{model}/policy.zip"
    return Job("train_policy", RUN | {"reward": model}, alone=True, output=output)


def fetching(model):
    return Job("fetch_model", {"model": model}, output=f"resources/models/{model}")


def embedding(model, states="kneeling-poses"):
    wildcards = {"states": states, "scene": "textured-fixed", "model": model}
    output = f"results/paper/embeddings/{states}/{model}.h5"
    return Job("embed_frames", wildcards, alone=True, output=output)


def unnamed(**settings):
    """The paper with a model `X` that names no architecture."""
    model = PretrainedModel(source="pretrained", **settings)
    return PAPER.model_copy(update={"models": {**PAPER.models, "X": model}})


def describe(folder, architecture):
    """Writes what a model folder tells of its towers."""
    folder.mkdir(parents=True)
    described = {"model_cfg": json.loads(architecture_file(architecture).read_text())}
    (folder / "open_clip_config.json").write_text(json.dumps(described))


def amounts(job, config):
    return {(a.kind, a.what): a.count for a in work_of(job, config).amounts}


def test_the_jobs_of_a_dry_run_are_told_apart():
    text = (
        "Job stats:\nall 1\n\n[Mon]\nrule train_policy:\n"
        "    output: results/paper/policies/S-1.2/policy.zip, a/best.zip\n"
        "    input: resources/models/S-1.2, b/states.h5\n"
        "    wildcards: task=kneeling, scene=textured-fixed, reward=S-1.2, alpha=0.0, seed=0\n"
        "    threads: 64\n    resources: tmpdir=/tmp\nShell command: vlmrm --x a=b, c=d\n\n"
        "[Mon]\nlocalrule fetch_model:\n    output: resources/models/RN50 (update)\n    jobid: 3\n"
        "    wildcards: model=RN50\n\n"
        "[Mon]\nrule embed_prompts:\n    input: resources/models/RN50\n    output: a.h5\n\n"
        "[Mon]\nrule draw_poses:\n    jobid: 4\n\nrule all:\n    input: a.h5\n    jobid: 0\n"
    )
    # The training's model is there already: no job makes it.
    assert parse_dry_run(text) == [
        training("S-1.2"),
        fetching("RN50"),
        Job("embed_prompts", {}, output="a.h5", waits=True),
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
    job = Job(
        "train_policy", RUN | {"task": "cartpole", "scene": "gymnasium", "reward": "ViT-L-14"}
    )
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


def test_a_gpu_has_one_job_at_a_time():
    jobs = [training("ViT-bigG-14")] * 4
    one, two, many = (make_plan(jobs, PAPER, load_machine("h200", n)) for n in (1, 2, 64))
    # As many cores stand beside each GPU.
    assert two.seconds == pytest.approx(one.seconds / 2, rel=0.01)
    assert two.stages[0].gpu_seconds == one.stages[0].gpu_seconds
    (looking,) = (
        t for t in many.stages[0].terms.values() if t.amount.kind == "images" and t.on_gpu
    )
    assert looking.divisor == 4
    assert " / 4 GPUs = " in str(looking)
    with pytest.raises(UserError, match="--gpus: 'laptop' has none"):
        load_machine("laptop", 2)


def test_a_folder_tells_how_large_its_model_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    size = towers("ViT-L-14")
    describe(tmp_path / "mine", "ViT-L-14")
    describe(tmp_path / "resources" / "models" / "X", "ViT-L-14")
    local = unnamed(path="mine")
    fetched = unnamed(repository="a/b", revision="0" * 40)
    for config in (local, fetched):
        (_, looking) = work_of(embedding("X"), config).amounts
        assert (looking.what, looking.count, looking.size) == ("X", 5000, size.image_flops)
        assert work_of(embedding("X"), config).disk == 4 * 5000 * size.embedding
        assert work_of(fetching("X"), config).disk == 4 * size.parameters
        plan = make_plan([embedding("X")], config, load_machine("laptop"))
        assert "of unknown size" not in "".join(plan.lines())
    assert amounts(fetching("X"), local)[("downloads", "X")] == 1
    assert make_plan([fetching("X")], local, load_machine("laptop")).stages[0].download == 0


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"model_cfg": {}}', '{"model_cfg": {"embed_dim": 9}}']
)
def test_a_model_of_unknown_size_counts_as_a_small_published_one(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "resources" / "models" / "X").mkdir(parents=True)
        (tmp_path / "resources" / "models" / "X" / "open_clip_config.json").write_text(content)
    config = unnamed(repository="a/b", revision="0" * 40)
    plan = make_plan([embedding("X"), training("X")], config, load_machine("laptop"))
    told = "models.X: of unknown size, counted as ViT-B-32 until it is fetched"
    assert list(plan.lines()).count(told) == 1
    assert plan.models == {"X": towers("ViT-B-32")}
    assert work_of(fetching("X"), config).disk == 4 * towers("ViT-B-32").parameters
    assert work_of(embedding("X"), config).disk == 4 * 5000 * 512


def test_what_comes_first_waits_for_nothing():
    waiting = Job("make_rollout_states", {"states": "kneeling-rollouts"}, waits=True)
    jobs = [waiting, training("oracle"), training("oracle"), fetching("RN50")]
    lines = make_plan(jobs, PAPER, load_machine("h200")).lines()
    assert list(lines)[-1] == "First, since they wait for nothing: 1 fetch_model, 2 train_policy."


def test_a_cpu_is_warned_of_in_one_line():
    jobs = [training("ViT-L-14")]
    slow, fast = (make_plan(jobs, PAPER, load_machine(name)) for name in ("laptop", "h200"))
    assert slow.warning is not None
    assert slow.warning.startswith("Warning: about ")
    assert "`make demo` takes an hour" in slow.warning
    assert "\n" not in slow.warning
    assert fast.warning is None


def test_every_rate_of_the_table_says_where_it_is_from():
    for machine in known_machines().values():
        for _, rate in machine:
            rates = rate.values() if isinstance(rate, dict) else [rate]
            told = [r.how for r in rates if hasattr(r, "how")]
            assert all("measured" in how or "chosen" in how for how in told)
        if machine.gpu:
            assert "the GPU's rates are stated, not measured" in machine.title
    with pytest.raises(UserError, match="--machine: unknown name 'h20'; did you mean 'h200'"):
        load_machine("h20")


def test_a_folder_without_workflow_is_refused(tmp_path):
    with pytest.raises(UserError, match="no Snakefile here"):
        planned_jobs(ROOT / "config.yaml", folder=tmp_path)


def plan(*arguments):
    return vlmrm("plan", *arguments, cwd=ROOT)


def test_on_the_command_line():
    figure = "results/paper/figures/landscape-mountain-car.svg"
    run = plan("--config", "config.yaml", "--machine", "h200", "--explain", figure)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[0].startswith("On one NVIDIA H200 beside 16 cores (")
    others = (" ", "First", "Models", "Rates")
    stages = [line.split()[0] for line in lines[2:] if not line.startswith(others)]
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
    assert any(line.startswith("First, since they wait for nothing: 4 fetch_m") for line in lines)
    # open_clip tells as many: 428 million in all.
    told = (
        "    ViT-L-14: 304.0 million parameters for images, 123.7 for text; 162 GFLOP for an image"
    )
    assert told in lines


def test_contradictions_and_unknown_files_are_told(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = Path("config.yaml")
    with pytest.raises(UserError, match="--measure: stands beside --machine"):
        command(config, machine="h200", measure=True)
    with pytest.raises(UserError, match="--gpus: belongs to --machine"):
        command(config, gpus=2)
    with pytest.raises(UserError, match=r"config\.yaml: .*nothing\.svg"):
        command(config, ["results/paper/nothing.svg"], machine="h200")


def test_this_machine_is_told_what_its_start_would_say(monkeypatch, capsys):
    monkeypatch.setattr("vlmrm.plan.jobs.planned_jobs", lambda *_: [training("ViT-L-14")])
    monkeypatch.setattr("vlmrm.plan.measure.measure_machine", lambda _: load_machine("h200"))
    monkeypatch.setattr("vlmrm.plan.preflight.refusal", lambda *_: "no hub\nno disk")
    command(ROOT / "config.yaml")
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Warning: a run here would not start: no hub",
        "Warning: a run here would not start: no disk",
    ]
    command(ROOT / "config.yaml", machine="h200")
    assert "Warning" not in capsys.readouterr().out


Usage = namedtuple("Usage", "total used free")


def library(monkeypatch, name, found):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda n, *rest: found if n == name else find(n, *rest)
    )


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with neither hub nor GPU, with the library of all tokenizers, and a large disk."""

    def unreachable():
        told = "https://huggingface.co not reachable (no route): published models cannot be ..."
        return Check("Hub", Verdict.note, told)

    monkeypatch.setattr(preflight, "check_hub", unreachable)
    monkeypatch.setattr(preflight, "cuda_works", lambda: False)
    library(monkeypatch, "transformers", object())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 1e12))
    monkeypatch.delenv(preflight.PATIENCE, raising=False)
    monkeypatch.chdir(tmp_path)
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


def test_embeddings_count_as_well_as_trainings(machine):
    # 5,000 pictures of 967.5 GFLOP take 2.9 hours on eight cores.
    assert preflight.refusal([embedding("ViT-bigG-14")] * 60, PAPER) is None
    told = preflight.refusal([embedding("ViT-bigG-14")] * 80, PAPER)
    assert told is not None
    assert told.startswith("80 embeddings on published models: about 234 hours on 8 cores, and")


def test_a_model_of_unknown_size_takes_as_long_as_a_published_one(machine):
    config = unnamed(repository="a/b", revision="0" * 40)
    assert preflight.refusal([training("X")], config) is None
    told = preflight.refusal([training("X")] * 4, config)
    assert told is not None
    assert told.startswith("4 trainings on published models: about ")


def test_what_needs_no_published_tower_is_started_at_once(machine):
    machine.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 2e9))
    jobs = planned_jobs(ROOT / "config" / "demo.yaml", ["--forceall"], folder=ROOT)
    assert {"train_policy", "make_corpus", "embed_frames"} <= {job.rule for job in jobs}
    assert preflight.refusal(jobs, DEMO) is None


def test_a_start_without_published_models_does_not_load_pytorch():
    code = (
        "import sys; from vlmrm.config import load_config; from vlmrm.plan.jobs import Job;"
        "from vlmrm.plan.preflight import refusal; w = dict(model='sim-S', states='kneeling',"
        "scene='textured-fixed'); rules = ('pretrain_model', 'render_frames', 'embed_frames');"
        "refusal([Job(rule, w) for rule in rules], load_config('config/demo.yaml'));"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_disk_that_is_too_small_is_told_before_the_start(machine):
    machine.setattr(preflight, "check_hub", lambda: Check("Hub", Verdict.fine, "answers"))
    machine.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 5e9))
    jobs = [fetching("ViT-bigG-14")]
    for here in (True, False):
        told = preflight.refusal(jobs, PAPER, here)
        assert told is not None
        assert told.startswith("about 10.2 GB of disk space are needed, but the disk of ")
        assert "has 5.0 GB free" in told
    assert preflight.refusal([fetching("RN50")], PAPER) is None
    # What was downloaded before needs no further space.
    parts = Path("resources", "models", ".ViT-bigG-14.download")
    parts.mkdir(parents=True)
    with (parts / "weights.part").open("wb") as file:
        file.truncate(6_000_000_000)
    assert preflight.refusal(jobs, PAPER) is None
    shutil.rmtree(parts)
    machine.setenv(preflight.PATIENCE, "1")
    assert preflight.refusal(jobs, PAPER) is None


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
        machine.setattr(preflight, "check_hub", lambda: Check("Hub", Verdict.fine, "answers"))
        assert preflight.refusal([fetching("ViT-bigG-14")], PAPER) is None
        told = preflight.refusal([training("oracle")], PAPER)
        assert told is not None
        assert f"the disk of {other} has 1.0 MB free" in told


def test_all_reasons_are_told_at_once(machine):
    machine.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 5e9))
    told = preflight.refusal([fetching("ViT-bigG-14"), training("ViT-bigG-14")], PAPER)
    assert told is not None
    hub, gpu, disk = told.splitlines()
    assert "to be downloaded" in hub
    assert "no GPU that PyTorch can use" in gpu
    assert "of disk space are needed" in disk


def test_a_tokenizers_library_is_missed_before_the_download(machine):
    machine.setattr(preflight, "check_hub", lambda: Check("Hub", Verdict.fine, "answers"))
    library(machine, "transformers", None)
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
