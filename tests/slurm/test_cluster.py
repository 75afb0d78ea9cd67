"""The workflow on a real, if small, SLURM cluster."""

import time
from pathlib import Path

import pandas as pd
import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(3600)]

RUN = "results/smoke/policies/cartpole/gymnasium/ground-truth/alpha-0/seed-0"


@pytest.mark.parametrize(
    ("stop", "retries"),
    [
        # What preemption and the loss of a node do: SLURM itself starts the job again.
        (("scontrol", "requeue"), 0),
        # What the profile has SLURM send before the time is up: Snakemake submits it again.
        (("scancel", "--signal=TERM"), 1),
    ],
    ids=["requeued", "out of time"],
)
def test_a_training_stopped_in_the_middle_continues(workflow, smoke, stop, retries):
    agent = smoke["training"]["cartpole"]["agent"]
    agent |= {"total_timesteps": 20_000, "save_freq": 2_000, "gradient_steps": 20}
    folder = workflow.folder / RUN
    table = folder / "learning_curve.csv"
    process = workflow.submit(smoke, f"{RUN}/policy.zip", retries=retries)
    workflow.wait_for((folder / "checkpoints" / "resume").exists, process)
    (job,) = workflow.slurm("squeue", "--noheader", "--format=%i").split()
    workflow.slurm(*stop, job)
    # The training writes a checkpoint and ends; Snakemake takes its outputs away.
    workflow.wait_for(lambda: not table.exists(), process)
    stopped = time.time()
    workflow.wait_for(table.exists, process)
    continued = read_when_written(table)
    assert process.wait() == 0, workflow.output
    seconds = time.time() - stopped

    curve = pd.read_csv(table)
    print(
        f"{stop}: stopped after {continued.steps.max()} of {agent['total_timesteps']} steps, ",
        end="",
    )
    print(f"finished {seconds:.0f} s later; rows {len(continued)} + {len(curve) - len(continued)}")
    assert 2_000 <= continued.steps.max() < agent["total_timesteps"]
    # The second part begins with the rows of the first, the seconds they took included.
    pd.testing.assert_frame_equal(curve[: len(continued)], continued)
    assert curve.steps.is_monotonic_increasing
    assert curve.steps.iloc[-1] == agent["total_timesteps"]
    assert set(curve.steps.diff().dropna()) == {200}
    assert not (folder / "checkpoints" / "resume").exists()


def read_when_written(table: Path) -> pd.DataFrame:
    while table.stat().st_size == 0:
        time.sleep(0.1)
    return pd.read_csv(table)


def test_a_failing_job_leaves_its_logs_and_the_rest_goes_on(workflow, smoke):
    (workflow.folder / "labels.csv").write_text("not,what\nwe,want\n")
    smoke["epic"]["kneeling"]["labels"] = "labels.csv"
    agreement = "results/smoke/tables/agreement-kneeling.csv"
    states = "results/smoke/states/cartpole-uniform.h5"
    process = workflow.submit(smoke, agreement, states)
    assert process.wait() != 0
    assert (workflow.folder / states).exists()
    assert not (workflow.folder / agreement).exists()
    log = (workflow.folder / "results/smoke/logs/epic/kneeling/agreement.log").read_text()
    assert "labels.csv" in log
    # Of SLURM's own logs, that of the failed job alone is kept; Snakemake shows both.
    kept = list((workflow.folder / ".snakemake" / "slurm_logs").rglob("*.log"))
    assert [path.parent.parent.name for path in kept] == ["rule_measure_agreement"]
    assert log.splitlines()[-1] in workflow.output


def test_the_smoke_run(workflow, smoke, tmp_path):
    seconds = {}
    started = time.monotonic()
    process = workflow.submit(smoke, "all")
    assert process.wait() == 0, workflow.output
    seconds["on the cluster"] = time.monotonic() - started
    jobs = workflow.output.count("has been submitted with SLURM jobid")
    assert (tmp_path / "results/smoke/tables/success-humanoid.csv").exists()

    for made in ("results", "resources"):
        (tmp_path / made).rename(tmp_path / f"{made}-of-the-cluster")
    started = time.monotonic()
    process = workflow.start(smoke, "all", options=("--cores", "all"))
    assert process.wait() == 0, workflow.output
    seconds["without"] = time.monotonic() - started
    print(f"{jobs} jobs:", ", ".join(f"{s:.0f} s {where}" for where, s in seconds.items()))
