"""Reads configurations, and reports the first mistake in one line."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from yaml.composer import Composer

from vlmrm.config.base import FORMS, LARGEST
from vlmrm.config.config import Config
from vlmrm.config.rounds import expand_rounds
from vlmrm.errors import UserError, one_line, shorten, suggest

SHARED = Path(__file__).with_name("shared")
"""Shared parts of configurations: a link to `config/shared` of the repository."""

MAX_BYTES = 2**20
"""Size of a YAML file."""
MAX_VALUES = 100_000
"""Values in a YAML file, each counted where it stands and where an alias repeats it."""
MAX_DEPTH = 50
"""Levels of lists and mappings in each other."""
TOO_DEEP = f"more than {MAX_DEPTH} levels, or contains itself; write it in fewer"
MAX_TEXT = 1000
"""Characters of a text in a configuration."""
CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that are neither shown nor white space, and halves of characters."""

OTHER_BASES = re.compile("[-+]?(0[0-9_]|[0-9_]+:)")
"""Numbers that YAML reads in base 8 or 60, which nobody means: `010` is 8, and `1:30` is 90."""

KINDS = ("source", "sampler", "algorithm")
"""Keys that say of which kind an entry is, and so which other keys it has."""
ARGUMENTS = (("settings",), ("kwargs",))
"""Keys of entries whose mappings are arguments of a user's own code, and have keys of any name."""

Place = Sequence[int | str]
"""The keys that lead to a value."""


def load_config(path: str | Path) -> Config:
    """Reads and validates a YAML file.

    Raises:
        UserError: The file is missing or not YAML, or a key or value is wrong; names it.
    """
    return parse_config(read_layer(path), source=str(path))


def read_yaml(path: str | Path) -> Any:
    """Reads a YAML file.

    Raises:
        UserError: The file is missing, too large, or not YAML in UTF-8, gives a key twice, contains
            itself, or has numbers in base 8 or 60; names the line.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise _Refused(f"is larger than {MAX_BYTES // 2**20} MB; make it smaller")
        return yaml.load(_decode(data), Loader=_Loader)
    except (_Refused, OSError, yaml.YAMLError, ValueError) as error:
        raise UserError(shorten(f"{path}: {_why(error)}")) from error


def _why(error: Exception) -> str:
    """Why a file cannot be read."""
    match error:
        case _Refused():
            return str(error)
        case OSError():
            return f"cannot be read ({error.strerror})"
        case yaml.MarkedYAMLError() if error.problem_mark:
            return f"not YAML in line {error.problem_mark.line + 1} ({error.problem})"
    return f"not YAML ({one_line(error)})"


def read_layer(path: str | Path) -> dict[str, Any]:
    """Reads a file with a configuration or a part of one, and checks the names of its sections.

    Raises:
        UserError: As `read_yaml`, or it has no keys or an unknown one.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise UserError(f"{path}: has no keys; start from config/demo.yaml")
    known = ["extends", *Config.model_fields]
    for key in content:
        if key not in known:
            raise UserError(shorten(f"{path}: {key}: unknown key{suggest(key, known)}"))
    return content


def read_merged(path: str | Path) -> dict[str, Any]:
    """Reads a file and those that it extends as one mapping, whose values are not validated.

    Raises:
        UserError: As `read_layer`, for any of these files.
    """
    return _merged(_layers(read_layer(path), str(path)))


def check_configfiles(files: Iterable[str | Path]) -> None:
    """Checks the files of a command line of Snakemake, which merges them itself.

    Raises:
        UserError: As `read_yaml`, or two files have ``extends``, of which Snakemake keeps one.
    """
    extending: list[str | Path] = []
    for file in files:
        content = read_yaml(file)
        if isinstance(content, dict) and "extends" in content:
            extending.append(file)
    if len(extending) > 1:
        first, *_, last = extending
        raise UserError(
            f"{last}: extends: given in {first}, too, and Snakemake would read one of them; add "
            f"{first} to this list, and start with {last} alone"
        )


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Refused(f"line {line} is not UTF-8 text; save the file as UTF-8") from error


def parse_config(content: Mapping[str, Any], source: str = "config") -> Config:
    """Validates a configuration; `source` names its file in errors.

    Files that it names under `extends` are read first, relative to the working directory. Where
    that has no `config/shared`, the shared parts that come with the package are read.

    Raises:
        UserError: A key or value is wrong; names the first such key and its file.
    """
    layers = _layers(content, source)
    merged = _merged(layers)
    try:
        return Config.model_validate(expand_rounds(merged)).with_studied_states()
    except UserError as error:
        raise _problem_in(layers, ("rounds",), str(error)) from error
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        raise _problem_in(layers, place, _first_problem(error, merged)) from error


def _layers(
    content: Mapping[str, Any], source: str, extending: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The content of a file after that of the files that it extends, by file."""
    for place, problem in _unfit(content):
        raise UserError(shorten(f"{source}: {'.'.join(map(str, place))}: {problem}"))
    files = content.get("extends", [])
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise UserError(shorten(f"{source}: extends: must be a list of files, got {files!r}"))
    layers: dict[str, Any] = {}
    for file in files:
        if file in (*extending, source):
            raise UserError(f"{source}: extends: {file} extends this file; remove one of them")
        if not (path := _place(file)).is_file():
            raise UserError(
                f"{source}: extends: there is no file '{file}'; paths are relative to the working "
                "directory"
            )
        layers |= _layers(read_layer(path), file, (*extending, source))
    return {**layers, source: {key: content[key] for key in content if key != "extends"}}


def _place(file: str) -> Path:
    """Where a file of `extends` is: in the working directory, or shared parts in the package."""
    path = Path(file)
    shipped = SHARED / path.name
    is_shared = path.parent == Path("config/shared") and shipped.is_file()
    return shipped if is_shared and not path.parent.exists() else path


def _merged(layers: Mapping[str, Any]) -> dict[str, Any]:
    """What files say together, where each is read on top of those before it."""
    merged: dict[str, Any] = {}
    for layer in layers.values():
        merged = _merge(merged, layer)
    return merged


def _merge(
    below: Mapping[str, Any], above: Mapping[str, Any], place: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Both mappings, key by key; where both have a value that is no mapping, that of ``above``.

    An entry of another kind replaces the one below, whose keys would not fit it.
    """
    kinds = [(below[key], above[key]) for key in KINDS if key in below and key in above]
    is_entry = place[2:3] not in ARGUMENTS
    if is_entry and any(isinstance(kind, str) and kind != other for kind, other in kinds):
        return dict(above)
    both = {
        key: _merge(below[key], above[key], (*place, key))
        for key in below.keys() & above.keys()
        if isinstance(below[key], dict) and isinstance(above[key], dict)
    }
    return {**below, **above, **both}


def _problem_in(layers: Mapping[str, Any], place: Place, problem: str) -> UserError:
    """A problem, with the name of the last file that says something there."""
    depth = {file: len(_written(place, layer)) for file, layer in layers.items()}
    file = max(reversed(depth), key=depth.__getitem__)
    return UserError(shorten(f"{file}: {problem}"))


def _unfit(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Values that fit no key, each with its place and what is wrong."""
    match value:
        case dict():
            for key, part in value.items():
                yield from _unfit(key, (*place, key))
                if not isinstance(key, str):
                    yield (*place, key), "names must be texts; quote it"
                yield from _unfit(part, (*place, key))
        case list():
            for index, part in enumerate(value):
                yield from _unfit(part, (*place, index))
        case str():
            if len(value) > MAX_TEXT:
                yield place, f"longer than {MAX_TEXT} characters; shorten it"
            if CONTROLS.search(value):
                yield place, "contains control characters; remove them"
        case int():
            if abs(value) > LARGEST:
                yield place, "too large a number; lower it"
        case float() if not math.isfinite(value):
            yield place, f"input should be a finite number, got {value}"
        case float() | None:
            pass
        case _:
            kind = type(value).__name__
            yield place, f"YAML reads this as a {kind}, which no key takes; quote it"


class _Refused(Exception):
    """What this project does not read, although it may be YAML."""


class _Loader(Composer, yaml.CSafeLoader):
    """Refuses repeated keys, of which PyYAML would keep the last, and what has no end.

    Nodes are composed in Python: libyaml's composer crashes where they are too deep.
    """

    def __init__(self, text: str):
        yaml.CSafeLoader.__init__(self, text)
        Composer.__init__(self)

    def get_single_node(self) -> yaml.Node | None:
        try:
            root: yaml.Node | None = super().get_single_node()
        except RecursionError as error:
            raise _Refused(f"has {TOO_DEEP}") from error
        waiting = [(root, 1)] if root else []
        number = 0
        while waiting:
            node, depth = waiting.pop()
            line = node.start_mark.line + 1
            number += 1
            if depth > MAX_DEPTH:
                raise _Refused(f"line {line} has {TOO_DEEP}")
            if number > MAX_VALUES:
                raise _Refused(f"has more than {MAX_VALUES:,} values; make it smaller")
            parts = node.value if isinstance(node, yaml.CollectionNode) else []
            if isinstance(node, yaml.MappingNode):
                _refuse_repeated_keys(node)
                parts = itertools.chain.from_iterable(parts)
            waiting += [(part, depth + 1) for part in parts]
        return root

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            # PyYAML's constructors raise these for dates, numbers and tags that are none.
            line, kind = node.start_mark.line + 1, node.tag.rpartition(":")[-1]
            raise _Refused(f"line {line} holds no {kind}; correct it, or quote a text") from error
        if type(value) in (int, float) and OTHER_BASES.match(node.value):
            line = node.start_mark.line + 1
            raise _Refused(f"line {line}: {node.value} is {value} to YAML; write that, or quote it")
        return value


def _refuse_repeated_keys(mapping: yaml.MappingNode) -> None:
    lines: dict[str, int] = {}
    for key, _ in mapping.value:
        # Of several merged mappings, none is lost.
        if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
            continue
        line = key.start_mark.line + 1
        if key.value in lines:
            where = f"in lines {lines[key.value]} and {line}"
            raise _Refused(f"{key.value}: given twice, {where}; remove or rename one")
        lines[key.value] = line


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
    given = problem["input"]
    if kind == "string_pattern_mismatch":
        return f"{key}: {given!r} does not fit; write {FORMS[problem['ctx']['pattern']]}"
    return f"{key}: {message[0].lower()}{message[1:]}, got {given!r}{_hint(kind, given)}"


def _hint(kind: str, given: Any) -> str:
    """What to write instead of a value of the wrong type."""
    match kind, given:
        case "string_type", None:
            return "; give it a value, or remove it"
        case "string_type", bool() | int() | float():
            return "; quote it"
        case "int_parsing", _:
            return "; write its digits, as in 100000"
        case "literal_error", "none":
            return "; for none, remove it"
    return ""


def _written(place: Place, content: Any) -> list[str]:
    """The keys that lead to ``place``, without the choices that pydantic adds to unions."""
    keys: list[str] = []
    choice = None
    for part in place:
        if choice is None and isinstance(content, dict) and part == content.get("source"):
            choice = part  # may be the name of a key too
            continue
        choice = None
        try:
            content = content[part]
        except (KeyError, TypeError):
            continue
        keys.append(str(part))
    return keys


def _schema(place: Place) -> dict[str, Any]:
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
