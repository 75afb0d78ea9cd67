"""Fixtures that several tests share."""

import gc
import os
import sys
from pathlib import Path

# Before PyTorch is imported: tests run side by side, and two that share the cores by threads
# are slower than one after the other. Processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest

from tests.processes import COMMANDS, start_server
from vlmrm.config import RandomModel

# An example that takes long on a busy machine is no failure.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_configure():
    gc.disable()  # imports would spend a quarter of their time in search of garbage


def pytest_sessionfinish():
    gc.unfreeze()


def pytest_collection_finish(session):
    gc.freeze()
    gc.enable()
    if session.items:  # the process that starts the others has none
        start_server()


def pytest_collection_modifyitems(items):
    """Leaves out what this machine cannot hold, and what it has no GPU for."""
    import torch  # slow, and of no use to the process that starts the others

    # The first tests are not taken over by other processes, which would run the workflow again.
    items.sort(key=lambda item: "finished" not in getattr(item, "fixturenames", ()))
    lacking = {}
    if os.environ.get("VLMRM_LARGE") != "1":
        lacking["large"] = "wants up to 25 GB of memory and 10 GB of disk; set VLMRM_LARGE=1"
    if not torch.cuda.is_available():
        lacking["gpu"] = "needs a GPU that PyTorch can use"
    for item in items:
        for name in lacking.keys() & {marker.name for marker in item.iter_markers()}:
            item.add_marker(pytest.mark.skip(reason=lacking[name]))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    """A folder with a small model with random weights."""
    from vlmrm.models.random_init import make_random_model

    folder = tmp_path_factory.mktemp("models") / "random-XS"
    make_random_model(RandomModel(source="random", architecture="sim-XS", seed=1), folder)
    return folder


# Python imports it at the start of every process.
WITHOUT_EGL = """
import ctypes

class CDLL(ctypes.CDLL):
    def __init__(self, name, *args, **options):
        if "EGL" in str(name):
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        super().__init__(name, *args, **options)

ctypes.CDLL = ctypes.cdll._dlltype = CDLL
"""


@pytest.fixture(scope="session")
def without_egl(tmp_path_factory) -> dict[str, str]:
    """Environment variables of processes that find neither libEGL nor a GPU."""
    folder = tmp_path_factory.mktemp("without-egl")
    (folder / "sitecustomize.py").write_text(WITHOUT_EGL)
    return {name: value for name, value in os.environ.items() if name != "MUJOCO_GL"} | {
        "PYTHONPATH": os.pathsep.join((str(folder), str(Path(__file__).parents[1]))),
        "CUDA_VISIBLE_DEVICES": "",
    }


@pytest.fixture
def quick_dry_runs(monkeypatch):
    """Dry runs of `vlmrm.plan` without the seconds that Snakemake takes to import."""
    monkeypatch.setattr(sys, "executable", str(COMMANDS / "python"))
