"""Which claims about the method hold in a run, by the numbers of its tables.

A claim compares two numbers, or one with a bound. It holds where their 95 % intervals are apart
in the right order, and fails where they are apart in the other; otherwise it cannot be said.
Where a claim is about several tasks, models, or scenes, each is compared: it holds if all hold,
and fails if one fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from vlmrm.config import RANDOM_POLICY, REFERENCES
from vlmrm.config.training import SERIES
from vlmrm.data.tables import read_table
from vlmrm.figures.success import wilson_interval
from vlmrm.page.contents import CLAIM_KINDS

HOLDS, FAILS, OPEN = "holds", "fails", "cannot be said here"

KEYS = ("task", "states", "scene", "model", "source", "scoring", "n", "predictor")
"""Columns that say what a number is about."""
EXTREMES = ("largest", "smallest")
"""Stand for a model by its parameters, or for an n."""


def known_claims() -> list[dict[str, Any]]:
    """The claims of claims.yaml."""
    text = resources.files("vlmrm.page").joinpath("claims.yaml").read_text()
    claims: list[dict[str, Any]] = yaml.safe_load(text)
    return claims


def check_claims(paths: Sequence[Path]) -> pd.DataFrame:
    """Checks all claims against the tables of a run.

    Args:
        paths: Tables (CSV) of EPIC measurements, the best of n, success, and predictions, by which
            their names begin.

    Returns:
        One row per claim: claim, verdict, comparisons (how many hold, of how many), found (the
        numbers with their intervals), by (whose claim it is), stated (what the paper states),
        sample (states or trajectories of each number), seeds (agents behind it; missing for
        measurements), and files.
    """
    found = _measured(paths)
    rows = []
    for claim in known_claims():
        compared = compare(claim, found.get(claim["table"], pd.DataFrame()))
        verdicts = [verdict for verdict, *_ in compared]
        sides = [side for _, *pair in compared for side in pair if side is not None]
        rows.append(
            {
                "claim": claim["claim"],
                "verdict": _all_of(verdicts),
                "comparisons": f"{verdicts.count(HOLDS)} of {len(verdicts)}",
                "found": "; ".join(_in_words(claim, *pair) for _, *pair in compared),
                "by": claim["by"],
                "stated": claim["stated"],
                "sample": _range(side.get("sample") for side in sides),
                "seeds": _range(side.get("seeds") for side in sides),
                "files": " ".join(dict.fromkeys(side["file"] for side in sides)),
            }
        )
    return pd.DataFrame(rows)


def compare(
    claim: dict[str, Any], table: pd.DataFrame
) -> list[tuple[str, dict[str, Any] | None, dict[str, Any] | None]]:
    """The comparisons of a claim: the verdict, the larger, and the smaller, which may be a bound.

    Args:
        claim: An entry of claims.yaml.
        table: The numbers of its kind: columns of `KEYS`, the claim's column with its interval
            (``_low``, ``_high``), and file.
    """
    if table.empty or claim["column"] not in table:
        return []
    chosen = _select(table, claim["where"])
    larger, smaller = (claim.get(side) for side in ("larger", "smaller"))
    if not isinstance(larger, dict) or not isinstance(smaller, dict):
        bound = smaller if larger is None else larger
        rows = chosen.to_dict("records")
        pairs: list[Any] = [(row, None) if larger is None else (None, row) for row in rows]
    else:
        bound = None
        fixed = larger.keys() | smaller.keys()
        # A random model is compared with one of another name.
        fixed = fixed | {"model", "source"} if fixed & {"model", "source"} else fixed
        keys = [key for key in KEYS if key in chosen and key not in fixed]
        pairs = []
        for _, group in chosen.groupby(keys, sort=False, dropna=False):
            sides = [_select(group, side).to_dict("records") for side in (larger, smaller)]
            if all(sides) and sides[0][0] != sides[1][0]:
                pairs.append((sides[0][0], sides[1][0]))
    return [(_verdict(claim["column"], high, low, bound), high, low) for high, low in pairs]


def _verdict(column: str, larger: Any, smaller: Any, bound: float | None) -> str:
    def interval(row: Any) -> Any:
        return (bound, bound) if row is None else (row[f"{column}_low"], row[f"{column}_high"])

    (large_low, large_high), (small_low, small_high) = interval(larger), interval(smaller)
    if large_low > small_high:
        return HOLDS
    return FAILS if large_high < small_low else OPEN


def _all_of(verdicts: list[str]) -> str:
    if FAILS in verdicts:
        return FAILS
    return HOLDS if verdicts and OPEN not in verdicts else OPEN


def _measured(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """All numbers by kind, in columns of the same names, with sample, seeds, and file."""
    found = {}
    for kind in CLAIM_KINDS:
        own = [path for path in paths if path.name.startswith(f"{kind}-")]
        if own:
            parts = [read_table(path).assign(file=f"tables/{path.name}") for path in own]
            found[kind] = pd.concat(parts, ignore_index=True)
    if "epic" in found:
        found["epic"]["sample"] = found["epic"].pop("n")
    if "prediction" in found:
        found["prediction"]["sample"] = found["prediction"]["pairs"]
    if "success" in found:
        found["success"] = _pooled(found["success"])
    sizes = {}
    if "epic" in found:
        trained = found["epic"][found["epic"]["source"] != "random"]
        sizes = dict(zip(trained["model"], trained["parameters"], strict=True))
    for table in found.values():
        if "model" in table:
            table["parameters"] = table["model"].map(sizes)
    return found


def _pooled(success: pd.DataFrame) -> pd.DataFrame:
    """Success of agents by models, all seeds of a reward together."""
    by_model = success[~success["reward_source"].isin((*REFERENCES, RANDOM_POLICY))]
    # Two experiments may contain the same agent.
    by_model = by_model.drop_duplicates([*SERIES, "seeds"])
    rows = []
    for key, seeds in by_model.groupby(SERIES, sort=False):
        trials = int(seeds["trajectories"].sum())
        successes = round(float((seeds["success_rate"] * seeds["trajectories"]).sum()))
        low, high = wilson_interval(successes, trials)
        rate = {"success_rate": successes / trials, "success_rate_low": low}
        number = {**rate, "success_rate_high": high, "sample": trials, "seeds": len(seeds)}
        rows.append(
            {**dict(zip(SERIES, key, strict=True)), **number, "file": seeds["file"].iloc[0]}
        )
    return pd.DataFrame(rows).rename(columns={"reward_source": "model"})


def _select(table: pd.DataFrame, where: dict[str, Any]) -> pd.DataFrame:
    """Rows with these values; `largest` and `smallest` are those of each task and state set."""
    for key, value in where.items():
        if key not in table:
            return table.iloc[:0]
        if value in EXTREMES:
            size = table["parameters" if key == "model" else key]
            about = [name for name in ("task", "states", "file") if name in table]
            groups = size.groupby([table[name] for name in about])
            table = table[size == groups.transform("max" if value == "largest" else "min")]
        else:
            table = table[table[key].isin(value if isinstance(value, list) else [value])]
    return table


def _in_words(claim: dict[str, Any], larger: Any, smaller: Any) -> str:
    column = claim["column"]

    def side(row: Any, name: str) -> str:
        if row is None:
            return f"{claim[name]:g}"
        return f"{row[column]:.2f} ({row[f'{column}_low']:.2f} to {row[f'{column}_high']:.2f})"

    about = larger or smaller
    names = [str(about[key]) for key in ("task", "scene", "model", "scoring") if key in about]
    comparison = f"{side(larger, 'larger')} against {side(smaller, 'smaller')}"
    return f"{', '.join(names)}: {comparison}" if names else comparison


def _range(values: Any) -> str:
    """The values, or their range."""
    known = sorted({int(value) for value in values if value is not None and value == value})
    return " to ".join(f"{value:,}" for value in dict.fromkeys([*known[:1], *known[-1:]]))
