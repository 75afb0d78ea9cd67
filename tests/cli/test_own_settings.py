"""Every command of the workflow reads its own settings, and nothing else of a configuration."""

import ast
from pathlib import Path

import vlmrm

PACKAGE = Path(vlmrm.__file__).parent


def imports_of(path):
    """Names that a module imports from ``vlmrm.config``."""
    tree = ast.parse(path.read_text())
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vlmrm.config")
        for alias in node.names
    }


def test_only_commands_and_the_plan_see_a_whole_configuration():
    seeing = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if imports_of(path) & {"Config", "load_config", "parse_config"}
    }
    rooms = {file.split("/")[0] for file in seeing}
    assert rooms <= {"cli", "config", "plan", "plan.py", "machine"}
