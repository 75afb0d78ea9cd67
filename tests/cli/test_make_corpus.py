"""A corpus of the user's own environment, from rollouts to the file."""

import pytest
import yaml

from tests.cli.test_own_settings import AGENT
from tests.processes import vlmrm
from vlmrm.data.states import States
from vlmrm.pretraining.corpus import read_corpus

RUN = {"task": "arrive", "scene": "default", "reward_source": "random-policy", "seed": 0}
CONFIG = {
    "run": "own",
    "scorings": ["alpha-0"],
    "models": {"mine": {"source": "simulator", "architecture": "sim-XS", "corpus": "walk"}},
    "environments": {
        "walk": {
            "id": "tests.envs.foreign:Walker",
            "state": "tests.envs.foreign:where",
            "success": "is_success",
        }
    },
    "tasks": {"arrive": {"environment": "walk", "goal": "a point at the end", "oracle": "success"}},
    "training": {"walk": {"agent": AGENT}},
    "state_sets": {
        "met": {"sampler": "rollouts", "environment": "walk", "run": RUN, "size": 20},
        "grid": {"sampler": "grid", "environment": "cartpole", "resolution": 0.1},
    },
    "corpora": {
        "walk": {"states": ["met"], "captions": "tests.envs.foreign:captions", "image_size": 40}
    },
}
ROLLOUTS = ("--states", "met.h5", "--frames", "frames.h5")


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Runs a command in a folder with the configuration and the rollouts."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "my.yaml").write_text(yaml.safe_dump(CONFIG))

    def run(*arguments):
        return vlmrm(*arguments, "--config", "my.yaml", cwd=folder), folder

    done, _ = run("sample-rollouts", "met", "--output", "met.h5", "--frames", "frames.h5")
    assert done.returncode == 0, done.stderr
    return run


def test_each_frame_of_a_rollout_gets_the_captions_of_its_state(command):
    done, folder = command("make-corpus", "walk", *ROLLOUTS, "--output", "walk.h5")
    assert done.returncode == 0, done.stderr
    states = States.read(folder / "met.h5")
    assert states.names == ["place", "left", "success"]
    (part,) = read_corpus(folder / "walk.h5")
    for (place, left, success), image, texts in zip(
        states.values, part.images, part.captions, strict=True
    ):
        assert image[0, 0, 0] == place
        where = "at the end" if success else f"{left:g} steps away"
        assert f"a point {where}" in texts


def test_states_without_their_frames_are_refused(command):
    done, folder = command("make-corpus", "walk", *ROLLOUTS[:2], "--output", "without.h5")
    assert done.returncode == 2
    needed = "corpora.walk.states: 1 sets need frames, but --frames gives 0; give a file for each"
    assert done.stderr.splitlines() == [f"vlmrm: {needed}"]
    assert not (folder / "without.h5").exists()


def test_states_of_another_environment_are_refused(command):
    made, folder = command("sample-states", "grid", "--output", "cartpole.h5")
    assert made.returncode == 0, made.stderr
    options = ("--states", "cartpole.h5", *ROLLOUTS[2:])
    done, _ = command("make-corpus", "walk", *options, "--output", "wrong.h5")
    assert done.stderr.startswith("vlmrm: cartpole.h5: holds cartpole states, not those of walk")
    assert not (folder / "wrong.h5").exists()
