import shutil

import pytest

from tests.page.conftest import SMOKE, success
from vlmrm.config import TrainingRun, load_config
from vlmrm.page.summary import outcomes, trained_line


@pytest.fixture
def verdict(tmp_path):
    """The verdict on agents of one reward with these success rates, a seed each."""
    (tmp_path / "tables").mkdir()
    shutil.copy(SMOKE, tmp_path / "config.yaml")

    def judge(*rates):
        run = TrainingRun(task="kneeling", scene="textured", reward_source="smoke-S", seed=0)
        runs = [run.model_copy(update={"seed": seed}) for seed in range(len(rates))]
        success(runs, rates).to_csv(tmp_path / "tables" / "success-humanoid.csv", index=False)
        (outcome,) = outcomes(tmp_path, load_config(SMOKE))
        return outcome.verdict

    return judge


def test_a_task_is_learned_if_every_seed_succeeds_in_half_of_its_trajectories(verdict):
    assert verdict(0.5, 1.0) == "learned"
    assert verdict(0.49, 1.0) == "partly learned"


def test_a_seed_that_beats_the_random_policy_has_learned_a_part(verdict):
    # The random policy's interval ends at 1.5 %.
    assert verdict(0.0, 0.03) == "partly learned"
    assert verdict(0.0, 0.015) == "not learned"


@pytest.mark.parametrize(
    ("models", "references", "said"),
    [
        (["smoke-S"], ["oracle"], "1 on rewards by smoke-S and 1 on oracle, with 1 seed"),
        ([], ["oracle"], "1 agents for kneeling, 1 on oracle, with 1 seed; 0 of them are finished"),
    ],
)
def test_it_says_what_agents_are_trained_on(models, references, said):
    config = load_config(SMOKE)
    update = {"tasks": ["kneeling"], "models": models, "references": references, "seeds": [0]}
    experiment = config.experiments["humanoid"].model_copy(update=update)
    config = config.model_copy(update={"experiments": {"humanoid": experiment}})
    assert said in trained_line(config, 0)
