"""``vlmrm sample-rollouts``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Output, Workers, pick
from vlmrm.config import RolloutStates, load_config
from vlmrm.errors import UserError


def sample_rollouts(
    name: Annotated[str, typer.Argument(help="Name of a state set of the configuration.")],
    config: ConfigFile,
    policies: Annotated[Path, typer.Option(help="Results folder of the training.")],
    output: Output,
    workers: Workers = None,
) -> None:
    """Sample states that an agent visits, labeled by the oracles.

    Only the weights of its policies are read: the files cannot run code.
    """
    content = load_config(config)
    if not isinstance(pick(content.state_sets, "state_sets", name), RolloutStates):
        raise UserError(f"state_sets.{name}: is not a set of rollouts; use `vlmrm sample-states`")
    settings = content.rollout_settings(name)
    from vlmrm.training import rollouts

    states = rollouts.sample_rollouts(settings, policies, workers)
    states.write(output, name=name, settings=settings.spec.model_dump())
