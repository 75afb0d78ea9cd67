"""Commands in processes of their own, without the ten seconds that their imports take.

A server forks for each of them. It is itself a fork of pytest from before the first test, when what
tests import is there and nothing has been done with it. Apart from that, commands run as a shell
would start them: with their own arguments, variables, folder, output and exit status.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import types
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

FORK = multiprocessing.get_context("fork")

SNAKEMAKE = "snakemake.cli:main"

HANGS = 900
"""Seconds after which a command counts as hanging, on a busy machine too."""

_server: Connection | None = None


def start_server() -> None:
    """Forks the server; to be called before the first test."""
    global _server
    _server, other = FORK.Pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads; those of pytest wait
        FORK.Process(target=_serve, args=(other, _server)).start()
    other.close()
    atexit.register(_server.close)


def vlmrm(*arguments, **options) -> CompletedProcess[str]:
    """Runs ``vlmrm``; takes the options of `run`."""
    return run("vlmrm.cli:main", *arguments, **options)


def snakemake(*arguments, **options) -> CompletedProcess[str]:
    """Runs ``snakemake``; takes the options of `run`."""
    return run(SNAKEMAKE, *arguments, **options)


def run(
    entry: str,
    *arguments: object,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    timeout: float = HANGS,
) -> CompletedProcess[str]:
    """Calls a function as the main function of a process, and waits for its end.

    Args:
        entry: The function, as ``module:name``.
        arguments: Of the command line.
        cwd: The process's folder; by default this one.
        env: Its variables; by default these.
        timeout: Seconds after which it is killed.

    Raises:
        TimeoutExpired: It did not end in time.
    """
    words = list(map(str, arguments))
    command = [entry, *words]

    def ask(outputs: list[Path]) -> int:
        assert _server is not None
        _server.send(((entry, words, cwd or Path.cwd(), dict(env or os.environ), outputs), timeout))
        status = _server.recv()
        if status is None:
            raise TimeoutExpired(command, timeout)
        return status

    return _completed(command, ask)


def with_dry_runs(dry_run: Callable[[list[str], Path], CompletedProcess[str]]) -> Callable:
    """`subprocess.run`, but Snakemake, started as `vlmrm.plan.jobs` does, is run by a function."""
    really_run = subprocess.run

    def run(command, **options):
        if command[1:3] != ["-m", "snakemake"]:
            return really_run(command, **options)
        return dry_run(command[3:], options["cwd"])

    return run


def _completed(command: list[str], call: Callable[[list[Path]], int]) -> CompletedProcess[str]:
    """Has a process write into two files, and returns them with its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        status = call(outputs)
        texts = [path.read_text() if path.exists() else "" for path in outputs]
    return CompletedProcess(command, status, *texts)


def _serve(requests: Connection, other: Connection) -> None:
    """Answers each call with its exit status, or None if it did not end in time."""
    other.close()
    sys.modules["__main__"] = types.ModuleType("__main__")  # not pytest, for processes of commands
    while True:
        try:
            call, timeout = requests.recv()
        except EOFError:
            return
        importlib.import_module("tests.imports")
        gc.freeze()  # spares processes the search for garbage among the imports
        process = FORK.Process(target=_call, args=call)
        process.start()
        process.join(timeout)
        status = process.exitcode  # None if it is still running
        if status is None:
            process.kill()
            process.join()
        requests.send(status)


def _call(
    entry: str, words: list[str], cwd: Path, env: dict[str, str], outputs: list[Path]
) -> None:
    if entry != SNAKEMAKE:
        _main(entry, words, cwd, env, outputs)
        return
    # Before Snakemake starts its first job, the workflow asks for a dry run: of this twin.
    with FORK.Pool(1) as twin:

        def dry_run(words: list[str], cwd: Path) -> CompletedProcess[str]:
            env = dict(os.environ)
            return _completed(
                [entry, *words],
                lambda outputs: twin.apply(_status, (entry, words, cwd, env, outputs)),
            )

        subprocess.run = with_dry_runs(dry_run)
        _main(entry, words, cwd, env, outputs)


def _status(*arguments) -> int:
    """The exit status of `_main`."""
    try:
        _main(*arguments)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def _main(
    entry: str, words: list[str], cwd: Path, env: dict[str, str], outputs: list[Path]
) -> None:
    """Calls a function as the main function of this process."""
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for number, path in enumerate(outputs, start=1):
        with path.open("w") as file:
            os.dup2(file.fileno(), number)
    sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w", buffering=1) for number in (1, 2))
    if shell := sys.modules.get("snakemake.shell"):  # imported by a test
        vars(shell)["STDOUT"] = sys.stdout
    module, name = entry.split(":")
    sys.argv = [module.partition(".")[0], *words]
    try:
        getattr(importlib.import_module(module), name)()
    finally:
        # Processes of multiprocessing leave these out.
        atexit._run_exitfuncs()
