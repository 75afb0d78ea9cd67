import pytest

from tests.paths import smoke_all


@pytest.fixture
def content():
    """A valid configuration to spoil."""
    content = smoke_all()
    published = {"source": "pretrained", "architecture": "RN50-quickgelu", "tag": "openai"}
    content["models"]["published"] = published
    content["training"]["mountain-car"] = {"agent": {"algorithm": "sac", "total_timesteps": 800}}
    run = {"task": "kneeling", "scene": "textured-fixed", "reward_source": "smoke-S"}
    content["state_sets"] |= {
        "car": {"sampler": "uniform", "environment": "mountain-car", "size": 100},
        "rollouts": {
            "sampler": "rollouts",
            "run": {**run, "scoring": "alpha-0", "seed": 0},
            "size": 200,
        },
    }
    return content
