"""The realistic robot: shells, joints, and marks of left, right, front, and back.

Every part is a lofted solid in the frame of one body of Gymnasium's humanoid (meters; x to the
front, y to the left, z up, when it stands). Parts of one body and material become one mesh, because
rendering time grows with the number of meshes. The physics ignores them.
"""

from __future__ import annotations

from collections import defaultdict

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

Mesh = tuple[NDArray[np.float64], NDArray[np.int32]]
"""Vertices ``[V, 3]`` and triangles ``[F, 3]``, counter-clockwise from outside."""

MATERIALS = {
    "shell": {"rgba": [0.86, 0.87, 0.89, 1], "specular": 0.5, "shininess": 0.6},
    "joint": {"rgba": [0.13, 0.14, 0.16, 1], "specular": 0.6, "shininess": 0.5},
    "metal": {"rgba": [0.45, 0.47, 0.50, 1], "specular": 0.9, "shininess": 0.7},
    "visor": {"rgba": [0.03, 0.04, 0.06, 1], "specular": 1.0, "shininess": 0.9},
    "glow": {"rgba": [0.25, 0.85, 1.0, 1], "emission": 0.9},
    "left": {"rgba": [0.10, 0.36, 0.80, 1], "specular": 0.5, "shininess": 0.6},
    "right": {"rgba": [0.92, 0.42, 0.07, 1], "specular": 0.5, "shininess": 0.6},
}
"""MuJoCo's material properties; the accents are blue on the left side and orange on the right."""


def add_robot(spec: mujoco.MjSpec) -> None:
    """Hides the capsules of the humanoid in ``spec`` and adds the parts of the robot."""
    for geom in spec.geoms:
        if geom.name != "floor":
            geom.group = 3  # not rendered by default; its mass stays
    for name, properties in MATERIALS.items():
        spec.add_material(name=name, **properties)
    for (body, material), meshes in robot_parts().items():
        vertices, faces = merge(meshes)
        name = f"{body}_{material}"
        spec.add_mesh(
            name=name,
            uservert=vertices.ravel(),
            userface=faces.ravel(),
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        )
        spec.body(body).add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=name,
            material=material,
            rgba=MATERIALS[material]["rgba"],
            mass=0,
            contype=0,
            conaffinity=0,
            group=1,
        )


def robot_parts() -> dict[tuple[str, str], list[Mesh]]:
    """Body and material to their solids."""
    parts: dict[tuple[str, str], list[Mesh]] = defaultdict(list)
    _trunk(parts)
    for side, y in (("left", 1), ("right", -1)):
        _leg(parts, side, y)
        _arm(parts, side, y)
    return parts


def _trunk(parts: dict[tuple[str, str], list[Mesh]]) -> None:
    shell, joint, glow = parts["torso", "shell"], parts["torso", "joint"], parts["torso", "glow"]
    # Chest, wide at the shoulders and narrow at the waist; neck; helmet.
    shell += [
        loft(
            [
                (0.00, 0.00, 0.040, 0.060),
                (0.05, 0.00, 0.068, 0.082),
                (0.40, 0.01, 0.092, 0.108),
                (0.65, 0.01, 0.104, 0.128),
                (0.85, 0.00, 0.092, 0.130),
                (0.95, 0.00, 0.066, 0.100),
                (1.00, 0.00, 0.040, 0.060),
            ],
            (0, 0, -0.19),
            (0, 0, 0.115),
        ),
        ball((-0.005, 0, 0.20), (0.092, 0.078, 0.105)),
    ]
    joint += [
        tube((0, 0, 0.08), (0, 0, 0.14), 0.042),
        box((-0.105, 0, -0.03), (0.035, 0.075, 0.085)),  # backpack
        tube((0, -0.15, 0.06), (0, 0.15, 0.06), 0.040),
    ]
    parts["torso", "visor"].append(ball((0.035, 0, 0.205), (0.062, 0.062, 0.048)))
    glow += [ball((0.088, y, 0.212), (0.012, 0.014, 0.012)) for y in (-0.027, 0.027)]
    glow.append(tube((0.100, 0, 0.005), (0.116, 0, 0.005), 0.022))
    for side, y in (("left", 1), ("right", -1)):
        parts["torso", side].append(tube((0, 0.066 * y, 0.20), (0, 0.094 * y, 0.20), 0.036))
        parts["torso", "metal"].append(box((-0.145, 0.035 * y, -0.03), (0.012, 0.022, 0.06)))
    # The waist is a row of rings, like bellows.
    parts["torso", "joint"].append(bellows((0, 0, -0.15), (-0.01, 0, -0.22), 0.068, 0.088))
    parts["lwaist", "joint"].append(bellows((0, 0, 0.06), (0, 0, -0.11), 0.068, 0.088))
    parts["lwaist", "shell"].append(
        loft(
            [
                (0.0, 0, 0.05, 0.07),
                (0.2, 0, 0.074, 0.096),
                (0.8, 0, 0.076, 0.10),
                (1, 0, 0.05, 0.07),
            ],
            (0, 0, -0.035),
            (0, 0, 0.03),
        )
    )
    parts["pelvis", "shell"].append(
        loft(
            [
                (0.00, 0.0, 0.030, 0.040),
                (0.20, 0.0, 0.066, 0.078),
                (0.50, -0.005, 0.090, 0.135),
                (0.85, 0.0, 0.084, 0.128),
                (1.00, 0.0, 0.060, 0.090),
            ],
            (-0.01, 0, -0.105),
            (-0.01, 0, 0.075),
        )
    )
    parts["pelvis", "metal"].append(box((0.078, 0, 0.025), (0.008, 0.04, 0.018)))


def _leg(parts: dict[tuple[str, str], list[Mesh]], side: str, y: int) -> None:
    thigh, shin, foot = f"{side}_thigh", f"{side}_shin", f"{side}_foot"
    knee, half_width = np.array([0, -0.01 * y, -0.385]), np.array([0, 0.048, 0])
    parts[thigh, "joint"] += [
        ball((0, 0, 0), (0.066, 0.066, 0.066)),
        tube(knee - half_width, knee + half_width, 0.047),
        loft([(0, 0, 0.05, 0.05), (1, 0, 0.038, 0.038)], (0, 0, -0.30), knee),
    ]
    parts[thigh, "shell"].append(
        loft(
            [
                (0.00, 0.0, 0.040, 0.036),
                (0.06, 0.0, 0.066, 0.058),
                (0.30, 0.006, 0.076, 0.066),
                (0.75, 0.004, 0.062, 0.056),
                (0.95, 0.0, 0.052, 0.050),
                (1.00, 0.0, 0.036, 0.036),
            ],
            (0, 0, -0.035),
            (0, -0.009 * y, -0.335),
        )
    )
    parts[thigh, side].append(box((0.0, 0.064 * y, -0.16), (0.030, 0.010, 0.085)))
    parts[shin, side].append(ball((0.036, 0, 0.015), (0.028, 0.040, 0.048)))  # knee cap
    parts[shin, "shell"].append(
        loft(
            [
                (0.00, 0.0, 0.030, 0.032),
                (0.06, 0.0, 0.048, 0.047),
                (0.30, -0.012, 0.064, 0.054),
                (0.70, -0.004, 0.050, 0.044),
                (0.95, 0.0, 0.038, 0.036),
                (1.00, 0.0, 0.026, 0.026),
            ],
            (0, 0, -0.035),
            (0, 0, -0.325),
        )
    )
    parts[shin, "joint"].append(
        loft([(0, 0, 0.03, 0.03), (1, 0, 0.03, 0.03)], (0, 0, -0.30), (0, 0, -0.37))
    )
    # The sole is where the sphere of the foot touches the floor.
    parts[foot, "joint"] += [
        loft(
            [(0, 0.035, 0.122, 0.052), (1, 0.035, 0.126, 0.054)], (0, 0, 0.025), (0, 0, 0.050), 3.0
        ),
        ball((0, 0, 0.125), (0.042, 0.046, 0.042)),
    ]
    parts[foot, "shell"].append(
        loft(
            [
                (0.00, 0.035, 0.121, 0.050),
                (0.35, 0.027, 0.112, 0.050),
                (0.70, 0.004, 0.078, 0.047),
                (1.00, -0.006, 0.046, 0.036),
            ],
            (0, 0, 0.048),
            (0, 0, 0.118),
            3.0,
        )
    )
    parts[foot, side].append(box((0.118, 0, 0.062), (0.030, 0.030, 0.014)))


def _arm(parts: dict[tuple[str, str], list[Mesh]], side: str, y: int) -> None:
    upper, lower = f"{side}_upper_arm", f"{side}_lower_arm"
    down = np.array([1, y, -1]) / np.sqrt(3)
    up = np.array([1, -y, 1]) / np.sqrt(3)
    parts[upper, "joint"] += [
        ball((0, 0, 0), (0.05, 0.05, 0.05)),
        loft([(0, 0, 0.034, 0.034), (1, 0, 0.030, 0.030)], 0.22 * down, 0.30 * down),
        ball(0.312 * down, (0.040, 0.040, 0.040)),
    ]
    parts[upper, side].append(ball((0, 0.012 * y, 0.012), (0.058, 0.052, 0.055)))  # shoulder
    parts[upper, "shell"].append(
        loft(
            [
                (0.00, 0, 0.030, 0.030),
                (0.08, 0, 0.047, 0.047),
                (0.50, 0, 0.049, 0.049),
                (0.92, 0, 0.039, 0.039),
                (1.00, 0, 0.026, 0.026),
            ],
            0.045 * down,
            0.255 * down,
        )
    )
    parts[lower, "shell"].append(
        loft(
            [
                (0.00, 0, 0.026, 0.026),
                (0.10, 0, 0.040, 0.040),
                (0.35, 0, 0.044, 0.044),
                (0.92, 0, 0.031, 0.031),
                (1.00, 0, 0.022, 0.022),
            ],
            0.035 * up,
            0.245 * up,
        )
    )
    parts[lower, side].append(tube(0.195 * up, 0.225 * up, 0.0365))
    # A hand of palm, four fingers and a thumb.
    wide = np.array([1, 0, -1]) / np.sqrt(2)
    flat = np.cross(up, wide)
    palm = 0.305 * up
    hand = parts[lower, "joint"]
    hand += [
        tube(0.23 * up, 0.28 * up, 0.022),
        loft(
            [(0, 0, 0.016, 0.026), (0.3, 0, 0.021, 0.040), (1, 0, 0.016, 0.042)],
            palm - 0.035 * up,
            palm + 0.030 * up,
            front=flat,
        ),
    ]
    for i in (-1.5, -0.5, 0.5, 1.5):
        root = palm + 0.028 * up + 0.021 * i * wide
        hand.append(tube(root, root + 0.058 * up + 0.004 * i * wide, 0.0095, segments=6))
    hand.append(tube(palm + 0.035 * wide, palm + 0.064 * wide + 0.04 * up, 0.010, segments=6))


def loft(
    rings: list[tuple[float, float, float, float]],
    start: ArrayLike,
    end: ArrayLike,
    power: float = 2.4,
    front: ArrayLike = (1, 0, 0),
    segments: int = 14,
) -> Mesh:
    """Builds a closed solid from superellipses along the line from ``start`` to ``end``.

    Args:
        rings: For each ring, its place on the line (0 to 1), its shift to the front, and its half
            depth (along ``front``) and half width (across), in meters.
        start: Point ``[3]`` where the solid begins.
        end: Point ``[3]`` where the solid ends.
        power: Exponent of the superellipse: 2 is an ellipse, larger is closer to a rectangle.
        front: Direction ``[3]`` of depth, made perpendicular to the line.
        segments: Corners of each ring.
    """
    start, end = np.asarray(start, float), np.asarray(end, float)
    along = end - start
    axis = along / np.linalg.norm(along)
    depth = np.asarray(front, float)
    if abs(depth @ axis) > 0.95:
        depth = np.array([0.0, 0.0, 1.0])
    depth = depth - (depth @ axis) * axis
    depth /= np.linalg.norm(depth)
    width = np.cross(axis, depth)
    angle = 2 * np.pi * (np.arange(segments) + 0.5) / segments
    cosine, sine = (np.sign(f) * np.abs(f) ** (2 / power) for f in (np.cos(angle), np.sin(angle)))
    centers = np.array([start + t * along + shift * depth for t, shift, _, _ in rings])
    walls = [
        center + np.outer(d * cosine, depth) + np.outer(w * sine, width)
        for center, (_, _, d, w) in zip(centers, rings, strict=True)
    ]
    vertices = np.concatenate([*walls, centers[:1], centers[-1:]])
    here = np.arange(segments)
    after = (here + 1) % segments
    faces = []
    for ring in range(len(rings) - 1):
        low, high = ring * segments, (ring + 1) * segments
        faces += [
            np.stack([low + here, low + after, high + after], axis=1),
            np.stack([low + here, high + after, high + here], axis=1),
        ]
    top = (len(rings) - 1) * segments
    first, last = (np.full(segments, len(vertices) - i) for i in (2, 1))
    faces += [
        np.stack([first, after, here], axis=1),
        np.stack([last, top + here, top + after], axis=1),
    ]
    return vertices, np.concatenate(faces).astype(np.int32)


def ball(center: ArrayLike, radii: tuple[float, float, float]) -> Mesh:
    """Builds an ellipsoid with these radii along x, y, and z."""
    x, y, z = radii
    polar = np.linspace(0.06, np.pi - 0.06, 9)
    rings = [((1 - np.cos(p)) / 2, 0.0, x * np.sin(p), y * np.sin(p)) for p in polar]
    shift = np.array([0, 0, z])
    center = np.asarray(center, float)
    return loft(rings, center - shift, center + shift, power=2)


def tube(start: ArrayLike, end: ArrayLike, radius: float, segments: int = 14) -> Mesh:
    """Builds a cylinder with chamfered ends."""
    inner = 0.8 * radius
    rings = [
        (0.0, 0.0, inner, inner),
        (0.12, 0.0, radius, radius),
        (0.88, 0.0, radius, radius),
        (1.0, 0.0, inner, inner),
    ]
    return loft(rings, start, end, power=2, segments=segments)


def box(center: ArrayLike, half: tuple[float, float, float]) -> Mesh:
    """Builds a box with rounded edges and these half sizes along x, y, and z."""
    x, y, z = half
    rings = [
        (0.0, 0.0, 0.8 * x, 0.8 * y),
        (0.1, 0.0, x, y),
        (0.9, 0.0, x, y),
        (1.0, 0.0, 0.8 * x, 0.8 * y),
    ]
    shift = np.array([0, 0, z])
    center = np.asarray(center, float)
    return loft(rings, center - shift, center + shift, power=6)


def bellows(start: ArrayLike, end: ArrayLike, depth: float, width: float) -> Mesh:
    """Builds a ribbed cover of a flexible joint."""
    scale = [0.84, *[1.0, 0.84] * 3]
    places = np.linspace(0, 1, len(scale))
    rings = [(t, 0.0, s * depth, s * width) for t, s in zip(places, scale, strict=True)]
    return loft(rings, start, end)


def merge(meshes: list[Mesh]) -> Mesh:
    """Joins solids into one mesh."""
    offsets = np.cumsum([0] + [len(vertices) for vertices, _ in meshes[:-1]])
    faces = [f + offset for (_, f), offset in zip(meshes, offsets, strict=True)]
    return np.concatenate([v for v, _ in meshes]), np.concatenate(faces).astype(np.int32)
