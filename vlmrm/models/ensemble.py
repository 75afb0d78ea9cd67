"""Ensembles as model folders, which hold no weights, but the record of their members."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from vlmrm.config import EnsembleModel
from vlmrm.data.files import atomic_path
from vlmrm.errors import UserError
from vlmrm.models.folder import PROVENANCE_FILE, read_model_provenance, write_model_provenance


def make_ensemble(
    settings: EnsembleModel, folders: Sequence[Path], output: str | os.PathLike[str]
) -> None:
    """Writes the ``provenance.json`` of an ensemble: the checksums of its members.

    Its parameters are the sum over the members. Those of the image towers count once per view,
    because each view is embedded.

    Args:
        settings: The ensemble.
        folders: Model folders of its members, in order.
        output: Model folder of the ensemble.

    Raises:
        UserError: A folder is missing or is no model.
    """
    if len(folders) != len(settings.members):
        raise UserError(
            f"{len(folders)} model folders given; give one for each member, in this order: "
            f"{', '.join(settings.members)}"
        )
    records = dict(zip(settings.members, map(read_model_provenance, folders), strict=True))
    for folder, record in zip(folders, records.values(), strict=True):
        if "parameters" not in record:
            raise UserError(f"{folder}: no model, or its {PROVENANCE_FILE} is missing; make it")
    counts = [record["parameters"] for record in records.values()]
    with atomic_path(output) as temporary:
        temporary.mkdir()
        write_model_provenance(
            temporary,
            {
                "image": max(1, len(settings.scenes)) * sum(count["image"] for count in counts),
                "text": sum(count["text"] for count in counts),
            },
            source="ensemble",
            settings=settings.model_dump(),
            members={name: record.get("sha256") for name, record in records.items()},
        )
