"""Tests in a real browser, the Chromium of Debian, and what serves its pages."""

import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver

from tests.processes import COMMANDS, HANGS
from vlmrm.web.server import address, listen, serve

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")

IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()),
        reason="needs the Debian packages chromium and chromium-driver",
    ),
]
"""Marks of these tests."""


def start_chromium(profile: Path, *arguments: str) -> webdriver.Chrome:
    """Starts a browser without a window, and with a profile of its own."""
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
        f"user-data-dir={profile}",
        *arguments,
    ):
        options.add_argument(f"--{argument}")
    return webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))


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
    assert started.wait(HANGS)
    return listener.getsockname(), address(listener)


def start(*arguments, **options):
    """Starts a command that serves a page: its process, and the address that it prints."""
    process = subprocess.Popen(
        [COMMANDS / "vlmrm", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    line = process.stdout.readline()
    assert " at http://" in line, process.stderr.read()
    return process, line.split()[2]


@contextmanager
def starting():
    """A function that starts commands as `start` does; they are ended with the block."""
    started = []

    def begin(*arguments, **options):
        process, where = start(*arguments, **options)
        started.append(process)
        return process, where

    try:
        yield begin
    finally:
        for process in started:
            process.kill()
            process.communicate()
