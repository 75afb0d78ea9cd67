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
    ],
)
def test_mistakes_are_named(content, change, answer):
    content["predictions"]["rounds"] |= change
    with pytest.raises(UserError) as error:
        parse_config(content)
    assert answer in str(error.value)
