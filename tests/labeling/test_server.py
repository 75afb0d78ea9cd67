import io
import json
import re
import socket
import threading
import urllib.request

import numpy as np
import pytest
from PIL import Image

from vlmrm.config import Rendering
from vlmrm.errors import UserError
from vlmrm.labeling.page import create_app
from vlmrm.labeling.pictures import Pictures
from vlmrm.labeling.server import address, is_private, listen, serve
from vlmrm.labeling.session import Session


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.csv"


@pytest.fixture
def session(states, path):
    return Session(states, "climb", ["a car on the <peak>", "a car at the top"], "Zoë", path)


@pytest.fixture
def pictures(states):
    pictures = Pictures("mountain-car", "textured", Rendering(), states.values)
    yield pictures
    pictures.close()


@pytest.fixture
def client(session):
    return create_app(session, lambda row: f"picture of {row}".encode()).test_client()


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
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(linked) == 3
    for link in linked:
        reply = client.get(link)
        assert reply.status_code == 200
        if not link.endswith(".svg"):
            assert "//" not in re.sub(r"//? .*", "", reply.text)


def test_an_answer_is_in_the_file_when_the_reply_comes(client, session, path):
    reply = put(client, session, 4, json={"answer": "unsure"})
    assert reply.json == {"answer": "unsure"}
    line = path.read_text().splitlines()[1]
    assert line.startswith(f"Zoë,climb,{session.row(4)},unsure,")
    assert client.get("/session").json["answers"][4] == "unsure"


def test_pictures_are_those_of_the_order(client, session):
    for position in (0, 29):
        reply = client.get(f"/pictures/{session.key}/{position}.png")
        assert reply.data == f"picture of {session.row(position)}".encode()
        assert reply.mimetype == "image/png"
        assert reply.headers["Cache-Control"] == "no-store"


def test_the_page_learns_neither_rows_nor_labels_of_the_oracle(client, session, states):
    session.answer(3, "yes")
    told = client.get("/session").json
    assert set(told) == {"key", "answers"}
    assert told["answers"] == [None] * 3 + ["yes"] + [None] * 26
    assert put(client, session, 5, json={"answer": "no"}).json == {"answer": "no"}

    page = client.get("/").text
    states.labels["mountain-car"][:] = ~states.labels["mountain-car"]
    other = Session(states, "climb", session.goals, "Zoë", session._path)
    again = create_app(other, lambda row: b"").test_client()
    assert again.get("/").text == page
    assert again.get("/session").json["key"] == told["key"]


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
        (0, {"data": json.dumps({"answer": "yes"}), "content_type": "text/plain"}, 415),
        (0, {"data": {"answer": "yes"}}, 415),
    ],
)
def test_a_wrong_answer_is_not_written(client, session, path, position, content, status):
    assert put(client, session, position, **content).status_code == status
    assert not path.exists()


def test_a_page_of_another_session_is_refused(client, path):
    assert client.put("/answers/0123/0", json={"answer": "yes"}).status_code == 409
    assert client.get("/pictures/0123/0.png").status_code == 409
    assert not path.exists()


def test_pictures_are_drawn_for_any_thread(pictures):
    drawn = {}

    def ask(row):
        drawn[row] = np.asarray(Image.open(io.BytesIO(pictures.png(row))))

    threads = [threading.Thread(target=ask, args=(row,)) for row in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {image.shape for image in drawn.values()} == {(400, 600, 3)}
    ask_again = np.asarray(Image.open(io.BytesIO(pictures.png(2))))
    np.testing.assert_array_equal(ask_again, drawn[2])
    assert (drawn[0] != drawn[5]).any()


def test_the_humanoid_is_drawn_at_the_size_asked_for():
    from vlmrm.config import PoseStates
    from vlmrm.states import sample_states

    values = sample_states(PoseStates(sampler="poses", task="kneeling", size=8)).values
    pictures = Pictures("humanoid", "textured-fixed", Rendering(humanoid_size=200), values)
    assert Image.open(io.BytesIO(pictures.png(7))).size == (200, 200)
    pictures.close()


def test_an_unknown_scene_is_told(states):
    with pytest.raises(UserError, match="scene: mountain-car has no scene 'texture'"):
        Pictures("mountain-car", "texture", Rendering(), states.values)


def test_idle_connections_do_not_keep_others_waiting(session):
    listener = listen("127.0.0.1", 0)
    place, where = listener.getsockname(), address(listener)
    app = create_app(session, lambda row: b"")
    started = threading.Event()
    threading.Thread(target=serve, args=(app, listener, started.set), daemon=True).start()
    assert started.wait(10)
    # What browsers do ahead of need.
    with socket.create_connection(place), socket.create_connection(place):
        assert urllib.request.urlopen(where, timeout=300).status == 200


def test_a_port_in_use_is_told():
    with (
        listen("127.0.0.1", 0) as taken,
        pytest.raises(UserError, match=r"--port: \d+ is in use on 127.0.0.1; choose another"),
    ):
        listen("127.0.0.1", taken.getsockname()[1])


def test_a_host_that_is_not_here_is_told():
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(UserError, match=f"--host: '{host}' is not an address of this machine"):
            listen(host, 0)


@pytest.mark.parametrize(
    ("host", "private"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)]
)
def test_whether_others_can_connect(host, private):
    with listen(host, 0) as listener:
        assert is_private(listener) == private
        assert re.fullmatch(r"http://[^/]+:\d+/", address(listener))
        assert "0.0.0.0" not in address(listener)
