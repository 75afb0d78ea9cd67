"""Requests that no browser would send, against the page as it is served."""

import json
import random
import re
import urllib.request

from tests.browser import serve_in_thread
from tests.web.hostile import digits, noise, replies, requests
from vlmrm.exploring.page import MAX_BODY, create_app

SEED = 19
REQUESTS = 1000
QUERY = {"model": "sim-XS", "scoring": "alpha-0", "goal": ["a robot"], "oracle": None}
ODD = (
    None,
    [],
    {},
    1e999,
    -1,
    "",
    "\ud800",
    "a\x00",
    ["a"] * 99,
    [["a"]],
    "a" * 2000,
    ["b" * 2000],
)


def hostile(key, host):
    rng = random.Random(SEED)

    def target():
        question = rng.choice(("rank", "confusion", "diagnosis", "task", "answer"))
        image = rng.choice(("thumbnails", "pictures"))
        place = rng.choice((key, key, digits(rng)))
        others = ("/", "/session", f"/{image}/{place}/{digits(rng)}.png", "/static/explore.js")
        return rng.choice((*[f"/{question}/{place}"] * 6, *others))

    def body():
        query = {
            **QUERY,
            rng.choice(("model", "scoring", "goal", "baseline", "oracle", "other")): (
                rng.choice(ODD)
            ),
        }
        text = json.dumps(rng.choice((QUERY, query, query))).encode()
        odd = (text[: rng.randrange(len(text))], b"[" * 1000, b"9" * 1000, noise(rng))
        return rng.choice((*[text] * 6, *odd))

    return requests(rng, REQUESTS, host, target, body, b"POST")


def test_hostile_requests_get_an_answer_and_none_breaks_the_server(explorer, caplog):
    place, where = serve_in_thread(create_app(explorer), MAX_BODY)
    key = json.load(urllib.request.urlopen(f"{where}session", timeout=300))["key"]
    answered = []
    for request in hostile(key, f"{place[0]}:{place[1]}".encode()):
        statuses = set(map(int, re.findall(rb"^HTTP/1\.[01] (\d+)", replies(place, request), re.M)))
        # 501: a transfer encoding that Waitress does not know.
        assert not {status for status in statuses if status >= 500} - {501}, request
        answered.append(statuses)
    assert caplog.records == []
    assert sum(map(bool, answered)) > 0.95 * REQUESTS  # others are not complete
    assert {200, 400, 403, 404, 405, 409} <= set().union(*answered)
