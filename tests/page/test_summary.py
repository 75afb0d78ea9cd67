import numpy as np
import pandas as pd
import pytest
import yaml

from tests.page.conftest import success
from tests.paths import smoke_all
from vlmrm.config import TrainingRun, parse_config
from vlmrm.config.diagnosis import Diagnosis
from vlmrm.page.summary import epic_lines, outcomes, trained_line, trust_lines


@pytest.fixture
def verdict(tmp_path):
    """The verdict on agents of one reward with these success rates, a seed each."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(smoke_all(), sort_keys=False))

    def judge(*rates, random=0.01):
        run = TrainingRun(task="kneeling", scene="textured", reward_source="smoke-S", seed=0)
        runs = [run.model_copy(update={"seed": seed}) for seed in range(len(rates))]
        table = success(runs, rates, random)
        table.to_csv(tmp_path / "tables" / "success-humanoid.csv", index=False)
        (outcome,) = outcomes(tmp_path, parse_config(smoke_all()))
        return outcome.verdict

    return judge


def test_the_agent_with_the_highest_reward_is_shown(tmp_path):
    run = TrainingRun(task="kneeling", scene="textured", reward_source="smoke-S", seed=3)
    table = success([run, run.model_copy(update={"seed": 7})], [0.2, 0.6])
    table["chosen"] = table["seeds"] == 7
    (tmp_path / "tables").mkdir()
    table.to_csv(tmp_path / "tables" / "success-humanoid.csv", index=False)
    (outcome,) = outcomes(tmp_path, parse_config(smoke_all()))
    assert outcome.run.seed == 7
    assert outcome.spread == "2 seeds, 20% to 60%, 60% with the highest reward"


def test_a_task_is_learned_if_every_seed_succeeds_in_half_of_its_trajectories(verdict):
    assert verdict(0.5, 1.0) == "learned"
    assert verdict(0.49, 1.0) == "partly learned"


def test_a_seed_that_beats_the_random_policy_has_learned_a_part(verdict):
    # The random policy's interval ends at 1.5 %.
    assert verdict(0.0, 0.03) == "partly learned"
    assert verdict(0.0, 0.015) == "not learned"


def test_what_the_random_policy_does_as_often_was_not_learned(verdict):
    assert verdict(0.55, random=0.8) == "not learned"
    assert verdict(0.9, 0.805, random=0.8) == "partly learned"


@pytest.mark.parametrize(
    ("models", "references", "said"),
    [
        (["smoke-S"], ["oracle"], "1 on rewards by smoke-S and 1 on oracle, with 1 seed"),
        ([], ["oracle"], "1 agent for kneeling, 1 on oracle, with 1 seed. Finished: 0."),
    ],
)
def test_it_says_what_agents_are_trained_on(models, references, said):
    config = parse_config(smoke_all())
    update = {"tasks": ["kneeling"], "models": models, "references": references, "seeds": [0]}
    experiment = config.experiments["humanoid"].model_copy(update=update)
    config = config.model_copy(update={"experiments": {"humanoid": experiment}})
    assert said in trained_line(config, 0)


def test_a_measurement_without_a_success_is_said_to_be_none(tmp_path):
    config = parse_config(smoke_all())
    (tmp_path / "tables").mkdir()
    row = {"source": "packaged", "model": "sim-XS", "scoring": "alpha-0", "p": 0.0, "epic": np.nan}
    pd.DataFrame([row]).to_csv(tmp_path / "tables" / "epic-standing.csv", index=False)
    (line,) = epic_lines(tmp_path, config)
    assert line == "EPIC distance to the labels of standing: no state fulfills the task"


def test_the_best_verdict_on_each_task_is_said_before_any_agent_is_there(tmp_path):
    config = parse_config(smoke_all())
    diagnosis = Diagnosis(states="poses", models=["smoke-S"])
    config = config.model_copy(update={"diagnoses": {"words": diagnosis}})
    rows = [
        ("kneel", "average", "alpha-0", 3, 0.1, "Hardly."),
        ("kneel", "average", "alpha-1", 5, 0.2, "It learns."),
        ("kneel", "average", "alpha-0.5", 5, 0.1, "It learns, too."),
        # No agent is trained on one of several sentences.
        ("kneel", "on its knees", "alpha-0", 5, 0.9, "It surely learns."),
        ("sit", "seated", "alpha-0", 0, 0.9, "No."),
    ]
    columns = ["task", "goal", "scoring", "level", "closeness", "verdict"]
    table = pd.DataFrame(rows, columns=columns)
    (tmp_path / "tables").mkdir()
    table.assign(model="smoke-S").to_csv(tmp_path / "tables" / "diagnosis-words.csv", index=False)
    line, *_ = trust_lines(tmp_path, config)
    assert line == (
        "Diagnosis before training (words): It learns. (smoke-S, alpha-1) No. (smoke-S, alpha-0)"
    )


def test_the_best_reward_by_a_model_is_neither_the_wrong_oracle_nor_one_of_random_weights(tmp_path):
    gold = {"smoke-S": (0.5, 0.4), "random-XS": (0.5, 0.7), "flipped-0.1": (0.5, 0.9)}
    rows = [
        {"model": model, "scoring": "alpha-0", "n": n, "gold": share}
        for model, shares in gold.items()
        for n, share in zip((1, 64), shares, strict=True)
    ]
    table = pd.DataFrame(rows).assign(gold_low=0.1, gold_high=0.9)
    (tmp_path / "tables").mkdir()
    table.to_csv(tmp_path / "tables" / "best-of-n-kneeling.csv", index=False)
    line, *_ = trust_lines(tmp_path, parse_config(smoke_all()))
    assert "40% fulfill the task when smoke-S, alpha-0 chooses" in line
    assert "1 of 1 rewards by models choose worse than chance" in line
