"""What a run found, from its tables: in lines for the terminal, and as the summary of the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmrm.config import RANDOM_POLICY, REFERENCES, Config, TrainingRun
from vlmrm.config.searches import flipped_share
from vlmrm.config.training import SERIES
from vlmrm.data.tables import read_table
from vlmrm.page.contents import recorded_runs

if TYPE_CHECKING:
    import pandas as pd

LEARNED = 0.5
"""Success rate from which on a task counts as learned."""

VERDICTS = {
    "learned": f"every seed succeeds in at least {LEARNED:.0%} of its trajectories, and more often "
    "than the random policy",
    "partly learned": "a seed succeeds more often than the random policy (95 % intervals apart)",
    "not learned": "no seed does",
}
"""Verdicts on the best reward of a task, and what they mean."""


@dataclass(frozen=True)
class Outcome:
    """What the agents of a task reached with the reward by which they succeed most often.

    Attributes:
        run: The reward, and the seed whose agent had the highest reward, or else its first one.
        seeds: Number of seeds.
        trajectories: Of all seeds.
        rate: Success rate over all seeds, in [0, 1].
        spread: Its interval, or its range over seeds, in words.
        random: Success rate of the random policy.
        verdict: One of `VERDICTS`.
    """

    run: TrainingRun
    seeds: int
    trajectories: int
    rate: float
    spread: str
    random: float
    verdict: str

    def __str__(self) -> str:
        reward = self.run.reward_source
        by = reward if reward in REFERENCES else f"{reward}, {self.run.scoring}"
        return (
            f"{self.run.task}: {self.rate:.0%} of {self.trajectories} trajectories succeed with "
            f"{by} ({self.spread}; random policy {self.random:.0%})"
        )


def video_of(run: TrainingRun) -> Path:
    """The video of a run's agent, relative to the results."""
    return Path("evaluations", run.folder, "video.mp4")


def tables(results: Path, kind: str, names: Iterable[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables of a kind that are finished, with their names."""
    for name in names:
        path = results / "tables" / f"{kind}-{name}.csv"
        if path.is_file():
            yield name, read_table(path)


def success_by_run(results: Path, config: Config) -> dict[TrainingRun, str]:
    """The success rate of each agent that is judged, with its 95 % interval, in words."""
    judged = {}
    for _, table in tables(results, "success", config.experiments):
        for row in table[table["reward_source"] != RANDOM_POLICY].to_dict("records"):
            run = TrainingRun(**{name: row[name] for name in SERIES}, seed=row["seeds"])
            judged[run] = (
                f"succeeds in {row['success_rate']:.0%} of {row['trajectories']} trajectories "
                f"({row['low']:.0%} to {row['high']:.0%})"
            )
    return judged


def outcomes(results: Path, config: Config) -> list[Outcome]:
    """The outcome of each task of each experiment that is finished."""
    return [
        _outcome(rows)
        for _, table in tables(results, "success", config.experiments)
        for _, rows in table.groupby("task", sort=False)
    ]


def _outcome(rows: pd.DataFrame) -> Outcome:
    """Of the rewards by models, if there are any."""
    policy = rows["reward_source"] == RANDOM_POLICY
    by_model = ~policy & ~rows["reward_source"].isin(REFERENCES)
    agents = rows[by_model] if by_model.any() else rows[~policy]
    rewards = agents.groupby(SERIES, sort=False)
    columns = ["success_rate", "success_fraction"]
    best = rewards[columns].mean().nlargest(1, columns).index[0]
    seeds = rewards.get_group(best)
    rate, low, high = (seeds[name] for name in ("success_rate", "low", "high"))
    taken = seeds.iloc[0]
    if len(seeds) == 1:
        spread = f"95% interval {low.item():.0%} to {high.item():.0%}"
    else:
        spread = f"{len(seeds)} seeds, {rate.min():.0%} to {rate.max():.0%}"
        if "chosen" in seeds and seeds["chosen"].any():
            # The agent that one would take without a judge.
            taken = seeds[seeds["chosen"]].iloc[0]
            spread += f", {taken['success_rate']:.0%} with the highest reward"
    above = low > (rows.loc[policy, "high"].max() if policy.any() else 0)
    if rate.min() >= LEARNED and above.all():
        verdict = "learned"
    else:
        verdict = "partly learned" if above.any() else "not learned"
    return Outcome(
        TrainingRun(**dict(zip(SERIES, best, strict=True)), seed=taken["seeds"]),
        len(seeds),
        int(seeds["trajectories"].sum()),
        float(rate.mean()),
        spread,
        float(rows[policy]["success_rate"].max()),
        verdict,
    )


def epic_lines(results: Path, config: Config) -> list[str]:
    """The best model and scoring of each EPIC measurement, beside random weights."""
    lines = []
    for name, table in tables(results, "epic", config.epic):
        random = table["source"] == "random"
        if table["epic"].isna().all():
            share = "every" if table["p"].iloc[0] else "no"
            lines.append(f"EPIC distance to the labels of {name}: {share} state fulfills the task")
            continue
        best = (table if random.all() else table[~random]).nsmallest(1, "epic").iloc[0]
        controls = table[random & (table["scoring"] == best["scoring"])]["epic"]
        beside = "" if controls.empty else f"random weights {controls.mean():.2f}; "
        lines.append(
            f"EPIC distance to the labels of {name}: {best['epic']:.2f} with {best['model']}, "
            f"{best['scoring']} ({beside}0 is best, 0.71 uninformative)"
        )
    return lines


def trained_line(config: Config, finished: int) -> str:
    """What the run trains, and how much of it is finished."""
    runs = recorded_runs(config)
    if not runs:
        return "No agents: this run measures rewards."
    by_model = [run for run in runs if run.reward_source not in REFERENCES]
    seeds = {run.seed for run in runs}
    parts = []
    if by_model:
        parts.append(f"{len(by_model)} on rewards by {_names(r.reward_source for r in by_model)}")
    if rest := len(runs) - len(by_model):
        others = (run.reward_source for run in runs if run.reward_source in REFERENCES)
        parts.append(f"{rest} on {_names(others)}")
    tasks = _names(run.task for run in runs)
    return (
        f"{_number(len(runs), 'agent')} for {tasks}, {' and '.join(parts)}, with "
        f"{_number(len(seeds), 'seed')}. Finished: {finished}."
    )


def trust_lines(results: Path, config: Config) -> Iterator[str]:
    """How far the rewards and the figures can be trusted."""
    yield from (f"{line}." for line in epic_lines(results, config))
    for name, table in tables(results, "best-of-n", config.epic):
        yield _best_of_n(name, table, config)
    for name, table in tables(results, "diagnosis", config.diagnoses):
        yield f"Diagnosis before training ({name}): {_verdicts(table)}"
    for name, table in tables(results, "optimization", config.optimization.experiments):
        counts = table["outcome"].value_counts()
        ends = ", ".join(f"{end} ({_number(n, 'agent')})" for end, n in counts.items())
        yield f"Success over training, in {name}: {ends}."
    for name, table in tables(results, "prediction", config.predictions):
        best = table.dropna(subset="rho").iloc[:1]
        for row in best.to_dict("records"):
            known = not math.isnan(row["rho_low"])
            interval = f"{row['rho_low']:.2f} to {row['rho_high']:.2f}" if known else "no interval"
            yield (
                f"Best predictor of success in {name}: {row['predictor']}, rank correlation "
                f"{row['rho']:.2f} ({interval}, {row['pairs']} rewards)."
            )
    claims = results / "tables" / "claims.csv"
    if claims.is_file():
        counts = read_table(claims)["verdict"].value_counts()
        said = ", ".join(f"{verdict}: {count}" for verdict, count in sorted(counts.items()))
        yield f"Claims of the paper and of this project: {said}."
    seeds = {len(experiment.seeds) for experiment in config.experiments.values()}
    if 1 in seeds:
        yield (
            "Where a reward has one seed, the interval is that of one agent: another training "
            "may end elsewhere, so small differences between rewards mean nothing."
        )


def _best_of_n(name: str, table: pd.DataFrame, config: Config) -> str:
    table = table[table["model"].map(flipped_share).isna()]  # without the wrong oracle
    random = [key for key, model in config.models.items() if model.source == "random"]
    of_models = table[~table["model"].isin(random)]
    chosen = of_models if len(of_models) else table
    ends = chosen[chosen["n"] == chosen["n"].max()]
    start = chosen[chosen["n"] == chosen["n"].min()]["gold"].iloc[0]
    best = ends.nlargest(1, "gold").iloc[0]
    worse = int((ends["gold"] < start).sum())
    return (
        f"Best of {best['n']} states of {name}: {best['gold']:.0%} fulfill the task when "
        f"{best['model']}, {best['scoring']} chooses ({best['gold_low']:.0%} to "
        f"{best['gold_high']:.0%}), {start:.0%} by chance; {worse} of {len(ends)} rewards by "
        "models choose worse than chance."
    )


def _verdicts(table: pd.DataFrame) -> str:
    """The best verdict on each task, and the reward that it is about."""
    from vlmrm.diagnosis.verdict import trained_on  # loads much

    tasks: Any = table.groupby("task", sort=False)
    said = [
        max(trained_on(rows.to_dict("records")), key=itemgetter("level", "closeness"))
        for _, rows in tasks
    ]
    return " ".join(f"{row['verdict']} ({row['model']}, {row['scoring']})" for row in said)


def _number(count: int, noun: str) -> str:
    """A number of things in words."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _names(values: Iterable[str]) -> str:
    """Distinct names as a list in words."""
    *first, last = dict.fromkeys(values)
    return f"{', '.join(first)} and {last}" if first else last
