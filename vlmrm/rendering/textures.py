"""Textures of the realistic humanoid scenes, generated from a seed: nothing to ship or license."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.floating]

FLOOR_COLOR = np.array([0.52, 0.50, 0.47])
"""Average color of the tiles, RGB in [0, 1]."""

SKY_COLORS = np.array(
    [
        [0.22, 0.43, 0.74],  # zenith
        [0.74, 0.83, 0.91],  # horizon
        [0.97, 0.97, 0.98],  # clouds
        [0.63, 0.665, 0.69],  # the distant floor, in haze
    ],
    np.float32,
)


def floor_tiles(size: int = 512, tiles: int = 4, seed: int = 0) -> Image:
    """Paints stone tiles with grout lines, uint8 ``[size, size, 3]``, that repeat without a seam.

    Args:
        size: Side in pixels, a multiple of ``tiles``.
        tiles: Tiles along each side.
        seed: Seed of the grain and of the differences between tiles.
    """
    rng = np.random.default_rng(seed)
    side = size // tiles
    tint = 1 + 0.14 * (rng.random((tiles, tiles)) - 0.5)
    brightness = np.kron(tint, np.ones((side, side)))
    brightness += 0.05 * fractal_noise(size, 1.6, rng) + 0.03 * fractal_noise(size, 0.4, rng)
    x = np.arange(size) % side + 0.5
    edge = np.minimum(x, side - x)
    edge = np.minimum(edge[:, None], edge[None, :])
    grout = np.clip((2.6 - edge) / 1.2, 0, 1)
    picture = FLOOR_COLOR * brightness[..., None]
    picture += grout[..., None] * (0.42 * FLOOR_COLOR - picture)
    return _to_bytes(picture)


def sky(size: int = 512, colors: Floats = SKY_COLORS) -> Image:
    """Paints a cloudy sky as the six faces of a cube, uint8 ``[6 * size, size, 3]``.

    The faces are in the order of OpenGL's cube maps, with +y up. ``colors`` are those of
    `SKY_COLORS`, in the same order.
    """
    clouds = fractal_noise(512, 1.7, np.random.default_rng(1)).astype(np.float32)
    v, u = np.meshgrid(*[np.linspace(-1, 1, size, dtype=np.float32)] * 2, indexing="ij")
    one = np.ones_like(u)
    faces = [(one, -v, -u), (-one, -v, u), (u, one, v), (u, -one, -v), (u, -v, one), (-u, -v, -one)]
    return np.concatenate([_sky_color(np.stack(face), clouds, colors) for face in faces])


def _sky_color(direction: Floats, clouds: Floats, colors: Floats) -> Image:
    """Color seen along ``direction`` ``[3, H, W]`` (+y up) under a flat layer of ``clouds``."""
    x, up, z = direction / np.sqrt(sum(d * d for d in direction))
    zenith, horizon, white, ground = colors
    color = horizon + (zenith - horizon) * np.clip(up, 0, 1)[..., None] ** np.float32(0.55)
    distance = 0.35 / (np.clip(up, 0, 1) + 0.12)
    n = len(clouds)
    row, column = (np.floor(n * (0.5 + 0.5 * c * distance)).astype(int) % n for c in (x, z))
    cover = _smoothstep((clouds[row, column] - 0.1) / 1.4) * _smoothstep(up / 0.2)
    color += 0.85 * cover[..., None] * (white - color)
    color += np.clip(-up / 0.02, 0, 1)[..., None] * (ground - color)
    return _to_bytes(color)


def fractal_noise(size: int, roughness: float, rng: np.random.Generator) -> Floats:
    """Generates periodic noise ``[size, size]`` with mean 0 and standard deviation 1.

    Its amplitude falls with frequency f as f^-roughness: 0 is white noise, clouds are near 1.7.
    """
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.random((size, size))) * frequency**-roughness
    noise = np.fft.irfft2(spectrum, s=(size, size))
    return (noise - noise.mean()) / noise.std()


def _smoothstep(x: Floats) -> Floats:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _to_bytes(picture: Floats) -> Image:
    return np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)
