"""Draws figures of results/reference again from the tables beside them.

    python benchmarks/figures.py

After a change of how success is drawn or how certain it is. Tables have a row per agent, so each
agent's trajectories are made again from its success rate.
"""

from __future__ import annotations

import pandas as pd
from claims import REFERENCE, converted

from vlmrm.config import TrainingRun
from vlmrm.data.tables import read_table
from vlmrm.figures.style import save_figure
from vlmrm.figures.success import draw_success
from vlmrm.figures.success_by_size import draw_success_by_size
from vlmrm.figures.tables import RunTable

SIZED = ["kneeling", "one-leg", "arms-crossed"]
"""Tasks with agents of every size."""


def main() -> None:
    agents = judged("agents/success-humanoid.csv")
    save_figure(draw_success(agents), [REFERENCE / "agents" / "success-humanoid.png"])
    ceilings = judged("ceilings/success-ceilings.csv")
    save_figure(draw_success(ceilings), [REFERENCE / "ceilings" / "success-ceilings.png"])
    sizes = judged("sizes/success.csv")
    both = {run.model_dump_json(): (run, table) for run, table in [*sizes, *agents]}
    of_sizes = [(run, table) for run, table in both.values() if run.task in SIZED]
    epic = read_table(REFERENCE / "sizes" / "epic.csv")
    epic = epic[epic["task"].isin(SIZED)]
    models = epic[["model", "source", "parameters"]].drop_duplicates()
    figure = draw_success_by_size(of_sizes, models, epic)
    save_figure(figure, [REFERENCE / "sizes" / "size.png"])


def judged(path: str) -> list[RunTable]:
    """The agents of a table of success, each with as many trajectories as were judged."""
    table = converted(REFERENCE / path).rename(columns={"seeds": "seed"})
    found = []
    for row in table.to_dict("records"):
        run = {name: row[name] for name in TrainingRun.model_fields}
        successes = round(row["success_rate"] * row["trajectories"])
        won = [number < successes for number in range(row["trajectories"])]
        trajectories = {"success": won, "success_fraction": row["success_fraction"]}
        found.append((TrainingRun.model_validate(run), pd.DataFrame(trajectories)))
    return found


if __name__ == "__main__":
    main()
