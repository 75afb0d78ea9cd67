"""Writes docs/configuration.md from the descriptions of the keys in vlmrm/config/.

.venv/bin/python docs/configuration.py
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vlmrm.config import SCENES, Config
from vlmrm.config.base import ConfigModel

OPENING = """\
# Configuration

Every key of a configuration, what it may hold, and what holds where it is left out. This page is
made from `vlmrm/config/` by `.venv/bin/python docs/configuration.py`.

A configuration is a YAML file: [`config/own.yaml`](../config/own.yaml) is a short one,
[`config/demo.yaml`](../config/demo.yaml) uses most keys, and every run writes down all of its own,
with the defaults, in `results/RUN/config.yaml`. A text with a colon or a `#` in it wants quotes.
`NAME` is yours to choose, of letters, digits, `.`, `_` and `-`.
"""

SAID = {
    "Config.models": "The reward models, from three sources.",
    "Config.states": "Sets of simulator states, by five samplers.",
    "PathStates.tasks": "The oracles to whose poses the ways lead.",
    "agent": "The algorithm and its settings.",
    "alphas": "Regularization strengths; 0 is the plain cosine similarity with the goal.",
    "environment": "The simulator.",
    "learning_rate": "Of the optimizer, Adam.",
    "models": "Names of `models`.",
    "scene": "In which the reward model sees the agent; one of the environment's.",
    "scenes": "In which the frames are drawn; of the environment's.",
    "seed": "Of everything that is drawn at random.",
    "seeds": "Each is a training of its own.",
    "size": "How many states.",
    "states": "Name of one of `states`.",
    "task": "Name of one of `tasks`.",
    "tasks": "Names of `tasks`.",
}
"""Of keys without a description; without a section, of those that mean the same in all."""


def page() -> str:
    """The whole page."""
    scenes = "; ".join(f"{name}: {listed(scenes)}" for name, scenes in SCENES.items())
    known = f"Scenes of the environments, the default first: {scenes}.\n"
    parts = [OPENING, known, "## At the top\n", table(Config)]
    for key, field in Config.model_fields.items():
        for place, section in sections(key, field.annotation):
            title, text = heading(place, section), paragraph(section.__doc__)
            parts += [f"## {title}\n", f"{text}\n", table(section)]
    return "\n".join(parts)


def sections(place: str, annotation: Any) -> Iterator[tuple[str, type[ConfigModel]]]:
    """The sections that may stand at a place, and those inside of them, with their places."""
    if isinstance(annotation, type) and issubclass(annotation, ConfigModel):
        yield place, annotation
        for key, field in annotation.model_fields.items():
            yield from sections(f"{place}.{key}", field.annotation)
        return
    for inner in get_args(annotation):
        of_many = getattr(annotation, "__origin__", None) is dict
        name = "ENVIRONMENT" if place == "training" else "NAME"
        yield from sections(f"{place}.{name}" if of_many else place, inner)


def heading(place: str, section: type[ConfigModel]) -> str:
    """Where a section stands, and the key that chooses it where there is a choice."""
    for key, choice in choices(section):
        return f"`{place}` with `{key}: {choice}`"
    return f"`{place}`"


def choices(section: type[ConfigModel]) -> Iterator[tuple[str, str]]:
    for key in ("source", "sampler", "algorithm"):
        if key in section.model_fields:
            (choice,) = get_args(section.model_fields[key].annotation)
            yield key, choice


def table(section: type[ConfigModel]) -> str:
    """The keys of a section, but not the one by which it is chosen."""
    schema = section.model_json_schema()
    chosen = dict(choices(section))
    rows = ["| key | value | if left out | what |", "|---|---|---|---|"]
    for key, field in section.model_fields.items():
        if key not in chosen:
            value = values(schema["properties"][key])
            rows.append(f"| `{key}` | {value} | {default(field)} | {description(section, key)} |")
    return "\n".join(rows) + "\n"


def values(node: dict[str, Any]) -> str:
    """What may stand there, by its JSON schema."""
    if "anyOf" in node:
        return " or ".join(values(choice) for choice in node["anyOf"] if choice != {"type": "null"})
    if "$ref" in node or "discriminator" in node:
        return "below"
    if "const" in node or "enum" in node:
        return listed(node.get("enum") or [node["const"]])
    kind = node["type"]
    if kind == "array":
        return f"list: {values(node['items'])}"
    if kind == "object":
        inner = node.get("additionalProperties") or next(iter(node["patternProperties"].values()))
        known = node.get("propertyNames", {}).get("enum")
        return f"{listed(known) if known else 'names'}: {values(inner)}"
    if kind == "boolean":
        return "`true`, `false`"
    if kind == "string":
        return "name" if "A-Z" in node.get("pattern", "") else "text"
    return kind + bounds(node)


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def bounds(node: dict[str, Any]) -> str:
    words = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "maximum": "to",
        "exclusiveMaximum": "below",
    }
    numbers = {key: str(node[key]).removesuffix(".0") for key in words if key in node}
    return "".join(f" {words[key]} {number}" for key, number in numbers.items())


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.default
    if isinstance(value, BaseModel):
        return "as below"
    if value in (None, [], {}):
        return "none"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def description(section: type[ConfigModel], key: str) -> str:
    """What is said of a key where it is defined, or of the section that stands there."""
    fields = [
        kind.model_fields.get(key) for kind in section.__mro__ if issubclass(kind, ConfigModel)
    ]
    for text in (field.description for field in fields if field):
        if text:
            return paragraph(text)
    own = f"{section.__name__}.{key}"
    if own in SAID:
        return SAID[own]
    if section is not Config and key in SAID:
        return SAID[key]
    for _, inside in sections(key, section.model_fields[key].annotation):
        return paragraph(inside.__doc__)
    raise LookupError(f"{own}: no description; write one under the key in vlmrm/config/")


def paragraph(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", r"\|")


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page())
