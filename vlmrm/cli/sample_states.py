"""``vlmrm sample-states``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Output, pick
from vlmrm.config import RolloutStates, UnionStates, load_config
from vlmrm.errors import UserError


def sample_states(
    name: Annotated[str, typer.Argument(help="Name of a state set of the configuration.")],
    config: ConfigFile,
    output: Output,
) -> None:
    """Sample a state set, labeled by the oracles."""
    settings = pick(load_config(config).state_sets, "state_sets", name)
    if isinstance(settings, RolloutStates):
        raise UserError(f"state_sets.{name}: is a set of rollouts; use `vlmrm sample-rollouts`")
    if isinstance(settings, UnionStates):
        raise UserError(f"state_sets.{name}: is a union of sets; use `vlmrm join-states`")
    from vlmrm import states

    states.sample_states(settings).write(output, name=name, settings=settings.model_dump())
