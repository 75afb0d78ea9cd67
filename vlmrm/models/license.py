"""Licenses of published models, as the hub names them."""

from __future__ import annotations

import os

from vlmrm.models.folder import read_model_provenance

RESEARCH = ("apple-amlr", "cc-by-nc")
"""Beginnings of the names of licenses that forbid commercial use."""


def describe_license(name: str | None) -> str:
    """The name of a license, with the restriction that is easily overlooked."""
    if name is None:
        return "not stated on its page"
    research = any(name.startswith(start) for start in RESEARCH)
    return name + (", for research only" if research else "")


def read_license(folder: str | os.PathLike[str]) -> str | None:
    """The license of a model folder; None if the model does not come from the hub."""
    origin = read_model_provenance(folder).get("origin", {})
    return describe_license(origin.get("license")) if "repository" in origin else None
