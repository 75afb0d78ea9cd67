"""Adversarial rounds: what agents met while they optimized a model joins the next one's corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from pydantic import ValidationError, model_validator

from vlmrm.config.base import (
    ORACLE_NAMES,
    ConfigModel,
    Name,
    NonEmptyList,
    PositiveInt,
    Seed,
    default_scene,
)
from vlmrm.config.models import SimulatorModel
from vlmrm.config.scoring import PLAIN, Scoring
from vlmrm.errors import UserError

MAX_AGENTS = 1000
"""Agents of all rounds of a model."""


class Rounds(ConfigModel):
    """Rounds of a model, which is that of round 0 and gives the entry its name.

    In each round, agents are trained on the round's model, and states that they met are added to
    the corpus of the next round's model. It is trained by the settings of round 0, or by `later`:
    from random weights, or from those of the round before if these settings have an
    `initial_model`. The rounds become entries of `corpora`, `models`, `state_sets`, `epic`, and
    `experiments`; an entry of the same name in the configuration replaces one of these.
    """

    number: PositiveInt
    """Rounds after round 0. The model of round 1 is `NAME-round-1`, and so is its corpus."""
    tasks: NonEmptyList[Name]
    """Names of humanoid `tasks` with oracles, which the agents are trained on."""
    later: SimulatorModel | None = None
    """Settings of the later rounds' models, as an entry of `models`. By default, those of round 0;
    needed if it is not simulator-trained, such as a packaged model. With the name of round 0 as
    their `initial_model`, each starts from the round before."""
    scoring: Scoring = PLAIN
    """Scoring of the agents' rewards, one of `scorings`."""
    seeds: NonEmptyList[Seed] = [0]
    """Seeds of the agents of each task."""
    size: PositiveInt = 1000
    """States of each agent that join the next corpus. As many others measure the models, beside as
    many of the task's poses."""

    @model_validator(mode="after")
    def _not_too_many(self) -> Rounds:
        if (agents := (self.number + 1) * len(self.tasks) * len(self.seeds)) > MAX_AGENTS:
            raise ValueError(f"{agents:,} agents, more than {MAX_AGENTS:,}; lower the number")
        return self

    def models(self, name: str) -> list[str]:
        """The models of all rounds, of which ``name`` is the first."""
        return [name, *(f"{name}-round-{number}" for number in range(1, self.number + 1))]


def expand_rounds(content: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration before its validation, with the entries that its rounds stand for.

    Rounds that are malformed, or whose model or tasks are, are left to the validation.

    Raises:
        UserError: Two entries would have the same name.
    """
    expanded = deepcopy(dict(content))
    made: set[tuple[str, str]] = set()
    rounds = content.get("rounds")
    for name, entry in rounds.items() if isinstance(rounds, dict) else ():
        try:
            spec = Rounds.model_validate(entry)
            entries = list(_entries(name, spec, content))
        except (ValidationError, LookupError, TypeError, AttributeError):
            continue
        for section, key, value in entries:
            if (section, key) in made:
                raise UserError(
                    f"rounds.{name}: two of the {section} would be '{key}'; rename a task or model"
                )
            made.add((section, key))
            if isinstance(there := expanded.setdefault(section, {}), dict):
                there.setdefault(key, value)
    return expanded


def _entries(
    name: str, rounds: Rounds, content: Mapping[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Section, name, and content of each entry."""
    scene = default_scene("humanoid")
    base = content["models"][name] if rounds.later is None else content["rounds"][name]["later"]
    corpus = content["corpora"][base["corpus"]]
    models = rounds.models(name)
    met: list[str] = list(corpus.get("states", []))
    for task in rounds.tasks:
        oracle = content["tasks"][task]["oracle"]
        if oracle not in ORACLE_NAMES["humanoid"]:
            raise LookupError
        poses = {"sampler": "poses", "task": oracle, "size": rounds.size, "seed": 1}
        yield "state_sets", f"{name}-{task}-poses", poses
    for model, following in zip(models, [*models[1:], None], strict=True):
        for task in rounds.tasks:
            measured = [f"{name}-{task}-poses"]
            for seed in rounds.seeds:
                run = {
                    "task": task, "scene": scene, "reward_source": model, "scoring": rounds.scoring,
                    "seed": seed,
                }  # fmt: skip
                states = {"sampler": "rollouts", "run": run, "size": rounds.size}
                agent = f"{model}-{task}-{seed}"
                yield "state_sets", f"{agent}-measured", {**states, "seed": 1}
                measured.append(f"{agent}-measured")
                if following:
                    yield "state_sets", f"{agent}-met", {**states, "seed": 0}
                    met.append(f"{agent}-met")
            yield "state_sets", f"{model}-{task}", {"sampler": "union", "sets": measured}
            measurement = {"task": task, "states": f"{model}-{task}", "scenes": [scene]}
            yield "epic", f"{model}-{task}", {**measurement, "models": models}
        if following:
            yield "corpora", following, {**corpus, "states": list(met)}
            initial = {"initial_model": model} if base.get("initial_model") else {}
            yield "models", following, {**base, "corpus": following, **initial}
    trained = {
        "tasks": rounds.tasks, "models": models, "scorings": [rounds.scoring],
        "seeds": rounds.seeds,
    }  # fmt: skip
    yield "experiments", f"{name}-rounds", trained
