"""Reads configurations, and reports the first mistake in one line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from vlmrm.config.config import Config
from vlmrm.errors import UserError, suggest


def load_config(path: str | Path) -> Config:
    """Reads and validates a YAML file.

    Raises:
        UserError: The file is missing or not YAML, or a key or value is wrong; names it.
    """
    return parse_config(read_yaml(path), source=str(path))


def read_yaml(path: str | Path) -> Any:
    """Reads a YAML file.

    Raises:
        UserError: The file is missing or not YAML, or gives a key twice; names the line.
    """
    try:
        return yaml.load(Path(path).read_bytes(), Loader=_Loader)
    except _RepeatedKey as error:
        raise UserError(f"{path}: {error}") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())})") from error


def parse_config(content: Any, source: str = "config") -> Config:
    """Validates the content of a YAML file; `source` names the file in errors.

    Raises:
        UserError: A key or value is wrong; names the first such key.
    """
    if not isinstance(content, dict):
        raise UserError(f"{source}: holds no keys; start from config/demo.yaml")
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{source}: {_first_problem(error, content)}") from error


class _RepeatedKey(Exception):
    pass


class _Loader(yaml.SafeLoader):
    """Raises an error for a repeated key, where PyYAML would keep the last one."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        mapping = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in mapping.value:
            # Of several merged mappings, none is lost.
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            line = key.start_mark.line + 1
            if key.value in lines:
                where = f"in lines {lines[key.value]} and {line}"
                raise _RepeatedKey(f"{key.value}: given twice, {where}; remove or rename one")
            lines[key.value] = line
        return mapping


def _first_problem(error: ValidationError, content: Any) -> str:
    """Pydantic's first complaint about ``content`` as 'key: what is wrong, what to do'."""
    problem = error.errors()[0]
    kind, place = problem["type"], problem["loc"]
    key = ".".join(_written(place, content))
    if kind == "extra_forbidden":
        return f"{key}: unknown key{suggest(str(place[-1]), _schema(place[:-1])['properties'])}"
    if kind == "missing":
        return f"{key}.{place[-1]}: missing; add it".removeprefix(".")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        choice = _schema(place)["discriminator"]
        given = problem["ctx"].get("tag")
        wrong = "missing" if given is None else f"'{given}' is unknown"
        return f"{key}.{choice['propertyName']}: {wrong}{suggest(given or '', choice['mapping'])}"
    if kind == "too_short":
        return f"{key}: empty; name at least one"
    message = re.sub(r"^Value error, ", "", problem["msg"])
    if kind == "value_error":
        return f"{key}: {message}" if key else message
    return f"{key}: {message[0].lower()}{message[1:]}, got {problem['input']!r}"


def _written(place: Sequence[int | str], content: Any) -> list[str]:
    """The keys that lead to ``place``, without the choices that pydantic adds to unions."""
    keys = []
    for part in place:
        try:
            content = content[part]
        except (KeyError, TypeError):
            continue
        keys.append(str(part))
    return keys


def _schema(place: Sequence[int | str]) -> dict[str, Any]:
    """The JSON schema of the value at ``place``."""
    schema = Config.model_json_schema()
    node = schema
    for part in place:
        node = _resolve(node, schema)
        if part in node.get("properties", {}):
            node = node["properties"][part]
        elif part in node.get("discriminator", {}).get("mapping", {}):
            node = {"$ref": node["discriminator"]["mapping"][part]}
        elif "patternProperties" in node:
            node = next(iter(node["patternProperties"].values()))
        else:
            node = node["additionalProperties"]
    return _resolve(node, schema)


def _resolve(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The definition that ``node`` refers to, also where null may stand instead."""
    for choice in (node, *node.get("anyOf", [])):
        if "$ref" in choice:
            definition: dict[str, Any] = schema["$defs"][choice["$ref"].rsplit("/", 1)[-1]]
            return definition
    return node
