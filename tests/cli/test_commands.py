"""The commands as a user types them, from models to rewards, on the smallest inputs."""

import logging
import os
import subprocess
import sys
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from tests.paths import ROOT, smoke_all
from tests.processes import vlmrm
from vlmrm import VLMReward
from vlmrm.cli import main
from vlmrm.config import RANDOM_POLICY
from vlmrm.data.frames import FrameReader, FrameWriter
from vlmrm.data.states import States
from vlmrm.data.tables import read_table, write_table
from vlmrm.errors import UserError
from vlmrm.terminal.bars import SHOWN


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    content = smoke_all()
    content["state_sets"]["few"] = {"sampler": "uniform", "environment": "mountain-car", "size": 12}
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_reduced_precision_is_measured_by_itself(config, model_folder, tmp_path):
    """From frames to the EPIC table."""
    content = yaml.safe_load(config.read_text()) | {"precision": "bfloat16", "predictions": {}}
    content["epic"] = {"few": {"task": "mountain-car", "states": "few", "scenes": ["textured"]}}
    content["epic"]["few"]["models"] = ["smoke-S"]
    reduced = tmp_path / "config.yaml"
    reduced.write_text(yaml.safe_dump(content))
    names = ("states.h5", "frames.h5", "prompts.h5", "embeddings.h5", "rewards.parquet", "epic.csv")
    states, frames, prompts, embeddings, rewards, epic = (tmp_path / name for name in names)
    with FrameWriter(frames, 12, scene="textured") as writer:
        writer.append(np.random.default_rng(0).integers(0, 256, (12, 40, 60, 3), dtype=np.uint8))
    task = ("--config", reduced, "--task", "mountain-car")
    model = ("--model", model_folder)
    for step in (
        ("sample-states", "few", "--config", reduced, "--output", states),
        ("embed-prompts", *task, *model, "--output", prompts),
        ("embed-frames", *task[:2], "--frames", frames, *model, "--output", embeddings),
        (
            *("score-states", *task, "--states", states, "--embeddings", embeddings),
            *("--prompts", prompts, "--output", rewards),
        ),
        (
            *("measure-epic", "few", "--config", reduced, *model, "--states", states),
            *("--rewards", rewards, "--output", epic),
        ),
    ):
        run = vlmrm(*step)
        assert run.returncode == 0, run.stderr
    States("cartpole", np.zeros((12, 4))).write(tmp_path / "others.h5")
    run = vlmrm(*step[:-6], "--states", tmp_path / "others.h5", *step[-4:])
    reason = "others.h5: contains cartpole states, but 'mountain-car' is a mountain-car task"
    assert run.returncode == 2 and reason in run.stderr
    table = read_table(epic).set_index("scoring")
    assert set(table["precision"]) == {"bfloat16"}
    # In full precision, the reward of a frame differs from that of the table by the table's error.
    exact = VLMReward.load(model_folder, content["tasks"]["mountain-car"]["goal"], device="cpu")
    with FrameReader(frames) as reader:
        wanted = exact(reader[:]).astype(float)
    reduced_rewards = (
        read_table(rewards).query("scoring == 'alpha-0'").sort_values("state")["reward"]
    )
    error = np.sqrt(np.mean((reduced_rewards.to_numpy() - wanted) ** 2)) / wanted.std()
    assert table.loc["alpha-0", "precision_error"] == pytest.approx(error, rel=1e-2)
    assert error > 0


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "red.png"
    Image.fromarray(np.full((50, 70, 3), (200, 30, 30), np.uint8)).save(path)
    return path


def test_score_prints_a_line_per_picture_best_first(model_folder, picture, tmp_path):
    other = tmp_path / "noise.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(other)
    run = vlmrm("score", picture, other, "--model", model_folder, "--goal", "a red picture")
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    scores = [float(line.split()[0]) for line in lines]
    assert scores == sorted(scores, reverse=True)
    assert {line.split()[1] for line in lines} == {str(picture), str(other)}


def test_bad_input_is_one_line(config, model_folder, picture, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no picture")
    empty = tmp_path / "empty-model"
    empty.mkdir()
    score = ("score", picture, "--goal", "g", "--model", model_folder)
    states = tmp_path / "states.h5"
    cases = [
        (("score", text, "--goal", "g", "--model", model_folder), "text.png: not a picture"),
        (("score", picture, "--goal", "g", "--model", empty), "empty-model: no open_clip_config"),
        (("score", picture, "--goal", "g", "--model", tmp_path / "none"), "none: no such model"),
        ((*score, "--scoring", "alpha-1.5"), "'alpha-1.5' is no scoring"),
        ((*score, "--scoring", "alpha-0.5"), "--baseline: missing"),
        ((*score, "--scoring", "contrast-0.1"), "--contrast: missing"),
        ((*score, "--goal", " "), "--goal: empty"),
        ((*score, "--baseline", ""), "--baseline: empty"),
        ((*score, "--contrast", ""), "--contrast: empty"),
        (("sample-states", "feww", "--config", config, "--output", states), "did you mean 'few'?"),
        (
            ("sample-states", "few", "--config", tmp_path / "no.yaml", "--output", states),
            "no.yaml: cannot",
        ),
        (("fetch-model", "smoke-S", "--config", config, "--output", empty), "models.smoke-S"),
    ]
    for arguments, answer in cases:
        run = vlmrm(*arguments)
        assert run.returncode == 2
        assert answer in run.stderr
        assert len(run.stderr.splitlines()) == 1
    assert not states.exists()


def test_a_file_of_the_wrong_kind_is_one_line(config, tmp_path):
    poses, cars = tmp_path / "poses.h5", tmp_path / "cars.h5"
    States("humanoid", np.zeros((2, 47)), labels={"kneeling": np.ones(2, bool)}).write(poses)
    States("mountain-car", np.zeros((2, 2))).write(cars)
    rewards, table = tmp_path / "rewards.parquet", tmp_path / "table.csv"
    row = {"scene": "textured-fixed", "model": "smoke-S", "task": "kneeling", "scoring": "alpha-0"}
    write_table(rewards, pd.DataFrame([{**row, "state": n, "reward": 0.0} for n in range(2)]))
    write_table(table, pd.DataFrame([{"goal": "a robot", "auroc": 1.0}]))
    output = ("--output", tmp_path / "output.csv")
    run = ("--config", config, "--task", "kneeling", "--reward-source", "smoke-S")
    grid = ("--states", poses, "--rewards", rewards)
    cases = [
        (("measure-checkpoints", *run, *grid, *output), "no checkpoints; use a set with `sampler"),
        (
            ("check-lookup", *grid, "--check-states", cars, "--check-rewards", rewards, *output),
            "cars.h5: contains mountain-car states, but those of",
        ),
        (("draw-diagnosis", table, "--output", tmp_path / "f.png"), "table.csv: has no column 'ta"),
        (("draw-optimization", table, "--output", tmp_path / "f.png"), "has no column 'task'"),
    ]
    for arguments, answer in cases:
        run = vlmrm(*arguments)
        assert (run.returncode, len(run.stderr.splitlines())) == (2, 1), run.stderr
        assert answer in run.stderr


def test_a_terminal_obeys_no_name_in_a_message(tmp_path):
    run = vlmrm("score", tmp_path / "\x1b[2J\r\u202e\u2028.png", "--model", "sim-XS", "--goal", "a")
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.isprintable()
    assert r"\x1b[2J\r\u202e\u2028.png" in line


def test_bad_input_is_answered_before_what_takes_seconds_is_imported(tmp_path):
    code = (
        "import sys; from vlmrm.cli import main\n"
        "try: main()\n"
        "except SystemExit: print({'torch', 'mujoco', 'pandas'} & {*sys.modules})"
    )
    command = (
        "sample-states",
        "few",
        "--config",
        tmp_path / "no.yaml",
        "--output",
        tmp_path / "s.h5",
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, command)], capture_output=True, text=True
    )
    assert "no.yaml: cannot be read" in run.stderr
    assert run.stdout == "set()\n"


def test_the_log_holds_the_command_and_the_error(config, tmp_path):
    log = tmp_path / "logs" / "states.log"
    run = vlmrm(
        "--log", log, "sample-states", "x", "--config", config, "--output", tmp_path / "s.h5"
    )
    assert run.returncode == 2
    assert "sample-states x" in log.read_text()
    assert "the configuration has no 'x'" in log.read_text()


@pytest.mark.parametrize("shown", [True, False])
def test_a_warning_is_on_the_terminal_unless_a_workflow_shows_the_log(monkeypatch, capsys, shown):
    monkeypatch.setattr("vlmrm.cli.bars_are_shown", lambda: shown)
    logging.getLogger("vlmrm").warning("environments: %s", "new \x1b[1mepisodes")
    expected = "" if shown else "vlmrm: environments: new \\x1b[1mepisodes\n"
    assert capsys.readouterr().err == expected


def test_the_traceback_of_an_error_in_the_users_code_is_in_the_log(monkeypatch, caplog, capsys):
    error = UserError("environments.walk: raised ValueError: no idea; correct it")
    error.add_note("Traceback\n  File walk.py, line 7")
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr("vlmrm.cli.app", Mock(side_effect=error))
    caplog.set_level(logging.INFO, "vlmrm")
    with pytest.raises(SystemExit):
        main()
    assert [record.getMessage() for record in caplog.records][:2] == error.__notes__[0].split("\n")
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"vlmrm: {error}; traceback: `vlmrm --log FILE ...`"


def test_random_actions_are_judged_under_their_own_name(config, tmp_path):
    output = tmp_path / "evaluation.csv"
    run = vlmrm(
        *("evaluate-random-policy", "--config", config, "--task", "cartpole", "--output", output)
    )
    assert run.returncode == 0, run.stderr
    table = read_table(output)
    assert set(table["reward_source"]) == {RANDOM_POLICY}
    assert not table["success"].any()


def test_a_policy_is_judged_under_the_name_of_its_reward(config, tmp_path):
    command = ("evaluate-policy", "--config", config, "--task", "cartpole")
    command += ("--policy", tmp_path / "policy.zip", "--output", tmp_path / "x.csv")
    run = vlmrm(*command, "--reward-source", "smokeS")
    assert run.returncode == 2
    assert (
        "--reward-source: the configuration has no 'smokeS'; did you mean 'smoke-S'" in run.stderr
    )


def test_every_command_has_a_help_page_that_needs_neither_pytorch_nor_mujoco():
    code = (
        "import sys; from vlmrm.cli import COMMANDS, app\n"
        "for name in COMMANDS:\n"
        "    try: app([name, '--help'])\n"
        "    except SystemExit as end: assert not end.code, name\n"
        "print({'torch', 'mujoco', 'pandas'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.endswith("set()\n"), run.stderr


LIMITED = """
import resource, sys
name, limit = sys.argv.pop(1).split("=")
resource.setrlimit(getattr(resource, name), (int(limit), int(limit)))
from vlmrm.cli import main
main()
"""


@pytest.mark.parametrize(
    ("limit", "command", "answer"),
    [
        ("RLIMIT_AS=900000000", "make-random-model random-XS", "vlmrm: too little memory ("),
        ("RLIMIT_NOFILE=7", "sample-states kneeling", "Too many open files; raise the limit (`ul"),
        ("RLIMIT_FSIZE=9000", "sample-states kneeling", "File too large; make space there"),
    ],
)
def test_what_the_machine_lacks_is_one_line(tmp_path, limit, command, answer):
    words = f"{command} --config {ROOT}/config/smoke.yaml --output {tmp_path}/output".split()
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, limit, *words], capture_output=True, text=True
    )
    assert run.returncode == 2, run.stderr
    (line,) = run.stderr.splitlines()
    assert line.startswith("vlmrm: ") and answer in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shown", ["", "1"])
def test_a_full_disk_of_the_log_leaves_the_error_on_the_terminal(tmp_path, monkeypatch, shown):
    monkeypatch.setenv(SHOWN, shown)
    log = tmp_path / "job.log"
    log.symlink_to("/dev/full")
    run = vlmrm("--log", log, "sample-states", "none", "--config", tmp_path, "--output", "x.h5")
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"vlmrm: {tmp_path}")


def test_a_notebooks_backend_of_matplotlib_and_a_home_that_is_missing_change_nothing(tmp_path):
    python = [sys.executable, "-c", "from vlmrm.cli import main; main()"]
    command = f"draw-scenes cartpole --config {ROOT}/config/smoke.yaml --output {tmp_path}/a.png"
    surroundings = {"MPLBACKEND": "module://not_installed.inline", "HOME": "/proc/none"}
    run = subprocess.run(
        [*python, *command.split()], env={**os.environ, **surroundings}, capture_output=True
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "a.png").is_file()


@pytest.mark.parametrize(
    "command", ["sample-states kneeling", "evaluate-random-policy --task kneeling"]
)
def test_without_egl_a_command_says_what_to_install(command, without_egl, tmp_path):
    config = ROOT / "config" / "smoke.yaml"
    python = [sys.executable, "-c", "from vlmrm.cli import main; main()"]
    run = subprocess.run(
        [*python, *command.split(), "--config", config, "--output", tmp_path / "output"],
        env=without_egl,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("vlmrm: MUJOCO_GL: OpenGL cannot start (")
    assert "install the Debian packages libegl1 and libgl1-mesa-dri" in line


def test_success_by_size_knows_packaged_models_by_name(tmp_path):
    judged = pd.DataFrame({"success": [1, 1, 0, 1], "success_fraction": [0.9, 0.8, 0.1, 0.6]})
    run = {"task": "kneeling", "scene": "textured-fixed", "scoring": "alpha-0", "seed": 0}
    names = ["sim-XS", "sim-S"]
    for name in names:
        write_table(tmp_path / f"{name}.csv", judged.assign(**run, reward_source=name))
    files = [tmp_path / f"{name}.csv" for name in names]
    models = [option for name in names for option in ("--model", name)]
    table = tmp_path / "sizes.csv"
    done = vlmrm(
        *("draw-success-by-size", *files, *models),
        *("--table", table, "--output", tmp_path / "size.svg"),
    )
    assert done.returncode == 0, done.stderr
    parameters = read_table(table).set_index("model")["parameters"]
    assert 0 < parameters["sim-XS"] < parameters["sim-S"]
