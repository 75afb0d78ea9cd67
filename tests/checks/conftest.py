import importlib.util
import shutil
from collections import namedtuple

import pytest

from vlmrm.checks.start import FORCE
from vlmrm.machine.doctor import Check, Verdict

Usage = namedtuple("Usage", "total used free")


def library(monkeypatch, name, found):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda n, *rest: found if n == name else find(n, *rest)
    )


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with neither hub nor GPU, with Vulkan, all tokenizers, and a large disk."""

    def unreachable():
        problems = "https://huggingface.co not reachable (no route): published models cannot be ..."
        return Check("Hub", Verdict.note, problems)

    monkeypatch.setattr("vlmrm.checks.models.check_hub", unreachable)
    monkeypatch.setattr("vlmrm.models.look_up.look_up_models", lambda models, folder: {})
    monkeypatch.setattr(
        "vlmrm.checks.start.check_rendering", lambda: Check("Rendering", Verdict.fine, "EGL")
    )
    monkeypatch.setattr("vlmrm.checks.start.filament_problem", lambda: None)
    monkeypatch.setattr("vlmrm.checks.start.cuda_works", lambda: False)
    library(monkeypatch, "transformers", object())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 1e12))
    monkeypatch.delenv(FORCE, raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch
