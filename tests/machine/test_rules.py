"""That the sets of rules behind the checks know every rule that they are about."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.paths import ROOT
from vlmrm.machine.checks import EMBEDDING_RULES, MUJOCO


def rules() -> set[str]:
    files = (ROOT / "workflow" / "rules").glob("*.smk")
    pattern = re.compile(r"^(?:use rule \w+ as|rule) (\w+)", re.MULTILINE)
    return {name for file in files for name in pattern.findall(file.read_text())}


def source(module: str) -> Path | None:
    """The file of a module of this package."""
    path = ROOT.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next(filter(Path.is_file, files), None) if module.startswith("vlmrm") else None


def imports(node: ast.AST, in_functions: bool) -> Iterator[str]:
    """The modules that a piece of code imports when it runs, and their packages."""
    for part in ast.iter_child_nodes(node):
        match part:
            case ast.Import():
                names = [alias.name for alias in part.names]
            case ast.ImportFrom(module=str(module)):
                names = [module, *(f"{module}.{alias.name}" for alias in part.names)]
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                continue
            case ast.FunctionDef() if not in_functions:
                continue
            case _:
                yield from imports(part, in_functions)
                continue
        for name in names:
            words = name.split(".")
            yield from (".".join(words[:end]) for end in range(1, len(words) + 1))


@cache
def imported(file: Path) -> list[str]:
    """The modules that importing a file imports."""
    return [*imports(ast.parse(file.read_text()), in_functions=False)]


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
