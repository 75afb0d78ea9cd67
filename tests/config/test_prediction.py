"""Measurements that are compared with the success of agents."""

import pytest

from vlmrm.config import parse_config
from vlmrm.errors import UserError


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"epic": ["kneling"]}, "predictions.rounds.epic: unknown name 'kneling'"),
        ({"experiments": ["human"]}, "predictions.rounds.experiments: unknown name 'human'"),
        (
            {"epic": ["kneeling", "smoke-S-kneeling"]},
            "predictions.rounds.epic: 'kneeling' and 'smoke-S-kneeling' measure 'kneeling'",
        ),
        (
            {"epic": ["kneeling"], "experiments": ["classic-control"]},
            "predictions.rounds: no task is both measured and trained",
        ),
        ({"epic": []}, "predictions.rounds.epic: empty, as are the diagnoses; name what"),
        ({"diagnoses": ["pose"]}, "predictions.rounds.diagnoses: unknown name 'pose'"),
        (
            {"diagnoses": ["some", "kneel"]},
            "predictions.rounds.diagnoses: 'some' and 'kneel' measure 'kneeling'; remove one",
        ),
        (
            {"epic": ["rollouts"], "diagnoses": ["kneel"]},
            "predictions.rounds: no task is both measured and trained",
        ),
    ],
)
def test_mistakes_are_named(content, change, answer):
    content["state_sets"]["poses"] = {"sampler": "diagnosis"}
    diagnosis = {"states": "poses", "models": ["sim-XS"]}
    content["diagnoses"] = {"some": diagnosis, "kneel": {**diagnosis, "tasks": ["kneeling"]}}
    content["predictions"]["rounds"] |= change
    with pytest.raises(UserError) as error:
        parse_config(content)
    assert answer in str(error.value)
