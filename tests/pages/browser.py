"""A real browser, and what serves its pages."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from selenium import webdriver

from vlmrm.pages.server import address, listen, serve

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")

VLMRM = (sys.executable, "-c", "from vlmrm.cli import main; main()")

needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()),
        reason="needs the Debian packages chromium and chromium-driver",
    ),
]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        # As if the DNS of another site said that it is this machine.
        "host-resolver-rules=MAP evil.example 127.0.0.1",
        f"user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(f"--{argument}")
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
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
