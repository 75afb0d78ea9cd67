"""The JSON schema with which editors complete and check configurations."""

import json
import re
import runpy

import jsonschema
import pytest
import yaml

from tests.paths import ROOT, smoke_all

CONFIGS = [ROOT / "config.yaml", *sorted((ROOT / "config").rglob("*.yaml"))]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_is_up_to_date():
    schema = runpy.run_path(str(ROOT / "docs" / "configuration.py"))["schema"]()
    assert SCHEMA.read_text() == schema, "run .venv/bin/python docs/configuration.py"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_configuration_names_the_schema_and_follows_it(path, validator):
    first, *_ = path.read_text().splitlines()
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert match
    assert (path.parent / match[1]).resolve() == SCHEMA
    validator.validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ((), "modles", {}),
        (("models", "smoke-S"), "epoch", 3),
        (("models", "smoke-S"), "source", "simulato"),
        (("state_sets", "paths"), "points", 2),
        (("training", "humanoid", "agent"), "gamma", 1),
        (("experiments", "humanoid"), "tasks", []),
    ],
)
def test_a_mistake_is_marked(validator, section, key, value):
    content = smoke_all()
    inside = content
    for name in section:
        inside = inside[name]
    inside[key] = value
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(content)


def test_every_key_has_a_description():
    schema = json.loads(SCHEMA.read_text())
    for section in (schema, *schema["$defs"].values()):
        assert section["description"]
        for key, value in section["properties"].items():
            assert value["description"], key
