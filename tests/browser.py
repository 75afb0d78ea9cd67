"""Tests in a real browser, the Chromium of Debian."""

from pathlib import Path

import pytest
from selenium import webdriver

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
