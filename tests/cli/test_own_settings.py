"""Every command of the workflow reads its own settings, and nothing else of a configuration."""

import ast
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.processes import vlmrm
from vlmrm.data.files import read_provenance
from vlmrm.data.frames import FrameReader
from vlmrm.data.states import States
from vlmrm.data.tables import read_rewards, read_table, write_table
from vlmrm.labeling.labels import Label, append_label, fingerprint, now

PACKAGE = Path(__file__).parents[2] / "vlmrm"


def imports_of(path):
    """Names that a module imports from ``vlmrm.config``."""
    tree = ast.parse(path.read_text())
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vlmrm.config")
        for alias in node.names
    }


def test_only_commands_and_the_plan_see_a_whole_configuration():
    seeing = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if imports_of(path) & {"Config", "load_config", "parse_config"}
    }
    rooms = {file.split("/")[0] for file in seeing}
    # A run's page shows the whole configuration, and its rule has all of it as a parameter.
    assert rooms <= {"cli", "config", "plan", "checks", "page"}


CAR = {"environment": "mountain-car", "goal": "a car", "baseline": "a hill"}
POLE = {"environment": "cartpole", "goal": "a pole", "oracle": "cartpole"}
AGENT = {
    "algorithm": "dqn",
    "total_timesteps": 40,
    "episode_steps": 10,
    "learning_starts": 10,
    "train_freq": 10,
    "gradient_steps": 1,
    "batch_size": 4,
    "buffer_size": 40,
    "net_arch": [4],
    "save_freq": 20,
}
UNIFORM = {"sampler": "uniform", "environment": "mountain-car", "size": 12}
GRID = {"sampler": "grid", "environment": "mountain-car", "resolution": 0.1}
RANDOM = {"m": {"source": "random", "architecture": "sim-XS"}}
CORPUS = {"tiny": {"frames": {"cartpole": {"gymnasium": 40}}}}
TRAINED = {"source": "simulator", "architecture": "sim-XS", "corpus": "tiny", "epochs": 1}
JUDGED = {**CAR, "oracle": "mountain-car"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs a command in one folder, with a configuration that has some sections alone."""
    folder = tmp_path_factory.mktemp("own")

    def command(name, *arguments, sections):
        content = {"run": "own", "scorings": ["alpha-0"], "models": {}, "tasks": {}, **sections}
        (folder / "config.yaml").write_text(yaml.safe_dump(content))
        done = vlmrm(name, *arguments, "--config", "config.yaml", cwd=folder)
        assert done.returncode == 0, done.stderr
        return folder

    return command


def test_models(run):
    corpus = ("--output", "corpus.h5", "--workers", 1)
    run("make-corpus", "tiny", *corpus, sections={"corpora": CORPUS})
    models = {"models": {"trained": TRAINED}, "corpora": CORPUS}
    run("train-model", "trained", "--corpus", "corpus.h5", "--output", "trained", sections=models)
    folder = run("make-random-model", "m", "--output", "m", sections={"models": RANDOM})
    packaged = {"packaged": {"source": "packaged", "architecture": "sim-XS"}}
    run("copy-model", "packaged", "--output", "packaged", sections={"models": packaged})
    published = {"fetched": {"source": "pretrained", "path": "m"}}
    run("check-models", sections={"models": published})
    run("fetch-model", "fetched", "--output", "fetched", sections={"models": published})
    assert all((folder / name).is_dir() for name in ("m", "trained", "packaged", "fetched"))


def test_states_to_figures(run):
    run("make-random-model", "m", "--output", "m", sections={"models": RANDOM})
    for name, spec in {"few": UNIFORM, "grid": GRID}.items():
        sets = {"state_sets": {name: spec}}
        run("sample-states", name, "--output", f"{name}.h5", sections=sets)
        frames = ("--states", f"{name}.h5", "--scene", "textured", "--workers", 1)
        run("render-frames", *frames, "--output", f"{name}-frames.h5", sections={})
        frames = ("--frames", f"{name}-frames.h5", "--model", "m")
        run("embed-frames", *frames, "--output", f"{name}-embedded.h5", sections={})
    task = ("--task", "car")
    prompts = (*task, "--model", "m", "--output", "prompts.h5")
    folder = run("embed-prompts", *prompts, sections={"tasks": {"car": CAR}})
    for name in ("few", "grid"):
        embedded = ("--states", f"{name}.h5", "--embeddings", f"{name}-embedded.h5")
        rewards = ("--prompts", "prompts.h5", "--output", f"{name}.parquet")
        run("score-states", *task, *embedded, *rewards, sections={"tasks": {"car": CAR}})
    table = read_table(folder / "few.parquet")
    assert list(table) == ["scene", "model", "state", "task", "scoring", "reward"]
    assert set(table["scoring"]) == {"alpha-0"} and set(table["task"]) == {"car"}
    assert table["reward"].between(-1, 1).all()
    assert len(States.read(folder / "few.h5")) == 12
    with FrameReader(folder / "few-frames.h5") as reader:
        assert reader.shape == (12, 400, 600, 3)
    assert read_provenance(folder / "few-embedded.h5")["model"] == "m"
    assert read_provenance(folder / "few.parquet")["precision_errors"] == {}

    place = {"states": "few", "scenes": ["textured"], "models": ["m"]}
    tasks = {"tasks": {"car": JUDGED}, "models": RANDOM}
    epic = {"epic": {"e": {"task": "car", "bootstrap": 10, **place}}}
    epic |= {"state_sets": {"few": UNIFORM}, **tasks}
    measured = ("--model", "m", "--states", "few.h5", "--rewards", "few.parquet")
    run("measure-epic", "e", *measured, "--output", "epic.csv", sections=epic)
    packaged = ("--model", "sim-XS", *measured[2:], "--output", "packaged.csv")
    folder = run("measure-epic", "e", *packaged, sections=epic)
    assert set(read_table(folder / "packaged.csv")["source"]) == {"simulator"}
    drawn = ("few.parquet", "--states", "few.h5", "--output", "rewards.svg")
    run("draw-rewards-by-label", "e", *drawn, sections=epic)
    best = ("few.parquet", "--states", "few.h5", "--output", "best.svg", "--table", "best.csv")
    run("draw-best-of-n", "e", *best, sections=epic)
    wrong = ("few.parquet", "--states", "few.h5", "--output", "wrong.png", "--table", "wrong.csv")
    folder = run("draw-gallery", "e", *wrong, sections=epic)

    # The rewards of another model, as if there were one.
    other = read_table(folder / "few.parquet").assign(model="n")
    write_table(folder / "other.parquet", other.assign(reward=1 - other["reward"] ** 2))
    ensemble = {"source": "ensemble", "members": ["m", "n"], "reference": "few"}
    pair = {"models": {**RANDOM, "n": {**RANDOM["m"], "seed": 1}, "pair": ensemble}}
    pair |= {"state_sets": {"few": UNIFORM}}
    run("make-ensemble", "pair", "m", "m", "--output", "pair", sections=pair)
    pair |= {"tasks": {"car": CAR}}
    scored = ("few.parquet", "other.parquet", *task, "--scene", "textured", "--states", "few.h5")
    run("measure-members", "pair", *scored, "--output", "pair.csv", sections=pair)
    output = ("--statistics", "pair.csv", "--output", "pair.parquet")
    run("score-ensemble", "pair", *scored, *output, sections=pair)
    assert set(read_table(folder / "pair.parquet")["model"]) == {"pair"}

    for state, answer in enumerate(("yes", "no", "no")):
        known = fingerprint(States.read(folder / "few.h5"))
        append_label(folder / "labels.csv", Label("anna", "car", state, answer, now(), known))
    rated = ("labels.csv", "--states", "few.h5", "--task", "car", "--output", "agreement.csv")
    run("measure-agreement", *rated, sections={"tasks": {"car": JUDGED}})

    again = {"again": {"sampler": "union", "environment": "mountain-car", "sets": ["few", "grid"]}}
    again |= {"few": UNIFORM, "grid": GRID}
    joined = ("few.h5", "grid.h5", "--output", "again.h5")
    run("join-states", "again", *joined, sections={"state_sets": again})
    assert len(States.read(folder / "again.h5")) == 12 + len(States.read(folder / "grid.h5"))

    landscape = {"landscapes": {"l": {"tasks": ["car"], **place, "states": "grid"}}}
    landscape |= {"state_sets": {"grid": GRID}, **tasks}
    drawn = ("grid.parquet", "--states", "grid.h5", "--output", "landscape.svg")
    drawn += ("--output", "landscape.png")
    run("draw-landscape", "l", *drawn, sections=landscape)
    run("draw-scenes", "mountain-car", "--output", "scenes.svg", sections={})
    assert (folder / "landscape.svg").exists() and (folder / "landscape.png").exists()
    assert (folder / "rewards.svg").exists() and not (folder / "rewards.png").exists()
    made = ("epic.csv", "best.csv", "wrong.csv", "wrong.png", "agreement.csv", "scenes.svg")
    assert all((folder / name).exists() for name in made)


FUNCTION = {"f": {"source": "function", "function": "red_alone:make", "window": 2}}
MODULE = """
def make():
    return lambda windows, sentence: windows[..., 0].mean(axis=(1, 2, 3))
"""


def test_functions(run):
    sections = {"models": FUNCTION}
    sets = {"state_sets": {"few": UNIFORM}}
    folder = run("sample-states", "few", "--output", "states.h5", sections=sets)
    (folder / "red_alone.py").write_text(MODULE)
    run("make-function-model", "f", "--output", "function", sections=sections)
    record = json.loads((folder / "function" / "provenance.json").read_text())
    assert record["settings"] == FUNCTION["f"] | {
        "settings": {}, "version": "1", "embeddings": False, "batch_size": 32
    }  # fmt: skip
    frames = ("--states", "states.h5", "--scene", "textured", "--workers", 1)
    run("render-frames", *frames, "--output", "frames.h5", sections={})
    sections |= {"tasks": {"car": CAR}}
    frames = ("--task", "car", "--states", "states.h5", "--frames", "frames.h5")
    run("score-frames", "f", *frames, "--output", "scored.parquet", sections=sections)
    table = read_rewards(folder / "scored.parquet", 12)
    assert set(table["scoring"]) == {"alpha-0"}
    assert set(table["model"]) == {"f"} and set(table["scene"]) == {"textured"}
    with FrameReader(folder / "frames.h5") as reader:
        by_hand = reader[:][..., 0].mean(axis=(1, 2))
    np.testing.assert_allclose(table["reward"], by_hand, rtol=1e-5)


def test_searches(run):
    task = {"environment": "humanoid", "goal": "a robot", "oracle": "standing"}
    small = {"population": 4, "survivors": 2, "generations": 2, "seeds": [0]}
    search = {"tasks": ["stand"], "models": ["m"], "controls": ["flipped-0.1"], **small}
    sections = {"models": RANDOM, "tasks": {"stand": task}, "searches": {"s": search}}
    folder = run("make-random-model", "m", "--output", "m", sections=sections)
    where = ("s", "--task", "stand", "--reward-source")
    run("search-poses", *where, "m", "--model", "m", "--output", "m.h5", sections=sections)
    run("search-poses", *where, "flipped-0.1", "--output", "flipped.h5", sections=sections)
    unused = (*where, "flipped-0.1", "--model", "m", "--output", "x.h5", "--config", "config.yaml")
    refused = vlmrm("search-poses", *unused, cwd=folder)
    assert refused.stderr.startswith("vlmrm: --model: 'flipped-0.1' is a control, not a model")
    found = ("s", "m.h5", "flipped.h5")
    tables = ("--table", "search.csv", "--generations", "generations.csv")
    run("draw-search", *found, *tables, "--output", "search.svg", sections=sections)
    run("draw-search-gallery", *found, "--output", "winners.png", sections=sections)
    assert read_table(folder / "generations.csv")["steps"].tolist() == [4, 8, 4, 8]
    assert read_table(folder / "search.csv")["reward_source"].tolist() == ["m", "flipped-0.1"]
    assert (folder / "search.svg").exists() and (folder / "winners.png").exists()


def test_a_diagnosis_and_what_it_predicts(run):
    run("make-random-model", "m", "--output", "m", sections={"models": RANDOM})
    states = {"state_sets": {"poses": {"sampler": "diagnosis", "poses": 16}}}
    run("sample-states", "poses", "--output", "poses.h5", sections=states)
    frames = ("--states", "poses.h5", "--scene", "textured", "--workers", 1)
    small = {"rendering": {"humanoid_size": 32}}
    run("render-frames", *frames, "--output", "poses-frames.h5", sections=small)
    frames = ("--frames", "poses-frames.h5", "--model", "m", "--output", "poses-embedded.h5")
    run("embed-frames", *frames, sections={})
    tasks = {
        name: {"environment": "humanoid", "goal": f"a robot, {name}", "oracle": name}
        for name in ("kneeling", "lotus", "one-leg")
    }
    diagnosis = {"d": {"states": "poses", "models": ["m"], "scenes": ["textured"]}}
    sections = {"models": RANDOM, "tasks": tasks, "diagnoses": diagnosis, **states}
    measured = ("--model", "m", "--states", "poses.h5", "--embeddings", "poses-embedded.h5")
    folder = run("measure-diagnosis", "d", *measured, "--output", "d.csv", sections=sections)
    table = read_table(folder / "d.csv")
    assert table[["task", "scene", "model"]].to_numpy().tolist() == [
        [task, "textured", "m"] for task in tasks
    ]
    drawn = ("draw-diagnosis", folder / "d.csv", "--table", folder / "verdicts.csv")
    done = vlmrm(*drawn, "--output", folder / "diagnosis.svg")
    assert done.returncode == 0, done.stderr
    assert read_table(folder / "verdicts.csv")["try_next"].str.contains("words").all()

    # Trajectories, as if agents had been trained.
    where = {"scene": "textured", "reward_source": "m", "scoring": "alpha-0", "seed": 0}
    for number, task in enumerate(tasks):
        judged = pd.DataFrame({"task": task, **where, "success": [1], "success_fraction": number})
        write_table(folder / f"{task}.csv", judged)
    experiment = {"tasks": list(tasks), "models": ["m"], "scorings": ["alpha-0"], "seeds": [0]}
    sections |= {"experiments": {"e": {**experiment, "scenes": ["textured"]}}}
    sections |= {"predictions": {"p": {"diagnoses": ["d"], "experiments": ["e"], "bootstrap": 10}}}
    sections |= {"training": {"humanoid": {"agent": {**AGENT, "algorithm": "sac", "n_envs": 4}}}}
    judged = [option for task in tasks for option in ("--evaluation", f"{task}.csv")]
    output = ("--table", "p.csv", "--output", "prediction.svg")
    run("draw-prediction", "p", "--diagnosis", "verdicts.csv", *judged, *output, sections=sections)
    assert set(read_table(folder / "p.csv")["pairs"]) == {3}


def test_agents(run):
    sections = {
        "tasks": {"pole": POLE},
        "training": {"cartpole": {"agent": AGENT}},
        "evaluation": {"trajectories": 2, "training_videos": False, "video_trajectories": 1},
    }
    source = ("--task", "pole", "--reward-source", "oracle")
    run("train-policy", *source, "--output", "policy", sections=sections)
    kept = ("--trajectories", "kept.h5")
    judged = ("--policy", "policy/policy.zip", "--output", "judged.csv", *kept)
    run("evaluate-policy", *source, *judged, sections=sections)
    run("record-video", *source, *kept, "--output", "video.mp4", sections=sections)
    run("evaluate-random-policy", "--task", "pole", "--output", "random.csv", sections=sections)
    rollouts = {
        "sampler": "rollouts",
        "environment": "cartpole",
        "run": {"task": "pole", "scene": "gymnasium", "reward_source": "oracle"},
        "size": 4,
    }
    rollouts["run"] |= {"scoring": "alpha-0", "seed": 0}
    del sections["evaluation"]
    states = ("--policies", "policy", "--output", "rollouts.h5")
    sections |= {"state_sets": {"met": rollouts}}
    folder = run("sample-rollouts", "met", *states, sections=sections)
    assert (folder / "rollouts.h5").exists() and (folder / "video.mp4").exists()

    # Rewards of the states, as if by a model.
    scored = {"scene": "gymnasium", "model": "m", "state": range(4), "task": "pole"}
    rewards = pd.DataFrame({**scored, "scoring": "alpha-0", "reward": [0.1, 0.2, 0.3, 0.4]})
    write_table(folder / "rollouts.parquet", rewards)
    sections |= {"models": RANDOM}
    measured = ("--states", "rollouts.h5", "--rewards", "rollouts.parquet")
    source = ("--task", "pole", "--reward-source", "m", *measured)
    run("measure-checkpoints", *source, "--output", "checkpoints.csv", sections=sections)
    drawn = ("draw-optimization", folder / "checkpoints.csv", "--reference", folder / "judged.csv")
    figures = ("--output", folder / "optimization.svg", "--divergence", folder / "divergence.svg")
    done = vlmrm(*drawn, "--table", folder / "o.csv", *figures)
    assert done.returncode == 0, done.stderr
    assert (folder / "optimization.svg").exists() and (folder / "divergence.svg").exists()
    assert list(read_table(folder / "checkpoints.csv")["steps"]) == [20, 40]
    assert read_table(folder / "o.csv")["outcome"].item() in ("rises", "never rises")
