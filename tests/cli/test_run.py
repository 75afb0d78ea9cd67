"""`vlmrm run`: from a sentence to a video."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml

from tests.processes import COMMANDS, FORK, HANGS, vlmrm
from vlmrm.cli.run import CONFIG, _snakemake, run
from vlmrm.errors import UserError
from vlmrm.models.folder import PROVENANCE_FILE, find_model_folder
from vlmrm.workflow import SNAKEFILE

ROOT = Path(__file__).parents[2]
SENTENCE = "a humanoid robot kneeling"


@pytest.mark.parametrize(
    ("sentence", "options", "answer"),
    [
        ("  ", {}, "sentence: empty; describe what success looks like"),
        ("word " * 60, {}, "sentence: .* is longer than models.sim-M reads"),
        ("word " * 60, {"environment": "cartpole"}, "sentence: .* longer than models.sim-M reads"),
        (SENTENCE, {"scoring": "alpha-0.5"}, "--baseline: missing; alpha-0.5 needs one"),
        (SENTENCE, {"baseline": ["a robot"]}, "--baseline: has no effect with alpha-0; add"),
        (SENTENCE, {"model": "sim-m"}, "unknown name 'sim-m'; did you mean 'sim-M'"),
        (SENTENCE, {"scoring": "contrast-1"}, "--contrast: missing; contrast-1 needs"),
        (SENTENCE, {"contrast": [SENTENCE]}, "--contrast: '.*' is the goal too; remove it"),
        (SENTENCE, {"name": "../x"}, "--name: '../x' is no name"),
        (SENTENCE, {"name": "größe"}, "--name: 'größe' is no name"),
        (SENTENCE, {"model": str(ROOT / "docs")}, "models.docs.path: .* no open_clip_config.json"),
        (SENTENCE, {"model": "sim-X"}, "--model: .* unknown name 'sim-X'; did you mean 'sim-XS'"),
    ],
)
def test_wrong_input_is_refused_in_one_line_and_leaves_nothing(
    tmp_path, monkeypatch, sentence, options, answer
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=answer) as error:
        run(sentence, **options)
    assert "\n" not in str(error.value)
    assert not [*tmp_path.iterdir()]


def test_a_folder_with_another_run_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "results" / "kneeling" / "config.yaml"
    table.parent.mkdir(parents=True)
    table.write_text("run: kneeling")
    answer = r"results/kneeling: holds another run .*; choose another --name, or delete it"
    with pytest.raises(UserError, match=answer):
        run(SENTENCE)
    assert [*tmp_path.rglob("*.*")] == [table]


def test_a_sentence_of_several_lines_is_one_line_of_the_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vlmrm.cli.run.planned_jobs", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run("a humanoid\n robot\u2028kneeling", name="lines")
    written = (tmp_path / "results" / "lines" / CONFIG).read_text()
    assert written.splitlines()[0] == f"# vlmrm run '{SENTENCE}'"
    (task,) = yaml.safe_load(written)["tasks"].values()
    assert task["goal"] == SENTENCE


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("A humanoid robot doing a cartwheel, kneeling", "sim-M has never read: cartwheel."),
        (SENTENCE, None),
    ],
)
def test_words_that_the_model_has_never_read_are_named_before_the_first_job(
    tmp_path, monkeypatch, capsys, sentence, said
):
    class Planning(Exception):
        pass

    def plan(options):
        raise Planning

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vlmrm.cli.run.planned_jobs", plan)
    with pytest.raises(Planning):
        run(sentence)
    printed = capsys.readouterr().out
    assert "this is not zero-shot" in printed
    assert said in printed if said else "never read" not in printed


def test_a_model_with_captions_of_its_own_is_not_said_to_have_read_the_shipped_ones(
    tmp_path, monkeypatch, capsys
):
    own = tmp_path / "own"
    shutil.copytree(find_model_folder("sim-XS"), own)
    record = json.loads((own / PROVENANCE_FILE).read_text())
    record["corpus"] = {**(record.get("corpus") or {}), "captions": "captions.py"}
    (own / PROVENANCE_FILE).write_text(json.dumps(record))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vlmrm.cli.run.planned_jobs", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run("a humanoid robot doing a cartwheel", model=str(own))
    printed = capsys.readouterr().out
    assert "this is not zero-shot" in printed
    assert "never read" not in printed


def test_the_workflow_of_the_package_is_that_of_the_repository():
    assert SNAKEFILE.resolve() == ROOT / "workflow" / "Snakefile"


WORKFLOW = """
rule wait:
    output: "finished"
    shell: "{python} -c 'import job' && touch {{output}}"
"""
JOB = """
import pathlib, time
try:
    pathlib.Path("started").touch()
    time.sleep({hangs})
finally:
    time.sleep(0.5)
    pathlib.Path("checkpoint").touch()
"""


def run_workflow(folder):
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which `nohup` ignores
    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)
    sys.exit(_snakemake("--cores", "1"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stop", "number"),
    [(os.kill, signal.SIGTERM), (os.killpg, signal.SIGHUP)],
    ids=["terminated", "terminal closed"],
)
def test_a_run_that_is_ended_lets_trainings_write_checkpoints_and_leaves_no_lock(
    tmp_path, stop, number
):
    (tmp_path / "Snakefile").write_text(WORKFLOW.format(python=sys.executable))
    (tmp_path / "job.py").write_text(JOB.format(hangs=HANGS))
    process = FORK.Process(target=run_workflow, args=(tmp_path,))
    process.start()
    try:
        while not (tmp_path / "started").exists():
            assert process.is_alive()
            time.sleep(0.05)
        stop(process.pid, number)
        process.join(HANGS)
        assert process.exitcode == 1
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert (tmp_path / "checkpoint").exists()
    assert not (tmp_path / ".snakemake" / "locks").exists()


@pytest.mark.slow
@pytest.mark.timeout(3600)  # four commands, half a minute on an idle machine
def test_an_interrupted_run_goes_on_and_is_a_finished_run_of_the_workflow(tmp_path):
    sentence = "a car at the peak of the mountain, next to the yellow flag"
    options = ("--environment", "mountain-car", "--model", "sim-XS", "--total-timesteps", "1500")
    options += ("--cores", "2", "--name", "short")
    command = [COMMANDS / "vlmrm", "run", sentence, *options]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    folder = tmp_path / "results" / "short"
    place = "mountain-car/textured/sim-XS/alpha-0/seed-0"
    trained = folder / "policies" / place
    while not (trained / "tensorboard").is_dir():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    assert process.wait() != 0
    assert "The same command goes on where it stopped." in process.stderr.read()
    assert not (trained / "policy.zip").exists()

    finished = vlmrm("run", sentence, *options, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "this is not zero-shot" in finished.stdout
    paths = re.findall(r"results/short\S+", finished.stdout)
    assert {f"results/short/evaluations/{place}/video.mp4", "results/short/run.yaml"} <= {*paths}
    assert all((tmp_path / path).stat().st_size for path in paths)
    assert "extends" not in yaml.safe_load((folder / "run.yaml").read_text())

    # To the workflow, which this asks, nothing is left to do.
    again = vlmrm("run", sentence, *options, cwd=tmp_path)
    assert "Everything is there already." in again.stdout
    other = vlmrm("run", sentence, *options, "--seed", "1", cwd=tmp_path)
    assert "results/short: holds another run (other experiments); choose" in other.stderr
