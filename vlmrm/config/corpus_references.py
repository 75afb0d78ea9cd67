"""References of corpora and state sets to each other: nothing may be made from itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from vlmrm.config.base import RANDOM_POLICY
from vlmrm.config.measurements import Rendering
from vlmrm.config.models import (
    Corpus,
    EnsembleModel,
    PackagedModel,
    PretrainedModel,
    SimulatorModel,
)
from vlmrm.config.named import humanoid_task_problems
from vlmrm.config.states import (
    DiagnosisStates,
    GridStates,
    PathStates,
    RolloutStates,
    StateSet,
    UnionStates,
)
from vlmrm.errors import unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config


def corpus_problems(config: Config) -> Iterator[str]:
    """What is wrong with rounds, unions, and the states of corpora, as 'key: what is wrong'."""
    for name, rounds in config.rounds.items():
        key = f"rounds.{name}"
        yield from unknown(key, name, config.models)
        if rounds.later is not None:
            yield from unknown(f"{key}.later.corpus", rounds.later.corpus, config.corpora)
            if rounds.later.initial_model not in (None, name):
                what = f"each round starts from the one before; write {name}, or remove it"
                yield f"{key}.later.initial_model: {what}"
        elif not isinstance(config.models[name], SimulatorModel):
            yield f"{key}: is no model with `source: simulator`; give `later` for the next rounds"
        for task in rounds.tasks:
            yield from humanoid_task_problems(config, key, task)
        if rounds.scoring not in config.scorings:
            yield f"{key}.scoring: {rounds.scoring} is not among `scorings`; add it there"
    unions = {n: s for n, s in config.state_sets.items() if isinstance(s, UnionStates)}
    for name, union in unions.items():
        for part in union.sets:
            yield from unknown(f"state_sets.{name}.sets", part, config.state_sets)
    for name, union in unions.items():
        key = f"state_sets.{name}.sets"
        for part, states in sets_in(config, union.sets).items():
            if part == name:
                yield f"{key}: '{name}' is part of itself; remove it"
            if states.environment != union.environment:
                yield f"{key}: '{part}' holds {states.environment} states; this set others"
        yield from _held_twice(config, key, union.sets)
    for name, corpus in config.corpora.items():
        key = f"corpora.{name}.states"
        for part in corpus.states:
            yield from unknown(key, part, config.state_sets)
        yield from _held_twice(config, key, corpus.states)
        if corpus.captions is not None:
            yield from _captioned_problems(config, f"corpora.{name}", corpus)
            continue
        if not corpus.frames:
            yield f"corpora.{name}.frames: missing; add it, or captions and states"
        if corpus.version != "1":
            yield f"corpora.{name}.version: has no effect without captions; remove it"
        for part, states in sets_in(config, corpus.states).items():
            if states.environment not in corpus.frames:
                yield f"{key}: '{part}' holds {states.environment} states, which `frames` lacks"
    for name, corpus in config.corpora.items():
        if any(("corpora", name) in makes(config, "state_sets", part) for part in corpus.states):
            key = f"corpora.{name}.states"
            yield f"{key}: met by agents that are trained on a model of this corpus; remove them"


def initial_model_problems(config: Config, name: str, model: SimulatorModel) -> Iterator[str]:
    """What is wrong with the model that the training of another starts from."""
    key, initial = f"models.{name}.initial_model", model.initial_model
    if initial is None:
        return
    yield from unknown(key, initial, config.models)
    start = config.models[initial]
    folder = isinstance(start, PretrainedModel) and start.path is not None
    if not (folder or isinstance(start, (SimulatorModel, PackagedModel))):
        what = "is neither simulator-trained, packaged, nor a folder; name one that is"
        yield f"{key}: '{initial}' {what}"
    # That of a folder is known when the training reads it.
    if not folder and start.architecture != model.architecture:
        yield f"{key}: '{initial}' is a {start.architecture}, not a {model.architecture}"
    if ("models", name) in makes(config, "models", initial):
        yield f"{key}: '{initial}' is made from '{name}' itself; name another, or remove it"


def _captioned_problems(config: Config, key: str, corpus: Corpus) -> Iterator[str]:
    """What is wrong with a corpus whose captions are a function's."""
    for part, default in (("frames", {}), ("rendering", Rendering()), ("seed", 0)):
        if getattr(corpus, part) != default:
            yield f"{key}.{part}: has no effect with captions; remove it"
    if not corpus.states:
        yield f"{key}.states: empty, but captions are of rollouts; name some of `state_sets`"
    held = [config.state_sets[part].environment for part in corpus.states]
    for part, environment in zip(corpus.states, held, strict=True):
        if environment not in config.environments:
            what = f"'{part}' holds {environment} states, but captions are of your `environments`"
            yield f"{key}.states: {what}; remove it, or use frames"
        if environment != held[0]:
            what = f"'{part}' holds {environment} states, others {held[0]} states"
            yield f"{key}.states: {what}; make a corpus of each"


def _held_twice(config: Config, key: str, names: list[str]) -> Iterator[str]:
    """Whether two of these sets share states, which would then count twice."""
    for one, other in itertools.combinations(names, 2):
        shared = sets_in(config, [one]).keys() & sets_in(config, [other]).keys()
        if shared:
            yield f"{key}: '{one}' and '{other}' both hold '{min(shared)}'; remove one"


def sets_in(config: Config, names: Iterable[str]) -> dict[str, StateSet]:
    """These state sets, and those of which they are unions, by name."""
    found: dict[str, StateSet] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = states = config.state_sets[name]
            waiting += states.sets if isinstance(states, UnionStates) else []
    return found


def makes(config: Config, section: str, name: str) -> set[tuple[str, str]]:
    """The state sets, models, and corpora that an entry is made from, itself included.

    Each is the name of its section and its own. Unknown names are left out.
    """
    found: set[tuple[str, str]] = set()
    waiting = [(section, name)]
    while waiting:
        section, name = entry = waiting.pop()
        if entry in found or name not in getattr(config, section):
            continue
        found.add(entry)
        match getattr(config, section)[name]:
            case UnionStates(sets=sets) | Corpus(states=sets):
                waiting += [("state_sets", part) for part in sets]
            case RolloutStates(run=run):
                waiting.append(("models", run.reward_source))
            case SimulatorModel(corpus=corpus, initial_model=initial):
                waiting.append(("corpora", corpus))
                waiting += [("models", initial)] if initial else []
            case EnsembleModel(members=members, reference=reference):
                waiting += [("models", member) for member in members]
                waiting.append(("state_sets", reference))
    return found


def needs_agents(config: Config, states: str, models: Iterable[str]) -> bool:
    """Whether agents are trained before these models score a state set."""
    made = makes(config, "state_sets", states).union(*(makes(config, "models", m) for m in models))
    sets = (config.state_sets[name] for section, name in made if section == "state_sets")
    return any(isinstance(s, RolloutStates) and s.run.reward_source != RANDOM_POLICY for s in sets)


def learned_states(config: Config, key: str, states: str, models: Iterable[str]) -> Iterator[str]:
    """Problems of a state set that must not hold states from which one of the models learned.

    Sets are random by their seed alone, so another name is no other set.
    """
    for name in models:
        model = config.models[name]
        if isinstance(model, EnsembleModel):
            yield from learned_states(config, key, states, model.members)
        if isinstance(model, SimulatorModel):
            if model.initial_model is not None:
                yield from learned_states(config, key, states, [model.initial_model])
            learned = sets_in(config, config.corpora[model.corpus].states)
            for part, measured in sets_in(config, [states]).items():
                for seen, met in learned.items():
                    if any(drawn in _draws(met) for drawn in _draws(measured)):
                        also = "" if seen == part else f" holds states of '{seen}', which"
                        what = f"'{part}'{also} is in the corpus of '{name}'"
                        yield f"{key}: {what}; use other states, such as those of another seed"


def _draws(states: StateSet) -> list[object]:
    """The draws of which a set consists; sets with an equal one may share states.

    Of a union, its parts are sets of their own. The number of states makes no difference.
    """
    match states:
        case UnionStates():
            return []
        case DiagnosisStates(paths=paths, around=around):
            return [*_draws(paths), *(part for poses in around.values() for part in _draws(poses))]
        case PathStates(tasks=tasks):
            return [PathStates(sampler="paths", tasks=[task]) for task in tasks]
        case GridStates():
            return [states.model_copy(update={"resolution": 1.0})]
        case RolloutStates(run=run) if run.reward_source == RANDOM_POLICY:
            # Nothing else of the run has an effect.
            return [(RANDOM_POLICY, states.environment, states.seed)]
        case _:
            return [states.model_copy(update={"size": 1})]
