"""examples/sentence.ipynb: its code runs, and its outputs are those of its code."""

import copy
import re
import runpy

import matplotlib
import pytest
from matplotlib import pyplot

from tests.paths import ROOT

PATH = ROOT / "examples" / "sentence.ipynb"
TOOL = runpy.run_path(str(ROOT / "docs" / "notebook.py"))
SHORT = {"model": "sim-XS", "poses": 64, "steps": 1_400}
"""Values of the cell with the tag `parameters`."""


@pytest.fixture
def notebook():
    return TOOL["read"](PATH.read_text())


@pytest.fixture
def code(notebook):
    return TOOL["code_cells"](notebook)


def test_the_outputs_are_those_of_the_code(notebook, code):
    command = f"run {TOOL['__doc__'].splitlines()[-1]}"
    assert notebook.metadata["code_sha256"] == TOOL["digest"](notebook), command
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), command
    outputs = [output for cell in code for output in cell.outputs]
    kinds = {output.output_type for output in outputs}
    assert kinds <= {"execute_result", "display_data", "stream"}, kinds
    assert {output.get("name") for output in outputs} <= {None, "stdout"}
    assert sum(bool(cell.outputs) for cell in code) == len(code) - 2  # parameters, training


def test_other_code_needs_other_outputs(notebook, code):
    changed = copy.deepcopy(notebook)
    TOOL["code_cells"](changed)[-1].source += "\n"
    assert TOOL["digest"](changed) != TOOL["digest"](notebook)


def test_it_is_small_and_has_a_video(code):
    assert PATH.stat().st_size < 2_000_000
    assert "<video " in code[-1].outputs[-1].data["text/html"]


def test_its_links_have_targets(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)#]+)", text)
    assert len(links) > 5
    for link in links:
        assert "//" in link or (PATH.parent / link).is_file(), link


def test_the_page_has_the_text_the_code_and_the_outputs(notebook, code):
    page = TOOL["markdown"](notebook)
    for cell in notebook.cells:
        assert cell.source in page
    pictures = [o for cell in code for o in cell.outputs if "image/png" in o.get("data", {})]
    assert page.count("data:image/png;base64,") == len(pictures) > 3
    assert page.count("data:video/mp4;base64,") == 1
    assert "![" not in page


@pytest.mark.slow
def test_the_code_runs(code, monkeypatch):
    monkeypatch.chdir(PATH.parent)
    matplotlib.use("agg")
    names = {"__name__": "__main__"}
    for cell in code:
        exec(cell.source, names)
        pyplot.close("all")  # a notebook does so after each cell
        if "parameters" in cell.metadata.get("tags", []):
            assert SHORT.keys() <= names.keys()
            names |= SHORT
    assert len(names["judged"]) == SHORT["steps"] // 200
    assert len(names["frames"]) == 201
