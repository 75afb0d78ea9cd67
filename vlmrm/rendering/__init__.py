"""Renderers turn state vectors into frames."""

from __future__ import annotations

from vlmrm.config import SCENES, Rendering, scenes_of
from vlmrm.envs import import_env
from vlmrm.envs.mountain_car import GOAL_POSITION, ROAD
from vlmrm.errors import UserError, suggest
from vlmrm.rendering.base import Renderer
from vlmrm.rendering.gymnasium import cartpole_renderer, mountain_car_renderer
from vlmrm.rendering.vulkan import require_filament

__all__ = ["Renderer", "check_scene", "make_renderer"]


def make_renderer(name: str, scene: str, rendering: Rendering) -> Renderer:
    """Makes a renderer of the environment ``name`` in one of its `SCENES`.

    Raises:
        UserError: No environment or scene has this name, the environment draws frames only while it
            acts, or rendering cannot start.
    """
    if name not in SCENES:
        raise UserError(
            f"environment: '{name}' cannot be drawn from states, only while it acts; use one of "
            f"{', '.join(SCENES)}"
        )
    # Import only what is needed: MuJoCo fails without OpenGL, and pygame is slow.
    import_env(name)
    check_scene(name, scene)
    match name, scene:
        case "humanoid", "filament":
            from vlmrm.rendering.filament import FilamentRenderer

            return FilamentRenderer(rendering)
        case "humanoid", _:
            from vlmrm.rendering.humanoid import HumanoidRenderer

            return HumanoidRenderer(scene, rendering)
        case "mountain-car", "textured":
            from vlmrm.rendering.mountain_picture import MountainPicture

            return MountainPicture(GOAL_POSITION, ROAD)
        case "mountain-car", _:
            return mountain_car_renderer()
    return cartpole_renderer()


def check_scene(name: str, scene: str) -> None:
    """Checks whether a scene can be rendered, without starting to render.

    Raises:
        UserError: The environment has no such scene.
        MissingDependency: The scene needs something that is not installed.
    """
    if scene not in scenes_of(name):
        raise UserError(f"scene: {name} has no scene '{scene}'{suggest(scene, scenes_of(name))}")
    if scene == "filament":
        require_filament()
