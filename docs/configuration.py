"""Writes docs/configuration.md and workflow/schemas/config.schema.json from vlmrm/config/.

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

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "configuration.md"
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"

OPENING = """\
# Configuration

This page lists every key of a configuration, its values, and its default. It is generated from
`vlmrm/config/` by `.venv/bin/python docs/configuration.py`.

A configuration is a YAML file. [`config/own.yaml`](../config/own.yaml) is a short example;
[`config/smoke-all.yaml`](../config/smoke-all.yaml) uses nearly every rule. Every run writes its
complete configuration, including defaults, to `results/RUN/config.yaml`. Quote texts that contain a
colon or a `#`, and names that YAML reads as something else (`007`, `null`, `2024-01-01`). `NAME` is
a name of your choice, of up to 100 letters, digits, `.`, `_`, and `-`. Files are UTF-8 of at most
1 MB, texts have at most 1000 characters, and Snakemake's templates (`__use_yte__`) are refused,
because they run code.

A configuration can build on others: `extends: [FILE, ...]`, with paths relative to the folder where
Snakemake runs. Mappings are merged key by key; any other value is replaced, and so is an entry with
another `source`, `sampler`, or `algorithm`, as a whole. Later files override earlier ones, and the
configuration itself overrides all of them. `config/shared/` holds the reward models, tasks, and
agents of the shipped configurations.

Editors with a YAML language server, such as VS Code with the YAML extension, complete the keys and
check the values while you type. The first line of each shipped configuration names the schema,
[`workflow/schemas/config.schema.json`](../workflow/schemas/config.schema.json).
"""

EXTENDS = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Files whose values hold where this one has none, relative to the folder where "
    "Snakemake runs.",
}


def page() -> str:
    """The text of docs/configuration.md."""
    scenes = "; ".join(f"{name}: {listed(scenes)}" for name, scenes in SCENES.items())
    known = f"Scenes of the environments, the default first: {scenes}.\n"
    parts = [OPENING, known, "## Top level\n", table(Config)]
    for key, field in Config.model_fields.items():
        for place, section in sections(key, field.annotation):
            title, text = heading(place, section), paragraph(section.__doc__)
            parts += [f"## {title}\n", f"{text}\n", table(section)]
    return "\n".join(parts)


def schema() -> str:
    """The JSON schema of a configuration, in which every key has its description."""
    whole = Config.model_json_schema()
    whole["properties"]["extends"] = EXTENDS
    for _, section in sections("", Config):
        node = whole if section is Config else whole["$defs"][section.__name__]
        node["description"] = paragraph(section.__doc__)
        for key in section.model_fields:
            node["properties"][key]["description"] = description(section, key)
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | partial(whole), indent=2) + "\n"


def partial(node: Any) -> Any:
    """A schema that asks for no key: an extended file may have it, even one that makes a choice."""
    if isinstance(node, list):
        return [partial(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    return {
        "anyOf" if key == "oneOf" else key: partial(inner)
        for key, inner in node.items()
        if key not in ("required", "discriminator")
    }


def sections(place: str, annotation: Any) -> Iterator[tuple[str, type[ConfigModel]]]:
    """The sections at a place and all sections inside them, each with its place."""
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
    """The place of a section, and the key that selects it if there are alternatives."""
    for key, choice in choices(section):
        return f"`{place}` with `{key}: {choice}`"
    return f"`{place}`"


def choices(section: type[ConfigModel]) -> Iterator[tuple[str, str]]:
    """The key and value that select a section among alternatives."""
    for key in ("source", "sampler", "algorithm"):
        if key in section.model_fields:
            (choice,) = get_args(section.model_fields[key].annotation)
            yield key, choice


def table(section: type[ConfigModel]) -> str:
    """A table of the keys of a section, without the key that selects the section."""
    properties = section.model_json_schema()["properties"]
    chosen = dict(choices(section))
    rows = ["| key | value | default | description |", "|---|---|---|---|"]
    for key, field in section.model_fields.items():
        if key not in chosen:
            text = description(section, key).replace("|", r"\|")
            rows.append(f"| `{key}` | {values(properties[key])} | {default(field)} | {text} |")
    return "\n".join(rows) + "\n"


def values(node: dict[str, Any]) -> str:
    """The values that a JSON schema allows, in words."""
    if "anyOf" in node:
        return " or ".join(values(choice) for choice in node["anyOf"] if choice != {"type": "null"})
    if "$ref" in node or "discriminator" in node:
        return "see below"
    if "const" in node or "enum" in node:
        return listed(node.get("enum") or [node["const"]])
    kind = node["type"]
    if kind == "array":
        return f"list: {values(node['items'])}"
    if kind == "object" and not {"additionalProperties", "patternProperties"} & node.keys():
        return "names: any values"
    if kind == "object":
        inner = node.get("additionalProperties") or next(iter(node["patternProperties"].values()))
        if inner is True:
            return "names: any value"
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
        return "**required**"
    value = field.default
    if isinstance(value, BaseModel):
        return "defaults below"
    if value in (None, [], {}):
        return "none"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def description(section: type[ConfigModel], key: str) -> str:
    """The docstring of a key in a section or its bases, or else of the section at this key."""
    kinds = [kind for kind in section.__mro__ if issubclass(kind, ConfigModel)]
    for field in (kind.model_fields.get(key) for kind in kinds):
        if field and field.description:
            return paragraph(field.description)
    for own, value in choices(section):
        if own == key:
            return f"Selects `{value}`: {paragraph(section.__doc__)}"
    for _, inside in sections(key, section.model_fields[key].annotation):
        return paragraph(inside.__doc__)
    raise LookupError(f"{section.__name__}.{key}: write a docstring under it in vlmrm/config/")


def paragraph(text: str | None) -> str:
    return " ".join((text or "").split())


if __name__ == "__main__":
    PAGE.write_text(page())
    SCHEMA.parent.mkdir(exist_ok=True)
    SCHEMA.write_text(schema())
