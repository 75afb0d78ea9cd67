"""Checks the claims of vlmrm/page/claims.yaml against the tables under results/reference.

    python benchmarks/claims.py

Writes results/reference/claims.csv. All studies measured the same weights of the packaged models,
so their tables count as those of one run. What several of them measured counts once: on poses, what
results/reference/sizes measured. The study of ensembles only compares these with its own single
models, and the demo has one agent of each task, too few for a claim. Names of state sets begin with
the study, so that only claims about samplers compare numbers of different studies. Columns that
older tables lack come from the configuration beside them. What agents met is correlated with what
they reached as in `predictions`.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import yaml

from vlmrm.config.training import SERIES
from vlmrm.data.tables import read_table, write_table
from vlmrm.optimization.prediction import EPIC, correlations
from vlmrm.page.claims import NEAREST, check_claims, known_claims

REFERENCE = Path(__file__).parents[1] / "results" / "reference"

# Names as those of a run's tables, and where the tables are.
TABLES = {
    "epic-sizes": "sizes/epic.csv",
    "epic-agents": "agents/epic-on-rollouts.csv",
    "best-of-n-sizes": "sizes/best-of-n.csv",
    "success-classic-control": "classic-control/success.csv",
    "success-sizes": "sizes/success.csv",
    "success-ceilings": "ceilings/success-ceilings.csv",
    "success-scenes": "scenes/success.csv",
    "success-agents": "agents/success-humanoid.csv",
    "optimization-agents": "agents/optimization-humanoid.csv",
    "optimization-long": "optimization/optimization-long.csv",
    "search-searches": "searches/search-sizes.csv",
}
ENSEMBLES = {"epic-ensembles": "ensembles/measures.csv"}


def main() -> None:
    claims = reference_claims()
    write_table(REFERENCE / "claims.csv", claims)
    print(claims.groupby("by", sort=False)["verdict"].value_counts().to_string())


def reference_claims() -> pd.DataFrame:
    """All claims, held against the tables of the reference results."""
    tables = {name: converted(REFERENCE / path) for name, path in TABLES.items()}
    tables["prediction-agents"] = prediction(tables["epic-agents"], tables["success-agents"])
    ensembles = {name: converted(REFERENCE / path) for name, path in ENSEMBLES.items()}
    about_ensembles = pd.Series([NEAREST in str(claim) for claim in known_claims()])
    claims = checked(tables)
    claims[about_ensembles] = checked(ensembles)[about_ensembles]
    files = {f"tables/{name}.csv": path for name, path in (TABLES | ENSEMBLES).items()}
    files["tables/prediction-agents.csv"] = f"{TABLES['epic-agents']} {TABLES['success-agents']}"
    claims["files"] = [" ".join(files[name] for name in row.split()) for row in claims["files"]]
    return claims


def checked(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The claims, held against tables by name."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.csv" for name in tables]
        for path, table in zip(paths, tables.values(), strict=True):
            write_table(path, table)
        return check_claims(paths)


def converted(path: Path) -> pd.DataFrame:
    """A table with the columns of today."""
    table = read_table(path)
    config = yaml.safe_load((path.parent / "config.yaml").read_text())
    table = table.rename(columns={"image_parameters": "parameters"})
    if "reward" in table:
        table = of_ensembles(table, config)
    if "alpha" in table:
        table["scoring"] = [f"alpha-{alpha:g}" for alpha in table.pop("alpha")]
    if "trajectories" in table:
        return table.rename(columns={"seed": "seeds"})
    if "epic" in table:
        table["source"] = [config["models"][name]["source"] for name in table["model"]]
        sets = config["state_sets"]
        table["sampler"] = [sets[name]["sampler"] for name in table["states"]]
        table["states"] = f"{path.parent.name}/" + table["states"]
    return table


def of_ensembles(table: pd.DataFrame, config: dict[str, Any]) -> pd.DataFrame:
    """Measures of rewards by the sentence and in the scene of the task."""
    table = table.rename(columns={"reward": "model"})
    entries = [config["epic"][task] for task in table["task"]]
    table["states"] = [entry["states"] for entry in entries]
    table["scene"] = [entry["scenes"][0] for entry in entries]
    pairs = zip(table["model"], entries, strict=True)
    return table[[model in entry["models"] for model, entry in pairs]].reset_index(drop=True)


def prediction(epic: pd.DataFrame, success: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation of measures on what agents met with what they reached."""
    reached = success.groupby(SERIES, as_index=False)["success_fraction"].mean()
    measures = [name for name in EPIC if name in epic]
    measured = epic.rename(columns={"model": "reward_source"})[[*SERIES, *measures]]
    return correlations(reached.merge(measured, on=SERIES))


if __name__ == "__main__":
    main()
