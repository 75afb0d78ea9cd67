"""``vlmrm draw-scenes``."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from vlmrm.cli.options import ConfigFile, Figures
from vlmrm.config import SCENES, EnvironmentName, load_config
from vlmrm.errors import UserError, suggest


def draw_scenes(
    environment: Annotated[str, typer.Argument(help="Name of an environment.")],
    config: ConfigFile,
    output: Figures,
) -> None:
    """Draw example frames of an environment in each of its scenes."""
    rendering = load_config(config).rendering_settings(environment)
    if environment not in SCENES:
        raise UserError(f"environment: unknown name '{environment}'{suggest(environment, SCENES)}")
    from vlmrm.figures import scenes
    from vlmrm.figures.style import save_figure

    frames = scenes.example_frames(cast(EnvironmentName, environment), rendering)
    missing = [scene for scene in SCENES[environment] if scene not in frames]
    save_figure(scenes.draw_scenes(frames, missing), output, environment=environment)
