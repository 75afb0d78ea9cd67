import numpy as np
import pytest

from vlmrm.errors import UserError
from vlmrm.pretraining.own_captions import write_captions

KEY = "corpora.walk.captions"
NAMES = ["place", "left", "success"]
STATES = np.array([[2.0, 1.0, 0.0], [3.0, 0.0, 1.0]])


def test_a_function_gets_states_as_dictionaries():
    away, there = write_captions(KEY, "tests.envs.foreign:captions", NAMES, STATES)
    assert away == ["a point 1 steps away", "the point is 1 steps away", "a line"]
    assert there == ["a point at the end", "the point is at the end", "a line"]


def test_one_sentence_needs_no_list():
    captions = write_captions(KEY, "tests.envs.foreign:one_caption", NAMES, STATES)
    assert captions == [["a point"], ["a point"]]


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        ("caption", "tests.envs.foreign has no function 'caption'; did you mean 'captions'?"),
        ("misnamed", "a state has no 'plaec'; did you mean 'place'?"),
        ("silent", "returns no sentence for {'place': 3.0, 'left': 0.0, 'success': 1.0}; every"),
        ("blank", "returns an empty sentence for {'place': 2.0"),
        ("counting", "returns float, neither a sentence nor a list of sentences"),
        ("raising", "raised ZeroDivisionError: no steps; correct it"),
    ],
)
def test_what_is_wrong_with_a_function_is_one_line_that_names_its_key(function, answer):
    with pytest.raises(UserError) as error:
        write_captions(KEY, f"tests.envs.foreign:{function}", NAMES, STATES)
    assert str(error.value).startswith(f"{KEY}: {answer}")
    assert "\n" not in str(error.value)
