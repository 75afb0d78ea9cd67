"""What the page's server answers, and whom."""

import json
import re

import pytest

from vlmrm.exploring.page import create_app
from vlmrm.web.server import listen, protect

QUERY = {"model": "sim-XS", "scoring": "alpha-0", "goal": ["a humanoid robot kneeling"]}
QUESTIONS = ("rank", "confusion", "diagnosis", "task")


@pytest.fixture
def client(explorer):
    app = create_app(explorer)
    with listen("127.0.0.1", 0) as listener:
        protect(app, listener, "127.0.0.1")
        yield app.test_client()


@pytest.fixture
def key(client):
    return client.get("/session").json["key"]


def test_the_page_says_in_one_sentence_what_it_does(client):
    text = " ".join(client.get("/").text.split())
    assert "Type a sentence: a model ranks 128 poses by it" in text


def test_nothing_comes_from_elsewhere(client):
    links = re.findall(r'(?:src|href)="([^"]+)"', client.get("/").text)
    assert len(links) == 8
    modules = {link for link in links if link.endswith(".js")}
    while modules:
        link = modules.pop()
        reply = client.get(link)
        assert reply.status_code == 200 and reply.mimetype == "text/javascript"
        modules |= {f"/static/{name}" for name in re.findall(r'from "\./(.+)"', reply.text)}
        assert set(re.findall(r"https?://[^\"]+", reply.text)) <= {"http://www.w3.org/2000/svg"}
    for link in links:
        reply = client.get(link)
        assert reply.status_code == 200
        assert "url(" not in reply.text and "@import" not in reply.text


def test_the_session_has_what_can_be_chosen(client, explorer):
    session = client.get("/session").json
    assert (session["noun"], session["models"], session["names"]) == ("pose", ["sim-XS"], [])
    assert session["ranked"] == explorer.ranked.nonzero()[0].tolist()
    # Judges, paths, and tasks in one order.
    names = [judge["name"] for judge in session["judges"]]
    assert names == [task["judge"] for task in session["tasks"]]
    assert names == [path["name"] for path in session["paths"]]
    for judge in session["judges"]:
        accepted = [digit == "1" for digit in judge["verdicts"]]
        assert accepted == explorer.collection.verdicts[judge["name"]].tolist()


def test_every_question_is_answered(client, key):
    answers = {}
    for question in QUESTIONS:
        reply = client.post(f"/{question}/{key}", json=QUERY)
        assert reply.status_code == 200, reply.text
        answers[question] = reply.json
    assert answers["rank"]["judge"] == "kneeling"
    assert len(answers["confusion"]) == 8
    assert "kneeling" in answers["diagnosis"]["lines"][0]
    assert answers["task"].startswith("tasks:\n  kneeling:\n")


def test_images_are_png(client, key, explorer):
    for place in ("thumbnails", "pictures"):
        reply = client.get(f"/{place}/{key}/0.png")
        assert reply.mimetype == "image/png"
        assert reply.data.startswith(b"\x89PNG")
        assert reply.headers["Cache-Control"] == "no-store"
        reply = client.get(f"/{place}/{key}/{len(explorer.collection)}.png")
        assert (reply.status_code, reply.text) == (404, "there are 456 poses")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"goal": [" "]}, "sentence: empty; type what the picture should show"),
        ({"goal": ["a robot " * 60]}, "is longer than sim-XS reads"),
        ({"scoring": "alpha-0.5"}, "baseline: missing; alpha-0.5 needs one"),
        ({"scoring": "contrast-0.05"}, "contrast: missing; contrast-0.05 needs one"),
    ],
)
def test_a_wrong_query_is_one_line(client, key, changes, problem):
    reply = client.post(f"/rank/{key}", json={**QUERY, **changes})
    assert (reply.status_code, reply.mimetype) == (400, "text/plain")
    assert problem in reply.text
    assert len(reply.text.splitlines()) == 1


@pytest.mark.parametrize(
    "content",
    [
        {"data": data, "content_type": "application/json"}
        for data in (b"", b"{", b"null", b'"x"', b"NaN", b"9" * 5000, b"[" * 10**5, b"\xff{}")
    ]
    # What a form on another site could send.
    + [{"data": json.dumps(QUERY), "content_type": "text/plain"}, {"data": QUERY}],
)
def test_what_is_no_query_is_refused(client, key, content):
    for question in QUESTIONS:
        reply = client.post(f"/{question}/{key}", **content)
        assert (reply.status_code, reply.text) == (400, "send a JSON object")


def test_a_page_of_an_earlier_start_is_told_to_reload(client):
    for reply in (
        client.post("/rank/0123", json=QUERY),
        client.get("/thumbnails/0123/0.png"),
        client.get("/pictures/0123/0.png"),
    ):
        assert reply.status_code == 409
        assert "reload" in reply.text


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "203.0.113.9", ""])
def test_another_name_for_this_machine_is_refused(client, key, host):
    for reply in (
        client.get("/session", headers={"Host": host}),
        client.get("/static/explore.js", headers={"Host": host}),
        client.get(f"/thumbnails/{key}/0.png", headers={"Host": host}),
        client.post(f"/rank/{key}", json=QUERY, headers={"Host": host}),
    ):
        assert reply.status_code == 403
        assert "this page is not at" in reply.text


@pytest.mark.parametrize("origin", ["http://evil.example", "https://localhost", "null", ""])
def test_a_request_from_another_site_is_refused(client, key, origin):
    headers = {"Host": "localhost", "Origin": origin}
    for question in QUESTIONS:
        reply = client.post(f"/{question}/{key}", json=QUERY, headers=headers)
        assert (reply.status_code, reply.text) == (403, "this request comes from another site")


def test_no_site_can_frame_the_page_or_use_its_parts(client, key):
    for path in ("/", "/session", f"/thumbnails/{key}/0.png", "/static/explore.js", "/none"):
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not re.search(r"<script>|<style|style=|\son\w+=", client.get("/").text)
