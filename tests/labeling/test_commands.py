"""The commands as a user types them: labels, agreement, and EPIC to human labels."""

import json
import signal
import socket
import urllib.request

import pandas as pd
import pytest
import yaml

from tests.processes import HANGS
from vlmrm.config import load_config
from vlmrm.data.tables import read_table, write_table
from vlmrm.labeling.labels import Label, append_label, fingerprint, now
from vlmrm.labeling.session import Session


@pytest.fixture
def labels(states, tmp_path):
    """Writes what a rater said of the first states; returns the file."""

    def write(answers, rater="anna", name="labels.csv"):
        for state, answer in enumerate(answers):
            known = fingerprint(states)
            line = Label(rater, "mountain-car", state, answer, now(), known)
            append_label(tmp_path / name, line)
        return tmp_path / name

    return write


@pytest.fixture
def rewards(states, tmp_path):
    table = pd.DataFrame(
        {
            "scene": "textured",
            "model": "random-XS",
            "state": range(30),
            "task": "mountain-car",
            "scoring": "alpha-0.5",
            "reward": states.values[:, 0],
        }
    )
    write_table(tmp_path / "rewards.parquet", table)
    return tmp_path / "rewards.parquet"


@pytest.fixture
def epic(vlmrm, config, states_file, rewards, model_folder, tmp_path):
    """Measures, and returns the row of the table."""

    def measure(*options):
        output = tmp_path / "epic.csv"
        run = vlmrm(
            *("measure-epic", "climb", "--config", config, "--model", model_folder),
            *("--states", states_file, "--rewards", rewards, "--output", output, *options),
        )
        assert run.returncode == 0, run.stderr
        return read_table(output).iloc[0]

    return measure


def test_answers_of_a_page_reach_the_file(serving, states, tmp_path):
    output = tmp_path / "labels.csv"
    process, where = serving(output, "--sample", 5, "--seed", 3)
    key = json.load(urllib.request.urlopen(f"{where}session", timeout=300))["key"]
    assert urllib.request.urlopen(f"{where}pictures/{key}/0.png", timeout=300).read(4) == b"\x89PNG"
    urllib.request.urlopen(
        urllib.request.Request(
            f"{where}answers/{key}/1",
            method="PUT",
            data=b'{"answer": "no"}',
            headers={"Content-Type": "application/json"},
        ),
        timeout=300,
    )
    session = Session(states, "mountain-car", [], "anna", output, 5, 3)
    assert session.answers() == [None, "no", None, None, None]
    process.send_signal(signal.SIGINT)
    assert process.wait(HANGS) == 0
    assert process.stderr.read() == ""


def test_others_on_the_network_are_warned_of(serving, tmp_path):
    process, _ = serving(tmp_path / "labels.csv", "--host", "0.0.0.0")
    process.send_signal(signal.SIGINT)
    process.wait(HANGS)
    (line,) = process.stderr.read().splitlines()
    assert line == "vlmrm: --host: anyone who can reach 0.0.0.0 over the network can label"


def test_epic_is_measured_on_what_most_people_decided(epic, labels, tmp_path, monkeypatch):
    by_oracle = epic()
    assert by_oracle["labels"] == "oracle"
    assert by_oracle["n"] == 30
    assert by_oracle["p"] == pytest.approx(3 / 30)

    first = labels(["yes"] * 6 + ["no"] * 6 + ["unsure"] * 2, name="anna.csv")
    by_anna = epic("--labels", first)
    assert by_anna["labels"] == "human"
    assert by_anna["n"] == 12
    assert by_anna["p"] == 0.5
    assert by_anna["auroc"] == 1
    # Six equal steps either side: the correlation of a line with a step.
    assert by_anna["epic"] == pytest.approx(((1 - 0.8692) / 2) ** 0.5, abs=1e-3)

    second = labels(["no"] * 3 + ["yes"] * 3, rater="bo", name="bo.csv")
    monkeypatch.chdir(tmp_path)
    first.rename("-anna.csv")
    by_both = epic("--labels", "-anna.csv", "--labels", second)
    assert by_both["n"] == 9
    assert by_both["p"] == pytest.approx(3 / 9)


def test_a_task_without_oracle_is_measured_on_human_labels(epic, labels, config):
    file = labels(["yes"] * 6 + ["no"] * 6)
    content = yaml.safe_load(config.read_text())
    del content["tasks"]["mountain-car"]["oracle"]
    content["epic"]["climb"]["labels"] = str(file)
    config.write_text(yaml.safe_dump(content))
    row = epic("--labels", file)
    assert (row["labels"], row["n"], row["auroc"]) == ("human", 12, 1)


def test_the_figures_take_tables_with_human_labels(epic, labels, vlmrm, tmp_path):
    epic("--labels", labels(["yes"] * 6 + ["no"] * 6))
    for command in ("draw-epic", "draw-epic-by-alpha"):
        figure = tmp_path / f"{command}.svg"
        run = vlmrm(command, tmp_path / "epic.csv", "--output", figure)
        assert run.returncode == 0, run.stderr
        assert figure.exists()


def test_agreement_with_each_other_and_the_oracle(labels, vlmrm, config, states_file, tmp_path):
    files = ["-anna's {labels}.csv", "--help"]
    labels(["yes"] * 4 + ["no"] * 4, name=files[0])
    labels(["yes"] * 3 + ["no"] * 5, rater="bo", name=files[1])
    output = tmp_path / "agreement.csv"
    run = vlmrm(
        *("measure-agreement", "--states", states_file, "--config", config),
        *("--task", "mountain-car", "--output", output, "--", *files),
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    table = read_table(output)
    assert table[["task", "first", "second", "n"]].to_numpy().tolist() == [
        ["mountain-car", "anna", "bo", 8],
        ["mountain-car", "anna", "oracle", 8],
        ["mountain-car", "bo", "oracle", 8],
    ]
    # Seven of eight, where chance gives 4/8 * 3/8 + 4/8 * 5/8.
    assert table["kappa"].tolist() == pytest.approx([0.75, 0.75, 1])


def test_bad_input_is_one_line(labels, vlmrm, config, states_file, rewards, model_folder, tmp_path):
    output = tmp_path / "output.csv"
    unsure = labels(["unsure"] * 3, name="unsure.csv")
    other = labels(["yes"], name="other.csv")
    text = other.read_text()
    other.write_text(text.replace(text.splitlines()[1].rsplit(",", 1)[1], "0" * 16))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        label = ("label", states_file, "--config", config, "--output", output)
        label = (*label, "--rater", "anna", "--port", 0)
        climb = ("--task", "mountain-car")
        agreement = (
            "measure-agreement",
            "--states",
            states_file,
            "--config",
            config,
            "--output",
            output,
        )
        epic = ("measure-epic", "climb", "--config", config, "--model", model_folder)
        epic = (*epic, "--states", states_file, "--rewards", rewards, "--output", output)
        cases = [
            ((*label, *climb, "--port", port), f"--port: {port} is in use on 127.0.0.1"),
            ((*label, "--task", "mountain"), "did you mean 'mountain-car'?"),
            ((*label, "--task", "kneeling"), "but 'kneeling' is a humanoid task"),
            ((*label, *climb, "--scene", "texture"), "did you mean 'textured'?"),
            ((*label, *climb, "--rater", "oracle"), "--rater: 'oracle' is the name of the oracle"),
            ((*label, *climb, "--output", other), "other.csv:2: labels state set 0000"),
            ((*label, *climb, "--output", states_file), "states.h5: not a CSV file"),
            ((*agreement, *climb, other), "other.csv:2: labels state set 0000"),
            ((*agreement, "--task", "cartpole", unsure), "but 'cartpole' is a cartpole task"),
            ((*agreement, *climb, tmp_path / "none.csv"), "none.csv: cannot be read"),
            (
                (*epic, "--labels", unsure),
                "unsure.csv: no state has a majority for task 'mountain",
            ),
        ]
        for arguments, answer in cases:
            run = vlmrm(*arguments)
            assert run.returncode == 2, run.stderr
            assert answer in run.stderr
            assert len(run.stderr.splitlines()) == 1
    assert not output.exists()


def test_a_measurement_names_one_file_or_several(config):
    content = load_config(config).epic["climb"]
    assert content.label_files == []
    assert content.model_copy(update={"labels": "a.csv"}).label_files == ["a.csv"]
    assert content.model_copy(update={"labels": ["a.csv", "b"]}).label_files == ["a.csv", "b"]
