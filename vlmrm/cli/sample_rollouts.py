"""``vlmrm sample-rollouts``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Output, Workers, pick
from vlmrm.config import RANDOM_POLICY, RolloutStates, load_config, scenes_of
from vlmrm.errors import UserError


def sample_rollouts(
    name: Annotated[str, typer.Argument(help="Name of a state set of the configuration.")],
    config: ConfigFile,
    output: Output,
    policies: Annotated[
        Path | None,
        typer.Option(help="Results folder of the training; none for the random policy."),
    ] = None,
    frames: Annotated[
        Path | None,
        typer.Option(help="Also write the frames here (HDF5), for one of `environments`."),
    ] = None,
    workers: Workers = None,
) -> None:
    """Sample states that an agent visits, labeled by the oracles.

    Only the weights of its policies are read: the files cannot run code.
    """
    content = load_config(config)
    spec = pick(content.state_sets, "state_sets", name)
    if not isinstance(spec, RolloutStates):
        raise UserError(f"state_sets.{name}: is not a set of rollouts; use `vlmrm sample-states`")
    settings = content.rollout_settings(name)
    if (spec.run.reward_source == RANDOM_POLICY) != (policies is None):
        what = "missing; give the training's folder" if policies is None else "remove it"
        raise UserError(f"--policies: {what}, for run.reward_source is {spec.run.reward_source}")
    if frames is not None and settings.own is None:
        raise UserError(f"--frames: use `vlmrm render-frames` for {settings.environment} states")
    from vlmrm.training import live, rollouts

    if frames is None:
        states = rollouts.sample_rollouts(settings, policies, workers)
    else:
        (scene,) = scenes_of(settings.environment)
        states = live.sample_live_rollouts(
            settings, policies, frames, workers, scene=scene, states=str(output)
        )
    states.write(output, name=name, settings=settings.spec.model_dump())
