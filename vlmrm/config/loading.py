"""Reading a configuration, and saying in one line what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from vlmrm.config.config import Config
from vlmrm.errors import UserError, suggest

CHOICES = {
    *("pretrained", "simulator", "random"),
    *("grid", "uniform", "poses", "paths", "rollouts"),
    *("dqn", "sac"),
    *("str", "list[str]", "[key]"),
}
"""What pydantic adds to the place of a problem where there is a choice; users wrote no such key."""


def load_config(path: str | Path) -> Config:
    """Reads and validates a YAML file.

    Raises:
        UserError: The file is missing or not YAML, or a key or value is wrong; names it.
    """
    try:
        content = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    return parse_config(content, source=str(path))


def parse_config(content: Any, source: str = "config") -> Config:
    """Validates what a YAML file held; `source` names it in errors.

    Raises:
        UserError: A key or value is wrong; names the first such key.
    """
    if not isinstance(content, dict):
        raise UserError(f"{source}: holds no keys; start from config/demo.yaml")
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{source}: {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    """Pydantic's first complaint as 'key: what is wrong, what to do'."""
    problem = error.errors()[0]
    location = [str(part) for part in problem["loc"] if str(part) not in CHOICES]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key{suggest(location[-1], _known_keys(problem['loc']))}"
    if problem["type"] == "missing":
        return f"{key}: missing; add it"
    message = re.sub(r"^Value error, ", "", problem["msg"])
    if problem["type"] == "value_error" and not location:
        return message
    return f"{key}: {message[0].lower()}{message[1:]}, got {problem['input']!r}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys that a section at ``location`` (of an unknown key) takes."""
    schema = Config.model_json_schema()
    node: dict[str, Any] = schema
    for part in location[:-1]:
        node = _resolve(node, schema)
        if "properties" in node and part in node["properties"]:
            node = node["properties"][part]
        elif "discriminator" in node and part in node["discriminator"]["mapping"]:
            node = {"$ref": node["discriminator"]["mapping"][part]}
        else:
            node = next(
                (
                    node[key]
                    for key in ("additionalProperties", "items")
                    if isinstance(node.get(key), dict)
                ),
                node.get("patternProperties", {}).get(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", {}),
            )
    return list(_resolve(node, schema).get("properties", {}))


def _resolve(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        definition: dict[str, Any] = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        return definition
    return node
