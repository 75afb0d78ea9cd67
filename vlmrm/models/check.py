"""Looks up all published models of a configuration at once, before any job does."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlmrm.config import PretrainedModel
from vlmrm.errors import UserError
from vlmrm.models.folder import WEIGHTS_FILE, read_model_provenance
from vlmrm.models.hub.download import missing_bytes, partial_folder, require_space
from vlmrm.models.hub.repository import check_access, reach
from vlmrm.models.hub.requests import endpoint
from vlmrm.models.pretrained import is_here
from vlmrm.models.published import find_locally, find_online

AT_ONCE = 8
"""Models that are looked up at a time."""


@dataclass(frozen=True)
class Finding:
    """What is known of a published model.

    Attributes:
        origin: Repository and commit, URL, or path; license; file of the weights.
        size: Bytes of weights and tokenizer.
        missing: Bytes to download.
        needed: Bytes of disk space that fetching it takes.
        here: Whether it has been fetched already.
        problem: Why it cannot be fetched, and what to do.
    """

    origin: Mapping[str, Any]
    size: int = 0
    missing: int = 0
    needed: int = 0
    here: bool = False
    problem: str | None = None


def look_up_models(models: Mapping[str, PretrainedModel], folder: Path) -> dict[str, Finding]:
    """Looks up models, several at a time; downloads nothing but configurations.

    Args:
        models: Models by name.
        folder: Folder of the model folders.

    Raises:
        UserError: The hub cannot be reached.
    """
    here = {name for name in models if is_here(models[name], folder / name, by_checksum=False)}
    if any(model.path is None for name, model in models.items() if name not in here):
        try:
            reach()
        except UserError as error:
            raise UserError(
                f"models: {endpoint()} cannot be reached ({error}); check the network, name a "
                "mirror in HF_ENDPOINT, or copy the model folders from a machine that has them"
            ) from error
    with ThreadPoolExecutor(AT_ONCE) as pool:
        findings = {
            name: pool.submit(_recall, folder / name)
            if name in here
            else pool.submit(_look_up, f"models.{name}", model, folder / name)
            for name, model in models.items()
        }
    return {name: finding.result() for name, finding in findings.items()}


def find_problems(findings: Mapping[str, Finding], folder: Path) -> list[str]:
    """Why models cannot be fetched into a folder, and what to do, a line each."""
    problems = [finding.problem for finding in findings.values() if finding.problem]
    try:
        require_space("models", sum(finding.needed for finding in findings.values()), folder)
    except UserError as error:
        problems.append(str(error))
    return problems


def _recall(folder: Path) -> Finding:
    size = (folder / WEIGHTS_FILE).stat().st_size
    return Finding(read_model_provenance(folder)["origin"], size, here=True)


def _look_up(key: str, settings: PretrainedModel, folder: Path) -> Finding:
    try:
        if settings.path is not None:
            local = find_locally(key, settings)
            size = sum(file.stat().st_size for file in local.files)
            return Finding(local.origin, size, needed=size)
        parts = find_online(key, settings)
        check_access(key, parts.weights)
    except UserError as error:
        return Finding({}, problem=str(error))
    size = sum(file.size or 0 for file in parts.files)
    missing = missing_bytes(parts.files, partial_folder(folder))
    # A pickle is converted, which takes its size again.
    needed = missing + (parts.weights.size or 0) * parts.is_pickled
    return Finding(parts.origin, size, missing, needed)
