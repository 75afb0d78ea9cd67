import json
import re
import socket
import urllib.request
from contextlib import ExitStack

import pytest

from tests.data.test_files import space_for
from vlmrm.errors import UserError
from vlmrm.labeling.page import MAX_BODY, create_app
from vlmrm.labeling.session import Session
from vlmrm.web.server import listen, protect


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.csv"


@pytest.fixture
def session(states, path):
    return Session(states, "climb", ["a car on the <peak>", "a car at the top"], "Zoë", path)


@pytest.fixture
def client_of():
    """Makes a browser on this machine."""
    with ExitStack() as listeners:

        def make(session, host="127.0.0.1"):
            app = create_app(session, lambda row: f"picture of {row}".encode())
            protect(app, listeners.enter_context(listen(host, 0)), host)
            return app.test_client()

        yield make


@pytest.fixture
def client(client_of, session):
    return client_of(session)


def put(client, session, position, **content):
    return client.put(f"/answers/{session.key}/{position}", **content)


def test_the_page_tells_sentence_rater_and_keys(client):
    text = client.get("/").text
    assert "a car on the &lt;peak&gt;" in text
    assert "a car at the top" in text
    assert "Zoë" in text
    assert set(re.findall("<kbd>(.)</kbd>", text)) == set("ynub")


def test_nothing_comes_from_elsewhere(client):
    page = client.get("/")
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(linked) == 5
    for link in linked:
        reply = client.get(link)
        assert reply.status_code == 200
        if not link.endswith(".svg"):
            assert "//" not in re.sub(r"//? .*", "", reply.text)


def test_an_answer_is_in_the_file_when_the_reply_comes(client, session, path):
    reply = put(client, session, 4, json={"answer": "unsure"})
    assert reply.json == {"answers": [None] * 4 + ["unsure"] + [None] * 25}
    line = path.read_text().splitlines()[1]
    assert line.startswith(f"Zoë,climb,{session.row(4)},unsure,")
    assert client.get("/session").json["answers"][4] == "unsure"


def test_pictures_are_those_of_the_order(client, session):
    for position in (0, 29):
        reply = client.get(f"/pictures/{session.key}/{position}.png")
        assert reply.data == f"picture of {session.row(position)}".encode()
        assert reply.mimetype == "image/png"
        assert reply.headers["Cache-Control"] == "no-store"


def test_the_page_learns_neither_rows_nor_labels_of_the_oracle(client, client_of, session, states):
    session.answer(3, "yes")
    told = first = client.get("/session").json
    assert set(told) == {"key", "answers"}
    assert told["answers"] == [None] * 3 + ["yes"] + [None] * 26
    told = put(client, session, 5, json={"answer": "no"}).json
    assert told == {"answers": [None] * 3 + ["yes", None, "no"] + [None] * 24}

    page = client.get("/").text
    states.labels["mountain-car"][:] = ~states.labels["mountain-car"]
    other = Session(states, "climb", session.goals, "Zoë", session._path)
    again = client_of(other)
    assert again.get("/").text == page
    assert again.get("/session").json["key"] == first["key"]


@pytest.mark.parametrize(
    ("position", "content", "status"),
    [
        (0, {"json": {"answer": "maybe"}}, 400),
        (0, {"json": {}}, 400),
        (0, {"json": ["yes"]}, 400),
        (0, {"json": {"answer": ["yes"]}}, 400),
        (30, {"json": {"answer": "yes"}}, 404),
        (-1, {"json": {"answer": "yes"}}, 404),
        # What a form on another site could send.
        (0, {"data": json.dumps({"answer": "yes"}), "content_type": "text/plain"}, 400),
        (0, {"data": {"answer": "yes"}}, 400),
        *(
            (0, {"data": data, "content_type": "application/json"}, 400)
            for data in (
                b"",
                b"{",
                b"null",
                b'"yes"',
                b"NaN",
                b"9" * 5000,
                b"[" * 10**5,
                b"\xff\xfe{}",
                b'{"answer": "\\ud800"}',
                b'{"answer": {"answer": "yes"}}',
            )
        ),
    ],
)
def test_a_wrong_answer_is_not_written(client, session, path, position, content, status):
    reply = put(client, session, position, **content)
    assert reply.status_code == status
    assert reply.mimetype == "text/plain"
    if status == 400:
        assert reply.text == 'send JSON: {"answer": "yes"}, "no", or "unsure"'
    assert not path.exists()


def test_a_page_of_another_session_is_refused(client, path):
    assert client.put("/answers/0123/0", json={"answer": "yes"}).status_code == 409
    assert client.get("/pictures/0123/0.png").status_code == 409
    assert not path.exists()


def test_an_answer_that_cannot_be_saved_is_told(client, session, path):
    put(client, session, 0, json={"answer": "yes"})
    content = path.read_text()
    with space_for(len(content) + 20):
        reply = put(client, session, 1, json={"answer": "no"})
    assert reply.status_code == 507
    assert reply.text == (f"{path}: cannot be written (File too large); fix that and answer again")
    assert path.read_text() == content
    path.write_text(f"{content}what somebody else wrote\n")
    for reply in (put(client, session, 1, json={"answer": "no"}), client.get("/session")):
        assert reply.status_code == 507
        assert reply.text == f"{path}:3: has 1 of 6 columns; correct or delete it"
    path.write_text(content)
    reply = put(client, session, 1, json={"answer": "no"})
    assert reply.json["answers"][:3] == ["yes", "no", None]


def test_idle_connections_do_not_keep_others_waiting(served):
    place, where = served
    # What browsers do ahead of need.
    with socket.create_connection(place), socket.create_connection(place):
        assert urllib.request.urlopen(where, timeout=300).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "203.0.113.9",
        "[2001:db8::1]:8000",
        "0.0.0.0:8000",
        "[::1",
        "user@localhost",
        "",
    ],
)
def test_another_name_for_this_machine_is_refused(client, session, path, host):
    """A site whose name turns into this machine's address, or a request that names none."""
    for reply in (
        client.get("/session", headers={"Host": host}),
        client.get("/static/label.js", headers={"Host": host}),
        client.get("/nothing", headers={"Host": host}),
        put(client, session, 0, json={"answer": "yes"}, headers={"Host": host}),
    ):
        assert reply.status_code == 403
        assert re.fullmatch(r"this page is not at '.*'; open http://127.0.0.1:\d+/", reply.text)
    assert not path.exists()


@pytest.mark.parametrize(
    ("host", "names"),
    [
        # Another port than the server's is one end of a tunnel.
        ("127.0.0.1", ["127.0.0.1:8000", "localhost", "LOCALHOST:9000", "[::1]:8000"]),
        ("localhost", ["127.0.0.1:8000", "localhost:8000"]),
        ("0.0.0.0", ["192.0.2.1:8000", "[2001:db8::1]", "{machine}:8000", "{machine}.local"]),
    ],
)
def test_names_of_this_machine_are_answered(client_of, session, path, host, names):
    client = client_of(session, host)
    for name in names:
        own = name.format(machine=socket.gethostname())
        headers = {"Host": own, "Origin": f"http://{own}"}
        assert put(client, session, 0, json={"answer": "yes"}, headers=headers).status_code == 200
    assert len(path.read_text().splitlines()) == 1 + len(names)
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_ipv6(client_of, session):
    try:
        client = client_of(session, "::1")
    except UserError:
        pytest.skip("needs IPv6")
    assert client.get("/", headers={"Host": "[::1]:8000"}).status_code == 200
    assert client.get("/", headers={"Host": "localhost:8000"}).status_code == 200
    assert client.get("/", headers={"Host": "[2001:db8::1]:8000"}).status_code == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://localhost",
        "http://localhost:8888",
        "http://127.0.0.1",
        "null",
        "",
        "http://localhost.evil.example",
    ],
)
def test_a_request_from_another_site_is_refused(client, session, path, origin):
    headers = {"Host": "localhost", "Origin": origin}
    for reply in (
        put(client, session, 0, json={"answer": "yes"}, headers=headers),
        client.get("/session", headers=headers),
    ):
        assert reply.status_code == 403
        assert reply.text == "this request comes from another site"
    assert not path.exists()


def test_no_site_can_frame_the_page_or_use_its_parts(client, session):
    for path, status in (
        ("/", 200),
        ("/session", 200),
        (f"/pictures/{session.key}/0.png", 200),
        ("/static/label.js", 200),
        ("/static/none", 404),
        ("/answers", 404),
    ):
        reply = client.get(path)
        assert reply.status_code == status
        policy = dict(
            part.split(" ", 1) for part in reply.headers["Content-Security-Policy"].split("; ")
        )
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert set(policy.values()) == {"'none'", "'self'"}
        assert reply.headers["X-Frame-Options"] == "DENY"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert reply.headers["Cache-Control"] == "no-store"
    page = client.get("/").text
    assert not re.search(r"<script>|<style|style=|\son\w+=", page)


def test_a_large_body_is_refused_before_it_is_read(served, session, path):
    place, _ = served
    for length in (MAX_BODY + 1, 10**12):
        with socket.create_connection(place, timeout=300) as browser:
            head = f"PUT /answers/{session.key}/0 HTTP/1.1\r\nHost: {place[0]}:{place[1]}\r\n"
            browser.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
            assert browser.recv(12) == b"HTTP/1.1 413"
    assert not path.exists()
