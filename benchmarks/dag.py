"""Measures how long Snakemake plans before the first job, for workflows of a few thousand jobs.

    python benchmarks/dag.py --jobs 100 1000 5000

The workflow is that of config/smoke-all.yaml, with enough seeds, scorings, and experiments. It is
planned in an empty folder (a dry run); no job runs.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from vlmrm.config.loading import read_merged

ROOT = Path(__file__).parents[1]
SCORINGS = ["alpha-0", "alpha-0.25", "alpha-0.5", "alpha-0.75", "alpha-1"]
EXPERIMENTS = 4
JOBS_PER_RUN = 2
"""Jobs per training run: training and evaluation."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument(
        "--root", type=Path, default=ROOT, help="Project whose Snakefile is planned."
    )
    options = parser.parse_args()
    print("jobs  seconds  CPU seconds")
    for jobs in options.jobs:
        planned, seconds, processor = measure(options.root.resolve(), synthetic(jobs))
        print(f"{planned:<5} {seconds:<8.1f} {processor:.1f}", flush=True)


def synthetic(jobs: int) -> dict:
    """The smoke run with humanoid trainings added, up to about this number of jobs."""
    config = read_merged(ROOT / "config" / "smoke-all.yaml")
    config["scorings"] = SCORINGS
    seeds = max(1, round(jobs / (JOBS_PER_RUN * EXPERIMENTS * len(SCORINGS) * 2)))
    for number in range(EXPERIMENTS):
        config["experiments"][f"large-{number}"] = {
            "tasks": ["kneeling", "standing"],
            "models": ["smoke-S"],
            "scorings": SCORINGS,
            "seeds": list(range(number * seeds, (number + 1) * seeds)),
        }
    return config


def measure(root: Path, config: dict) -> tuple[int, float, float]:
    """Jobs of a dry run, its wall-clock seconds, and its CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(yaml.safe_dump(config))
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            str(root / "workflow" / "Snakefile"),
        ]
        command += ["--directory", folder, "--cores", "8", "--configfile", str(file)]
        command += ["--dry-run", "--quiet", "rules"]
        started, busy = time.perf_counter(), processor_seconds()
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        seconds, processor = time.perf_counter() - started, processor_seconds() - busy
    total = re.search(r"^total\s+(\d+)", run.stdout + run.stderr, flags=re.MULTILINE)
    if run.returncode != 0 or total is None:
        sys.exit(run.stderr + run.stdout)
    return int(total[1]), seconds, processor


def processor_seconds() -> float:
    """CPU seconds of all commands so far; on a busy machine they mean more than wall-clock time."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
