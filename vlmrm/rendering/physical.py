"""Physically based materials and lights of the ``filament`` scene."""

from __future__ import annotations

import mujoco
import numpy as np

SURFACES = {
    "shell": (0.0, 0.28),
    "joint": (0.0, 0.55),
    "metal": (1.0, 0.30),
    "visor": (0.0, 0.06),
    "glow": (0.0, 0.30),
    "left": (0.0, 0.30),
    "right": (0.0, 0.30),
    "tiles": (0.0, 0.50),
}
"""Metalness and roughness of each material, 0 to 1; see `robot` for the robot's materials."""

COLORS = {"shell": [0.74, 0.75, 0.76, 1], "tiles": [0.70, 0.70, 0.70, 1]}
"""RGBA that differ from the textured scenes', which would be overexposed in full sunlight."""

SUN, SKY = 125_000.0, 27_000.0
"""Illuminance in lux by the sun, and by a sky that is white everywhere."""

SKY_COLORS = np.array(
    [
        [0.10, 0.31, 0.70],  # zenith
        [0.70, 0.82, 0.95],  # horizon
        [1.0, 1.0, 1.0],  # clouds
        [0.66, 0.665, 0.67],  # the distant floor, as bright as in the sun
    ],
    np.float32,
)
"""RGB in [0, 1]: a deeper blue, because the sky also lights the shadows."""

FLOOR_SCALE = 3.0
"""Size relative to the textured scenes' floor, so that it reaches the horizon."""


def make_physical(spec: mujoco.MjSpec) -> None:
    """Gives the textured scene in ``spec`` surfaces and lights in physical units.

    If one light has an intensity, Filament treats all of them as physical.
    """
    for material in spec.materials:
        material.metallic, material.roughness = SURFACES[material.name]
        material.rgba = COLORS.get(material.name, material.rgba)
    for geom in spec.geoms:
        geom.rgba = COLORS.get(geom.material, geom.rgba)
    spec.geom("floor").size = spec.geom("floor").size * FLOOR_SCALE
    spec.material("tiles").texrepeat = spec.material("tiles").texrepeat * FLOOR_SCALE
    for light in spec.lights:
        spec.delete(light)
    # Lower than in the textured scenes: shading from the side shows the shape of the body.
    spec.body("torso").add_light(
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        mode=mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM,
        pos=[0, 0, 2],
        dir=[-0.6, 0.85, -0.8],
        diffuse=[1.0, 0.91, 0.78],
        intensity=SUN,
        castshadow=True,
    )
    spec.worldbody.add_light(
        type=mujoco.mjtLightType.mjLIGHT_IMAGE, texture="sky", intensity=SKY, castshadow=False
    )
