"""Functions by the import paths of their factories, whose code runs."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from typing import Any

from vlmrm.config import FunctionModel
from vlmrm.errors import UserError, one_line
from vlmrm.imports import calling, import_object
from vlmrm.rewards.functions import CheckedFunction

EMBEDDING_METHODS = ("embed_images", "embed_sentences")
"""Methods of a function with embeddings."""


def load_function(name: str, model: FunctionModel) -> CheckedFunction:
    """Calls the factory of a function; returns its function, whose errors name the model.

    Args:
        name: Name of the model.
        model: The function and its settings.

    Raises:
        UserError: It cannot be imported, or refuses its settings, or returns no function.
    """
    key = f"models.{name}"
    factory = find_factory(name, model)
    with calling(key, model.function):
        function = factory(**model.settings)
    embeds = all(callable(getattr(function, method, None)) for method in EMBEDDING_METHODS)
    returned = f"{model.function} returned a {type(function).__name__}"
    if model.embeddings and not embeds:
        raise UserError(
            f"{key}.embeddings: true, but {returned} without "
            f"{' and '.join(EMBEDDING_METHODS)}; add them, or remove the key"
        )
    if not model.embeddings and not callable(function):
        remedy = f"set {key}.embeddings" if embeds else "return a callable"
        raise UserError(f"{key}.function: {returned}, which cannot be called; {remedy}")
    return CheckedFunction(function, model.function, key)


def find_factory(name: str, model: FunctionModel) -> Callable[..., Any]:
    """Imports the factory of a function, also from the working directory.

    Raises:
        UserError: There is none, or it does not take the settings.
    """
    key = f"models.{name}"
    with calling(f"{key}.function", model.function):
        factory: Callable[..., Any] = import_object(f"{key}.function", model.function)
    try:
        inspect.signature(factory).bind(**model.settings)
    except TypeError as error:
        raise UserError(
            f"{key}.settings: {model.function} does not take them ({one_line(error)})"
        ) from error
    except ValueError:
        pass  # no signature, as some of those written in C
    return factory


def main() -> None:
    """Checks a function for `vlmrm.checks.functions`, in a process that then forgets its weights.

    The standard input is JSON: the ``name`` and definition of the ``model``, and whether to
    ``make`` it, or only to import its factory.
    """
    request = json.load(sys.stdin)
    check = load_function if request["make"] else find_factory
    try:
        check(request["name"], FunctionModel.model_validate(request["model"]))
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
