"""How well people agree with each other and with the oracle.

Cohen's kappa (Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
Measurement 20, 1960) is the agreement of two raters beyond chance:

    kappa = (p_o - p_e) / (1 - p_e)        p_e = p_1 p_2 + (1 - p_1) (1 - p_2)

with the share p_o of states with equal answers and the share p_i of yes among the answers of rater
i. 1 is perfect agreement, 0 the agreement of raters who answer independently.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from vlmrm.epic.bootstrap import cluster_bootstrap
from vlmrm.labeling.labels import ORACLE, Answers

Floats = NDArray[np.float64]


def cohens_kappa(first: ArrayLike, second: ArrayLike) -> float:
    """Cohen's kappa of the answers of two raters, bool ``[N]`` each.

    Raises:
        ValueError: Lengths differ, there are no answers, or both raters gave the same answer to
            every state, which leaves kappa undefined.
    """
    a, b = np.asarray(first, dtype=np.bool_), np.asarray(second, dtype=np.bool_)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"answers must be two lists of equal length, got {a.shape} and {b.shape}")
    if not a.size:
        raise ValueError("there are no states to which both raters said yes or no")
    kappa = float(_kappas(_cells(a, b).sum(axis=0)[None])[0])
    if np.isnan(kappa):
        raise ValueError("both raters gave the same answer to every state")
    return kappa


def kappa_interval(
    first: ArrayLike,
    second: ArrayLike,
    clusters: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % bootstrap interval of `cohens_kappa`: percentiles over resampled states.

    Resamples in which kappa is undefined are left out.

    Args:
        first: Answers of one rater, bool ``[N]``.
        second: Answers of the other, bool ``[N]``.
        clusters: Cluster of each state, for example its trajectory, ``[N]``: states of a cluster
            are resampled together. By default, each state is a cluster.
        bootstrap: Number of resamples.
        seed: Seed of the resampling.

    Raises:
        ValueError: As in `cohens_kappa`, or there are fewer than two clusters, or no resample in
            which kappa is defined.
    """
    cohens_kappa(first, second)
    a, b = np.asarray(first, dtype=np.bool_), np.asarray(second, dtype=np.bool_)
    member_of, draw = cluster_bootstrap(len(a), clusters, bootstrap, seed)
    cells = np.zeros((member_of.max() + 1, 4))
    np.add.at(cells, member_of, _cells(a, b))
    kappas = _kappas(draw(bootstrap) @ cells)
    if np.isnan(kappas).all():
        raise ValueError(f"kappa is undefined in all of the {bootstrap} resamples; use more")
    low, high = np.nanquantile(kappas, (0.025, 0.975))
    return float(low), float(high)


def agreement_table(
    answers: Answers,
    oracle: NDArray[np.bool_] | None,
    clusters: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Agreement of each pair of raters, and of each rater with the oracle.

    A pair is compared on the states to which both said yes or no.

    Args:
        answers: The answers of each rater.
        oracle: The oracle's labels, bool ``[N]``; None leaves the oracle out.
        clusters: Cluster of each state, ``[N]``, as in `kappa_interval`.
        bootstrap: Number of resamples for each interval.
        seed: Seed of the resampling.

    Returns:
        One row per pair: first and second (names), n (states compared), first_yes and second_yes
        (shares of yes), agreement (share of equal answers), kappa, kappa_low and kappa_high.
        Undefined values are NaN: all shares at n = 0, kappa if both gave the same answer to every
        state, the interval if there are fewer than two clusters.
    """
    judges = {rater: _yes_or_no(given) for rater, given in answers.items()}
    if oracle is not None:
        judges[ORACLE] = dict(enumerate(oracle.tolist()))
    rows = []
    for first, second in combinations(judges, 2):
        shared = sorted(judges[first].keys() & judges[second].keys())
        a, b = (np.array([judges[name][s] for s in shared], np.bool_) for name in (first, second))
        groups = None if clusters is None else np.asarray(clusters)[shared]
        kappa = low = high = np.nan
        try:
            kappa = cohens_kappa(a, b)
            low, high = kappa_interval(a, b, groups, bootstrap, seed)
        except ValueError:
            pass  # undefined: stays NaN
        rows.append(
            {
                "first": first,
                "second": second,
                "n": len(shared),
                "first_yes": _share(a),
                "second_yes": _share(b),
                "agreement": _share(a == b),
                "kappa": kappa,
                "kappa_low": low,
                "kappa_high": high,
            }
        )
    return pd.DataFrame(rows)


def _yes_or_no(given: Mapping[int, str]) -> dict[int, bool]:
    return {state: answer == "yes" for state, answer in given.items() if answer != "unsure"}


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if values.size else np.nan


def _cells(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Floats:
    """The cell of each state in the 2 x 2 table of answers, one-hot ``[N, 4]``: yy, yn, ny, nn."""
    cells = [first & second, first & ~second, ~first & second, ~first & ~second]
    return np.stack(cells, axis=1).astype(np.float64)


def _kappas(cells: Floats) -> Floats:
    """Kappa of each table of counts ``[B, 4]`` of `_cells`; NaN where it is undefined."""
    yy, yn, ny, nn = (cells / cells.sum(axis=1, keepdims=True)).T
    first, second = yy + yn, yy + ny
    chance = first * second + (1 - first) * (1 - second)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(chance < 1 - 1e-12, (yy + nn - chance) / (1 - chance), np.nan)
