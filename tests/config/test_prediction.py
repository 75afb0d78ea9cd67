"""Measurements that are compared with the success of agents."""

import pytest

from vlmrm.config import parse_config
from vlmrm.errors import UserError


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"epic": ["kneling"]}, "predictions.kneeling.epic: unknown name 'kneling'"),
        ({"experiments": ["human"]}, "predictions.kneeling.experiments: unknown name 'human'"),
        (
            {"epic": ["kneeling", "smoke-S-kneeling"]},
            "predictions.kneeling.epic: 'kneeling' and 'smoke-S-kneeling' measure 'kneeling'",
        ),
        (
            {"epic": ["kneeling"], "experiments": ["classic-control"]},
            "predictions.kneeling: 0 rewards (task, scene, model, scoring) are measured and",
        ),
        (
            {"epic": ["kneeling"], "experiments": ["humanoid"]},
            "predictions.kneeling: 1 rewards (task, scene, model, scoring) are measured and "
            "trained on; a correlation needs at least 3",
        ),
        ({"epic": []}, "predictions.kneeling.epic: empty, as are the diagnoses; name what"),
        ({"diagnoses": ["pose"]}, "predictions.kneeling.diagnoses: unknown name 'pose'"),
        (
            {"diagnoses": ["some", "kneel"]},
            "predictions.kneeling.diagnoses: 'some' and 'kneel' measure 'kneeling'; remove one",
        ),
        (
            {"epic": ["standing"], "diagnoses": ["kneel"]},
            "predictions.kneeling: 0 rewards (task, scene, model, scoring) are measured and",
        ),
    ],
)
def test_mistakes_are_named(content, change, answer):
    content["state_sets"]["poses"] = {"sampler": "diagnosis"}
    diagnosis = {"states": "poses", "models": ["sim-XS"]}
    content["diagnoses"] = {"some": diagnosis, "kneel": {**diagnosis, "tasks": ["kneeling"]}}
    content["predictions"]["kneeling"] |= change
    with pytest.raises(UserError) as error:
        parse_config(content)
    assert answer in str(error.value)
