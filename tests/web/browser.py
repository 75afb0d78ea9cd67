"""A real browser, and what serves its pages."""

import subprocess
import sys
import threading

import pytest

from tests.browser import start_chromium
from vlmrm.web.server import address, listen, serve

VLMRM = (sys.executable, "-c", "from vlmrm.cli import main; main()")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    # As if the DNS of another site said that it is this machine.
    other_site = "host-resolver-rules=MAP evil.example 127.0.0.1"
    driver = start_chromium(tmp_path_factory.mktemp("chromium"), other_site)
    yield driver
    driver.quit()


def serve_in_thread(app, max_body):
    """Serves an application: its socket's address, and that of a browser."""
    listener = listen("127.0.0.1", 0)
    started = threading.Event()
    options = (app, listener, "127.0.0.1", max_body, started.set)
    threading.Thread(target=serve, args=options, daemon=True).start()
    assert started.wait(10)
    return listener.getsockname(), address(listener)


def start(*arguments, **options):
    """Starts a command that serves a page: its process, and the address that it prints."""
    process = subprocess.Popen(
        [*VLMRM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    line = process.stdout.readline()
    assert " at http://" in line, process.stderr.read()
    return process, line.split()[2]
