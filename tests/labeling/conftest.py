import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests import processes
from vlmrm.data.states import States
from vlmrm.labeling.page import MAX_BODY, create_app
from vlmrm.pages.server import address, listen, serve

ROOT = Path(__file__).parents[2]

VLMRM = (sys.executable, "-c", "from vlmrm.cli import main; main()")


@pytest.fixture
def states():
    """Thirty states of the mountain car; those that fulfill the task come first."""
    position = np.linspace(0.6, -1.2, 30)
    values = np.stack([position, 0 * position], axis=1)
    return States("mountain-car", values, labels={"mountain-car": position > 0.45})


@pytest.fixture
def states_file(states, tmp_path):
    states.write(tmp_path / "states.h5")
    return tmp_path / "states.h5"


@pytest.fixture
def config(tmp_path):
    """The smoke configuration, which also measures on those states, as `climb`."""
    content = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    content["epic"]["climb"] = {
        "task": "mountain-car",
        "states": "mountain-car-grid",
        "scenes": ["textured"],
        "models": ["random-XS"],
        "bootstrap": 50,
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def vlmrm():
    """Runs a command to its end."""

    return processes.vlmrm


@pytest.fixture
def served(session):
    """Where the page of the session is served: the address, and that of a browser."""
    listener = listen("127.0.0.1", 0)
    app = create_app(session, lambda row: b"")
    started = threading.Event()
    options = (app, listener, "127.0.0.1", MAX_BODY, started.set)
    threading.Thread(target=serve, args=options, daemon=True).start()
    assert started.wait(10)
    return listener.getsockname(), address(listener)


@pytest.fixture
def serving(states_file, config):
    """Starts `vlmrm label` on a free port, and ends it after the test.

    Called with further options, it returns the process and the address of the page.
    """
    started = []

    def start(output, *options, rater="anna"):
        command = [*VLMRM, "label", states_file, "--config", config, "--task", "mountain-car"]
        options = ["--rater", rater, "--output", output, "--port", 0, *options]
        process = subprocess.Popen(
            list(map(str, [*command, *options])),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        line = process.stdout.readline()
        assert line.startswith("Label at http://"), process.stderr.read()
        return process, line.split()[2]

    yield start
    for process in started:
        process.kill()
        process.communicate()
