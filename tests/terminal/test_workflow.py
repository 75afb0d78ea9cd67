"""What people see of a workflow, from the events that Snakemake sends."""

import logging
import time
from types import SimpleNamespace

import pytest
from snakemake.exceptions import LockException
from snakemake_interface_logger_plugins.common import LogEvent

from vlmrm.terminal import bars
from vlmrm.terminal.workflow import LogHandler, Progress, duration, job_title

TRAINING = {
    "rule_name": "train_policy",
    "wildcards": {"task": "kneeling", "reward_source": "sim-S", "alpha": "0.5", "seed": "3"},
}


@pytest.fixture
def handler(monkeypatch):
    """A handler without a terminal."""
    monkeypatch.setenv(bars.SHOWN, "0")
    settings = SimpleNamespace(
        dryrun=False, verbose=False, debug_dag=False, stdout=False, nocolor=True
    )
    made = LogHandler(settings, None)
    made.setFormatter(logging.Formatter("%(message)s"))
    yield made
    made.close()


def tell(handler, event=None, message=None, level=logging.INFO, **fields):
    record = logging.LogRecord("snakemake", level, "", 0, message, (), None)
    record.__dict__ |= {"event": event, **fields}
    handler.emit(record)


def test_a_job_is_told_in_words():
    assert job_title(TRAINING) == "train policy: kneeling, sim-S, alpha 0.5, seed 3"
    assert job_title({"rule_name": "draw_poses", "wildcards": {}}) == "draw poses"


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.4, "0:07"), (760, "12:40"), (3723, "1:02:03"), (3599.7, "1:00:00")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_without_a_terminal_each_job_has_a_line_at_its_start_and_end(handler, capsys, tmp_path):
    log = str(tmp_path / "job.log")
    tell(handler, LogEvent.RUN_INFO, stats={"train_policy": 2, "draw_poses": 1, "total": 3})
    tell(handler, LogEvent.JOB_INFO, jobid=4, log=[log], **TRAINING)
    tell(handler, LogEvent.SHELLCMD, "vlmrm train-policy")
    tell(handler, message="Select jobs to execute...")
    tell(handler, LogEvent.JOB_FINISHED, job_id=4)
    tell(handler, message="Nothing to be done (all requested files are present).")
    first, started, finished, last = capsys.readouterr().err.splitlines()
    assert first == "3 jobs"
    assert started[9:] == "started   train policy: kneeling, sim-S, alpha 0.5, seed 3"
    assert finished[9:] == "finished  train policy: kneeling, sim-S, alpha 0.5, seed 3 (0:00)"
    assert last.startswith("Nothing to be done")


def test_warnings_and_errors_are_shown_whole(handler, capsys):
    tell(handler, message="long story " * 30, level=logging.WARNING)
    tell(handler, LogEvent.ERROR, "it broke, see [1]", logging.ERROR)
    warning, error = capsys.readouterr().err.splitlines()
    assert warning == "long story " * 30
    assert error == "it broke, see [1]"


def test_the_lock_of_a_killed_workflow_comes_with_the_way_out(handler, capsys):
    tell(handler, message=f"LockException:\n{LockException()}", level=logging.ERROR)
    shown = capsys.readouterr().err
    assert "Directory cannot be locked" in shown
    assert "pgrep" in shown.splitlines()[-1]
    assert "snakemake --unlock" in shown.splitlines()[-1]


def test_a_failed_job_says_why_and_where_its_log_is(handler, capsys, tmp_path):
    log = tmp_path / "job.log"
    log.write_text(
        "2026-01-01 10:00:00,1 INFO vlmrm train\n2026-01-01 10:00:01,2 ERROR no [frames]\n"
    )
    tell(handler, LogEvent.JOB_INFO, jobid=4, log=[str(log)], **TRAINING)
    broken = "CalledProcessError in file x: Command 'vlmrm' returned non-zero exit status 2."
    tell(handler, LogEvent.ERROR, broken, logging.ERROR)
    told = {"jobid": 4, "log": [str(log)], "rule_name": "train_policy"}
    tell(handler, LogEvent.JOB_ERROR, "", logging.ERROR, **told)
    _, title, why, where = capsys.readouterr().err.splitlines()
    assert title == "✗ train policy: kneeling, sim-S, alpha 0.5, seed 3"
    assert why.endswith("ERROR no [frames]")
    assert where == f"Log: {log}"


def test_a_killed_job_left_no_reason(handler, capsys, tmp_path):
    log = tmp_path / "job.log"
    log.write_text("2026-01-01 10:00:00,1 INFO vlmrm train\n")
    tell(handler, LogEvent.JOB_ERROR, "", logging.ERROR, jobid=4, log=[str(log)], **TRAINING)
    assert "its command was killed, or stopped" in capsys.readouterr().err


def test_a_running_job_is_shown_with_the_bar_of_its_command(monkeypatch, tmp_path):
    monkeypatch.setattr(bars, "_file", None)
    monkeypatch.setenv(bars.SHOWN, "1")
    log = tmp_path / "job.log"
    progress = Progress()
    progress.start({"jobid": 1, "log": [str(log)], **TRAINING}, time.time() - 5)
    assert list(progress.lines()) == [(job_title(TRAINING), "0:05")]
    bars.redirect_bars(log)
    with bars.bar(total=4) as shown:
        shown.update(2)
        shown.refresh()
    [(_, bar)] = progress.lines()
    assert bar.startswith("50 %")
    progress.end(1)
    assert list(progress.lines()) == []
    assert not bars.progress_file(log).exists()


def test_commands_know_that_their_progress_is_shown(handler):
    import os

    assert os.environ[bars.SHOWN] == "1"
