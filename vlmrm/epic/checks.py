"""Checks of the input of every measure."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

ROUNDING = 4e-7
"""A spread below this share of the largest magnitude counts as float32 rounding errors."""


def finite(name: str, values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains NaN or infinity")
    return array


def shares(weights: ArrayLike | None, shape: tuple[int, ...]) -> Floats:
    """Weights of this shape, normalized to sum 1; equal by default."""
    share = np.ones(shape) if weights is None else finite("weights", weights)
    if share.shape != shape:
        raise ValueError(f"weights have shape {share.shape}, not {shape}")
    if (share < 0).any() or not share.any():
        raise ValueError("weights must be neither negative nor all zero")
    normalized: Floats = share / share.sum()
    return normalized


def refuse_constant(name: str, values: Floats) -> None:
    if np.ptp(values) <= ROUNDING * np.abs(values).max():
        raise ValueError(f"{name} is constant up to rounding: its correlation is undefined")


def standardize(name: str, values: Floats, share: Floats) -> Floats:
    """Shifts and scales values to weighted mean 0 and variance 1."""
    refuse_constant(name, values[share > 0])
    centered = values - np.sum(share * values)
    # In two steps, because squares of very small or large numbers leave the range of floats.
    centered /= np.abs(centered[share > 0]).max()
    standard: Floats = centered / np.sqrt(np.sum(share * centered**2))
    return standard


def checked_labels(labels: ArrayLike) -> NDArray[np.bool_]:
    array = np.asarray(labels)
    truth = array.astype(np.bool_)
    if array.ndim != 1 or not np.array_equal(array, truth):
        raise ValueError("labels must be one-dimensional and contain only true and false (1 and 0)")
    if truth.all() or not truth.any():
        raise ValueError("all labels are the same; both successes and failures are needed")
    return truth


def checked_pair(rewards: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    values, truth = finite("rewards", rewards), checked_labels(labels)
    if values.shape != truth.shape:
        raise ValueError(f"rewards and labels differ in shape: {values.shape}, {truth.shape}")
    return values, truth
