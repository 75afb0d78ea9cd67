"""A plan's arithmetic can be done by hand."""

import json

import pytest

from tests.plan.jobs import LAPTOP, PAPER, embedding, fetching, training
from vlmrm.config import TrainingRun
from vlmrm.errors import UserError
from vlmrm.machine.machines import MACHINES, load_machine
from vlmrm.models.model_size import measure_size
from vlmrm.plan.cost import cost_by_figure, make_plan, measured_seconds, sum_seconds, warnings
from vlmrm.plan.jobs import Job
from vlmrm.plan.work import START, START_TORCH, work_of


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


def test_a_plan_of_months_on_a_cpu_comes_with_a_warning():
    rows = make_plan([training("ViT-L-14")], PAPER, LAPTOP)
    (slow,) = warnings(rows, PAPER.models, PAPER, LAPTOP)
    assert slow.startswith("Warning: about ")
    assert "`make demo` takes 20 minutes" in slow
    assert not list(warnings(rows, PAPER.models, PAPER, MACHINES["h200"]))


def write_benchmark(folder, job, seconds):
    record = {"rule_name": job.rule, "wildcards": job.wildcards, "s": seconds}
    file = folder / job.rule / f"{'-'.join(job.wildcards.values())}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(record) + "\n")


def test_benchmarks_of_a_rule_scale_its_time(tmp_path):
    finished, left = embedding("RN50"), [embedding("ViT-bigG-14"), fetching("RN50")]
    write_benchmark(tmp_path, finished, 2 * work_of(finished, PAPER, LAPTOP).seconds(LAPTOP))
    # Of a job that the run no longer has, or has to do again: its settings were others.
    write_benchmark(tmp_path, embedding("ViT-L-14"), 1.0)
    done = measured_seconds(tmp_path, PAPER, LAPTOP, [finished])
    before, after = make_plan(left, PAPER, LAPTOP), make_plan(left, PAPER, LAPTOP, done)
    assert after["embed_frames"].seconds == pytest.approx(2 * before["embed_frames"].seconds)
    assert after["embed_frames"].measured == 1
    assert after["fetch_model"] == before["fetch_model"]


def test_a_training_that_continued_counts_from_its_beginning(tmp_path):
    finished = training("oracle")
    policy = tmp_path / "policies" / TrainingRun.model_validate(finished.wildcards).folder
    policy.mkdir(parents=True)
    (policy / "learning_curve.csv").write_text("steps,wall_seconds\n10,50.5\n20,4000.5\n")
    (name,) = make_plan([finished], PAPER, LAPTOP)
    for last_part, taken in ((100.0, 4000.5), (4010.0, 4010.0)):
        write_benchmark(tmp_path / "benchmarks", finished, last_part)
        done = measured_seconds(tmp_path / "benchmarks", PAPER, LAPTOP, [finished])
        assert [seconds for seconds, _ in done[name]] == [taken]


def test_a_model_that_leaves_a_gpu_no_memory_is_named():
    small = MACHINES["l4"].model_copy(update={"gpu_memory": 4e9})
    lines = [line for line in warnings({}, PAPER.models, PAPER, small) if "memory" in line]
    assert any("models.ViT-bigG-14: its weights (3.7 GB)" in line for line in lines)
    assert not any("RN50" in line for line in lines)
    assert not list(warnings({}, PAPER.models, PAPER, MACHINES["l4"]))
