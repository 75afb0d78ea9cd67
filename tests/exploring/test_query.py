import pytest

from vlmrm.errors import UserError
from vlmrm.exploring.query import MAX_SENTENCES, read_query

GOAL = {"model": "m", "scoring": "alpha-0", "goal": ["a robot"]}


def read(**changes):
    return read_query({**GOAL, **changes}, ["m", "n"], ["kneeling"])


def test_a_query_has_its_sentences_without_blank_ones_and_spaces():
    goal = [" a robot ", "", "  ", "a robot", "a machine"]
    query = read(goal=goal, baseline=["b"], scoring="alpha-0.50", oracle="kneeling", other=["o"])
    assert query.sentences.goals == ["a robot", "a machine"]
    assert query.sentences.baselines == ["b"]
    assert query.others == ("o",)
    assert (query.scoring, query.oracle) == ("alpha-0.5", "kneeling")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"goal": []}, "sentence: empty; type what the picture should show"),
        ({"goal": [" ", "\n"]}, "sentence: empty"),
        ({"goal": "a robot"}, "goal: send a list of texts"),
        ({"goal": [1]}, "goal: send a list of texts"),
        ({"goal": None}, "goal: send a list of texts"),
        ({"goal": ["a" * 1001]}, "goal: longer than 1000 characters"),
        ({"goal": ["a\x1b[2J"]}, "goal: has a character that is not shown"),
        ({"goal": ["\ud800"]}, "goal: has a character that is not shown"),
        ({"other": [str(n) for n in range(MAX_SENTENCES + 1)]}, "other: more than 50 sentences"),
        ({"model": "x"}, "model: unknown name 'x'; known: m, n"),
        ({"model": ["m"]}, "model, scoring: send a text for each"),
        ({"scoring": None}, "model, scoring: send a text for each"),
        ({"scoring": "alpha-2"}, "scoring: 'alpha-2' is no scoring"),
        ({"scoring": "alpha-"}, "scoring: 'alpha-' is no scoring"),
        ({"scoring": "alpha-0.5"}, "baseline: missing; alpha-0.5 needs one"),
        ({"scoring": "alpha-0.5", "baseline": ["A  robot"]}, "baseline: says the same as the goal"),
        ({"scoring": "contrast-1"}, "contrast: missing; contrast-1 needs one"),
        ({"scoring": "contrast-1", "contrast": ["A robot"]}, "contrast: 'A robot' is the goal too"),
        ({"contrast": ["a cat", "A robot"]}, "contrast: 'A robot' is the goal too; remove it"),
        ({"oracle": "kneling"}, "judge: unknown name 'kneling'; did you mean 'kneeling'?"),
        ({"oracle": 1}, "oracle: send a text or null"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it(changes, problem):
    with pytest.raises(UserError) as error:
        read(**changes)
    assert str(error.value).startswith(problem)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [None, [], "x", 1, True])
def test_other_json_is_refused(content):
    with pytest.raises(UserError, match="send a JSON object"):
        read_query(content, ["m"], [])
