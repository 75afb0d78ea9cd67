"""Which claims about the method hold in a run, by the numbers of its tables.

A claim compares two numbers, or one with a bound. It holds where their 95 % intervals are apart
in the right order, and fails where they are apart in the other; otherwise it cannot be said.
Where a claim is about several tasks, models, or scenes, each is compared: it holds if all hold,
and fails if one fails. A claim on average compares the mean difference with 0 instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from vlmrm.epic.bootstrap import student_half_width
from vlmrm.page.claimed import claimed_numbers, published_numbers

HOLDS, FAILS, OPEN = "holds", "fails", "cannot be said here"

KEYS = ("task", "states", "sampler", "scene", "model", "source", "scoring", "n", "predictor")
"""Columns that say what a number is about."""
ABOUT = ("task", "scene", "model", "scoring")
"""Those by which numbers are named."""
EXTREMES = ("largest", "smallest")
"""Stand for a model by its parameters, or for an n."""
NEAREST = "nearest"
"""Stands for the single model whose size is closest to that of the other side."""
SAME_SIZE = 1.5
"""Ratio of parameters up to which two sizes count as the same."""
SINGLE = ("pretrained", "packaged", "simulator")
"""Sources of single models."""
FEWEST = 5
"""Comparisons that an average needs."""


class Comparison(NamedTuple):
    """A comparison, its verdict, and the numbers compared; a bound is None."""

    verdict: str
    larger: dict[str, Any] | None
    smaller: dict[str, Any] | None


def known_claims() -> list[dict[str, Any]]:
    """The claims of claims.yaml."""
    text = resources.files("vlmrm.page").joinpath("claims.yaml").read_text()
    claims: list[dict[str, Any]] = yaml.safe_load(text)
    return claims


def check_claims(paths: Sequence[Path]) -> pd.DataFrame:
    """Checks all claims against the tables of a run.

    Args:
        paths: Tables (CSV), as for `vlmrm.page.claimed.claimed_numbers`.

    Returns:
        One row per claim: claim, verdict, comparisons (how many hold, of how many), found (the
        numbers with their intervals), by (whose claim it is), stated (what the paper states),
        sample (states or trajectories of each number), seeds (agents behind it; missing for
        measurements), and files.
    """
    found = claimed_numbers(paths)
    rows = []
    for claim in known_claims():
        compared = compare(claim, found.get(claim["table"], pd.DataFrame()))
        verdicts = [comparison.verdict for comparison in compared]
        sides = [side for _, *pair in compared for side in pair if side is not None]
        verdict, words = _all_of(verdicts), "; ".join(_in_words(claim, each) for each in compared)
        if claim.get("on_average"):
            verdict, words = on_average(claim, compared)
        rows.append(
            {
                "claim": claim["claim"],
                "verdict": verdict,
                "comparisons": f"{verdicts.count(HOLDS)} of {len(verdicts)}",
                "found": words,
                "by": claim["by"],
                "stated": _stated(claim),
                "sample": _range(side.get("sample") for side in sides),
                "seeds": _range(side.get("seeds") for side in sides),
                "files": " ".join(dict.fromkeys(side["file"] for side in sides)),
            }
        )
    return pd.DataFrame(rows)


def compare(claim: dict[str, Any], table: pd.DataFrame) -> list[Comparison]:
    """The comparisons of a claim.

    Args:
        claim: An entry of claims.yaml.
        table: The numbers of its kind: columns of `KEYS`, the claim's column with its interval
            (``_low``, ``_high``), and file.
    """
    if table.empty or claim["column"] not in table:
        return []
    chosen = _select(table, claim["where"]).dropna(subset=claim["column"])
    larger, smaller = (claim.get(side) for side in ("larger", "smaller"))
    if isinstance(larger, dict) and isinstance(smaller, dict):
        pairs = _pairs(chosen, larger, smaller)
    else:
        rows = chosen.to_dict("records")
        pairs = [(row, None) if larger is None else (None, row) for row in rows]
    return [Comparison(_verdict(claim, high, low), high, low) for high, low in pairs]


def on_average(claim: dict[str, Any], compared: Sequence[Comparison]) -> tuple[str, str]:
    """Verdict on the mean difference of comparisons, and the difference in words.

    Each task counts once, however many comparisons it has. The 95 % interval is Student's over
    tasks, whose comparisons depend on each other; over comparisons, where there are fewer than
    three tasks. Differences that are all the same say nothing about other tasks.
    """
    if len(compared) < FEWEST:
        return OPEN, f"{len(compared)} comparisons; an average needs {FEWEST}" if compared else ""
    column = claim["column"]

    def value(row: dict[str, Any] | None) -> float:
        return float(_bound(claim) if row is None else row[column])

    differences = np.array([value(high) - value(low) for _, high, low in compared])
    tasks = [str((high or low or {}).get("task")) for _, high, low in compared]
    if len(set(tasks)) > 2:
        differences = pd.Series(differences).groupby(tasks).mean().to_numpy()
    mean, half = differences.mean(), student_half_width(differences)
    low, high = mean - half, mean + half
    verdict = OPEN if half == 0 else HOLDS if low > 0 else FAILS if high < 0 else OPEN
    return verdict, f"mean difference {mean:.3f} ({low:.3f} to {high:.3f})"


def _pairs(table: pd.DataFrame, larger: dict[str, Any], smaller: dict[str, Any]) -> list[Any]:
    """Rows of both sides that are equal in everything that the sides do not name."""
    fixed = larger.keys() | smaller.keys()
    # A random model is compared with one of another name, and a sampler has other states.
    for names in ({"model", "source"}, {"sampler", "states"}):
        fixed = fixed | names if fixed & names else fixed
    keys = [key for key in KEYS if key in table and key not in fixed]
    groups = (
        [group for _, group in table.groupby(keys, sort=False, dropna=False)] if keys else [table]
    )
    pairs = []
    for group in groups:
        if NEAREST in (larger.get("model"), smaller.get("model")):
            pairs += _of_same_size(group, larger, smaller)
            continue
        high, low = (_select(group, side).to_dict("index") for side in (larger, smaller))
        # One row may be on both sides.
        pairs += [(high[i], low[j]) for i, j in itertools.product(high, low) if i != j]
    if not {larger.get("model"), smaller.get("model")}.isdisjoint(EXTREMES):
        # Several models may have the largest size, such as those of rounds.
        pairs = [(high, low) for high, low in pairs if high["parameters"] != low["parameters"]]
    return pairs


def _of_same_size(group: pd.DataFrame, larger: Any, smaller: Any) -> list[Any]:
    """Each row of one side with the single model of about its size, where there is one."""
    nearest_is_larger = larger.get("model") == NEAREST
    named = _select(group, smaller if nearest_is_larger else larger)
    single = group[group["source"].isin(SINGLE)]
    pairs = []
    for row in named.to_dict("records"):
        ratios = np.abs(np.log(single["parameters"] / row["parameters"]))
        if ratios.min() <= np.log(SAME_SIZE):
            partner = single.loc[ratios.idxmin()].to_dict()
            pairs.append((partner, row) if nearest_is_larger else (row, partner))
    return pairs


def _bound(claim: dict[str, Any]) -> float:
    """The number with which numbers are compared."""
    larger = claim.get("larger")
    return float(claim["smaller"] if larger is None else larger)


def _verdict(claim: dict[str, Any], larger: Any, smaller: Any) -> str:
    column = claim["column"]

    def interval(row: Any) -> Any:
        if row is None:
            return _bound(claim), _bound(claim)
        return row[f"{column}_low"], row[f"{column}_high"]

    (large_low, large_high), (small_low, small_high) = interval(larger), interval(smaller)
    if "within" in claim:
        span = max(large_high, small_high) - min(large_low, small_low)
        apart = large_low > small_high or large_high < small_low
        return HOLDS if span <= claim["within"] else FAILS if apart else OPEN
    if large_low > small_high:
        return HOLDS
    return FAILS if large_high < small_low else OPEN


def _all_of(verdicts: list[str]) -> str:
    if FAILS in verdicts:
        return FAILS
    return HOLDS if verdicts and OPEN not in verdicts else OPEN


def _select(table: pd.DataFrame, where: dict[str, Any]) -> pd.DataFrame:
    """Rows with these values; `largest` and `smallest` are those of each task and state set.

    Ensembles are no size. A model is that of all tables, an n that of its own: states differ in
    number between them.
    """
    for key, value in where.items():
        if key not in table:
            return table.iloc[:0]
        if value in EXTREMES:
            size = table[key]
            if key == "model":
                size = table["parameters"].where(table["source"].isin(SINGLE))
            measured = ("task", "states") if key == "model" else ("task", "states", "file")
            about = [name for name in measured if name in table]
            groups = size.groupby([table[name] for name in about])
            table = table[size == groups.transform("max" if value == "largest" else "min")]
        else:
            table = table[table[key].isin(value if isinstance(value, list) else [value])]
    return table


def _stated(claim: dict[str, Any]) -> str:
    """What the paper states: the success rates that it states, and a remark."""
    numbers = []
    if claim["by"] == "paper" and claim["table"] == "success":
        for _, *pair in compare(claim, published_numbers()):
            sides = [side for side in pair if side is not None]
            numbers.append(
                " against ".join(f"{s['success_rate']:.0%} ({_about(s)})" for s in sides)
            )
    return "; ".join([*numbers, *[claim["stated"]] * bool(claim["stated"])])


def _about(row: dict[str, Any]) -> str:
    return ", ".join(str(row[key]) for key in ABOUT if key in row)


def _in_words(claim: dict[str, Any], comparison: Comparison) -> str:
    column = claim["column"]

    def side(row: Any) -> str:
        if row is None:
            return f"{_bound(claim):g}"
        return f"{row[column]:.2f} ({row[f'{column}_low']:.2f} to {row[f'{column}_high']:.2f})"

    _, larger, smaller = comparison
    about = _about(larger or smaller or {})
    other = ""
    if larger is not None and smaller is not None:
        differing = [str(smaller[key]) for key in ABOUT if smaller.get(key) != larger.get(key)]
        other = f"{', '.join(differing)}: " * bool(differing)
    return f"{about}: " * bool(about) + f"{side(larger)} against {other}{side(smaller)}"


def _range(values: Any) -> str:
    """The values, or their range."""
    known = sorted({int(value) for value in values if value is not None and value == value})
    return " to ".join(f"{value:,}" for value in dict.fromkeys([*known[:1], *known[-1:]]))
