import os
import resource
import shutil
import signal
import stat
import time
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from tests.data.full_disk import WRITERS
from tests.processes import FORK, HANGS
from vlmrm.data.embeddings import (
    read_embeddings,
    read_full_precision,
    read_prompt_embeddings,
    write_embeddings,
    write_prompt_embeddings,
)
from vlmrm.data.files import UMASK, atomic_path, one_writer, read_provenance
from vlmrm.data.frames import FrameReader, FrameWriter
from vlmrm.data.states import States
from vlmrm.data.tables import licenses_of, read_licenses, read_table, require_columns, write_table
from vlmrm.errors import UserError


def test_states_survive_a_round_trip(tmp_path):
    states = States(
        environment="cartpole",
        values=np.random.default_rng(0).normal(size=(5, 4)),
        columns={"origin": np.array(list("abcde")), "trajectory": np.arange(5)},
        labels={"cartpole": np.array([True, False, True, True, False])},
    )
    states.write(tmp_path / "s.h5", seed=3)
    read = States.read(tmp_path / "s.h5")
    assert read.environment == "cartpole"
    np.testing.assert_array_equal(read.values, states.values)
    np.testing.assert_array_equal(read.labels["cartpole"], states.labels["cartpole"])
    assert list(read.columns["origin"]) == list("abcde")
    assert list(read.columns["trajectory"]) == list(range(5))
    assert read_provenance(tmp_path / "s.h5")["seed"] == 3


def test_frames_are_streamed_in_order(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (37, 8, 6, 3), dtype=np.uint8)
    with FrameWriter(tmp_path / "f.h5", len(frames), scene="gymnasium") as writer:
        for start in range(0, 37, 10):
            writer.append(frames[start : start + 10])
    with FrameReader(tmp_path / "f.h5") as reader:
        assert len(reader) == 37
        np.testing.assert_array_equal(np.concatenate(list(reader.batches(16))), frames)
        np.testing.assert_array_equal(reader[5], frames[5])


def test_incomplete_frames_leave_no_file(tmp_path):
    with (
        pytest.raises(RuntimeError, match="1 of 2"),
        FrameWriter(tmp_path / "f.h5", 2) as writer,
    ):
        writer.append(np.zeros((1, 4, 4, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [0, None])
def test_a_file_without_frames_is_none(tmp_path, count):
    with pytest.raises(RuntimeError, match="0 of"), FrameWriter(tmp_path / "f.h5", count):
        pass
    assert list(tmp_path.iterdir()) == []


def test_frames_may_be_as_many_as_come(tmp_path):
    with FrameWriter(tmp_path / "f.h5", None) as writer:
        for size in (3, 1):
            writer.append(np.full((size, 4, 6, 3), size, np.uint8))
    with FrameReader(tmp_path / "f.h5") as reader:
        assert reader[:][:, 0, 0, 0].tolist() == [3, 3, 3, 1]


def test_an_error_while_writing_keeps_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


DATA = ("states.h5", "embeddings.h5", "frames.h5", "table.parquet", "table.csv")


@contextmanager
def space_for(size):
    """Files may have this many bytes, as on a disk that is almost full."""
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, unlimited[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("name", DATA)
def test_without_space_a_file_appears_whole_or_not_at_all(tmp_path, name):
    WRITERS[name](tmp_path / name)
    whole = (tmp_path / name).stat().st_size
    (tmp_path / name).unlink()
    for space in np.linspace(0, whole - 1, 20, dtype=int):
        with (
            pytest.raises(UserError, match=rf"{name}: File too large; make space there"),
            space_for(int(space)),
        ):
            WRITERS[name](tmp_path / name)
        assert list(tmp_path.iterdir()) == []
    with space_for(whole):
        WRITERS[name](tmp_path / name)
    assert (tmp_path / name).stat().st_size == whole


def test_a_library_that_does_not_name_the_full_disk_gets_the_same_line(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=4096)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    message = r"policy\.zip: No space left on device; make space there, and run again"
    with pytest.raises(UserError, match=message), atomic_path(tmp_path / "policy.zip"):
        raise RuntimeError("PytorchStreamWriter failed writing file data/0")


def hold(folder, entered):
    with one_writer(folder):
        entered.send(True)
        time.sleep(HANGS)


def test_a_folder_has_one_writer_which_may_be_killed(tmp_path):
    folder = tmp_path / "agent"
    here, there = FORK.Pipe()
    process = FORK.Process(target=hold, args=(folder, there))
    process.start()
    assert here.poll(HANGS)
    with (
        pytest.raises(UserError, match="agent: another process is writing there"),
        one_writer(folder),
    ):
        pass
    process.kill()
    process.join()
    with one_writer(folder):
        pass


def write_until_killed(path, entered):
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        entered.send(True)
        time.sleep(HANGS)


def test_what_a_killed_command_left_is_removed_at_the_next_start(tmp_path):
    target = tmp_path / "table[1].csv"
    here, there = FORK.Pipe()
    process = FORK.Process(target=write_until_killed, args=(target, there))
    process.start()
    assert here.poll(HANGS)
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert len(list(tmp_path.iterdir())) == 2  # that of a running command stays
    process.kill()
    process.join()
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").touch()
    with atomic_path(target) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
    assert [file.name for file in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_embeddings_and_prompts_survive_a_round_trip(tmp_path):
    angles = np.array([0.1, 2, 4])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    write_embeddings(tmp_path / "e.h5", embeddings)
    np.testing.assert_array_equal(read_embeddings(tmp_path / "e.h5"), embeddings)
    assert read_full_precision(tmp_path / "e.h5") is None
    rows = np.array([0, 2])
    write_embeddings(tmp_path / "e.h5", embeddings, (rows, -embeddings[rows]))
    np.testing.assert_array_equal(read_embeddings(tmp_path / "e.h5"), embeddings)
    for found, written in zip(
        read_full_precision(tmp_path / "e.h5"), (rows, -embeddings[rows]), strict=True
    ):
        np.testing.assert_array_equal(found, written)
    prompts = {"a robot": embeddings[0], "ein Roboter, übermütig": embeddings[1]}
    write_prompt_embeddings(tmp_path / "p.h5", prompts)
    read = read_prompt_embeddings(tmp_path / "p.h5")
    assert set(read) == set(prompts)
    for prompt, embedding in prompts.items():
        np.testing.assert_array_equal(read[prompt], embedding)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_tables_survive_a_round_trip(tmp_path, name):
    table = pd.DataFrame({"state": [0, 1], "task": ["a", "b"], "reward": [0.5, -1.0]})
    write_table(tmp_path / name, table, alphas=[0])
    pd.testing.assert_frame_equal(read_table(tmp_path / name), table)


def test_licenses_of_published_models_are_known_to_what_is_made_of_them(tmp_path):
    rewards, other, epic = (tmp_path / name for name in ("a.parquet", "b.parquet", "epic.csv"))
    write_table(rewards, pd.DataFrame({"reward": [1]}), model="RN50", license="mit")
    write_table(other, pd.DataFrame({"reward": [1]}), model="sim-S", license=None)
    write_table(epic, pd.DataFrame({"model": ["RN50", "sim-S"], "license": ["mit", None]}))
    assert read_licenses([rewards, other]) == {"RN50": "mit"}
    assert licenses_of(read_table(epic)) == {"RN50": "mit"}


def test_provenance_of_a_table_is_in_the_file(tmp_path):
    write_table(tmp_path / "t.parquet", pd.DataFrame({"a": [1]}), alphas=[0, 1])
    record = read_provenance(tmp_path / "t.parquet")
    assert record["alphas"] == [0, 1]
    assert record["versions"]["torch"]


def test_a_wrong_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.h5: no such file"):
        States.read(tmp_path / "absent.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(UserError, match=r"text\.h5: not a readable HDF5"):
        States.read(tmp_path / "text.h5")
    write_embeddings(tmp_path / "e.h5", np.zeros((1, 2), np.float32))
    with pytest.raises(UserError, match=r"e\.h5: contains embeddings, expected states"):
        States.read(tmp_path / "e.h5")


def test_a_missing_column_is_named_with_its_file():
    table = pd.DataFrame({"scoring": ["alpha-0"], "epik": [0.5]})
    with pytest.raises(UserError, match=r"epic\.csv: has no column 'epic'; did you mean 'epik'"):
        require_columns(table, ["scoring", "epic"], "epic.csv")
    require_columns(table, ["scoring"], "epic.csv")


def test_a_device_is_not_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UserError, match="pipe: is neither a file nor a folder"):
        write_table(pipe, pd.DataFrame({"a": [1]}))
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_of_another_place_keeps_its_permissions(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.touch(mode=0o600)
    with atomic_path(tmp_path / "folder") as temporary:
        temporary.mkdir()
        (temporary / "linked").hardlink_to(theirs)
        (temporary / "own").touch(mode=0o600)
    assert theirs.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "folder" / "own").stat().st_mode & 0o777 == 0o666 & ~UMASK
