from toy import AGENTS

from vlmrm.training.agents import agent_settings


def test_every_setting_of_an_agent_is_used():
    # Names that the environments, the training loop, or another argument stand for.
    elsewhere = {"algorithm", "steps", "episode_steps", "environments", "checkpoint_every"}
    renamed = {
        "train_frequency": "train_freq",
        "hidden": "policy_kwargs",
        "symlog_observations": "policy_kwargs",
        "actor_averaging": "policy_kwargs",
        "final_learning_rate": "learning_rate",
    }
    for agent in (AGENTS["dqn"], AGENTS["sac"]):
        names = {renamed.get(n, n) for n in type(agent).model_fields} - elsewhere
        assert set(agent_settings(agent)) == names
