"""The user's own functions and classes, by their names in Python modules."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from vlmrm.errors import UserError, one_line, suggest


@contextmanager
def calling(key: str, name: str = "") -> Iterator[None]:
    """Names the key of the user's own code that raises an error.

    Args:
        key: Key of the configuration.
        name: What is called, where the key does not say it.

    Raises:
        UserError: The block raised an error, whose traceback is a note.
    """
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raised = f"{name} raised {type(error).__name__}".lstrip()
        problem = UserError(f"{key}: {raised}: {one_line(error)}; correct it")
        problem.add_note(traceback.format_exc())  # that of another process would be lost
        raise problem from error


def import_object(key: str, path: str) -> Any:
    """Imports a function or class named ``MODULE:NAME``; this runs the code of the module.

    ``NAME`` may have dots, as that of a method of a class.

    Args:
        key: Key of the configuration, for errors.
        path: Where it is. Modules of the working directory are found, too.

    Raises:
        UserError: The module cannot be imported, or has nothing of this name that can be called.
    """
    module_name, _, name = path.partition(":")
    module = import_module(key, module_name)
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        names = [other for other, value in vars(module).items() if callable(value)]
        raise UserError(f"{key}: {module_name} has no function '{name}'{suggest(name, names)}")
    return found


def import_module(key: str, name: str) -> ModuleType:
    """Imports a module, also from the working directory.

    Raises:
        UserError: It cannot be imported.
    """
    if (folder := str(Path.cwd())) not in sys.path:
        sys.path.append(folder)  # last, so that it hides no installed module
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UserError(f"{key}: {missing_module(error)}") from error
    except (Exception, SystemExit) as error:  # a script that ends itself
        kind = type(error).__name__
        raise UserError(
            f"{key}: '{name}' cannot be imported ({kind}: {one_line(error)})"
        ) from error


def missing_module(error: ModuleNotFoundError) -> str:
    """What is not installed, and how to install it."""
    package = str(error.name).partition(".")[0]
    return (
        f"there is no module '{error.name}'; install the package that has it (`pip install "
        f"{package.replace('_', '-')}`), or correct the name"
    )
