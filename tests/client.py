"""Stands in for `vlmrm`, `snakemake`, and `python`: has the server of `tests.processes` run them.

It imports little, so that it starts at once.
"""

from __future__ import annotations

import marshal
import os
import signal
import socket
import struct
import sys
from collections.abc import Sequence

SOCKET = "socket"
"""Name of the server's socket, next to this file."""

NUMBER = struct.Struct("!i")


def call(
    folder: str,
    words: Sequence[str],
    cwd: str,
    env: dict[str, str],
    files: Sequence[int],
    timeout: float | None = None,
    forward: bool = False,
) -> int:
    """The exit status of a command; it is killed when this process ends or stops waiting for it.

    Args:
        folder: That of the server's socket.
        words: The command's name and arguments.
        cwd: Its folder.
        env: Its variables.
        files: Descriptors of its standard input, output and error.
        timeout: Seconds after which a `TimeoutError` is raised.
        forward: Whether it gets the signals of this process.
    """
    request = marshal.dumps((list(words), cwd, env))
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(timeout)
        server.connect(f"{folder}/{SOCKET}")
        socket.send_fds(server, [NUMBER.pack(len(request))], files)
        server.sendall(request)
        (pid,) = NUMBER.unpack(server.recv(NUMBER.size))

        def pass_on(number: int, frame: object) -> None:
            # A terminal signals a whole group, in which the command is not.
            (os.kill if number == signal.SIGTERM else os.killpg)(pid, number)

        # A background process ignores Ctrl-C; servers of pages and Snakemake do not.
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as `nohup` does
            numbers.append(signal.SIGHUP)
        for number in numbers if forward else []:
            signal.signal(number, pass_on)
        (status,) = NUMBER.unpack(server.recv(NUMBER.size))
    return status


def main(program: str, *arguments: str) -> None:
    folder, name = os.path.split(program)
    words = [name, *arguments]
    if name == "python":
        if arguments[:2] != ("-m", "snakemake"):
            os.execv(sys.executable, [sys.executable, *arguments])
        words = list(arguments[1:])
    cwd = os.getcwd()  # noqa: PTH109
    status = call(folder, words, cwd, dict(os.environ), (0, 1, 2), forward=True)
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    main(*sys.argv)
