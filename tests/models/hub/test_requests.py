"""Requests that fail, by a small hub on this machine."""

import os
import socket

import huggingface_hub
import pytest
import yaml

from tests.models.fetching import REPOSITORY, WEIGHTS, refused
from tests.models.hub.server import TOKEN
from tests.processes import vlmrm
from vlmrm.errors import UserError
from vlmrm.models.fetch import fetch_pretrained


def test_a_connection_refused(hub, settings, folder, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("HF_ENDPOINT", nowhere)
    message = refused(settings, folder)
    assert f"{nowhere} cannot be reached ([Errno 111] Connection refused)" in message
    assert "HF_ENDPOINT" in message
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    fetch_pretrained("tiny", settings, folder)


def test_offline_mode_is_named(settings, folder, monkeypatch):
    # The client reads its variables when it is imported.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.utils._http.close_session()
    assert "HF_HUB_OFFLINE is set; unset it" in refused(settings, folder)
    monkeypatch.undo()
    huggingface_hub.utils._http.close_session()


def test_something_else_than_a_hub(hub, settings, folder, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.url}/portal")
    assert "does not answer like a model hub" in refused(settings, folder)


def test_unknown_repositories_and_commits(settings, folder):
    absent = settings.model_copy(update={"repository": "nobody/nothing"})
    assert "has no repository nobody/nothing, or it is private" in refused(absent, folder)
    absent = settings.model_copy(update={"revision": "0" * 40})
    message = refused(absent, folder)
    assert message.startswith(f"models.tiny.revision: {REPOSITORY} has no commit 000")
    fetch_pretrained("tiny", settings, folder)


def test_gated_models_need_the_token_of_the_environment(hub, settings, folder, monkeypatch):
    hub.gated.add(REPOSITORY)
    message = refused(settings, folder)
    assert f"{REPOSITORY} is gated and HF_TOKEN is not set" in message
    assert f"{hub.url}/{REPOSITORY}" in message
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    assert "the account of HF_TOKEN has no access" in refused(settings, folder)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    fetch_pretrained("tiny", settings, folder)
    assert TOKEN not in (folder / "provenance.json").read_text()
    # The store is another host, and gets none.
    assert {r.token for r in hub.asked_for(WEIGHTS)} == {None}


@pytest.mark.parametrize("token", ["hf_broken\nHeader: x", "hf_schlüssel", "hf a"])
def test_a_token_that_cannot_be_one_is_not_shown(settings, folder, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(UserError) as caught:
        fetch_pretrained("tiny", settings, folder)
    message = str(caught.value)
    assert message.startswith("HF_TOKEN: contains characters that no token has")
    assert token not in message
    assert "hf_" not in message


def test_a_line_break_after_the_token_is_no_part_of_it(hub, settings, folder, monkeypatch):
    hub.gated.add(REPOSITORY)
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}\n")
    fetch_pretrained("tiny", settings, folder)


@pytest.mark.parametrize(
    ("proxy", "remedy"),
    [
        ("socks5://127.0.0.1:9", "install it with `pip install socksio`"),
        ("socks4://127.0.0.1:9", "correct ALL_PROXY, HTTPS_PROXY, and HTTP_PROXY"),
    ],
)
def test_proxies_that_do_not_work_are_explained(settings, tmp_path, proxy, remedy):
    folder = tmp_path / "models" / "tiny"
    file = tmp_path / "config.yaml"
    content = {
        "run": "r",
        "scorings": ["alpha-0"],
        "tasks": {},
        "models": {"tiny": settings.model_dump()},
    }
    file.write_text(yaml.safe_dump(content))
    env = {**os.environ, "HF_ENDPOINT": "http://hub.invalid", "ALL_PROXY": proxy}
    run = vlmrm("fetch-model", "tiny", "--config", file, "--output", folder, env=env)
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert "models.tiny: " in line and remedy in line


@pytest.mark.parametrize(
    ("status", "token", "remedy"),
    [
        (401, None, "set the environment variable HF_TOKEN to a token with access"),
        (403, "hf_of_yesterday", "HF_TOKEN is invalid or has no access; renew or unset it"),
        (404, None, "run again later, or name a mirror in HF_ENDPOINT"),
        (429, None, "run again later, or name a mirror in HF_ENDPOINT"),
        (503, None, "run again later, or name a mirror in HF_ENDPOINT"),
    ],
)
def test_a_server_that_refuses_a_file(hub, settings, folder, monkeypatch, status, token, remedy):
    hub.faults.status[WEIGHTS] = status
    with monkeypatch.context() as patch:
        if token:
            patch.setenv("HF_TOKEN", token)
        message = refused(settings, folder)
    assert f"{hub.url} answers {status} for {WEIGHTS}; {remedy}" in message
    hub.faults.clear()
    fetch_pretrained("tiny", settings, folder)


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that were waited before further attempts."""
    waited = []
    monkeypatch.setattr("vlmrm.models.hub.requests.time.sleep", waited.append)
    return waited


@pytest.mark.parametrize("answer", [(429, {}), (502, {}), (503, {}), None])
def test_a_busy_server_is_asked_again(hub, settings, folder, published, pauses, capsys, answer):
    hub.faults.busy += [answer] * 3
    fetch_pretrained("tiny", settings, folder)
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]
    assert pauses[:3] == [2, 4, 8]
    said = [line for line in capsys.readouterr().err.splitlines() if "next attempt in" in line]
    assert len(said) == 3
    assert all(line.startswith("vlmrm: models.tiny: ") for line in said)
    if answer is not None:
        assert said[0].endswith(f"the server answers {answer[0]}; next attempt in 2 seconds")


@pytest.mark.parametrize(("asked", "waited"), [("7", 7), ("100000", 120), ("soon", 2)])
def test_a_server_says_when_to_ask_again(hub, settings, folder, pauses, asked, waited):
    hub.faults.busy.append((503, {"Retry-After": asked}))
    fetch_pretrained("tiny", settings, folder)
    assert pauses[0] == waited


def test_a_server_that_stays_busy_is_given_up(hub, settings, folder, pauses):
    hub.faults.busy += [(503, {})] * 100
    assert f"{hub.url} answers 503 for {REPOSITORY}; run again later" in refused(settings, folder)
    assert pauses == [2, 4, 8, 16]
