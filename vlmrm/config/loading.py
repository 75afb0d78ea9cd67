"""Reads configurations, and reports the first mistake in one line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from vlmrm.config.config import Config
from vlmrm.config.rounds import expand_rounds
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

    Files that it names under `extends` are read first, relative to the working directory.

    Raises:
        UserError: A key or value is wrong; names the first such key and its file.
    """
    layers = _layers(content, source)
    merged: dict[str, Any] = {}
    for layer in layers.values():
        merged = _merge(merged, layer)
    try:
        return Config.model_validate(expand_rounds(merged)).with_studied_states()
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        depth = {file: len(_written(place, layer)) for file, layer in layers.items()}
        file = max(reversed(depth), key=depth.__getitem__)
        raise UserError(f"{file}: {_first_problem(error, merged)}") from error


def _layers(content: Any, source: str, extending: tuple[str, ...] = ()) -> dict[str, Any]:
    """The content of a file after that of the files that it extends, by file."""
    if not isinstance(content, dict):
        raise UserError(f"{source}: is empty; start from config/demo.yaml")
    files = content.get("extends", [])
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise UserError(f"{source}: extends: must be a list of files, got {files!r}")
    layers: dict[str, Any] = {}
    for file in files:
        if file in (*extending, source):
            raise UserError(f"{source}: extends: {file} extends this file; remove one of them")
        layers |= _layers(read_yaml(file), file, (*extending, source))
    return {**layers, source: {key: content[key] for key in content if key != "extends"}}


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings, key by key; where both have a value that is no mapping, that of ``above``."""
    both = {
        key: _merge(below[key], above[key])
        for key in below.keys() & above.keys()
        if isinstance(below[key], dict) and isinstance(above[key], dict)
    }
    return {**below, **above, **both}


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
