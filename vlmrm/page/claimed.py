"""The numbers of a run that claims are about, in columns of the same names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vlmrm.config import RANDOM_POLICY, REFERENCES
from vlmrm.config.scoring import PLAIN
from vlmrm.config.training import SERIES
from vlmrm.data.tables import read_table, require_columns
from vlmrm.errors import UserError
from vlmrm.figures.paper import published_success
from vlmrm.figures.success import success_interval
from vlmrm.page.contents import CLAIM_KINDS

NEEDED = {
    "epic": ("model", "scoring", "epic", "epic_low", "epic_high"),
    "best-of-n": ("model", "n", "gold", "gold_low", "gold_high"),
    "success": (*SERIES, "seeds", "success_rate", "trajectories"),
    "size": ("model", "source", "parameters"),
    "optimization": ("reward_source", "outcome", "regret", "drop"),
    "search": ("reward_source", "seeds", "end", "end_low", "end_high"),
    "prediction": ("predictor", "rho", "rho_low", "rho_high", "pairs"),
}
"""Columns by which a table of each kind is known."""
MEDIUM = "alpha-0.5"
"""The scoring that a gain is measured with."""
FEWEST_AGENTS = 3
"""Trainings from which on their success says something about a reward."""
FEWEST_SEARCHES = 6
"""Searches from which on their range is a 95 % interval of their median."""


def claimed_numbers(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """All numbers by kind of table.

    Args:
        paths: Tables (CSV); their names begin with their kind, one of `CLAIM_KINDS`.

    Returns:
        For each kind, the table with columns file, source (of the model) and parameters (of its
        image tower, where a table says them), sample (states or trajectories), and seeds. Numbers
        that are of one agent each have themselves as interval; those of searches have the range
        over seeds. With fewer than `FEWEST_AGENTS` or `FEWEST_SEARCHES`, success and what searches
        end in may be anything from 0 to 1. Agents and searches by random weights are left out, and
        of the optimization, agents that never succeed.
    """
    read: dict[str, list[pd.DataFrame]] = {}
    for path in paths:
        kind = next((kind for kind in CLAIM_KINDS if path.name.startswith(f"{kind}-")), None)
        if kind is None:
            kinds = ", ".join(f"{kind}-" for kind in CLAIM_KINDS)
            raise UserError(f"{path}: claims are about tables whose names begin with {kinds}")
        table = read_table(path)
        require_columns(table, NEEDED[kind], path)
        read.setdefault(kind, []).append(table.assign(file=f"tables/{path.name}"))
    found = {kind: pd.concat(tables, ignore_index=True) for kind, tables in read.items()}
    models = _models(found)
    if "epic" in found:
        found["epic"] = _with_gain(found["epic"].rename(columns={"n": "sample"}))
    if "prediction" in found:
        found["prediction"]["sample"] = found["prediction"]["pairs"]
    if "success" in found:
        found["success"] = _pooled(found["success"])
    if "optimization" in found:
        table = _by_models(found["optimization"])
        # What never rises cannot fall.
        table = table[table["outcome"] != "never rises"]
        falls = (table["outcome"] == "rises and falls").astype(float)
        found["optimization"] = _exact(table.assign(falls=falls), ["falls", "regret", "drop"])
    if "search" in found:
        table = _by_models(found["search"])
        table.loc[table["seeds"] < FEWEST_SEARCHES, ["end_low", "end_high"]] = 0.0, 1.0
        found["search"] = table
    for kind, table in found.items():
        if "model" in table:
            for column in ("source", "parameters"):
                table[column] = table["model"].map(models[column])
            if kind in ("success", "optimization", "search"):
                found[kind] = table[table["source"] != "random"]
    return found


def published_numbers() -> pd.DataFrame:
    """What the paper states of success, as a table of a run would have it."""
    return _exact(published_success(), ["success_rate"]).assign(file="", source="pretrained")


def _exact(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Numbers whose intervals are themselves."""
    ends = {f"{name}{end}": table[name] for name in columns for end in ("_low", "_high")}
    return table.assign(**ends)


def _models(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Source and parameters of models, by their names."""
    columns = ["model", "source", "parameters"]
    sized = [table[columns] for table in found.values() if {*columns} <= set(table)]
    models = pd.concat([pd.DataFrame(columns=columns), *sized])
    return models.drop_duplicates("model").set_index("model")


def _by_models(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of agents or searches by models."""
    by_model = table[~table["reward_source"].isin((*REFERENCES, RANDOM_POLICY))]
    return by_model.rename(columns={"reward_source": "model"}).reset_index(drop=True)


def _with_gain(epic: pd.DataFrame) -> pd.DataFrame:
    """Adds gain: by how much regularization lowers the EPIC distance, in rows of `MEDIUM`.

    Its interval is as wide as both distances allow, as if they were independent.
    """
    about = [name for name in ("task", "states", "scene", "model", "file") if name in epic]
    plain = epic[epic["scoring"] == PLAIN].drop_duplicates(about).set_index(about)
    distances = plain[["epic", "epic_low", "epic_high"]]
    before = distances.reindex(pd.MultiIndex.from_frame(epic[about])).set_axis(epic.index)
    before[epic["scoring"] != MEDIUM] = np.nan
    return epic.assign(
        gain=before["epic"] - epic["epic"],
        gain_low=before["epic_low"] - epic["epic_high"],
        gain_high=before["epic_high"] - epic["epic_low"],
    )


def _pooled(success: pd.DataFrame) -> pd.DataFrame:
    """Success of agents by models, all seeds of a reward together."""
    reward = ["model" if name == "reward_source" else name for name in SERIES]
    # Two experiments may contain the same agent.
    by_model = _by_models(success).drop_duplicates([*reward, "seeds"])
    rows = []
    for key, seeds in by_model.groupby(reward, sort=False):
        successes = (seeds["success_rate"] * seeds["trajectories"]).round()
        low, high = success_interval(successes, seeds["trajectories"])
        if len(seeds) < FEWEST_AGENTS:
            low, high = 0.0, 1.0
        trials = int(seeds["trajectories"].sum())
        rate = {"success_rate": successes.sum() / trials, "success_rate_low": low}
        number = {**rate, "success_rate_high": high, "sample": trials, "seeds": len(seeds)}
        rows.append(
            {**dict(zip(reward, key, strict=True)), **number, "file": seeds["file"].iloc[0]}
        )
    return pd.DataFrame(rows)
