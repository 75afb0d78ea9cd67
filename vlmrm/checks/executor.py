"""Where Snakemake runs jobs, and whether they have the configuration of the start."""

from __future__ import annotations

import os
from collections.abc import Sequence

from vlmrm.checks.command_line import snakemake_options
from vlmrm.config import read_yaml
from vlmrm.errors import UserError


def runs_here(argv: Sequence[str]) -> bool:
    """Whether jobs run on this machine: no executor is named, in a profile neither, or `local`.

    That jobs could be submitted here says nothing: a terminal on a node has SLURM's commands, too.

    Args:
        argv: The command line, in the folder where it was started.
    """
    options = snakemake_options(argv)
    if options is None:
        return True  # Snakemake says what is wrong
    executor = options.executor
    for profile in options.profile or filter(None, [os.environ.get("SNAKEMAKE_PROFILE")]):
        executor = executor or _executor_of(profile)
    return executor in (None, "local")


def check_unchanged(digest: str, starts: bool) -> None:
    """Refuses jobs whose configuration is not the one that their run was started with.

    On a cluster, Snakemake reads the user's files again in each job. The environment variable
    VLMRM_CONFIGS tells it what they contained: a digest for each use of these rules in a workflow.

    Args:
        digest: Of the configuration as it is now.
        starts: Whether this process starts the run. Otherwise it is one of its jobs.

    Raises:
        UserError: The configuration has changed.
    """
    known = os.environ.get("VLMRM_CONFIGS")
    if starts:
        os.environ["VLMRM_CONFIGS"] = f"{known or ''} {digest}"
    elif known is not None and digest not in known.split():
        raise UserError("the configuration has changed since this run was started; start it again")


def _executor_of(profile: str) -> str | None:
    from snakemake.cli import get_profile_dir  # slow, but loaded where there are profiles

    found = get_profile_dir(profile)
    try:
        content = read_yaml(found[1]) if found else None
    except UserError:
        return None
    return content.get("executor") if isinstance(content, dict) else None
