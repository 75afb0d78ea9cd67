"""The workflow on the terminal: a line for each finished job, and what is running below."""

from __future__ import annotations

import logging
import os
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from vlmrm.errors import printable
from vlmrm.terminal.bars import SHOWN, last_bar, progress_file

NOISE = (
    "Building DAG",
    "Config file ",
    "Workflow defines that rule",
    "Singularity containers",
    "Select jobs",
    "Execute ",
    "host: ",
    "Using shell",
    "Assuming unrestricted",
    "Storing output in storage",
    "Shutting down",
    "Touching output file",
)
"""Beginnings of messages that are of no use to anyone who watches."""

EXPECTED = ("CalledProcessError", "output files of rule make_page were not present when")
"""Parts of messages that say nothing new: a failed job shows its own error, and the page is there
before the job that makes it for the last time."""

COLORS = {logging.WARNING: "yellow", logging.ERROR: "red"}

LOG_LINES = 50
"""Lines of a failed job's log that are shown, the last ones."""


@dataclass
class RunningJob:
    """A job of the workflow that has started."""

    title: str
    progress: Path | None
    """Where its command writes a bar."""
    started: float
    """Seconds since the epoch."""


@dataclass
class Progress:
    """What the events of a workflow say about its jobs."""

    done: int = 0
    total: int = 0
    started: float = field(default_factory=time.time)
    running: dict[int, RunningJob] = field(default_factory=dict)

    def start(self, job: Mapping[str, Any], now: float) -> RunningJob:
        """Notes the start of a job, by the fields of its event."""
        logs = job.get("log") or []
        progress = progress_file(Path(logs[0])) if logs else None
        self.running[job["jobid"]] = started = RunningJob(job_title(job), progress, now)
        return started

    def end(self, number: int) -> RunningJob | None:
        """Notes the end of a job, and removes its progress file."""
        ended = self.running.pop(number, None)
        if ended and ended.progress:
            ended.progress.unlink(missing_ok=True)
        return ended

    def lines(self) -> Iterator[tuple[str, str]]:
        """Title and bar of each running job, the one that has been running longest first."""
        for job in list(self.running.values()):  # events come from another thread
            shown = last_bar(job.progress, job.started) if job.progress else ""
            yield job.title, printable(shown) or duration(time.time() - job.started)


def job_title(job: Mapping[str, Any]) -> str:
    """Rule and wildcards in words: ``train policy: kneeling, sim-S, alpha-0.5, seed 0``."""
    rule = job["rule_name"].replace("_", " ")
    wildcards = [
        f"{name} {value}" if name == "seed" else str(value)
        for name, value in (job.get("wildcards") or {}).items()
    ]
    return printable(f"{rule}: {', '.join(wildcards)}" if wildcards else rule)


def failure(logs: Sequence[str]) -> Iterator[str]:
    """What the logs of a failed job say, and where they are."""
    for log in logs:
        try:
            lines = Path(log).read_text(errors="replace").splitlines()
        except OSError:
            continue
        told = [line for line in lines if f" {logging.getLevelName(logging.INFO)} " not in line]
        yield from told[-LOG_LINES:] or [
            "The log tells no reason: its command was killed, or stopped."
        ]
        yield f"Log: {log}"


def duration(seconds: float) -> str:
    """``0:07``, ``12:40``, or ``1:02:03``."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Goes on without output: the jobs do not need it."""
        self.quiet = True


class LogHandler(LogHandlerBase):
    """Snakemake's `--logger vlmrm`.

    Without a terminal that can move its cursor and show Unicode, each job has a line at its start
    and one at its end. Dry runs and ``--verbose`` look as with Snakemake's own logger.
    """

    def __post_init__(self) -> None:
        settings = self.common_settings
        self._own: logging.Handler | None = None
        if settings.dryrun or settings.verbose or settings.debug_dag:
            from snakemake.logging import ColorizingTextHandler

            stream = sys.stdout if settings.stdout else sys.stderr
            self._own = ColorizingTextHandler(settings.nocolor, stream)
        self._console = _Console(
            stderr=True,
            no_color=settings.nocolor or None,  # None: as NO_COLOR says
            highlight=False,
            soft_wrap=True,
        )
        self._has_panel = (
            self._console.file.isatty()  # rich also counts FORCE_COLOR as a terminal
            and not self._console.is_dumb_terminal
            and self._console.encoding.startswith("utf")
        )
        self._progress = Progress()
        self._live: Live | None = None
        if self._own is None:
            # The jobs inherit it.
            os.environ[SHOWN] = "1"

    @property
    def writes_to_stream(self) -> bool:
        return True

    @property
    def writes_to_file(self) -> bool:
        return False

    @property
    def has_filter(self) -> bool:
        return False

    @property
    def has_formatter(self) -> bool:
        return False

    @property
    def needs_rulegraph(self) -> bool:
        return False

    def emit(self, record: logging.LogRecord) -> None:
        """Shows an event or a message."""
        try:
            if self._own is None:
                self._show(record)
            else:
                self._own.setFormatter(self.formatter)
                self._own.emit(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Leaves the terminal as it was found."""
        with suppress(OSError):  # the terminal is gone
            self._stop_live()
        super().close()

    def _show(self, record: logging.LogRecord) -> None:
        event, fields, progress = getattr(record, "event", None), record.__dict__, self._progress
        match event:
            case LogEvent.RUN_INFO:
                progress.total = sum(
                    count for rule, count in fields["stats"].items() if rule != "total"
                )
                self._print(f"{progress.total} jobs")
            case LogEvent.JOB_INFO if fields["log"]:  # the others compute nothing
                job = progress.start(fields, time.time())
                if self._has_panel:
                    self._start_live()
                else:
                    self._print(f"{_clock()} started   {job.title}")
            case LogEvent.JOB_FINISHED:
                if ended := progress.end(fields["job_id"]):
                    self._finished(ended)
            case LogEvent.PROGRESS:
                progress.done, progress.total = fields["done"], fields["total"]
                if progress.done == progress.total:
                    self._stop_live()  # what follows prints to the terminal itself
            case LogEvent.JOB_ERROR:
                failed = progress.end(fields["jobid"])
                mark = "✗" if self._has_panel else f"{_clock()} failed   "
                self._print(f"{mark} {failed.title if failed else job_title(fields)}", "bold red")
                self._print("\n".join(failure(fields["log"])), "red")
            case None | LogEvent.ERROR | LogEvent.GROUP_ERROR:
                text = self.format(record)
                if not text.startswith(NOISE) and not any(part in text for part in EXPECTED):
                    self._print(text, COLORS.get(record.levelno, ""))
                if text.startswith("LockException"):
                    self._print(_unlocking())

    def _finished(self, job: RunningJob) -> None:
        took = duration(time.time() - job.started)
        if self._has_panel:
            self._console.print(Text.assemble(("✓", "green"), f" {job.title} ", (took, "dim")))
        else:
            self._print(f"{_clock()} finished  {job.title} ({took})")

    def _print(self, text: str, style: str = "") -> None:
        if text and text != "None":
            self._console.print(Text(printable(text), style))

    def _start_live(self) -> None:
        if self._live is None:
            self._live = Live(
                console=self._console,
                get_renderable=self._panel,
                refresh_per_second=2,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def _stop_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _panel(self) -> Group:
        progress = self._progress
        jobs = Table.grid(padding=(0, 2))
        jobs.add_column(no_wrap=True, overflow="ellipsis")
        jobs.add_column(no_wrap=True, overflow="crop")
        for title, bar in progress.lines():
            jobs.add_row(Text(f"  {title}"), Text(bar, "cyan"))
        total = Table.grid(padding=(0, 2))
        total.add_row(
            f"{progress.done} of {progress.total} jobs",
            ProgressBar(max(progress.total, 1), progress.done, width=30),
            duration(time.time() - progress.started),
        )
        return Group(jobs, total)


def _unlocking() -> str:
    """What to do about the lock of a workflow that was killed."""
    program, *arguments = sys.argv
    started = [sys.executable, "-m", "snakemake"] if program.endswith(".py") else [program]
    unlock = shlex.join([*started, "--unlock", *arguments])
    return (
        "`pgrep -af 'snakemake|vlmrm'` (on a cluster, `squeue --me`) shows what still runs. If "
        f"nothing of this folder does, run `{unlock}`, then the same command again."
    )


def _clock() -> str:
    return time.strftime("%H:%M:%S")
