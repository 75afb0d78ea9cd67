"""The scenes in whose frames a simulator-trained model can be expected to recognize anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vlmrm.config import Config, PackagedModel, PretrainedModel, SimulatorModel, ensembles
from vlmrm.config.architectures import WEIGHTS_FOLDER
from vlmrm.models.folder import MODELS, read_model_provenance

Scenes = dict[str, list[str]]
"""Scenes by environment."""


def unseen_warnings(config: Config, uses: Iterable[tuple[str, str, str]]) -> list[str]:
    """What to say of models that score scenes that they have not seen, a line per environment.

    Args:
        config: Configuration of a run.
        uses: Names of models, each with an environment and a scene.
    """
    views: dict[tuple[str, str], dict[str, None]] = {}
    for name, environment, scene in uses:
        for member, view in ensembles.views(config, name, scene):
            views.setdefault((member, environment), {})[view] = None
    warnings = []
    for (name, environment), scenes in views.items():
        seen = _seen_by(config, name)
        if seen is None:
            continue
        if unseen := [scene for scene in scenes if scene not in seen.get(environment, [])]:
            warnings.append(_unseen_warning(name, environment, unseen, seen))
    return warnings


def _unseen_warning(name: str, environment: str, views: list[str], seen: Scenes) -> str:
    """That a model has not seen scenes of an environment, and what follows."""
    if environment not in seen:
        return f"{name} has never seen {environment}; its rewards may mean nothing there."
    return (
        f"{name} has never seen {environment} in {' or '.join(views)}, only in "
        f"{' and '.join(seen[environment])}; its rewards may mean nothing there."
    )


def _seen_scenes(record: Mapping[str, Any]) -> Scenes | None:
    """The scenes of a model's corpus, by its provenance.

    None where nothing is known: of published models, and of frames with captions of one's own.
    """
    corpus = record.get("corpus") or record.get("origin", {}).get("corpus") or {}
    if corpus.get("captions") or not corpus.get("frames"):
        return None
    return {environment: list(scenes) for environment, scenes in corpus["frames"].items()}


def _seen_by(config: Config, name: str) -> Scenes | None:
    match model := config.models[name]:
        case PackagedModel():
            return _seen_scenes(read_model_provenance(WEIGHTS_FOLDER / model.architecture))
        case PretrainedModel(path=str(own)):
            return _seen_scenes(read_model_provenance(MODELS / name) or read_model_provenance(own))
        case SimulatorModel():
            return _merged(
                _seen_scenes({"corpus": config.corpora[model.corpus].model_dump()}),
                _seen_by(config, model.initial_model) if model.initial_model else {},
            )
    return None


def _merged(seen: Scenes | None, more: Scenes | None) -> Scenes | None:
    if seen is None or more is None:
        return None
    environments = dict.fromkeys([*seen, *more])
    return {
        environment: list(dict.fromkeys([*seen.get(environment, []), *more.get(environment, [])]))
        for environment in environments
    }
