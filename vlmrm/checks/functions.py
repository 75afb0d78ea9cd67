"""Functions as reward models, checked before a run starts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator

from vlmrm.config import Config, FunctionModel
from vlmrm.plan.jobs import Job


def function_problems(jobs: Iterable[Job], config: Config, load: bool) -> Iterator[str]:
    """Functions that cannot be imported or made, each asked in a process of its own.

    Args:
        jobs: Jobs of a dry run.
        config: Configuration of the run.
        load: Whether those that are new load their weights.
    """
    used: dict[str, bool] = {}
    for job in jobs:
        name = job.wildcards.get("model") or job.wildcards.get("reward_source", "")
        if isinstance(config.models.get(name), FunctionModel):
            new = load and job.rule == "make_function_model"
            used[name] = used.get(name, False) or new
    for name, new in used.items():
        request = {"name": name, "make": new, "model": config.models[name].model_dump()}
        asked = subprocess.run(
            [sys.executable, "-m", "vlmrm.rewards.factories"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            errors="backslashreplace",
        )
        if asked.returncode:
            ended = f"models.{name}: its check ended with exit status {asked.returncode}"
            *_, reason = [ended, *asked.stderr.splitlines()]
            yield reason
