import subprocess
import sys

import numpy as np
import psutil
import pytest

from vlmrm.config import Rendering
from vlmrm.data.states import States
from vlmrm.envs.humanoid import humanoid_model
from vlmrm.errors import UserError
from vlmrm.rendering import make_renderer
from vlmrm.rendering.parallel import BATCH, render_all, render_states

SMALL = Rendering(humanoid_size=32)


@pytest.fixture(scope="module")
def states():
    rng = np.random.default_rng(0)
    states = np.zeros((2 * BATCH + 5, 47))
    states[:, :24] = humanoid_model().qpos0 + rng.uniform(-0.3, 0.3, (len(states), 24))
    return states


@pytest.fixture(scope="module")
def frames(states):
    return np.concatenate(list(render_states("humanoid", "textured-fixed", SMALL, states, 1)))


def test_a_set_is_rendered_at_once_in_the_first_scene(states, frames):
    np.testing.assert_array_equal(render_all(States("humanoid", states), rendering=SMALL), frames)
    with pytest.raises(UserError, match="humanoid has no scene 'textured-fxied'; did you mean"):
        render_all(States("humanoid", states), "textured-fxied", SMALL)
    with pytest.raises(UserError, match="'ant' cannot be drawn from states"):
        render_all(States("ant", states))


def test_every_state_gets_its_own_frame_in_order(states, frames):
    assert frames.shape == (len(states), 32, 32, 3)
    assert frames.dtype == np.uint8
    renderer = make_renderer("humanoid", "textured-fixed", SMALL)
    expected = np.zeros(renderer.shape, np.uint8)
    for i in (0, BATCH, len(states) - 1):
        renderer.render(states[i], expected)
        np.testing.assert_array_equal(frames[i], expected)
    renderer.close()
    assert len(np.unique(frames.reshape(len(frames), -1), axis=0)) == len(frames)


def test_frames_do_not_depend_on_the_number_of_workers(states, frames):
    batches = list(render_states("humanoid", "textured-fixed", SMALL, states, workers=2))
    assert len(batches) == 3
    np.testing.assert_array_equal(np.concatenate(batches), frames)


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_reach_the_caller(states, workers):
    with pytest.raises(UserError, match="no scene 'nowhere'"):
        list(render_states("humanoid", "nowhere", SMALL, states, workers))


def test_no_states_no_frames():
    assert list(render_states("humanoid", "gymnasium", SMALL, np.zeros((0, 47)))) == []


def test_workers_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "endless.py"
    script.write_text(
        "import numpy as np\n"
        "from vlmrm.config import Rendering\n"
        "from vlmrm.rendering.parallel import render_states\n"
        "if __name__ == '__main__':\n"
        "    states = np.zeros((200, 4))\n"
        "    frames = render_states('cartpole', 'gymnasium', Rendering(), states, workers=2)\n"
        "    next(frames)\n"
        "    print('rendering', flush=True)\n"
        "    input()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout.readline() == "rendering\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert children
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=600)
    assert not alive
