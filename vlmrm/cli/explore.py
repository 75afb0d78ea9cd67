"""``vlmrm explore``."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlmrm.cli.options import Device, refuse_together
from vlmrm.config import Rendering, Task, default_scene, load_config, scenes_of
from vlmrm.config.architectures import packaged_models
from vlmrm.config.settings import EmbeddingSettings, ExplorationSettings
from vlmrm.data.pictures import labeled_pictures
from vlmrm.data.states import States
from vlmrm.errors import refuse_unknown
from vlmrm.models.folder import folders_by_name
from vlmrm.web.server import listen, run

if TYPE_CHECKING:
    from vlmrm.exploring.collection import Collection

HOST = "127.0.0.1"
POSES = 375
"""Poses around each task."""


def explore(
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Model folder, or packaged model; may be repeated. Default: all packaged models."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Configuration whose tasks, frame size, and preprocessing count."),
    ] = None,
    scene: Annotated[
        str | None, typer.Option(help="Scene of the frames; default: the environment's first.")
    ] = None,
    poses: Annotated[
        int | None,
        typer.Option(min=16, help=f"Poses around each of the eight tasks; default: {POSES}."),
    ] = None,
    states: Annotated[
        Path | None, typer.Option(help="States to rank (HDF5), instead of these poses.")
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder of pictures to rank; sub-folders yes and no are the judge."),
    ] = None,
    device: Device = "auto",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")
    ] = 8001,
) -> None:
    """Serve a web page on which you find your sentence: frames ranked by reward, as you type.

    Frames and embeddings are made once and kept in ~/.cache/vlmrm.
    """
    if pictures is not None:
        refuse_together("--pictures", {"--states": states, "--scene": scene, "--poses": poses})
    if states is not None:
        refuse_together("--states", {"--poses": poses})
    folders = folders_by_name(model or reversed(packaged_models()))
    with listen(HOST, port) as listener:
        files = labeled_pictures(pictures) if pictures is not None else None
        state_set = States.read(states) if states is not None else None
        environment = state_set.environment if state_set is not None else "humanoid"
        settings = _settings(config, None if files else environment)
        scene = scene or default_scene(environment)
        refuse_unknown("--scene", scene, scenes_of(environment))
        from vlmrm.exploring.explorer import EmbeddedCollection, Explorer
        from vlmrm.exploring.page import MAX_BODY, create_app
        from vlmrm.models.clip import ClipModel

        collection: Collection
        if files is not None:
            from vlmrm.exploring.collection import PictureFolder

            collection = PictureFolder(*files)
        else:
            collection = _state_frames(state_set, poses or POSES, scene, settings.rendering)
        embedding = settings.embedding.model_dump()
        models = {
            name: EmbeddedCollection(ClipModel.load(folder, device, **embedding), collection)
            for name, folder in folders.items()
        }
        app = create_app(Explorer(collection, models, settings.tasks))
        with closing(collection):
            run(app, listener, HOST, MAX_BODY, "Explore")


def _settings(config: Path | None, environment: str | None) -> ExplorationSettings:
    """Those of a configuration, else the paper's sentences; without an environment, no tasks."""
    content = load_config(config) if config is not None else None
    if environment is None:
        embedding = content.embedding_settings() if content else EmbeddingSettings()
        return ExplorationSettings(rendering=Rendering(), embedding=embedding)
    if content is not None:
        return content.exploration_settings(environment)
    from vlmrm.diagnosis.cached import RENDERING
    from vlmrm.diagnosis.sentences import KNOWN

    about = {"environment": "humanoid", "baseline": "a humanoid robot"}
    known = KNOWN if environment == "humanoid" else {}
    tasks = {
        name: Task.model_validate({**about, "goal": goal, "oracle": name})
        for name, goal in known.items()
    }
    return ExplorationSettings(tasks=tasks, rendering=RENDERING)


def _state_frames(
    states: States | None, poses: int, scene: str, rendering: Rendering
) -> Collection:
    from vlmrm.diagnosis.cached import cached_folder, cached_states
    from vlmrm.exploring.states import StateCollection

    if states is None:
        return StateCollection(*cached_states(poses, rendering), scene, rendering)
    content = hashlib.sha256(states.values.tobytes()).hexdigest()
    folder = cached_folder("states", states.environment, content, rendering.model_dump())
    return StateCollection(states, folder, scene, rendering)
