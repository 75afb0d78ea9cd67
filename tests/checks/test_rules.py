"""That the sets of rules behind the checks know every rule that they are about."""

import ast
import re
from pathlib import Path

from tests.modules import imported, imports, source
from tests.paths import ROOT
from vlmrm.checks.start import EMBEDDING_RULES, MUJOCO


def rules() -> set[str]:
    files = (ROOT / "workflow" / "rules").glob("*.smk")
    pattern = re.compile(r"^(?:use rule \w+ as|rule) (\w+)", re.MULTILINE)
    return {name for file in files for name in pattern.findall(file.read_text())}


def loads_mujoco(command: Path) -> bool:
    """Whether a command imports MuJoCo, itself or by a module that it imports."""
    waiting = [*imports(ast.parse(command.read_text()), in_functions=True)]
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module not in seen and (file := source(module)):
            waiting += imported(file)
        seen.add(module)
    return "mujoco" in seen


def test_the_rules_whose_commands_load_mujoco_are_known():
    commands = {rule: ROOT / "vlmrm" / "cli" / f"{rule}.py" for rule in rules()}
    loading = {rule for rule, file in commands.items() if file.is_file() and loads_mujoco(file)}
    assert len(loading) > 10
    assert loading <= MUJOCO <= rules()


def test_the_rules_in_which_models_embed_frames_are_rules():
    assert {*EMBEDDING_RULES} <= rules()
