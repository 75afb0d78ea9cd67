"""`vlmrm plan`: its jobs are Snakemake's, its arithmetic can be done by hand."""

import json
from pathlib import Path

import gymnasium
import pytest

from tests.machine.jobs import (
    DEMO,
    LAPTOP,
    PAPER,
    ROOT,
    RUN,
    embedding,
    fetching,
    training,
    unnamed,
)
from vlmrm.cli.plan import plan as command
from vlmrm.cli.plan import plan_table
from vlmrm.config import (
    SCENES,
    Corpus,
    EnsembleModel,
    FunctionModel,
    GridStates,
    RandomModel,
    Rendering,
)
from vlmrm.config.architectures import architecture_file
from vlmrm.envs import make_env
from vlmrm.errors import UserError
from vlmrm.machine.machines import MACHINES, load_machine
from vlmrm.models.clip import GPU_BATCH_PIXELS
from vlmrm.models.model_size import measure_size
from vlmrm.plan.cost import (
    cost_by_figure,
    make_plan,
    read_benchmarks,
    sum_seconds,
    used_models,
    warnings,
)
from vlmrm.plan.jobs import Job, jobs_by_figure, parse_dry_run, planned_jobs
from vlmrm.plan.sizes import BATCH_PIXELS, SIZES, STAND_IN, Size, fitting_batch, known_size
from vlmrm.plan.work import (
    LOOP,
    OBSERVED,
    ROLLOUT_KEEPS,
    START,
    START_TORCH,
    TRAINED_ON,
    policy_bytes,
    updates,
    work_of,
)
from vlmrm.pretraining import part
from vlmrm.states.grid import sample_grid
from vlmrm.training import rollouts

pytestmark = pytest.mark.usefixtures("quick_dry_runs")


def describe(folder, architecture):
    """Writes what a model folder says of its towers."""
    folder.mkdir(parents=True)
    described = {"model_cfg": json.loads(architecture_file(architecture).read_text())}
    (folder / "open_clip_config.json").write_text(json.dumps(described))


def test_the_jobs_of_a_dry_run_are_told_apart():
    text = (
        "Job stats:\nall 1\n\n[Mon]\nrule train_policy:\n"
        "    output: results/paper/policies/S-1.2/policy.zip, a/best.zip\n"
        "    input: resources/models/S-1.2/provenance.json, b/states.h5\n"
        "    wildcards: task=kneeling, scene=textured-fixed, reward_source=S-1.2, scoring=alpha-0,"
        " seed=0\n"
        "    threads: 64\n    resources: tmpdir=/tmp\nShell command: vlmrm --x a=b, c=d\n\n"
        "[Mon]\nlocalrule fetch_model:\n"
        "    output: resources/models/RN50/provenance.json (update)\n    jobid: 3\n"
        "    wildcards: model=RN50\n\n"
        "[Mon]\nrule draw_poses:\n    jobid: 4\n\nrule all:\n    input: a.h5\n    jobid: 0\n"
    )
    inputs = ("resources/models/S-1.2/provenance.json", "b/states.h5")
    outputs = ("results/paper/policies/S-1.2/policy.zip", "a/best.zip")
    assert parse_dry_run(text) == [
        training("S-1.2")._replace(inputs=inputs, outputs=outputs),
        fetching("RN50"),
        Job("draw_poses", {}),
    ]


def test_a_figure_costs_what_it_needs_and_nothing_else():
    def job(rule, output, *inputs, **wildcards):
        return Job(rule, wildcards, (output,), inputs)

    jobs = [
        job("draw_epic", "f/epic-k.svg", "t/k.csv", epic="k"),
        job("draw_epic_by_alpha", "f/alpha-k.svg", "t/k.csv", epic="k"),
        job("measure_epic", "t/k.csv", "e.h5", "m", epic="k"),
        job("embed_frames", "e.h5", "frames.h5", "m"),
        job("fetch_model", "m"),
        job("draw_success", "f/success.svg", "p", experiment="size"),
        job("train_policy", "p", "m"),
        job("draw_scenes", "f/scenes.svg", environment="humanoid"),
        job("draw_poses", "f/poses.svg"),
    ]
    needed = jobs_by_figure(jobs)
    assert {name: [job.rule for job in needed[name]] for name in needed} == {
        "epic k": [
            "draw_epic",
            "draw_epic_by_alpha",
            "measure_epic",
            "embed_frames",
            "fetch_model",
        ],
        "experiment size": ["fetch_model", "draw_success", "train_policy"],
        "scenes humanoid": ["draw_scenes"],
        "poses": ["draw_poses"],
    }


def test_what_figures_share_is_not_saved_without_one_of_them():
    jobs = [
        Job("draw_epic", {"epic": "k"}, ("f/epic-k.svg",), ("t/k.csv",)),
        Job("measure_epic", {"epic": "k"}, ("t/k.csv",), ("results/paper/embeddings/x.h5",)),
        embedding("RN50")._replace(
            outputs=("results/paper/embeddings/x.h5",),
            inputs=("resources/models/RN50/provenance.json",),
        ),
        fetching("RN50"),
        Job("draw_epic_overview", {}, ("f/epic.svg",), ("t/k.csv",)),
        Job(
            "draw_success",
            {"experiment": "e"},
            ("f/s.svg",),
            ("resources/models/RN50/provenance.json",),
        ),
        Job("measure_agreement", {"epic": "k"}, ("t/agreement.csv",)),
    ]

    def seconds(numbers):
        return sum_seconds(make_plan([jobs[number] for number in numbers], PAPER, LAPTOP))

    costs = cost_by_figure(jobs, PAPER, LAPTOP)
    assert list(costs) == ["epic k", "epic overview", "experiment e", "no figure"]
    taken = {name: sum_seconds(cost.rows) for name, cost in costs.items()}
    assert taken["epic k"] == pytest.approx(seconds([0, 1, 2, 3]))
    assert taken["experiment e"] == pytest.approx(seconds([3, 5]))
    assert taken["no figure"] == pytest.approx(seconds([6]))
    # The download stays, since the experiment needs it; the overview has one measurement less.
    everything = range(len(jobs))
    saved = seconds(everything) - seconds([3, 4, 5, 6])
    assert costs["epic k"].saved == pytest.approx(saved)
    saved = seconds(everything) - seconds([0, 1, 2, 3, 5, 6])
    assert costs["epic overview"].saved == pytest.approx(saved)


def test_the_paper_trains_as_many_updates_as_it_says():
    agent = PAPER.training["humanoid"].agent
    # 100 for each 3,200 steps, but for the 15 rounds that end before step 50,000.
    assert updates(agent) == 312_500 - 1_500
    # The demo's policies are of this size too, and have 7.16 MB on the disk.
    assert policy_bytes("humanoid", agent) == pytest.approx(7.16e6, rel=0.02)


def test_a_training_renders_and_embeds_every_step():
    work = work_of(training("ViT-bigG-14"), PAPER, LAPTOP)
    assert work.images == 10_000_000
    assert work.frames == 10_000_000 + 78 * 100  # videos
    reference = work_of(training("oracle"), PAPER, LAPTOP)
    assert (reference.images, reference.frames) == (0, 7_800)
    # Several references can be trained beside each other, each on one core.
    assert not reference.alone
    serial = 10_000_000 * 1.45e-3 + 311_000 * 0.03
    assert reference.seconds(LAPTOP) == pytest.approx(serial, rel=0.01)


def test_a_film_renders_and_embeds_its_trajectories():
    run = training("ViT-bigG-14").wildcards
    work = work_of(Job("film_policy", run), PAPER, LAPTOP)
    assert (work.frames, work.images) == (2 * 3 * 100, 3 * 100)
    assert work_of(Job("evaluate_policy", run), PAPER, LAPTOP).frames == 0


def test_an_ensemble_renders_each_view_and_embeds_it_by_each_member():
    small = ["ViT-B-32", "ViT-B-16"]
    models = {name: RandomModel(source="random", architecture=name) for name in small}
    views = ["textured-fixed", "textured-left", "textured-right"]
    trio = {"source": "ensemble", "members": small, "reference": "kneeling", "scenes": views}
    models["trio"] = EnsembleModel.model_validate(trio)
    config = PAPER.model_copy(update={"models": {**PAPER.models, **models}})
    alone = [work_of(training(name), config, LAPTOP) for name in small]
    together = work_of(training("trio"), config, LAPTOP)
    assert together.images == 3 * sum(work.images for work in alone)
    assert together.frames == 3 * 10_000_000 + 78 * 100
    learning = LOOP * LAPTOP.update * updates(PAPER.training["humanoid"].agent)
    embedding = sum(work.accelerated - learning for work in alone)
    assert together.accelerated - learning == pytest.approx(3 * embedding)
    assert used_models([training("trio")], config) == small


def test_a_corpus_is_rendered_as_it_says_whatever_the_run_renders():
    mine = Corpus(
        frames={"humanoid": {"textured-fixed": 1000}}, rendering=Rendering(humanoid_size=500)
    )
    job = Job("make_corpus", {"corpus": "mine"})
    for size in (96, 480):
        run = {"corpora": {"mine": mine}, "rendering": Rendering(humanoid_size=size)}
        work = work_of(job, DEMO.model_copy(update=run), LAPTOP)
        assert work.shared == pytest.approx(1000 * (1.26e-3 + 0.25 * 0.0448))


def test_videos_have_their_own_size_and_the_shadows_of_the_run():
    """Of 10,000,000 steps, 78 checkpoints have a video of 100 frames."""
    plain = work_of(training("oracle"), PAPER, LAPTOP)
    steps = 10_000_000 * 1.45e-3
    video = 7_800 * (1.26e-3 + 0.32**2 * 0.0448)
    others = plain.serial - steps - video
    assert others > 0
    shadows = PAPER.rendering.model_copy(update={"shadows": True})
    shaded = work_of(training("oracle"), PAPER.model_copy(update={"rendering": shadows}), LAPTOP)
    assert shaded.serial == pytest.approx(others + steps + 3 * video)
    silent = PAPER.evaluation.model_copy(update={"training_videos": False})
    unseen = work_of(training("oracle"), PAPER.model_copy(update={"evaluation": silent}), LAPTOP)
    assert (unseen.frames, unseen.serial) == (0, pytest.approx(others + steps))


def test_constants_are_those_of_the_modules_that_compute():
    assert pytest.approx(1 - part.HELD_OUT) == TRAINED_ON
    assert rollouts.KEEP_EVERY == ROLLOUT_KEEPS
    for environment in SCENES:
        observed, actions = OBSERVED[environment]
        env = make_env(environment, episode_steps=1)
        assert env.observation_space.shape == (observed,)
        assert gymnasium.spaces.flatdim(env.action_space) == actions
        env.close()


def test_an_agent_with_a_look_up_sees_no_picture():
    wildcards = RUN | {"task": "cartpole", "scene": "gymnasium", "reward_source": "ViT-L-14"}
    work = work_of(Job("train_policy", wildcards), PAPER, LAPTOP)
    assert work.images == 0
    assert not work.alone
    assert work.serial > 3_000_000 * 1.9e-4


@pytest.mark.parametrize(
    ("name", "count"), [("cartpole-grid", 19 * 117), ("mountain-car-grid", 181), ("paths", 41)]
)
def test_states_are_counted_as_they_are_sampled(name, count):
    assert DEMO.state_sets[name].size == count


@pytest.mark.parametrize("environment", ["cartpole", "mountain-car"])
@pytest.mark.parametrize("resolution", [0.01, 0.1, 0.25, 0.3, 0.5, 1, 1.5, 2.7])
def test_the_size_of_a_grid_is_arithmetic(environment, resolution):
    grid = GridStates(sampler="grid", environment=environment, resolution=resolution)
    assert grid.size == len(sample_grid(grid))


def test_the_table_of_sizes_has_the_shipped_models():
    architectures = {
        model.architecture for model in (*PAPER.models.values(), *DEMO.models.values())
    }
    assert architectures | {STAND_IN} <= set(json.loads(SIZES.read_text()))


def test_one_training_by_hand():
    """Ten million pictures, 967.5 GFLOP each, on an A100 at 0.6 of its 312 TFLOP/s.

    The whole takes 1.18 times as long as its parts.
    """
    (row,) = make_plan([training("ViT-bigG-14")], PAPER, load_machine("a100")).values()
    (work,) = row.work
    embedding_seconds = 1e7 * 967.5e9 / (312e12 * 0.6)
    assert work.accelerated == pytest.approx(1.18 * (embedding_seconds + 311_000 * 6e-3), rel=1e-3)
    # 480 x 480 pixels, and the steps; videos are few.
    shared = 1.18 * 1e7 * (1.26e-3 + 0.2304 * 0.0448 + 1.45e-3)
    assert work.shared == pytest.approx(shared, rel=2e-3)
    assert row.seconds == pytest.approx(START_TORCH + work.accelerated + work.shared / 16)


def test_jobs_of_one_core_run_beside_each_other():
    job = Job("draw_poses", {})
    one, many = (make_plan([job] * n, PAPER, LAPTOP)["draw_poses"].seconds for n in (1, 16))
    assert one == pytest.approx(START)
    assert many == pytest.approx(16 * START / 8)


def test_a_download_is_the_parameters_in_float32():
    row = make_plan([fetching("RN50")], PAPER, LAPTOP)["fetch_model"]
    assert row.total("download") == 4 * measure_size("RN50-quickgelu").parameters
    assert row.seconds == pytest.approx(START_TORCH + row.total("download") / 12.5e6)


def test_a_gpu_has_one_job_at_a_time():
    jobs = [training("ViT-bigG-14")] * 4
    one, two, many = (
        make_plan(jobs, PAPER, load_machine("h200", n))["train_policy (humanoid)"]
        for n in (1, 2, 64)
    )
    # As many cores stand beside each GPU.
    assert two.seconds == pytest.approx(one.seconds / 2, rel=0.01)
    assert two.total("accelerated") == one.total("accelerated")
    assert many.seconds == pytest.approx(one.seconds / 4)
    with pytest.raises(UserError, match="--gpus: 'laptop' has none"):
        load_machine("laptop", 2)


def test_a_folder_says_how_large_its_model_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    size = measure_size("ViT-L-14")
    describe(tmp_path / "mine", "ViT-L-14")
    describe(tmp_path / "resources" / "models" / "X", "ViT-L-14")
    local = unnamed(path="mine")
    fetched = unnamed(repository="a/b", revision="0" * 40)
    for config in (local, fetched):
        work = work_of(embedding("X"), config, LAPTOP)
        assert work.images == 5000
        assert work.accelerated == pytest.approx(5000 * size.image_flops / LAPTOP.flops)
        assert work.disk == 4 * 5000 * size.embedding
        assert work_of(fetching("X"), config, LAPTOP).disk == 4 * size.parameters
        assert known_size(config, "X") is not None
    assert work_of(fetching("X"), local, LAPTOP).download == 0


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"model_cfg": {}}', '{"model_cfg": {"embed_dim": 9}}']
)
def test_a_model_of_unknown_size_counts_as_a_small_published_one(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "resources" / "models" / "X").mkdir(parents=True)
        (tmp_path / "resources" / "models" / "X" / "open_clip_config.json").write_text(content)
    config = unnamed(repository="a/b", revision="0" * 40)
    rows = make_plan([embedding("X")], config, LAPTOP)
    message = "models.X: of unknown size, counted as ViT-B-32 until it is fetched"
    assert list(warnings(rows, config.models, config, LAPTOP)) == [message]
    assert work_of(fetching("X"), config, LAPTOP).disk == 4 * measure_size("ViT-B-32").parameters
    assert work_of(embedding("X"), config, LAPTOP).disk == 4 * 5000 * 512


def test_a_function_counts_as_a_published_model_that_sees_its_windows(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    model = FunctionModel(source="function", function="mine:make", window=3)
    config = PAPER.model_copy(update={"models": {**PAPER.models, "X": model}})
    scoring = Job("score_frames", {**embedding("X").wildcards, "task": "kneeling"})
    assert work_of(scoring, config, LAPTOP).images == 3 * config.set_size("kneeling-poses")
    steps = work_of(training("X"), config, LAPTOP)
    assert steps.images == 3 * work_of(training("RN50"), config, LAPTOP).images > 0


def test_a_plan_of_months_on_a_cpu_comes_with_a_warning():
    rows = make_plan([training("ViT-L-14")], PAPER, LAPTOP)
    (slow,) = warnings(rows, PAPER.models, PAPER, LAPTOP)
    assert slow.startswith("Warning: about ")
    assert "`make demo` takes an hour" in slow
    assert not list(warnings(rows, PAPER.models, PAPER, MACHINES["h200"]))


def test_benchmarks_of_a_rule_scale_its_time(tmp_path):
    file = tmp_path / "embed_frames" / "RN50.jsonl"
    file.parent.mkdir()
    finished, left = embedding("RN50"), [embedding("ViT-bigG-14"), fetching("RN50")]
    twice = 2 * work_of(finished, PAPER, LAPTOP).seconds(LAPTOP)
    record = {"rule_name": finished.rule, "wildcards": finished.wildcards, "s": twice}
    gone = record | {"wildcards": {**finished.wildcards, "model": "gone"}, "s": 1.0}
    file.write_text(json.dumps(record) + "\n")
    file.with_name("gone.jsonl").write_text(json.dumps(gone) + "\n")
    done = read_benchmarks(tmp_path, PAPER, LAPTOP)
    before, after = make_plan(left, PAPER, LAPTOP), make_plan(left, PAPER, LAPTOP, done)
    assert after["embed_frames"].seconds == pytest.approx(2 * before["embed_frames"].seconds)
    assert after["embed_frames"].measured == 1
    assert after["fetch_model"] == before["fetch_model"]


def test_a_folder_without_workflow_is_refused(tmp_path):
    with pytest.raises(UserError, match="no Snakefile here"):
        planned_jobs([], folder=tmp_path)


def test_the_table_has_a_row_for_each_rule_and_a_total():
    jobs = [fetching("RN50"), training("oracle"), training("oracle")]
    table = plan_table(make_plan(jobs, PAPER, LAPTOP), LAPTOP)
    names, counts = (list(column.cells) for column in table.columns[:2])
    assert names == ["train_policy (humanoid)", "fetch_model", "total"]
    assert counts == ["2", "1", "3"]


def test_on_the_command_line(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    command(Path("config.yaml"), ["results/paper/figures/landscape-mountain-car.svg"], "h200")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("On one NVIDIA H200 beside 16 cores (")
    rows = {line.split()[0]: line.split() for line in lines[2:]}
    # 181 states in two scenes, embedded by four models.
    assert rows["embed_frames"][1:4] == ["8", "-", "1,448"]
    assert rows["fetch_model"][1] == "4"
    assert "total" in rows


def test_figures_on_the_command_line(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    targets = [f"results/paper/figures/{name}.svg" for name in ("landscape-mountain-car", "poses")]
    command(Path("config.yaml"), targets, "rtx3090", by="figure")
    title, header, first, second, *batches = capsys.readouterr().out.splitlines()
    assert "RTX 3090" in title
    assert header.split()[-4:] == ["hours", "saved", "without", "it"]
    assert first.split()[:2] == ["landscape", "mountain-car"]
    assert second.split()[:2] == ["poses", "1"]
    assert any(line.split()[0] == "ViT-bigG-14" for line in batches)


def test_contradictions_and_unknown_files_are_reported(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = Path("config.yaml")
    with pytest.raises(UserError, match="--gpus: belongs to --machine"):
        command(config, gpus=2)
    with pytest.raises(UserError, match=r"config\.yaml: .*nothing\.svg"):
        command(config, ["results/paper/nothing.svg"], machine="h200")


def test_images_that_fit_beside_the_weights_are_counted():
    size = Size(
        image_size=64,
        image_flops=0,
        activations=500_000,
        image_parameters=10**9,
        parameters=2 * 10**9,
        embedding=4,
    )
    # Four fifths of the memory, less 2 GB of weights, in megabytes per image.
    assert fitting_batch(size, 5e9, "auto") == 2000
    assert fitting_batch(size, 7.5e9, "float32") == 1000
    assert fitting_batch(size, 2.4e9, "auto") == 0
    assert fitting_batch(size, 80e9, "auto") == 512 * 224**2 / 64**2
    assert BATCH_PIXELS == GPU_BATCH_PIXELS


def test_a_model_that_leaves_a_gpu_no_memory_is_named():
    small = MACHINES["l4"].model_copy(update={"gpu_memory": 4e9})
    lines = [line for line in warnings({}, PAPER.models, PAPER, small) if "memory" in line]
    assert any("models.ViT-bigG-14: its weights (3.7 GB)" in line for line in lines)
    assert not any("RN50" in line for line in lines)
    assert not list(warnings({}, PAPER.models, PAPER, MACHINES["l4"]))


def test_for_this_machine_a_plan_has_the_problems_of_a_start(monkeypatch, capsys):
    monkeypatch.setattr("vlmrm.cli.plan.planned_jobs", lambda *_: [training("ViT-L-14")])
    monkeypatch.setattr("vlmrm.cli.plan.find_problems", lambda *_: "no hub\nno disk")
    command(ROOT / "config.yaml")
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Warning: a run here would not start: no hub",
        "Warning: a run here would not start: no disk",
    ]
    command(ROOT / "config.yaml", machine="h200")
    assert "Warning" not in capsys.readouterr().out
