"""Several views of a state in one frame."""

import numpy as np

from vlmrm.config import Rendering
from vlmrm.rendering import make_renderer
from vlmrm.rendering.parallel import draw
from vlmrm.rendering.views import make_views
from vlmrm.tasks.poses import combinations, settled

VIEWS = ["textured-fixed", "textured-left", "textured-right"]
SMALL = Rendering(humanoid_size=64)


def poses():
    known = combinations()
    names = ("upright, hanging", "kneel, hanging", "lotus, in-lap", "splits, spread")
    return settled(np.stack([known[name] for name in names]))


def test_views_are_the_frames_of_their_scenes_one_above_the_other():
    states = poses()[:2]
    together = make_views("humanoid", VIEWS, SMALL)
    assert together.shape == (3 * 64, 64, 3)
    frames = draw(together, states)
    together.close()
    for number, scene in enumerate(VIEWS):
        renderer = make_renderer("humanoid", scene, SMALL)
        alone = draw(renderer, states)
        renderer.close()
        np.testing.assert_array_equal(frames[:, 64 * number : 64 * (number + 1)], alone)


def test_states_that_differ_do_so_in_every_view_and_views_differ():
    together = make_views("humanoid", VIEWS, SMALL)
    frames = draw(together, poses()).reshape(4, 3, 64, 64, 3).astype(int)
    together.close()
    for view in range(3):
        pictures = frames[:, view]
        for one in range(4):
            for other in range(one):
                assert np.abs(pictures[one] - pictures[other]).max() > 50
    assert np.abs(frames[:, 0] - frames[:, 1]).max() > 50
    assert np.abs(frames[:, 1] - frames[:, 2]).max() > 50
