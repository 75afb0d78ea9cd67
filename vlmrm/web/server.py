"""Serves a page to browsers on this machine, or on its network, and to no other site.

A site that a person visits in another tab may send requests to a page on the person's machine, and
its name may turn into that machine's address ("DNS rebinding"). So a request must name this machine
as its host, and come from the page itself; no site may frame the page or take pictures from it.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import re
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

from flask import Flask, Response, abort, request
from waitress import create_server  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from vlmrm.errors import UserError

THREADS = 8
"""Requests that are answered at the same time; a browser sends up to six."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src 'self'; "
    "script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Cross-Origin-Resource-Policy": "same-origin",
    # The next page may have the same address.
    "Cache-Control": "no-store",
}
"""Headers of all replies."""


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
        host.encode("idna")  # as bind does, which has other errors for it
        listener.bind((host, port))
        listener.listen()
    except (OSError, UnicodeError) as error:
        listener.close()
        if isinstance(error, UnicodeError | socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise UserError(f"--host: '{host}' is not an address of this machine") from error
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"--port: {port} is in use on {host}; choose another") from error
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


def protect(app: Flask, listener: socket.socket, host: str) -> None:
    """Makes an application refuse what other sites send, and answer errors in one line of text.

    Args:
        app: The application.
        listener: Where it is served.
        host: Name or address of this machine that `listen` was given.
    """

    @app.before_request
    def refuse_other_sites() -> None:
        name = re.sub(r":\d+$", "", request.host).strip("[]").lower()
        if not _is_here(name, listener, host):
            abort(403, f"this page is not at '{name}'; open {address(listener)}")
        origin = request.headers.get("Origin")
        if origin not in (None, f"http://{request.host}"):
            abort(403, "this request comes from another site")

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> Response:
        response = Response(error.description, error.code, error.get_headers())
        response.mimetype = "text/plain"
        return response

    @app.after_request
    def restrict(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response


def _is_here(name: str, listener: socket.socket, host: str) -> bool:
    """Whether a name in a browser's address bar means this machine, wherever DNS says it is."""
    own = ipaddress.ip_address(listener.getsockname()[0])
    try:
        asked = ipaddress.ip_address(name)
    except ValueError:
        machine = socket.gethostname()
        return name in {known.lower() for known in ("localhost", machine, f"{machine}.local", host)}
    # An address is where the browser is connected; no site can have it.
    return own.is_unspecified or asked == own or (asked.is_loopback and own.is_loopback)


def serve(
    app: Flask, listener: socket.socket, host: str, max_body: int, started: Callable[[], None]
) -> None:
    """Serves a protected application until interrupted; calls ``started`` first.

    Args:
        app: The application.
        listener: The result of `listen`.
        host: The host that `listen` was given.
        max_body: Bytes of a request's body, at most.
        started: Called when browsers are answered.
    """
    protect(app, listener, host)
    # Waitress warns about every request that waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(app, sockets=[listener], threads=THREADS, max_request_body_size=max_body)
    with suppress(KeyboardInterrupt):
        started()
        server.run()
    server.close()


def run(app: Flask, listener: socket.socket, host: str, max_body: int, verb: str) -> None:
    """Serves an application as `serve`, and says in the terminal where one can ``verb``."""
    # Shells make commands in the background ignore Ctrl+C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    line = f"{verb} at {address(listener)} and stop with Ctrl+C"
    serve(app, listener, host, max_body, lambda: print(line, flush=True))
