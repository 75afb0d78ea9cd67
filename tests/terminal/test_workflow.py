"""What people see of a workflow, from the events that Snakemake sends."""

import io
import logging
import os
import re
import sys
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from vlmrm.terminal import bars, workflow
from vlmrm.terminal.workflow import LogHandler, Progress, duration, job_title

TRAINING = {
    "rule_name": "train_policy",
    "wildcards": {
        "task": "kneeling",
        "reward_source": "sim-S",
        "scoring": "alpha-0.5",
        "seed": "3",
    },
}


NOW = time.time()


@pytest.fixture(autouse=True)
def clock_that_stands_still(monkeypatch):
    """Durations are the same on a busy machine."""
    stopped = SimpleNamespace(time=lambda: NOW, strftime=time.strftime)
    monkeypatch.setattr(workflow, "time", stopped)


@pytest.fixture
def new_handler(monkeypatch):
    """Makes handlers, which show their events on the standard error of that moment."""
    monkeypatch.setenv(bars.SHOWN, "0")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    made = []

    def make(nocolor=False):
        settings = SimpleNamespace(
            dryrun=False, verbose=False, debug_dag=False, stdout=False, nocolor=nocolor
        )
        made.append(LogHandler(settings, None))
        made[-1].setFormatter(logging.Formatter("%(message)s"))
        return made[-1]

    yield make
    for handler in made:
        handler.close()


@pytest.fixture
def handler(new_handler):
    """A handler without a terminal."""
    return new_handler(nocolor=True)


class Terminal(io.StringIO):
    """A terminal of some width, as standard error."""

    def __init__(self, monkeypatch, term="xterm", columns=80, encoding="utf-8"):
        super().__init__()
        self._encoding = encoding
        monkeypatch.setenv("TERM", term)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "stderr", self)

    encoding = property(lambda self: self._encoding)

    def isatty(self):
        return True

    @property
    def rows(self):
        """What was written, in rows without what moves the cursor."""
        return re.sub(r"\x1b\[\??[\d;]*[A-Za-z]", "", self.getvalue()).splitlines()


def tell(handler, event=None, message=None, level=logging.INFO, **fields):
    record = logging.LogRecord("snakemake", level, "", 0, message, (), None)
    record.__dict__ |= {"event": event, **fields}
    handler.emit(record)


def test_a_job_is_told_in_words():
    assert job_title(TRAINING) == "train policy: kneeling, sim-S, alpha-0.5, seed 3"
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
    assert started[9:] == "started   train policy: kneeling, sim-S, alpha-0.5, seed 3"
    assert finished[9:] == "finished  train policy: kneeling, sim-S, alpha-0.5, seed 3 (0:00)"
    assert last.startswith("Nothing to be done")


def test_warnings_and_errors_are_shown_whole(handler, capsys):
    tell(handler, message="long story " * 30, level=logging.WARNING)
    tell(handler, LogEvent.ERROR, "it broke, see [1]", logging.ERROR)
    # The page is there before the job that makes it for the last time.
    expected = "the following output files of rule make_page were not present when the DAG was"
    tell(handler, message=f"Warning: {expected} created", level=logging.WARNING)
    warning, error = capsys.readouterr().err.splitlines()
    assert warning == "long story " * 30
    assert error == "it broke, see [1]"


@pytest.mark.parametrize(
    ("program", "unlock"),
    [
        (".venv/bin/snakemake", ".venv/bin/snakemake --unlock"),
        ("/lib/snakemake/__main__.py", f"{sys.executable} -m snakemake --unlock"),  # vlmrm run
    ],
)
def test_the_lock_of_a_killed_workflow_comes_with_the_way_out(
    handler, capsys, monkeypatch, program, unlock
):
    # Not at the top: Snakemake's jobs write where pytest collects output if it is imported there.
    from snakemake.exceptions import LockException

    monkeypatch.setattr(sys, "argv", [program, "--snakefile", "my flow", "--", "agents"])
    tell(handler, message=f"LockException:\n{LockException()}", level=logging.ERROR)
    shown = capsys.readouterr().err
    assert "Directory cannot be locked" in shown
    assert "pgrep" in shown.splitlines()[-1]
    assert f"`{unlock} --snakefile 'my flow' -- agents`" in shown.splitlines()[-1]


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
    assert title[9:] == "failed    train policy: kneeling, sim-S, alpha-0.5, seed 3"
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
    progress.start({"jobid": 1, "log": [str(log)], **TRAINING}, NOW - 5)
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
    assert os.environ[bars.SHOWN] == "1"


HOSTILE = "\x1b]0;title\x07 \x1b[2J \u202e \udcff [red]"
ESCAPED = r"\x1b]0;title\x07 \x1b[2J \u202e \udcff [red]"


def test_a_terminal_obeys_nothing_that_is_shown(new_handler, monkeypatch, tmp_path):
    terminal = Terminal(monkeypatch)
    handler = new_handler(nocolor=True)
    log = tmp_path / "job.log"
    log.write_text(HOSTILE, errors="surrogateescape")
    job = {"jobid": 4, "log": [str(log)], "rule_name": HOSTILE, "wildcards": {"task": HOSTILE}}
    tell(handler, LogEvent.JOB_INFO, **job)
    tell(handler, message=HOSTILE, level=logging.WARNING)
    tell(handler, LogEvent.JOB_FINISHED, job_id=4)
    tell(handler, LogEvent.JOB_ERROR, "", logging.ERROR, **job)
    handler.close()
    text = "\n".join(terminal.rows)
    assert text.isprintable() or set(filter(lambda char: not char.isprintable(), text)) == {"\n"}
    assert f"✓ {ESCAPED}: {ESCAPED} 0:00" in terminal.rows
    assert f"✗ {ESCAPED}: {ESCAPED}" in terminal.rows
    assert ESCAPED in terminal.rows


def test_a_narrow_terminal_shows_what_is_running(new_handler, monkeypatch, tmp_path):
    terminal = Terminal(monkeypatch, columns=20)
    handler = new_handler()
    long = {"rule_name": "train_policy", "wildcards": {"task": "x" * 300}}
    tell(handler, LogEvent.RUN_INFO, stats={"train_policy": 97})
    tell(handler, LogEvent.JOB_INFO, jobid=4, log=["none.log"], **long)
    handler.close()
    assert any(row.startswith("  train policy:…") for row in terminal.rows)
    assert max(map(len, terminal.rows)) <= 20


@pytest.mark.parametrize("kind", [{"term": "dumb"}, {"encoding": "iso-8859-1"}])
def test_a_terminal_that_cannot_show_a_panel_gets_lines(new_handler, monkeypatch, kind, tmp_path):
    terminal = Terminal(monkeypatch, **kind)
    handler = new_handler(nocolor=True)
    job = {"jobid": 4, "log": [str(tmp_path / "none.log")], **TRAINING}
    tell(handler, LogEvent.JOB_INFO, **job)
    tell(handler, LogEvent.JOB_FINISHED, job_id=4)
    tell(handler, LogEvent.JOB_ERROR, "", logging.ERROR, **job)
    handler.close()
    title = "train policy: kneeling, sim-S, alpha-0.5, seed 3"
    rows = [row[9:] for row in terminal.rows if row]
    assert rows == [f"started   {title}", f"finished  {title} (0:00)", f"failed    {title}"]
    assert terminal.getvalue().isascii()


def test_colors_as_the_variables_say(new_handler, monkeypatch):
    def shown(**variables):
        terminal = Terminal(monkeypatch)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        tell(new_handler(), message="a warning", level=logging.WARNING)
        return terminal.getvalue()

    assert shown() == "\x1b[33ma warning\x1b[0m\n"
    assert shown(NO_COLOR="1") == "a warning\n"


def test_colors_in_a_file_are_no_panel(new_handler, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    handler = new_handler()
    tell(handler, LogEvent.JOB_INFO, jobid=4, log=["none.log"], **TRAINING)
    handler.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert line[9:].startswith("started   train policy: ")


def test_the_jobs_go_on_when_nobody_watches(new_handler, monkeypatch, capfd):
    reader, writer = os.pipe()
    os.close(reader)
    with suppress(BrokenPipeError), os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        handler = new_handler()
        for _ in range(3):
            tell(handler, message="a warning", level=logging.WARNING)
        handler.close()
        os.write(1, b"what was found")
    assert capfd.readouterr().out == "what was found"


def test_a_long_log_ends_with_its_end(handler, capsys, tmp_path):
    log = tmp_path / "job.log"
    log.write_text("".join(f"line {i}\n" for i in range(1000)))
    tell(handler, LogEvent.JOB_ERROR, "", logging.ERROR, jobid=4, log=[str(log)], **TRAINING)
    _, *lines, where = capsys.readouterr().err.splitlines()
    assert lines == [f"line {i}" for i in range(950, 1000)]
    assert where == f"Log: {log}"


def test_a_log_that_cannot_be_read_is_left_out(handler, capsys, tmp_path):
    logs = [str(tmp_path), str(tmp_path / ("x" * 300))]
    tell(handler, LogEvent.JOB_ERROR, "", logging.ERROR, jobid=4, log=logs, **TRAINING)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line]
    assert line[9:].startswith("failed ")
