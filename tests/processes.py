"""Commands in processes of their own, without the ten seconds that their imports take.

A server forks for each of them. It is itself a fork of pytest from before the first test, when what
tests import is there and nothing has been done with it. Apart from that, commands run as a shell
would start them: with their own arguments, variables, folder, output and exit status.

What these commands start comes from the server, too: jobs of a workflow, and Snakemake. Instead of
the programs in the folder of Python, they find clients of the server (`tests.client`).
"""

from __future__ import annotations

import atexit
import gc
import importlib
import multiprocessing
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import types
import warnings
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from marshal import loads
from multiprocessing.connection import wait
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

from tests import client

FORK = multiprocessing.get_context("fork")

ENTRIES = {"snakemake": "snakemake.cli", "vlmrm": "vlmrm.cli"}
"""Modules whose function ``main`` is a command."""

HANGS = 900
"""Seconds after which a command counts as hanging, on a busy machine too."""

COMMANDS = Path(tempfile.gettempdir(), f"vlmrm-tests-{secrets.token_hex(4)}")
"""Folder of the clients, and of the server's socket; commands find it next to their Python."""


def start_server() -> None:
    """Forks the server; to be called before the first test."""
    COMMANDS.mkdir(mode=0o700)
    script = COMMANDS / "python"
    script.write_text(f"#!{sys.executable} -SE\n{Path(client.__file__).read_text()}")
    script.chmod(0o700)
    for name in ENTRIES:
        (COMMANDS / name).symlink_to(script)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(COMMANDS / client.SOCKET))
    listener.listen()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads; those of pytest wait
        server = FORK.Process(target=_serve, args=(listener,))
        server.start()
    listener.close()
    atexit.register(shutil.rmtree, COMMANDS)
    atexit.register(server.terminate)


def vlmrm(*arguments, **options) -> CompletedProcess[str]:
    """Runs ``vlmrm``; takes the options of `run`."""
    return run("vlmrm", *arguments, **options)


def snakemake(*arguments, **options) -> CompletedProcess[str]:
    """Runs ``snakemake``; takes the options of `run`."""
    return run("snakemake", *arguments, **options)


def run(
    *words: object,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    timeout: float = HANGS,
) -> CompletedProcess[str]:
    """Runs a command of `ENTRIES`, and waits for its end.

    Args:
        words: Its name and arguments.
        cwd: The process's folder; by default this one.
        env: Its variables; by default these.
        timeout: Seconds after which it is killed.

    Raises:
        TimeoutExpired: It did not end in time.
    """
    command = list(map(str, words))
    where, variables = str(cwd or Path.cwd()), dict(env or os.environ)
    with ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2)]
        files = [stack.enter_context(Path(os.devnull).open()), *outputs]
        numbers = [file.fileno() for file in files]
        try:
            status = client.call(str(COMMANDS), command, where, variables, numbers, timeout)
        except TimeoutError:
            raise TimeoutExpired(command, timeout) from None
        for file in outputs:
            file.seek(0)
        return CompletedProcess(command, status, *(file.read() for file in outputs))


def _serve(listener: socket.socket) -> None:
    """Starts a process for each client, until pytest ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends pytest, and that ends all of these
    sys.modules["__main__"] = types.ModuleType("__main__")  # not pytest, for processes of commands
    pytest = multiprocessing.parent_process()
    assert pytest is not None
    while pytest.sentinel not in wait([listener, pytest.sentinel]):
        connection, _ = listener.accept()
        importlib.import_module("tests.imports")
        gc.freeze()  # spares processes the search for garbage among the imports
        FORK.Process(target=_answer, args=(connection,)).start()
        connection.close()


def _answer(connection: socket.socket) -> None:
    """Tells a client the process and the exit status of its command."""
    head, files, _, _ = socket.recv_fds(connection, client.NUMBER.size, 3)
    (size,) = client.NUMBER.unpack(head)
    request = loads(connection.recv(size, socket.MSG_WAITALL))
    process = FORK.Process(target=_main, args=(*request, files))
    process.start()
    for file in files:
        os.close(file)
    with suppress(BrokenPipeError):  # the client has ended
        connection.sendall(client.NUMBER.pack(process.pid))
        if process.sentinel not in wait([connection, process.sentinel]):
            process.kill()
        process.join()
        connection.sendall(client.NUMBER.pack(process.exitcode))
    process.kill()


def _main(words: Sequence[str], cwd: str, env: dict[str, str], files: Sequence[int]) -> None:
    """Makes this process that of a command."""
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w", buffering=1) for number in (1, 2))
    if shell := sys.modules.get("snakemake.shell"):  # imported by a test
        vars(shell)["STDOUT"] = sys.stdout
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.executable = str(COMMANDS / "python")
    sys.argv = list(words)
    try:
        importlib.import_module(ENTRIES[words[0]]).main()
    finally:
        # Processes of multiprocessing leave these out.
        atexit._run_exitfuncs()
