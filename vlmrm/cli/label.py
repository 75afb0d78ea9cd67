"""``vlmrm label``."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Scene, TaskName, pick
from vlmrm.config import default_scene, load_config
from vlmrm.data.states import States
from vlmrm.labeling.page import MAX_BODY, create_app
from vlmrm.labeling.session import Session
from vlmrm.web.server import is_private, listen, run

LOGGER = logging.getLogger("vlmrm")


def label(
    states: Annotated[Path, typer.Argument(help="States to label (HDF5).")],
    config: ConfigFile,
    task: TaskName,
    rater: Annotated[str, typer.Option(help="Name of the person who labels.")],
    output: Annotated[Path, typer.Option(help="Label file (CSV); continued if it exists.")],
    scene: Scene = None,
    size: Annotated[
        int, typer.Option(min=32, max=1024, help="Side of the humanoid's frames in pixels.")
    ] = 480,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Number of states to show; default: all.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the states' order; use the same for all raters.")
    ] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")
    ] = 8000,
) -> None:
    """Serve a web page on which a person labels the frames of states."""
    content = load_config(config)
    pick(content.tasks, "tasks", task)
    settings = content.labeling_settings(task)
    with listen(host, port) as listener:
        state_set = States.read(states)
        state_set.check_environment(states, task, settings.environment)
        session = Session(state_set, task, settings.goals, rater, output, sample, seed)
        scene = scene or default_scene(state_set.environment)
        rendering = settings.rendering.model_copy(update={"humanoid_size": size})
        from vlmrm.web.pictures import Pictures

        pictures = Pictures(state_set.environment, scene, rendering, state_set.values)
        if not is_private(listener):
            LOGGER.warning("--host: anyone who can reach %s over the network can label", host)
        with closing(pictures):
            run(create_app(session, pictures.png), listener, host, MAX_BODY, "Label")
