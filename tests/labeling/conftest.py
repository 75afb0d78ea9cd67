import numpy as np
import pytest
import yaml

from tests import processes
from tests.browser import serve_in_thread, starting
from tests.paths import smoke_all
from vlmrm.data.states import States
from vlmrm.labeling.page import MAX_BODY, create_app


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
    content = smoke_all()
    content["state_sets"]["mountain-car-grid"] = {
        "sampler": "grid",
        "environment": "mountain-car",
        "resolution": 0.25,
    }
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
    return serve_in_thread(create_app(session, lambda row: b""), MAX_BODY)


@pytest.fixture
def serving(states_file, config):
    """Starts `vlmrm label` on a free port, and ends it after the test.

    Called with further options, it returns the process and the address of the page.
    """
    with starting() as start:

        def label(output, *options, rater="anna"):
            command = ["label", states_file, "--config", config, "--task", "mountain-car"]
            return start(*command, "--rater", rater, "--output", output, "--port", 0, *options)

        yield label
