from pathlib import Path

import pytest
import yaml

SMOKE = Path(__file__).parents[2] / "config" / "smoke.yaml"


@pytest.fixture
def content():
    """A valid configuration to spoil."""
    content = yaml.safe_load(SMOKE.read_text())
    published = {"source": "pretrained", "architecture": "RN50-quickgelu", "tag": "openai"}
    content["models"]["published"] = published
    return content
