"""What commands answer to functions that fail: one line, and the traceback in the log."""

import pytest
import yaml

from tests.cli.test_own_settings import AGENT
from tests.processes import vlmrm
from vlmrm.terminal.workflow import failure

MODULE = """
calls = 0

def make(problem):
    def reward(windows, sentence):
        global calls
        calls += 1
        rewards = windows.mean(axis=(1, 2, 3, 4))
        if calls < 2:
            return rewards
        return {"shape": lambda: rewards[:, None], "nan": lambda: rewards / 0 * 0,
                "raise": lambda: undefined}[problem]()
    return reward
"""
MESSAGES = {
    "shape": "returned 4 x 1 numbers, not 4",
    "nan": "returned 4 of 4 numbers that are not finite, such as nan",
    "raise": "raised NameError: name 'undefined' is not defined; correct it; traceback: "
    "`vlmrm --log FILE ...`",
}


@pytest.fixture
def config(tmp_path):
    (tmp_path / "fails_late.py").write_text(MODULE)

    def write(problem):
        judge = {"source": "function", "function": "fails_late:make", "batch_size": 4}
        content = {
            "run": "r",
            "scorings": ["alpha-0"],
            "models": {"judge": {**judge, "settings": {"problem": problem}}},
            "tasks": {"pole": {"environment": "cartpole", "goal": "a pole"}},
            "training": {"cartpole": {"agent": AGENT}},
            "evaluation": {"training_videos": False},
        }
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.mark.parametrize("problem", MESSAGES)
def test_a_training_ends_with_one_line(config, tmp_path, problem):
    run = vlmrm(
        "--log", "train.log", "train-policy", "--config", config(problem), "--task", "pole",
        "--reward-source", "judge", "--output", "policy", cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 2, run.stderr
    (line,) = [line for line in run.stderr.splitlines() if line.startswith("vlmrm: ")]
    assert line == f"vlmrm: models.judge: fails_late:make {MESSAGES[problem]}"
    assert "Traceback" not in run.stderr
    assert ("Traceback" in (tmp_path / "train.log").read_text()) == (problem == "raise")
    # What a workflow shows of the log when a job fails:
    shown = list(failure([str(tmp_path / "train.log")]))
    assert not any("Traceback" in line for line in shown)
    assert any(MESSAGES[problem] in line for line in shown)


def test_making_a_function_that_fails_leaves_nothing(config, tmp_path):
    path = config("shape")
    path.write_text(path.read_text().replace("problem: shape", "trouble: shape"))
    run = vlmrm("make-function-model", "judge", "--config", path, "--output", "made", cwd=tmp_path)
    assert run.returncode == 2
    assert run.stderr.startswith("vlmrm: models.judge.settings: fails_late:make does not take them")
    assert not (tmp_path / "made").exists()
