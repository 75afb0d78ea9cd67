"""Environments of the user's own: any Gymnasium environment that renders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from vlmrm.config.base import ORACLE_NAMES, SCENES, ConfigModel, ImportPath, UniqueList, Version
from vlmrm.config.states import UnionStates
from vlmrm.errors import suggest, unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config


class Environment(ConfigModel):
    """A Gymnasium environment of your own, which renders its frames itself.

    Its states cannot be set, so state sets are rollouts, and frames are rendered while it acts.
    `cartpole`, `mountain-car`, and `humanoid` are always there.
    """

    id: Annotated[str, Field(min_length=1, max_length=200)]
    """Registered id, such as `HalfCheetah-v5`; `MODULE:ID` imports the module that registers it.
    `MODULE:FUNCTION` calls a function that returns the environment. Either way your own code runs,
    as with any import."""
    kwargs: dict[str, Any] = {}
    """Keyword arguments of the environment, besides `render_mode="rgb_array"`: for example
    `width`, `height`, and `camera_id` of MuJoCo environments."""
    wrappers: UniqueList[ImportPath] = []
    """Gymnasium wrappers, as `MODULE:CLASS`, the innermost first. They get no arguments."""
    success: str | None = None
    """Key of `info` that says whether a state is a success: true, or a number above 0."""
    oracle: ImportPath | None = None
    """Instead of `success`, a function as `MODULE:FUNCTION` that takes the environment without its
    wrappers, after each step, and returns true or false."""
    state: Annotated[ImportPath | None, Field(exclude_if=lambda path: path is None)] = None
    """Instead of the environment's own state, a function as `MODULE:FUNCTION` that takes the
    environment without its wrappers, after each step, and returns a dictionary of numbers."""
    version: Annotated[Version, Field(exclude_if=lambda version: version == "1")] = "1"
    """Version of your code. Change it, and what depends on the environment is computed again; a
    change of the code alone is not noticed."""
    quorum: Annotated[float, Field(ge=0, le=1)] = 0
    """Share of an episode's steps that a successful episode fulfills; 0 means at least one. Where
    it ends early, the last verdict counts for the missing steps."""

    @property
    def judged(self) -> bool:
        """Whether anything says success, so that tasks can have `oracle: success`."""
        return self.success is not None or self.oracle is not None


def environment_problems(config: Config) -> Iterator[str]:
    """What is wrong with environments and with what names them, as 'key: what is wrong'."""
    known = [*SCENES, *config.environments]
    for name, environment in config.environments.items():
        if name in SCENES:
            yield f"environments.{name}: the name is taken; choose another"
        if environment.success is not None and environment.oracle is not None:
            yield f"environments.{name}.oracle: cannot be combined with success; keep one of them"
        if environment.quorum and not environment.judged:
            yield f"environments.{name}.quorum: has no effect without success or oracle; add one"
    for name, task in config.tasks.items():
        yield from unknown(f"tasks.{name}.environment", task.environment, known)
        yield from _oracle_problems(config, name)
    for name, training in config.training.items():
        yield from unknown("training", name, known)
        if training.lookup is not None and name in config.environments:
            yield f"training.{name}.lookup: only for classic control; remove it"
    for name, states in config.state_sets.items():
        yield from unknown(f"state_sets.{name}.environment", states.environment, known)
        if isinstance(states, UnionStates) and states.environment in config.environments:
            what = "cannot be joined with their frames; name the sets one by one"
            yield f"state_sets.{name}: states of '{states.environment}' {what}"
    for name, landscape in config.landscapes.items():
        for task_name in landscape.tasks:
            used = config.tasks.get(task_name)
            if used is not None and used.environment in config.environments:
                why = f"{used.environment} has no grid or paths of states"
                yield f"landscapes.{name}.tasks: {why}; remove '{task_name}'"


def _oracle_problems(config: Config, name: str) -> Iterator[str]:
    task = config.tasks[name]
    if task.oracle is None:
        return
    key, own = f"tasks.{name}.oracle", config.environments.get(task.environment)
    if own is None:
        fitting = ORACLE_NAMES[task.environment]
        if task.oracle not in fitting:
            what = f"'{task.oracle}' judges no {task.environment} states"
            yield f"{key}: {what}{suggest(task.oracle, fitting)}"
    elif task.oracle != "success":
        yield f"{key}: '{task.oracle}' judges no {task.environment} states; write success"
    elif not own.judged:
        what = "give it success (a key of info) or oracle (a function)"
        yield f"environments.{task.environment}: says no success, but {key} needs it; {what}"
