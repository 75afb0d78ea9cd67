"""Models and corpora are shared by all runs: what is on disk must be what a configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlmrm.config import Config, SimulatorModel
from vlmrm.config.base import ConfigModel
from vlmrm.config.models import differences
from vlmrm.data.files import read_provenance
from vlmrm.errors import UserError
from vlmrm.models.folder import read_model_provenance


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


def _compare(
    key: str, definition: ConfigModel, recorded: Mapping[str, Any] | None, path: Path
) -> None:
    for part, here, there in differences(definition, recorded) if recorded else ():
        raise UserError(
            f"{key}.{part}: {here}, but {path} was made with {there}, and all runs share it; "
            f"choose another name, or delete {path} to make it again"
        )
