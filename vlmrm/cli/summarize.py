"""``vlmrm summarize``: what a run found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlmrm.config import RANDOM_POLICY, REFERENCES, load_config
from vlmrm.data.tables import read_table

if TYPE_CHECKING:
    import pandas as pd


def summarize(
    results: Annotated[Path, typer.Argument(help="Folder of a run, such as results/demo.")],
) -> None:
    """Print what a run found: a line for each EPIC set and each task, and where a film of it is.

    What is not finished is left out.
    """
    config = load_config(results / "config.yaml")
    for name, table in _tables(results, "epic", config.epic):
        print(_epic(name, table))
    for _, table in _tables(results, "success", config.experiments):
        for _, rows in table.groupby("task", sort=False):
            print(*_success(results, rows), sep="\n")
    print(f"Figures and tables: {results}")


def _tables(results: Path, kind: str, names: Iterable[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables of a kind that are there, with their names."""
    for name in names:
        path = results / "tables" / f"{kind}-{name}.csv"
        if path.is_file():
            yield name, read_table(path)


def _epic(name: str, table: pd.DataFrame) -> str:
    """The best model and scoring, beside random weights."""
    random = table["source"] == "random"
    best = (table if random.all() else table[~random]).nsmallest(1, "epic").iloc[0]
    controls = table[random & (table["scoring"] == best["scoring"])]["epic"]
    beside = "" if controls.empty else f"random weights {controls.mean():.2f}; "
    return (
        f"EPIC distance to the labels of {name}: {best['epic']:.2f} with {best['model']}, "
        f"{best['scoring']} ({beside}0 is best, 0.71 uninformative)"
    )


def _success(results: Path, rows: pd.DataFrame) -> Iterator[str]:
    """The reward whose agents succeed most often, and the film of its first seed."""
    policy = rows["reward_source"] == RANDOM_POLICY
    by_model = ~policy & ~rows["reward_source"].isin(REFERENCES)
    agents = rows[by_model] if by_model.any() else rows[~policy]
    rewards = agents.groupby(["task", "scene", "reward_source", "scoring"], sort=False)
    columns = ["success_rate", "success_fraction"]
    best = rewards[columns].mean().nlargest(1, columns).index[0]
    seeds = rewards.get_group(best)
    task, scene, reward, scoring = best
    rate, low, high = (seeds[name] for name in ("success_rate", "low", "high"))
    if len(seeds) == 1:
        spread = f"95% interval {low.item():.0%} to {high.item():.0%}"
    else:
        spread = f"{len(seeds)} seeds, {rate.min():.0%} to {rate.max():.0%}"
    by = reward if reward in REFERENCES else f"{reward}, {scoring}"
    yield (
        f"{task}: {rate.mean():.0%} of {seeds['trajectories'].sum()} trajectories succeed with "
        f"{by} ({spread}; random policy {rows[policy]['success_rate'].max():.0%})"
    )
    seed = seeds["seeds"].iloc[0]
    place = (task, scene, reward, scoring, f"seed-{seed}")
    film = results.joinpath("evaluations", *place, "video.mp4")
    if film.is_file():
        yield f"    {film}"
