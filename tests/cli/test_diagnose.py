"""``vlmrm diagnose`` as a user types it."""

import os

import numpy as np
import pytest
from PIL import Image

from tests.processes import vlmrm
from vlmrm.config import HumanoidOracleName
from vlmrm.data.tables import read_table
from vlmrm.models.folder import check_model_folder

GOAL = ("--goal", "a humanoid robot kneeling")
MODEL = ("--model", "sim-XS")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    return folder, os.environ | {"XDG_CACHE_HOME": str(folder)}


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("vlmrm/**/*.h5")}


def test_a_sentence_is_diagnosed_and_the_next_one_reuses_the_frames(cache, tmp_path):
    folder, env = cache
    few = ("--poses", "16", *MODEL)
    table = tmp_path / "numbers.csv"
    run = vlmrm("diagnose", *GOAL, "--oracle", "kneeling", *few, "--table", table, env=env)
    assert run.returncode == 0, run.stderr
    assert "prefers kneeling" in run.stdout
    assert "Try next" in run.stdout
    (row,) = read_table(table).to_dict("records")
    assert (row["model"], row["scoring"], row["preferred"]) == ("sim-XS", "alpha-0", "kneeling")
    assert row["auroc"] > 0.9
    assert {*HumanoidOracleName.__args__} < {*row}
    made = files(folder)
    assert sorted(path.name.partition("-")[0] for path in made) == [
        "embeddings",
        "frames.h5",
        "states.h5",
    ]

    other = ("--goal", "a red bicycle in the snow", "--contrast", "a robot", "--baseline", "snow")
    run = vlmrm("diagnose", *other, *few, env=env)
    assert run.returncode == 0, run.stderr
    assert "No --oracle: measured for" in run.stdout
    for scoring in ("alpha-0", "alpha-0.5", "contrast-0.05"):
        assert f"sim-XS  {scoring} " in run.stdout
    assert files(folder) == made


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    for name, level in (("yes", 200), ("no", 30)):
        (folder / name).mkdir(parents=True)
        for number in range(7):
            pixels = np.full((20 + number, 30, 3), level + number, np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def test_pictures_are_ranked(cache, pictures):
    options = (*GOAL, "--contrast", "a humanoid robot", *MODEL)
    run = vlmrm("diagnose", *options, "--pictures", pictures / "yes", env=cache[1])
    assert run.returncode == 0, run.stderr
    assert run.stdout.count(".png") == 14  # seven, by alpha-0 and by contrast
    assert "AUROC" not in run.stdout
    assert "a humanoid robot" in run.stdout


def test_a_terminal_obeys_neither_a_sentence_nor_a_name(cache, pictures):
    (pictures / "yes" / "0.png").rename(pictures / "yes" / "\x1b[2J.png")
    options = ("--goal", "a [bold]\x1b[2J robot", "--contrast", "[red]a robot", *MODEL)
    run = vlmrm("diagnose", *options, "--pictures", pictures / "yes", env=cache[1])
    assert run.returncode == 0, run.stderr
    assert "\x1b" not in run.stdout
    assert "[red]a robot" in run.stdout and r"\x1b[2J.png" in run.stdout


def test_folders_yes_and_no_judge_the_sentence(cache, pictures, tmp_path):
    table = tmp_path / "numbers.csv"
    options = (*GOAL, *MODEL, "--pictures", pictures, "--table", table)
    run = vlmrm("diagnose", *options, env=cache[1])
    assert run.returncode == 0, run.stderr
    assert "Best 5 of 14" in run.stdout and "Worst 5" in run.stdout
    assert "yes from no: AUROC" in run.stdout
    best = run.stdout.partition("Best 5 of 14")[2].splitlines()[1]
    (row,) = read_table(table).to_dict("records")
    # Pictures of one folder are of one brightness, so all of one come before all of the other.
    assert row["auroc"] == (f"{pictures / 'yes'}/" in best)


def test_two_models_of_one_name_are_refused(cache, tmp_path):
    (tmp_path / "sim-XS").symlink_to(check_model_folder("sim-XS"))
    run = vlmrm("diagnose", *GOAL, *MODEL, "--model", tmp_path / "sim-XS", env=cache[1])
    assert run.stderr == "vlmrm: --model: two folders are named 'sim-XS'; rename one\n"


def test_bad_input_is_one_line_before_anything_is_made(cache, pictures, tmp_path):
    folder, env = cache
    known = files(folder)
    (pictures / "no" / "broken.png").write_text("no picture")
    (tmp_path / "half" / "yes").mkdir(parents=True)
    long = "a robot " * 100
    cases = [
        (("--oracle", "kneling"), "--oracle: unknown name 'kneling'; did you mean 'kneeling'?"),
        (("--scene", "texture"), "--scene: unknown name 'texture'; did you mean 'textured'?"),
        (("--scoring", "beta-1"), "--scoring: 'beta-1' is no scoring"),
        (("--scoring", "alpha-0.5"), "--baseline: missing"),
        (("--scoring", "contrast-1"), "--contrast: missing"),
        (("--table", "x.parquet"), "--table: x.parquet must end in .csv"),
        (("--goal", " "), "--goal: empty"),
        (("--model", tmp_path / "none"), "none: no such model folder"),
        (("--contrast", long), "is longer than sim-XS reads"),
        (("--pictures", tmp_path / "none"), "none: no such folder"),
        (("--pictures", tmp_path), "contains no pictures"),
        (("--pictures", pictures), "broken.png: not a picture"),
        (("--pictures", tmp_path / "half"), "half: has yes/ alone"),
        (("--pictures", pictures, "--oracle", "lotus"), "--oracle: cannot be combined"),
        (("--pictures", pictures, "--scene", "textured"), "--scene: cannot be combined"),
        (("--pictures", pictures, "--poses", "16"), "--poses: cannot be combined"),
    ]
    for options, answer in cases:
        run = vlmrm("diagnose", *GOAL, *MODEL, *options, env=env)
        assert run.returncode == 2, options
        (line,) = run.stderr.splitlines()
        assert answer in line
        assert not run.stdout
    assert files(folder) == known
