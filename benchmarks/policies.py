"""Writes policies that are small enough to commit: they act, and cannot be trained further.

    python benchmarks/policies.py results/RUN results/reference/agents/policies

Takes each task's best policy of the run, by success and then by timesteps that fulfill the task, if
it succeeds at all. Its actors are stored in 16 bits; critics are zero, and optimizers empty.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pandas as pd
import torch

from vlmrm.config.training import RUN, TrainingRun
from vlmrm.data.files import atomic_path
from vlmrm.data.tables import read_table


def main(results: Path, output: Path) -> None:
    tables = [read_table(path) for path in results.glob("evaluations/*/*/*/*/*/evaluation.csv")]
    rates = pd.concat(tables).groupby(RUN)[["success", "success_fraction"]].mean()
    rates = rates[rates["success"] > 0].sort_values(["success", "success_fraction"]).reset_index()
    for row in rates.drop_duplicates("task", keep="last").itertuples():
        run = TrainingRun(**{name: getattr(row, name) for name in RUN}).folder
        path = output / f"{row.task}.zip"
        shrink(results / "policies" / run / "best.zip", path)
        print(f"{path}: {run}, {row.success:.0%}, {path.stat().st_size / 1e6:.1f} MB")


def shrink(policy: Path, output: Path) -> None:
    """Writes a policy without what only its training needs."""
    with (
        zipfile.ZipFile(policy) as archive,
        atomic_path(output) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as small,
    ):
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".pth") and name != "pytorch_variables.pth":
                values = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
                buffer = io.BytesIO()
                torch.save(_without_training(values), buffer)
                content = buffer.getvalue()
            small.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def _without_training(values: dict) -> dict:
    if "param_groups" in values:
        return values | {"state": {}}
    return {
        name: (torch.zeros_like(weights) if name.startswith("critic") else weights).half()
        for name, weights in values.items()
    }


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
