"""The humanoid's scenes: edits of Gymnasium's model, and the camera."""

from __future__ import annotations

import functools

import mujoco
import numpy as np
from numpy.typing import NDArray

from vlmrm.config import SCENES
from vlmrm.envs.humanoid import XML
from vlmrm.errors import UserError, suggest
from vlmrm.rendering.physical import SKY_COLORS, make_physical
from vlmrm.rendering.robot import add_robot
from vlmrm.rendering.textures import floor_tiles, sky

FLOOR_HALF_SIZE = 60.0
"""Meters; beyond it, the sky's texture shows the ground."""
TILES_PER_METER = 2.0
TEXTURE_SIZE = 512
"""Side in pixels of the floor's texture and of each face of the sky."""

AZIMUTHS = {"textured-fixed": 180, "filament": 180, "textured-left": 225, "textured-right": 135}
"""Directions in which fixed cameras look, in degrees: at 180, to the front of a robot that faces
along x. Left and right are the robot's."""


def scene_model(scene: str) -> mujoco.MjModel:
    """Compiles the model of a scene; its coordinates are the physics'.

    Scenes that differ in their camera share a model, which is compiled once per process.

    Raises:
        UserError: The humanoid has no such scene.
    """
    if scene not in SCENES["humanoid"]:
        known = suggest(scene, SCENES["humanoid"])
        raise UserError(f"scene: humanoid has no scene '{scene}'{known}")
    return _compiled(scene.partition("-")[0])


@functools.cache
def _compiled(scene: str) -> mujoco.MjModel:
    spec = mujoco.MjSpec.from_file(str(XML))
    _make_cheap(spec)
    if scene == "gymnasium":
        return spec.compile()
    _add_surroundings(spec)
    add_robot(spec)
    if scene == "filament":
        make_physical(spec)
    model = spec.compile()
    _paint(model, "sky", sky(colors=SKY_COLORS) if scene == "filament" else sky())
    _paint(model, "tiles", floor_tiles())
    return model


def scene_camera(scene: str, model: mujoco.MjModel) -> mujoco.MjvCamera:
    """Makes the camera of a scene: fixed in space, or Gymnasium's, which follows the robot."""
    camera = mujoco.MjvCamera()
    if scene in AZIMUTHS:
        camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        camera.lookat[:] = (0, 0, 1)
        camera.distance, camera.elevation, camera.azimuth = 3.5, -10, AZIMUTHS[scene]
    else:
        camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        camera.fixedcamid = model.camera("track").id
    return camera


def place(model: mujoco.MjModel, data: mujoco.MjData, state: NDArray[np.float64]) -> None:
    """Moves bodies, lights, and cameras to the posture of ``state``, which begins with `qpos`."""
    data.qpos[:] = state[: model.nq]
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)  # the tracking camera follows the center of mass
    mujoco.mj_camlight(model, data)


def _make_cheap(spec: mujoco.MjSpec) -> None:
    """Lowers settings that cost time in software rendering and are not visible."""
    # The floor is flat and evenly lit; Gymnasium's grid of 200 x 200 cells takes most of the
    # time of a frame.
    spec.geom("floor").size[2] = spec.geom("floor").size[0] / 8
    quality = spec.visual.quality
    quality.offsamples = 0
    quality.numslices, quality.numstacks = 20, 10
    quality.shadowsize = 1024
    # Shadows within 2 m of the robot only: a small map is sharp enough.
    spec.stat.extent, spec.visual.map.shadowclip = 4, 0.5


def _add_surroundings(spec: mujoco.MjSpec) -> None:
    for element in (*spec.textures, *spec.materials):
        spec.delete(element)
    for geom in spec.geoms:
        geom.material = ""
    _add_texture(spec, "sky", mujoco.mjtTexture.mjTEXTURE_SKYBOX)
    _add_texture(spec, "tiles", mujoco.mjtTexture.mjTEXTURE_2D)
    textures = [""] * mujoco.mjtTextureRole.mjNTEXROLE
    textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "tiles"
    repeats = 2 * FLOOR_HALF_SIZE * TILES_PER_METER / 4
    spec.add_material(
        name="tiles", textures=textures, texrepeat=[repeats, repeats], specular=0.1, shininess=0.2
    )
    floor = spec.geom("floor")
    floor.material, floor.rgba, floor.castshadow = "tiles", [1, 1, 1, 1], False
    floor.size = [FLOOR_HALF_SIZE, FLOOR_HALF_SIZE, FLOOR_HALF_SIZE / 8]
    for light in spec.lights:
        spec.delete(light)
    # The sun, from the front right: both cameras see the lit side. It moves with the robot, and
    # with it the part of the world that receives shadows.
    directional, follow = (
        mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM,
    )
    spec.body("torso").add_light(
        type=directional,
        mode=follow,
        pos=[0, 0, 2],
        dir=[-0.45, 0.5, -0.9],
        diffuse=[0.66, 0.64, 0.60],
        specular=[0.4, 0.4, 0.4],
        castshadow=True,
    )
    # The sky's light from the other side.
    spec.worldbody.add_light(
        type=directional,
        dir=[-0.3, -0.7, -0.4],
        diffuse=[0.16, 0.18, 0.22],
        specular=[0.1, 0.1, 0.1],
        castshadow=False,
    )
    headlight = spec.visual.headlight
    headlight.ambient, headlight.diffuse = [0.34, 0.35, 0.37], [0.10, 0.10, 0.10]
    headlight.specular = [0, 0, 0]


def _add_texture(spec: mujoco.MjSpec, name: str, kind: mujoco.mjtTexture) -> None:
    """Reserves a texture that is painted after compilation: faster than passing its bytes."""
    faces = 6 if kind == mujoco.mjtTexture.mjTEXTURE_SKYBOX else 1
    spec.add_texture(
        name=name,
        type=kind,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        width=TEXTURE_SIZE,
        height=faces * TEXTURE_SIZE,
        nchannel=3,
    )


def _paint(model: mujoco.MjModel, name: str, picture: NDArray[np.uint8]) -> None:
    texture = model.texture(name)
    start = texture.adr[0]
    model.tex_data[start : start + picture.size] = picture.ravel()
