"""Serves the page to browsers."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from collections.abc import Callable
from contextlib import suppress

from flask import Flask
from waitress import create_server  # type: ignore[import-untyped]

from vlmrm.errors import UserError

THREADS = 8
"""Requests answered at once; a browser sends up to six."""


def listen(host: str, port: int) -> socket.socket:
    """Takes a port, 0 being any free one, before anything slow is prepared.

    Raises:
        UserError: It is in use or not allowed, or the host is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    # So that a server can be started again at once.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"--port: {port} is in use on {host}; choose another") from error
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise UserError(f"--host: '{host}' is no address of this machine") from error
        raise UserError(f"--port: cannot listen on {host}:{port} ({error.strerror})") from error
    return listener


def is_private(listener: socket.socket) -> bool:
    """Whether only programs of this machine can connect."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def address(listener: socket.socket) -> str:
    """What to type into a browser."""
    host, port, *_ = listener.getsockname()
    if ipaddress.ip_address(host).is_unspecified:
        host = socket.gethostname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(app: Flask, listener: socket.socket, started: Callable[[], None]) -> None:
    """Serves until interrupted; calls ``started`` when it begins."""
    # It warns of every request that waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(app, sockets=[listener], threads=THREADS)
    with suppress(KeyboardInterrupt):
        started()
        server.run()
    server.close()
