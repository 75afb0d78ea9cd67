"""Commands in processes of their own, without the ten seconds that their imports take.

A server imports what commands need once and forks for each of them. Apart from that they run as a
shell would start them: with their own arguments, variables, folder, output and exit status.
"""

from __future__ import annotations

import atexit
import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.imports"])

SNAKEMAKE = "snakemake.cli:main"

HANGS = 900
"""Seconds after which a command counts as hanging, on a busy machine too."""


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
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        process = CONTEXT.Process(
            target=_call, args=(entry, words, cwd or Path.cwd(), dict(env or os.environ), outputs)
        )
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise TimeoutExpired([entry, *words], timeout)
        stdout, stderr = (path.read_text() if path.exists() else "" for path in outputs)
    assert process.exitcode is not None
    return CompletedProcess([entry, *words], process.exitcode, stdout, stderr)


def _call(
    entry: str, words: list[str], cwd: Path, env: dict[str, str], outputs: list[Path]
) -> None:
    # What multiprocessing would have the process's own children import is pytest.
    sys.modules["__main__"] = types.ModuleType("__main__")
    if entry != SNAKEMAKE:
        _main(entry, words, cwd, env, outputs)
        return
    # Before Snakemake starts its first job, the workflow asks for a dry run: of this twin.
    with multiprocessing.get_context("fork").Pool(1) as twin:
        really_run = subprocess.run

        def quick_run(command, **options):
            if command[1:3] != ["-m", "snakemake"]:
                return really_run(command, **options)
            with tempfile.TemporaryDirectory() as folder:
                outputs = [Path(folder, name) for name in ("stdout", "stderr")]
                arguments = (entry, command[3:], options["cwd"], dict(os.environ), outputs)
                code = twin.apply(_status, arguments)
                return CompletedProcess(command, code, *(path.read_text() for path in outputs))

        subprocess.run = quick_run
        _main(entry, words, cwd, env, outputs)


def _status(*arguments: object) -> int:
    """The exit status of `_main`."""
    try:
        _main(*arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else bool(end.code)
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
    module, name = entry.split(":")
    sys.argv = [module.partition(".")[0], *words]
    try:
        getattr(importlib.import_module(module), name)()
    finally:
        # Processes of multiprocessing leave these out.
        atexit._run_exitfuncs()
