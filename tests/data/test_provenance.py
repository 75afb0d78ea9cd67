import os
import subprocess

import pytest

from vlmrm.data import provenance


@pytest.fixture(autouse=True)
def fresh():
    provenance._environment.cache_clear()
    yield
    provenance._environment.cache_clear()


def test_the_commit_is_that_of_the_checkout(monkeypatch):
    monkeypatch.setenv("VLMRM_COMMIT", "of-an-image")
    commit = provenance.provenance()["commit"]
    assert len(commit.rstrip("+")) == 12
    int(commit.rstrip("+"), 16)


def test_without_a_checkout_the_image_names_the_commit(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setenv("VLMRM_COMMIT", "of-an-image")
    assert provenance.provenance()["commit"] == "of-an-image"


def test_the_commit_of_a_checkout_that_only_contains_the_environment_is_not_ours(
    monkeypatch, tmp_path
):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init"], [*identity, "commit", "--allow-empty", "--message", "Theirs"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    installed = tmp_path / "site-packages" / "vlmrm" / "data" / "provenance.py"
    installed.parent.mkdir(parents=True)
    installed.touch()
    monkeypatch.setattr(provenance, "__file__", str(installed))
    monkeypatch.delenv("VLMRM_COMMIT", raising=False)
    assert provenance.provenance()["commit"] is None


def test_to_ask_for_the_commit_leaves_the_checkout_alone(monkeypatch, tmp_path):
    file = tmp_path / "vlmrm" / "data" / "provenance.py"
    file.parent.mkdir(parents=True)
    file.touch()
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init"], ["add", "."], [*identity, "commit", "--message", "Ours"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    os.utime(file, (1, 1))  # which Git would note in its index
    index = (tmp_path / ".git" / "index").read_bytes()
    monkeypatch.setattr(provenance, "__file__", str(file))
    assert len(provenance.provenance()["commit"]) == 12
    assert (tmp_path / ".git" / "index").read_bytes() == index


def test_an_unknown_commit_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.delenv("VLMRM_COMMIT", raising=False)
    assert provenance.provenance()["commit"] is None
