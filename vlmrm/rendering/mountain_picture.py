"""A realistic scene of MountainCar: sky, mountain, red car, yellow flag.

Everything is generated from seeded noise and polygons. Lengths are in pixels; positions are the
environment's.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pygame
from numpy.typing import NDArray
from scipy.ndimage import zoom

from vlmrm.rendering.gymnasium import FRAME_SHAPE

Array = NDArray[np.float64]
Color = tuple[int, int, int]

HEIGHT, WIDTH, _ = FRAME_SHAPE
SCALE = 170.0
"""Pixels per unit of position, chosen so that the car stays within the middle square from one end
of the road to the other: many models see only that square."""
CENTER = -0.3
"""Position at the center of the frame, which is also the center of the road."""
BASE = 50
"""Pixels of ground below height 0."""

SUPERSAMPLING = 4
"""Factor by which sprites are drawn larger and then averaged, which smooths their edges."""
PATCH = 104
"""Side of a square that holds the car at any angle."""
WHEELBASE = 46
CAR_LENGTH, CAR_HEIGHT = 80, 44
FLAG_WIDTH, FLAG_HEIGHT = 92, 100


class MountainPicture:
    """Renders MountainCar in the ``textured`` scene.

    Args:
        goal: Position of the flag.
        road: Lowest and highest position at which the car is rendered.
    """

    shape = FRAME_SHAPE

    def __init__(self, goal: float, road: tuple[float, float]):
        self._road = road
        self._background = _background(goal)
        self._car = _draw_car()

    def render(self, state: NDArray[np.float64], out: NDArray[np.uint8]) -> None:
        """Renders a state vector ``[2]`` into ``out``, uint8 RGB ``[400, 600, 3]``."""
        out[:] = self._background
        x, y, tilt = _car_pose(float(np.clip(state[0], *self._road)))
        left, top = int(x) - PATCH // 2, int(y) - PATCH // 2

        car = pygame.transform.rotozoom(self._car, math.degrees(tilt), 1.0)
        patch = pygame.Surface((PATCH * SUPERSAMPLING,) * 2, pygame.SRCALPHA)
        corner = (
            round((x - left) * SUPERSAMPLING - car.get_width() / 2),
            round((y - top) * SUPERSAMPLING - car.get_height() / 2),
        )
        patch.blit(car, corner, special_flags=pygame.BLEND_PREMULTIPLIED)
        _blend(out, patch, left, top)

    def close(self) -> None:
        """Does nothing."""


def _column(position: float) -> float:
    """Horizontal pixel of a position."""
    return WIDTH / 2 + (position - CENTER) * SCALE


def _ground(column: Array | float) -> Array:
    """Vertical pixel, counted from the top, of the ground: Gymnasium's 0.45 sin(3 x) + 0.55."""
    position = CENTER + (np.asarray(column) - WIDTH / 2) / SCALE
    return HEIGHT - BASE - SCALE * (0.45 * np.sin(3 * position) + 0.55)


def _car_pose(position: float) -> tuple[float, float, float]:
    """Center of the car (column, row) and its tilt in radians, nose up positive.

    Both wheels stand on the ground, which is too curved to use its slope at one point.
    """
    middle = _column(position)
    tilt = math.atan(1.35 * math.cos(3 * position))
    for _ in range(2):  # the tilt and the wheels' horizontal distance depend on each other
        half = math.cos(tilt) * WHEELBASE / 2
        rear, front = float(_ground(middle - half)), float(_ground(middle + half))
        tilt = math.atan2(rear - front, 2 * half)
    x = middle - math.sin(tilt) * CAR_HEIGHT / 2
    y = (rear + front) / 2 - math.cos(tilt) * CAR_HEIGHT / 2
    return x, y, tilt


def _blend(image: NDArray[np.uint8], sprite: pygame.Surface, left: int, top: int) -> None:
    """Blends a supersampled sprite with premultiplied colors into ``image``."""
    width, height = (size // SUPERSAMPLING for size in sprite.get_size())
    small = pygame.transform.smoothscale(sprite, (width, height))
    colors = pygame.surfarray.pixels3d(small).swapaxes(0, 1)
    uncovered = 255 - pygame.surfarray.pixels_alpha(small).T.astype(np.uint16)
    region = image[top : top + height, left : left + width]
    # Truncation cannot wrap around: color <= alpha, so the sum is at most 255.
    region[:] = colors + (region * uncovered[..., None] // 255).astype(np.uint8)


# --- landscape ----------------------------------------------------------------------------------


@cache
def _background(goal: float) -> NDArray[np.uint8]:
    """Everything but the car, uint8 ``[400, 600, 3]``."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    image = _mix((86, 152, 224), (206, 228, 244), rows / 260)
    clouds = _noise(rng, 40, stretch=3) * np.clip(1.2 - rows / 170, 0, 1)
    image = _mix(image, (255, 255, 255), np.clip(4 * clouds - 0.6, 0, 0.9))
    ridge = 285 + 22 * np.sin(columns / 47) + 13 * np.sin(columns / 19 + 1)
    image = _mix(image, (150, 176, 200), np.clip(rows - ridge + 0.5, 0, 1))

    surface = _ground(columns)
    slope = np.gradient(surface[0])
    depth = (rows - surface) / np.hypot(1, slope)
    image = _mix(image, _soil(rng, rows, depth), np.clip(depth + 0.5, 0, 1))

    frame = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    foot = _column(goal)
    left, top = round(foot) - FLAG_WIDTH // 2, round(float(_ground(foot))) + 4 - FLAG_HEIGHT
    _blend(frame, _draw_flag(), left, top)
    frame.setflags(write=False)
    return frame


def _soil(rng: np.random.Generator, rows: Array, depth: Array) -> Array:
    """Grass above rock, by the distance below the surface; float64 ``[H, W, 3]``."""
    coarse, fine = _noise(rng, 34), _noise(rng, 7)
    # Slanted layers, with cracks where the noise changes sign.
    layers = np.sin((rows + 30 * coarse) / 7)
    rock = _mix((104, 88, 74), (158, 140, 120), 0.5 + 0.9 * coarse + 0.5 * fine + 0.12 * layers)
    cracks = np.clip(1 - np.abs(_noise(rng, 24)) / 0.035, 0, 1)
    rock = _mix(rock, (62, 52, 46), 0.7 * cracks)
    rock = _mix(rock, (52, 44, 40), np.clip(depth / 420, 0, 0.6))
    blades = _noise(rng, 4, stretch=0.35)
    grass = _mix((48, 108, 34), (122, 186, 62), 0.5 + 0.8 * blades + 0.5 * coarse - depth / 60)
    turf = 17 + 16 * fine + 12 * blades
    return _mix(grass, rock, np.clip((depth - turf) / 3, 0, 1))


def _noise(rng: np.random.Generator, size: float, stretch: float = 1) -> Array:
    """Fractal noise ``[H, W]`` around 0, mostly within 0.5, with features of ``size`` pixels.

    Args:
        rng: Source of the noise.
        size: Height of the largest features.
        stretch: Width of the features divided by their height.
    """
    total = np.zeros((HEIGHT, WIDTH))
    for octave in range(4):
        cell_height = max(size / 2**octave, 1)
        cell_width = max(size * stretch / 2**octave, 1)
        shape = (int(HEIGHT / cell_height) + 2, int(WIDTH / cell_width) + 2)
        values = rng.uniform(-1, 1, shape)
        smooth = zoom(values, (HEIGHT / (shape[0] - 1), WIDTH / (shape[1] - 1)), order=3)
        total += smooth[:HEIGHT, :WIDTH] / 2 ** (octave + 1)
    return total


def _mix(first: Array | Color, second: Array | Color, share: Array) -> Array:
    """Blends two colors or images ``[H, W, 3]`` by the second's ``share`` ``[H, W]``."""
    weight = np.clip(share, 0, 1)[..., None]
    return (1 - weight) * np.asarray(first) + weight * np.asarray(second)


# --- sprites ------------------------------------------------------------------------------------


class _Sprite:
    """A transparent surface on which shapes are drawn in pixels of the final frame.

    Pixels are opaque or empty, for which plain and premultiplied colors are the same.
    """

    def __init__(self, width: int, height: int):
        size = (width * SUPERSAMPLING, height * SUPERSAMPLING)
        self.surface = pygame.Surface(size, pygame.SRCALPHA)

    def polygon(self, color: Color, *points: tuple[float, float]) -> None:
        scaled = [(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in points]
        pygame.draw.polygon(self.surface, color, scaled)

    def rectangle(
        self, color: Color, box: tuple[float, float, float, float], radius: int = 0
    ) -> None:
        """Fills ``box`` (left, top, width, height)."""
        scaled = pygame.Rect(*(round(value * SUPERSAMPLING) for value in box))
        pygame.draw.rect(self.surface, color, scaled, border_radius=radius * SUPERSAMPLING)

    def circle(self, color: Color, center: tuple[float, float], radius: float) -> None:
        scaled = (center[0] * SUPERSAMPLING, center[1] * SUPERSAMPLING)
        pygame.draw.circle(self.surface, color, scaled, radius * SUPERSAMPLING)


@cache
def _draw_car() -> pygame.Surface:
    """A red car facing right, with its wheels on the lower edge."""
    red, shade, glass = (222, 28, 32), (150, 14, 20), (190, 226, 244)
    car = _Sprite(CAR_LENGTH, CAR_HEIGHT)
    car.polygon(red, (15, 19), (25, 2), (50, 2), (64, 19))
    car.polygon(glass, (21, 17), (28, 6), (37, 6), (37, 17))
    car.polygon(glass, (41, 17), (41, 6), (48, 6), (57, 17))
    car.rectangle(red, (1, 16, 78, 19), radius=6)
    car.rectangle(shade, (2, 30, 76, 5), radius=2)
    car.rectangle(shade, (38.5, 18, 1, 12))
    car.rectangle((255, 236, 150), (73, 20, 6, 6), radius=2)
    car.rectangle((255, 120, 90), (1, 20, 4, 6), radius=1)
    for x in ((CAR_LENGTH - WHEELBASE) / 2, (CAR_LENGTH + WHEELBASE) / 2):
        car.circle((24, 24, 26), (x, CAR_HEIGHT - 11), 11)
        car.circle((196, 198, 204), (x, CAR_HEIGHT - 11), 5)
    return car.surface


def _draw_flag() -> pygame.Surface:
    """A yellow flag flying to the right; its pole is in the middle of the lower edge."""
    flag = _Sprite(FLAG_WIDTH, FLAG_HEIGHT)
    pole = FLAG_WIDTH / 2
    flag.rectangle((70, 60, 54), (pole - 2, 3, 4, FLAG_HEIGHT - 3))
    flag.circle((70, 60, 54), (pole, 4), 4)
    along = np.linspace(0, 1, 20)
    wave = 3 * np.sin(2 * np.pi * along)
    x = pole + 2 + along * (FLAG_WIDTH / 2 - 2)
    upper = zip(x, 8 + wave + 3 * along, strict=True)
    lower = zip(x[::-1], (40 + wave - 3 * along)[::-1], strict=True)
    flag.polygon((255, 214, 0), *upper, *lower)
    return flag.surface
