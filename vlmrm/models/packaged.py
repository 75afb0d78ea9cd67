"""Models that come with the package."""

from __future__ import annotations

import os
import shutil

from vlmrm.config import PackagedModel
from vlmrm.config.architectures import WEIGHTS_FOLDER
from vlmrm.data.files import atomic_path
from vlmrm.models.folder import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    check_files,
    read_model_provenance,
    write_model_provenance,
)


def copy_packaged(settings: PackagedModel, folder: str | os.PathLike[str]) -> None:
    """Copies a packaged model to a model folder; its training is the origin in the provenance."""
    source = WEIGHTS_FOLDER / settings.architecture
    check_files(source)
    origin = read_model_provenance(source)
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        for name in (CONFIG_FILE, WEIGHTS_FILE):
            shutil.copyfile(source / name, temporary / name)
        write_model_provenance(
            temporary,
            origin["parameters"],
            source="packaged",
            settings=settings.model_dump(),
            origin=origin,
        )
