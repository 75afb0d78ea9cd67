"""``vlmrm render-frames``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Gpus, Output, StatesFile, Workers
from vlmrm.config import load_config
from vlmrm.data.frames import FrameWriter
from vlmrm.data.states import States
from vlmrm.machine.gpus import claim_gpus
from vlmrm.rendering import make_renderer
from vlmrm.rendering.parallel import render_states
from vlmrm.terminal.bars import bar


def render_frames(
    config: ConfigFile,
    states: StatesFile,
    scene: Annotated[str, typer.Option(help="Scene to render.")],
    output: Output,
    workers: Workers = None,
    gpus: Gpus = 1,
) -> None:
    """Render states in a scene."""
    content = load_config(config)
    claim_gpus(gpus)
    state_set = States.read(states)
    environment, count = state_set.environment, len(state_set)
    rendering = content.rendering_settings(environment)
    renderer = make_renderer(environment, scene, rendering)
    shape = renderer.shape
    renderer.close()
    with (
        FrameWriter(output, (count, *shape), scene=scene, states=str(states)) as writer,
        bar(total=count, unit="frame", desc=f"render {scene}") as rendered,
    ):
        for frames in render_states(environment, scene, rendering, state_set.values, workers):
            writer.append(frames)
            rendered.update(len(frames))
