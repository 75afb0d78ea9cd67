"""Tables of an ensemble: the statistics of its members, and its rewards of a state set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config.settings import EnsembleSettings, Member, MemberSettings
from vlmrm.data.tables import REWARDS, by_scoring, read_table, require_columns
from vlmrm.errors import UserError
from vlmrm.rewards.aggregation import Statistics, aggregate_rewards
from vlmrm.rewards.scoring import reward_table


def measure_members(rewards: pd.DataFrame, settings: MemberSettings) -> pd.DataFrame:
    """Measures the rewards of each member on the reference states.

    Args:
        rewards: The members' rewards of these states: columns scene, model, state, task, scoring,
            reward and, where each sentence is a member, goal.
        settings: The members.

    Returns:
        One row per member and scoring: task, reference, scene, model, goal (empty for the average
        of all sentences), scoring, n (number of states), mean, std.

    Raises:
        UserError: A member has no rewards, or the same for all states.
    """
    rows = []
    for member in settings.members:
        for scoring, values in _rewards_of(member, rewards, settings).items():
            try:
                statistics = Statistics.of(values)
            except ValueError as error:
                raise UserError(
                    f"models.{settings.model}.members: {member.model} by {scoring}: {error} for "
                    f"task '{settings.task}'; remove the member, or name another reference"
                ) from error
            rows.append(
                {
                    "task": settings.task,
                    "reference": settings.reference,
                    "scene": member.scene,
                    "model": member.model,
                    "goal": member.goal or "",
                    "scoring": scoring,
                    "n": len(values),
                    **statistics._asdict(),
                }
            )
    return pd.DataFrame(rows)


def score_ensemble(
    rewards: pd.DataFrame, statistics: pd.DataFrame, settings: EnsembleSettings
) -> pd.DataFrame:
    """Scores states by an ensemble, without a look at them.

    Args:
        rewards: The members' rewards of these states, as for `measure_members`.
        statistics: Table of `measure_members`.
        settings: The members, and how their rewards become one.

    Returns:
        A tidy table with the columns scene, model, state, task, scoring, reward. Scorings that a
        member lacks are left out.

    Raises:
        UserError: A member has no rewards or no statistics, or they have no scoring in common.
    """
    members = [_rewards_of(member, rewards, settings) for member in settings.members]
    values = {
        scoring: aggregate_rewards(
            [member[scoring] for member in members],
            statistics_of(statistics, settings, scoring),
            settings.aggregate,
            settings.penalty,
        )
        for scoring in members[0]
        if all(scoring in member for member in members)
    }
    if not values:
        raise UserError(
            f"models.{settings.model}: its members have no scoring in common for task "
            f"'{settings.task}'; add one to `scorings` that all of them have"
        )
    table = reward_table(settings.task, values)
    return table.assign(scene=settings.scene, model=settings.model)[list(REWARDS)]


def read_statistics(path: Path, settings: MemberSettings) -> pd.DataFrame:
    """Reads a table of `measure_members`.

    Raises:
        UserError: The file is missing or damaged, or of another task or other reference states.
    """
    table = read_table(path)
    require_columns(table, ("task", "reference"), path)
    for column, name in (("task", settings.task), ("reference", settings.reference)):
        for other in set(table[column]) - {name}:
            raise UserError(f"{path}: is of the {column} '{other}'; give that of '{name}'")
    return table


def statistics_of(
    table: pd.DataFrame, settings: MemberSettings, scoring: str
) -> list[tuple[float, float]]:
    """Mean and standard deviation of each member, in order, from a table of `measure_members`.

    Raises:
        UserError: The table lacks a member.
    """
    rows = table[table["scoring"] == scoring].fillna({"goal": ""})
    known = rows.set_index(["model", "scene", "goal"])[["mean", "std"]]
    found = []
    for member in settings.members:
        key = (member.model, member.scene, member.goal or "")
        if key not in known.index:
            raise UserError(
                f"statistics: lack {_describe(member)} by {scoring}; measure the members again"
            )
        mean, std = known.loc[[key]].to_numpy(float)[0]
        found.append((mean, std))
    return found


def _rewards_of(
    member: Member, rewards: pd.DataFrame, settings: MemberSettings
) -> dict[str, NDArray[np.floating[Any]]]:
    """Rewards of a member for all states of the table, by scoring."""
    chosen = rewards["model"].eq(member.model) & rewards["scene"].eq(member.scene)
    chosen &= rewards["task"].eq(settings.task)
    if member.goal is not None:
        chosen &= rewards["goal"].eq(member.goal) if "goal" in rewards else False
    rows = rewards[chosen]
    if rows.empty:
        raise UserError(
            f"rewards: lack {_describe(member)} for task '{settings.task}'; give those of all "
            f"members of '{settings.model}'"
        )
    return by_scoring(rows, rewards["state"].nunique())


def _describe(member: Member) -> str:
    sentence = f" by '{member.goal}'" if member.goal else ""
    return f"the rewards of {member.model} in {member.scene}{sentence}"
