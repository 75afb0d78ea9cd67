"""Which modules of the package import which."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.paths import ROOT


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
