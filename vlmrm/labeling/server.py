"""Serves the labeling page."""

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
"""Requests that are answered at the same time; a browser sends up to six."""


def listen(host: str, port: int) -> socket.socket:
    """Listens on a port (0: any free one), before anything slow is prepared.

    Raises:
        UserError: The port is in use or not allowed, or the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    # A server can then be restarted at once.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"--port: {port} is in use on {host}; choose another") from error
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise UserError(f"--host: '{host}' is not an address of this machine") from error
        raise UserError(f"--port: cannot listen on {host}:{port} ({error.strerror})") from error
    return listener


def is_private(listener: socket.socket) -> bool:
    """Whether only programs on this machine can connect."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def address(listener: socket.socket) -> str:
    """Address of the page, for a browser."""
    host, port, *_ = listener.getsockname()
    if ipaddress.ip_address(host).is_unspecified:
        host = socket.gethostname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(app: Flask, listener: socket.socket, started: Callable[[], None]) -> None:
    """Serves until interrupted; calls ``started`` first."""
    # Waitress warns about every request that waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(app, sockets=[listener], threads=THREADS)
    with suppress(KeyboardInterrupt):
        started()
        server.run()
    server.close()
