"""The code, the entry, and the commands of docs/functions.md, in small."""

import sys
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
import yaml

from tests.documentation import TINY_AGENT, blocks, commands
from tests.processes import vlmrm
from vlmrm.data.frames import FrameWriter
from vlmrm.data.tables import read_rewards, read_table
from vlmrm.models.folder import read_model_provenance
from vlmrm.tasks.oracles import labeled
from vlmrm.tasks.poses import pose_library

FACTORY, IN_PYTHON = blocks("functions.md", "python")
(ENTRY,) = map(yaml.safe_load, blocks("functions.md", "yaml"))
GOAL = "a humanoid robot kneeling"
BRIGHT = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the function and the entry of the page, and a few states with frames."""
    folder = tmp_path_factory.mktemp("functions")
    (folder / "my_rewards.py").write_text(FACTORY)
    content = {
        "run": "my",
        "scorings": ["alpha-0"],
        **ENTRY,
        "tasks": {"kneeling": {"environment": "humanoid", "goal": GOAL}},
        "training": {"humanoid": {"agent": {"algorithm": "sac", **TINY_AGENT}}},
        "rendering": {"humanoid_size": 32},
        "evaluation": {"training_videos": False},
    }
    (folder / "my.yaml").write_text(yaml.safe_dump(content))
    poses = [pose.state for pose in list(pose_library().values())[: len(BRIGHT)]]
    labeled("humanoid", np.stack(poses)).write(folder / "states.h5")
    with FrameWriter(folder / "frames.h5", len(BRIGHT), scene="textured-fixed") as writer:
        writer.append(BRIGHT)
    return folder


@pytest.mark.slow
def test_its_commands_make_a_model_score_frames_and_train_an_agent(folder):
    documented = commands("functions.md")
    scripts = [words for words in documented if words[0] == "vlmrm"]
    names = ["make-function-model", "score-frames", "train-policy"]
    assert [words[1] for words in scripts] == names
    for _, *words in scripts:
        run = vlmrm(*words, cwd=folder)
        assert run.returncode == 0, run.stderr
    assert (
        read_model_provenance(folder / "judge")["settings"]["function"] == "my_rewards:make_reward"
    )
    rewards = read_rewards(folder / "rewards.parquet", len(BRIGHT))
    np.testing.assert_allclose(rewards["reward"], BRIGHT.mean(axis=(1, 2, 3)) / 255, rtol=1e-5)
    curve = read_table(folder / "policy" / "learning_curve.csv")
    assert curve["steps"].iloc[-1] == 64


def test_its_python_scores_frames_and_wraps_environments(monkeypatch):
    names = {}
    exec(FACTORY, names)

    class VideoText:
        """Stands for the example, whose weights are not downloaded here."""

        def __init__(self, name):
            assert "xclip" in name

        def embed_images(self, frames):
            return frames.mean(axis=(1, 2, 3)) + 1

        def embed_sentences(self, sentences):
            return [[len(sentence), 1, 1] for sentence in sentences]

    env = gym.make("CartPole-v1", render_mode="rgb_array")
    example = SimpleNamespace(VideoText=VideoText)
    monkeypatch.setitem(sys.modules, "examples.rewards.video_text", example)
    names |= {"frames": BRIGHT, "env": env}
    names |= {"goal": GOAL, "baseline": "a robot"}
    exec(IN_PYTHON, names)
    np.testing.assert_allclose(names["rewards"], BRIGHT.mean(axis=(1, 2, 3)) / 255, rtol=1e-5)
    names["env"].reset(seed=0)
    _, reward, *_ = names["env"].step(0)
    assert 0 < reward < 1
    assert names["reward"](BRIGHT).shape == (len(BRIGHT),)
