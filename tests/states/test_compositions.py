import numpy as np
import pytest

from vlmrm.pretraining.facts import describe
from vlmrm.states.compositions import LIMBS, composed
from vlmrm.tasks.body import QPOS
from vlmrm.tasks.poses import mirrored, pose_library


@pytest.fixture(scope="module")
def kneeling():
    return pose_library()["kneel, hanging"].state[None].repeat(400, axis=0)


def test_one_to_four_limbs_change_and_the_rest_of_the_joints_stay(kneeling):
    states = composed(kneeling, np.random.default_rng(0))
    original = np.stack([kneeling[0], mirrored(kneeling[:1])[0]])
    changed = np.stack(
        [
            np.min([np.abs(states[:, limb] - o[limb]).max(axis=1) for o in original], axis=0) > 1e-9
            for limb in LIMBS
        ],
        axis=1,
    ).sum(axis=1)
    assert set(changed) >= {1, 2, 3, 4}
    trunk = sorted(set(range(7, QPOS)) - {entry for limb in LIMBS for entry in limb})
    for joint in trunk:
        assert np.isclose(states[:, joint, None], original[:, joint]).any(axis=1).all()


def test_near_misses_of_a_posture_occur(kneeling):
    facts = describe(composed(kneeling, np.random.default_rng(2)))
    postures = {f.get("posture") for f in facts}
    assert {"kneeling", "half-kneeling"} <= postures
    assert len({f["arms"] for f in facts if "arms" in f}) > 5
