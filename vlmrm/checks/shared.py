"""Models and corpora are shared by all runs: what is on disk must be what a configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlmrm.config import Config, FunctionModel, PretrainedModel, SimulatorModel
from vlmrm.config.base import ConfigModel
from vlmrm.config.models import differences
from vlmrm.data.files import read_provenance
from vlmrm.errors import UserError
from vlmrm.models.folder import published_sha256, read_model_provenance, replaced_source


def check_shared(config: Config, resources: Path = Path("resources")) -> None:
    """Refuses definitions and files other than those that models and corpora were made of.

    They are neither used as if they fitted, nor made again behind the back of other runs.

    Raises:
        UserError: One differs; names the key, and what to do.
    """
    for name, model in config.models.items():
        folder = resources / "models" / name
        record = read_model_provenance(folder)
        recorded = record.get("settings", {}).get("source")
        if isinstance(model, FunctionModel) and recorded == model.source:
            continue  # its folder is only this record: another version is made at once
        _compare(f"models.{name}", model, record.get("settings"), folder)
        published = published_sha256(record)
        wanted = model.sha256 if isinstance(model, PretrainedModel) else None
        if None not in (wanted, published) and wanted != published:
            raise UserError(
                f"models.{name}.sha256: {folder} was made of weights that have {published}, not "
                f"{wanted}; correct this key, or delete {folder}"
            )
        if source := replaced_source(model, folder):
            raise UserError(
                f"models.{name}: {source} is not what {folder} was made of, and all runs share "
                f"that; choose another name, or delete {folder} to make it again"
            )
        if isinstance(model, SimulatorModel):
            corpus = config.corpora[model.corpus]
            _compare(f"corpora.{model.corpus}", corpus, record.get("corpus"), folder)
            _compare_run(f"models.{name}", record.get("corpus_run"), config.run, folder)
    for name, corpus in config.corpora.items():
        file = resources / "corpora" / f"{name}.h5"
        if file.is_file():
            record = read_provenance(file)
            _compare(f"corpora.{name}", corpus, record.get("settings"), file)
            _compare_run(f"corpora.{name}", record.get("run"), config.run, file)


def _compare(
    key: str, definition: ConfigModel, recorded: Mapping[str, Any] | None, path: Path
) -> None:
    for part, here, there in differences(definition, recorded) if recorded else ():
        raise UserError(
            f"{key}.{part}: {here}, but {path} was made with {there}, and all runs share it; "
            f"choose another name, or delete {path} to make it again"
        )


def _compare_run(key: str, recorded: str | None, run: str, path: Path) -> None:
    """State sets of the same name differ between runs, and so do corpora that hold them."""
    if recorded not in (None, run):
        raise UserError(
            f"{key}: {path} learned from states of the run '{recorded}'; choose another name, or "
            f"delete {path} to make it again"
        )
