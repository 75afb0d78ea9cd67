"""``vlmrm render-frames``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Gpus, Output, StatesFile, Workers
from vlmrm.config import load_config
from vlmrm.data.states import States
from vlmrm.machine.gpus import claim_gpus
from vlmrm.rendering.parallel import write_frames


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
    rendering = content.rendering_settings(state_set.environment)
    write_frames(output, state_set, scene, rendering, workers, states=str(states))
