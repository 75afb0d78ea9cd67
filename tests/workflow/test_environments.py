"""Environments of the user's own in the workflow."""

import copy
import re

RUN = {"task": "balanced", "scene": "default", "scoring": "alpha-0", "seed": 0}
MET = {"sampler": "rollouts", "environment": "pole", "size": 10}
CONFIG = {
    "run": "own",
    "scorings": ["alpha-0"],
    "models": {"small": {"source": "packaged", "architecture": "sim-S"}},
    "environments": {"pole": {"id": "CartPole-v1", "success": "upright"}},
    "tasks": {"balanced": {"environment": "pole", "goal": "a pole", "oracle": "success"}},
    "training": {"pole": {"agent": {"algorithm": "dqn", "total_timesteps": 2000}}},
    "state_sets": {
        "random": {**MET, "run": {**RUN, "reward_source": "random-policy"}},
        "learned": {**MET, "run": {**RUN, "reward_source": "small"}},
    },
    "epic": {
        name: {"task": "balanced", "states": name, "scenes": ["default"], "models": ["small"]}
        for name in ("random", "learned")
    },
    "experiments": {
        "pole": {
            "tasks": ["balanced"],
            "models": ["small"],
            "scorings": ["alpha-0"],
            "references": ["oracle"],
            "seeds": [0],
        }
    },
    "optimization": {"experiments": ["pole"], "size": 10},
}


def test_states_and_frames_come_from_one_job_and_the_rest_is_the_same(fresh):
    jobs = fresh.planned(CONFIG)
    assert jobs["sample_live_rollouts"] == 3
    assert not {"render_frames", "sample_rollouts", "draw_scenes"} & jobs.keys()
    expected = {"embed_frames": 3, "score_states": 3, "train_policy": 2, "evaluate_live_policy": 2}
    assert {rule: jobs[rule] for rule in expected} == expected
    figures = {"draw_learning_curves", "draw_success", "draw_best_of_n", "draw_optimization"}
    assert figures <= jobs.keys()


def test_rollouts_are_those_of_one_agent_or_of_random_actions(fresh):
    commands = fresh.snakemake(CONFIG, "--dry-run", "--printshellcmds").stdout
    folders = {
        name: re.findall(rf"sample-rollouts {name} .*", commands)[0].count("--policies=")
        for name in ("random", "learned")
    }
    assert folders == {"random": 0, "learned": 1}
    assert "--policies=results/own/policies/balanced/default/small/alpha-0/seed-0 " in commands


def test_a_corpus_with_captions_has_the_frames_of_its_sets_and_is_rendered_by_no_job(fresh):
    config = copy.deepcopy(CONFIG)
    config["corpora"] = {"pole": {"states": ["random"], "captions": "my:captions"}}
    config["models"]["mine"] = {"source": "simulator", "architecture": "sim-XS", "corpus": "pole"}
    config["epic"]["learned"]["models"].append("mine")
    assert fresh.planned(config).keys() >= {"make_corpus", "train_model", "sample_live_rollouts"}
    commands = fresh.snakemake(config, "--dry-run", "--printshellcmds").stdout
    (command,) = re.findall(r"make-corpus pole .*", commands)
    assert "--states=results/own/states/random.h5 --frames=results/own/frames/random/" in command
    assert "--gpus 0" in command
