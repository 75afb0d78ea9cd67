"""Requests that no browser would send, against the page as it is served."""

import random
import re
import string

import pytest

from tests.web.hostile import digits, noise, replies, requests
from vlmrm.labeling.labels import read_answers
from vlmrm.labeling.session import Session

SEED = 18

REQUESTS = 2000
"""Some seconds; each must be answered within a minute, on a busy machine too."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.csv"


@pytest.fixture
def session(states, path):
    return Session(states, "climb", ["a car at the top"], "Zoë", path)


def hostile(session, host):
    """Random requests, made of what the page knows and of what it does not."""
    rng = random.Random(SEED)
    key, answer = session.key, b'{"answer": "yes"}'

    def target():
        answers = [f"/answers/{key}/{digits(rng)}"] * 9
        pictures = [f"/pictures/{place}/{digits(rng)}.png" for place in (key, digits(rng))]
        others = ("/", "/session", f"/answers/%ff/{digits(rng)}", "/static/label.js")
        return rng.choice((*answers, *pictures, *others))

    def body():
        word = rng.choice(string.printable)
        return rng.choice(
            (
                *[answer] * 5,
                answer[: rng.randrange(len(answer))],
                b'{"answer": ' + rng.choice((b"null", b"1e999", b"[]", b"{}", b'"\\ud800"')) + b"}",
                f'{{"answer": "{word}"}}'.encode(),
                b"[" * 1000,
                b"{" * 5000,
                b"9" * 1000,
                noise(rng),
            )
        )

    return requests(rng, REQUESTS, host, target, body, b"PUT")


def test_hostile_requests_get_an_answer_and_leave_the_file_whole(
    served, session, states, path, caplog
):
    place, _ = served
    host = f"{place[0]}:{place[1]}".encode()
    session.answer(29, "unsure")
    given = path.read_bytes()
    answered = []
    for request in hostile(session, host):
        statuses = set(map(int, re.findall(rb"^HTTP/1\.[01] (\d+)", replies(place, request), re.M)))
        # 501: a transfer encoding that Waitress does not know.
        assert not {status for status in statuses if status >= 500} - {501}, request
        answered.append(statuses)
    assert caplog.records == []
    assert sum(map(bool, answered)) > 0.95 * REQUESTS  # others are not complete
    assert {200, 400, 403, 404, 405, 409, 413} <= set().union(*answered)
    # Nothing but answers to pictures of the session.
    assert path.read_bytes().startswith(given)
    answers = read_answers([path], "climb", states)["Zoë"]
    assert {answers.pop(session.row(29), None)} <= {"unsure", "yes"}
    assert set(answers) <= {session.row(0), session.row(7)}
    assert set(answers.values()) == {"yes"}
