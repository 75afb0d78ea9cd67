import numpy as np

from vlmrm.rewards.sources import StepBatch, reference_reward
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import pose_library


def test_references_reward_the_verdict_the_score_or_what_the_environment_does():
    poses = np.stack([pose.state for pose in list(pose_library().values())[:6]])
    environment_rewards = np.arange(6, dtype=np.float32).reshape(3, 2)
    steps = StepBatch(poses.reshape(3, 2, -1), environment_rewards, np.zeros((3, 2), bool))
    kneeling = ORACLES["kneeling"]
    expected = {
        "oracle": kneeling(poses),
        "oracle-score": kneeling.score(poses),
        "ground-truth": environment_rewards,
    }
    for name, values in expected.items():
        rewards = reference_reward(name, "kneeling")(steps)
        np.testing.assert_allclose(rewards, np.reshape(values, (3, 2)))
