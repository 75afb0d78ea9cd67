"""Models and corpora are shared by all runs: what is on disk must be what a configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vlmrm.config import Config, SimulatorModel
from vlmrm.config.base import ConfigModel
from vlmrm.data.files import read_provenance
from vlmrm.errors import UserError
from vlmrm.models.folder import read_model_provenance

CHECKS = {"sha256", "allow_pickle"}
"""Keys of a model that say what is accepted, not what it is."""


def check_shared(config: Config, resources: Path = Path("resources")) -> None:
    """Refuses definitions other than those that the models and corpora on disk were made by.

    They are neither used as if they fitted, nor made again behind the back of other runs.

    Raises:
        UserError: A definition differs; names its first key, and what to do.
    """
    for name, model in config.models.items():
        folder = resources / "models" / name
        record = read_model_provenance(folder)
        _compare(f"models.{name}", model, record.get("settings"), folder)
        if isinstance(model, SimulatorModel):
            corpus = config.corpora[model.corpus]
            _compare(f"corpora.{model.corpus}", corpus, record.get("corpus"), folder)
    for name, corpus in config.corpora.items():
        file = resources / "corpora" / f"{name}.h5"
        if file.is_file():
            _compare(f"corpora.{name}", corpus, read_provenance(file).get("settings"), file)


def same_definition(definition: ConfigModel, recorded: Mapping[str, Any]) -> bool:
    """Whether a record of settings is that of this definition."""
    return not list(_differing(definition, recorded))


def _compare(
    key: str, definition: ConfigModel, recorded: Mapping[str, Any] | None, path: Path
) -> None:
    for part, here, there in _differing(definition, recorded or {}) if recorded else ():
        raise UserError(
            f"{key}.{part}: {here}, but {path} was made with {there}, and all runs share it; "
            f"choose another name, or delete {path} to make it again"
        )


def _differing(definition: ConfigModel, recorded: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Keys with two values: the definition's and the recorded one."""
    with suppress(ValidationError):  # a definition of another kind
        # Keys that are newer than the record have their defaults.
        recorded = type(definition).model_validate(recorded).model_dump()
    now = definition.model_dump()
    keys = [key for key in (*now, *(recorded.keys() - now.keys())) if key not in CHECKS]
    return [
        (key, now.get(key), recorded.get(key)) for key in keys if now.get(key) != recorded.get(key)
    ]
