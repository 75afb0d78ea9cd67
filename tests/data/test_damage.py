"""Damaged files are refused in one line, or what is read from them is what was written."""

import errno
import os
from collections import Counter

import h5py
import numpy as np
import pandas as pd
import pytest

from tests.damage import DAMAGES, damaged
from tests.processes import vlmrm
from vlmrm.data.embeddings import (
    read_embeddings,
    read_prompt_embeddings,
    write_embeddings,
    write_prompt_embeddings,
)
from vlmrm.data.files import read_provenance, reading
from vlmrm.data.frames import FrameReader, FrameWriter
from vlmrm.data.states import States
from vlmrm.data.tables import read_rewards, read_table, write_table
from vlmrm.errors import UserError

COUNT = 24


def units(rng):
    vectors = rng.normal(size=(COUNT, 8))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def rewards_table(rng):
    return pd.DataFrame(
        {
            "scene": "gymnasium",
            "model": "null",
            "state": np.arange(COUNT),
            "task": "cartpole",
            "scoring": "alpha-0.5",
            "reward": rng.normal(size=COUNT),
        }
    )


def write_states(path, rng):
    labels = {"cartpole": np.arange(COUNT) % 2 == 0}
    columns = {"trajectory": np.arange(COUNT), "origin": np.array(["pose"] * COUNT)}
    States("cartpole", rng.normal(size=(COUNT, 4)), columns, labels).write(path)


def write_frames(path, rng):
    with FrameWriter(path, COUNT) as writer:
        writer.append(rng.integers(0, 256, (COUNT, 8, 8, 3), dtype=np.uint8))


def content_of_states(path):
    states = States.read(path)
    return [states.values, states.columns["trajectory"], states.labels["cartpole"]]


def content_of_frames(path):
    with FrameReader(path) as reader:
        return [reader[:]]


def content_of_prompts(path):
    return list(read_prompt_embeddings(path).values())


def content_of_rewards(path):
    table = read_rewards(path, COUNT)
    return [table[name].to_numpy() for name in ("state", "scoring", "reward")]


KINDS = {
    "states.h5": (write_states, content_of_states),
    "frames.h5": (write_frames, content_of_frames),
    "embeddings.h5": (
        lambda path, rng: write_embeddings(path, units(rng)),
        lambda path: [read_embeddings(path)],
    ),
    "prompts.h5": (
        lambda path, rng: write_prompt_embeddings(path, {"a": units(rng)[0], "b": units(rng)[1]}),
        content_of_prompts,
    ),
    "rewards.parquet": (
        lambda path, rng: write_table(path, rewards_table(rng)),
        content_of_rewards,
    ),
    "table.csv": (lambda path, rng: write_table(path, rewards_table(rng)), read_table),
}


@pytest.mark.parametrize("name", KINDS)
def test_damage_is_refused_in_one_line_or_without_effect(tmp_path, name):
    write, read = KINDS[name]
    readers = [read] if name.endswith("csv") else [read, read_provenance]
    path = tmp_path / name
    rng = np.random.default_rng(7)
    write(path, rng)
    original, content = read(path), path.read_bytes()
    refused = Counter()
    for _ in range(DAMAGES):
        path.write_bytes(damaged(content, rng))
        for reader in readers:
            try:
                found = reader(path)
            except UserError as error:
                refused[reader] += 1
                assert str(error).startswith(f"{path}: ")
                assert len(str(error).splitlines()) == 1 and len(str(error)) < 400
            else:
                if reader is not read_provenance and not name.endswith("csv"):
                    for a, b in zip(found, original, strict=True):
                        np.testing.assert_array_equal(a, b)
    assert all(refused[reader] > DAMAGES / 10 for reader in readers)


def test_names_that_look_like_numbers_or_missing_values_stay_names(tmp_path):
    names = ["null", "NA", "None", "1e5", "007", "nan", "true"]
    table = pd.DataFrame({"model": names, "task": names[::-1], "reward": np.arange(7.0)})
    table.loc[0, "reward"] = np.nan
    for suffix in ("csv", "parquet"):
        path = tmp_path / f"table.{suffix}"
        write_table(path, table)
        read = read_table(path)
        assert read["model"].tolist() == names and read["task"].tolist() == names[::-1]
        assert np.isnan(read["reward"][0]) and read["reward"].dtype == np.float64


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda t: t.drop(index=3), "23 rewards, not one for each of the 24 states"),
        (lambda t: pd.concat([t, t[:1]]), "25 rewards, not one for each"),
        (lambda t: t.assign(state=[0, *range(COUNT - 1)]), "24 rewards, not one for each"),
        (lambda t: t.assign(reward=np.nan), "contains rewards that are not finite"),
        (lambda t: t.drop(columns="scoring"), "has no column 'scoring'"),
        (lambda t: t.assign(reward="much"), "damaged"),
    ],
)
def test_rewards_that_cannot_be_right_are_refused(tmp_path, spoil, told):
    path = tmp_path / "rewards.parquet"
    write_table(path, spoil(rewards_table(np.random.default_rng(0))))
    with pytest.raises(UserError, match=told):
        read_rewards(path, COUNT)


@pytest.mark.parametrize("value", [np.nan, 0.5, 3.0])
def test_embeddings_that_are_no_unit_vectors_are_refused(tmp_path, value):
    vectors = units(np.random.default_rng(0))
    vectors[5] *= value
    write_embeddings(tmp_path / "e.h5", vectors)
    with pytest.raises(UserError, match="contains embeddings that are no unit vectors"):
        read_embeddings(tmp_path / "e.h5")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.zeros((3, 2)), r"a state of cartpole is 4 numbers, not \[2\]"),
        (np.full((3, 4), np.inf), "contains states that are not finite"),
        (np.zeros(4), r"its states are \[4\], not \[N, D\]"),
    ],
)
def test_states_that_cannot_be_right_are_refused(tmp_path, values, told):
    States("cartpole", values).write(tmp_path / "s.h5")
    with pytest.raises(UserError, match=told):
        States.read(tmp_path / "s.h5")


def test_a_file_that_another_program_writes_is_not_called_damaged(tmp_path):
    path = tmp_path / "states.h5"
    write_states(path, np.random.default_rng(0))
    others = ("--rewards", "r", "--check-states", "c", "--check-rewards", "r", "--output", "o")
    with h5py.File(path, "r+"):
        run = vlmrm("check-lookup", "--states", path, *others, cwd=tmp_path)
    told = f"vlmrm: {path}: another program is writing it; close that first\n"
    assert (run.returncode, run.stderr) == (2, told)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_disk_that_does_not_answer_is_not_called_damage(number):
    with pytest.raises(UserError) as caught, reading("table.csv"):
        raise OSError(number, "message")
    assert str(caught.value) == f"table.csv: cannot be read ({os.strerror(number)})"
