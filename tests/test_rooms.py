"""The folders of the package import each other in one direction."""

import graphlib

from tests.modules import imported
from tests.paths import ROOT

PACKAGE = ROOT / "vlmrm"
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def room(module: str) -> str | None:
    name = module.removeprefix("vlmrm.").split(".")[0]
    return name if module.startswith("vlmrm.") and name in ROOMS else None


def test_no_folder_imports_one_that_imports_it():
    graph = {}
    for name in ROOMS:
        modules = {m for file in (PACKAGE / name).rglob("*.py") for m in imported(file)}
        graph[name] = {room(module) for module in modules} - {None, name}
    order = [*graphlib.TopologicalSorter(graph).static_order()]
    assert order.index("data") < order.index("rewards") < order.index("training")
