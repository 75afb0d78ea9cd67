"""Adversarial rounds: agents come before the corpus of the next model."""

import pytest

NAME = "smoke-S"


@pytest.fixture
def rounds(smoke):
    smoke["rounds"] = {NAME: {"number": 2, "tasks": ["kneeling"], "seeds": [5], "size": 20}}
    return smoke


def test_each_model_is_trained_after_the_agents_of_the_round_before(fresh, rounds):
    target = f"resources/models/{NAME}-round-2/provenance.json"
    plan = fresh.snakemake(rounds, "--dry-run", target).stdout
    (command,) = (line for line in plan.splitlines() if f"make-corpus {NAME}-round-2" in line)
    for agents in (NAME, f"{NAME}-round-1"):
        assert f"--states=results/smoke/states/{agents}-kneeling-5-met.h5" in command
        assert f"--reward-source {agents} --scoring alpha-0 --seed 5" in plan
    assert f"--reward-source {NAME}-round-2" not in plan
    assert plan.index(f"make-corpus {NAME}-round-1") < plan.index(f"make-corpus {NAME}-round-2")


def test_another_prompt_trains_the_models_of_later_rounds_again(finished, rounds):
    run = finished.snakemake(rounds, "--until", "draw_rounds")
    assert run.returncode == 0, run.stderr
    assert not finished.planned(rounds)["train_model"]
    rounds["tasks"]["kneeling"]["goal"] = "a robot on its knees"
    jobs = finished.planned(rounds)
    assert (jobs["make_corpus"], jobs["train_model"]) == (2, 2)
