"""The lines at the end of a run."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.processes import vlmrm

ROOT = Path(__file__).parents[2]
RUN = {"scene": "textured", "scoring": "alpha-0", "trajectories": 100}
MODEL = {"states": "s", "scene": "textured", "source": "packaged"}


def success(task, reward, rate, seed=0, **changes):
    low, high = max(rate - 0.05, 0), min(rate + 0.05, 1)
    judged = {"success_rate": rate, "low": low, "high": high, "success_fraction": rate / 2}
    return {"task": task, "reward_source": reward, "seeds": seed, **RUN, **judged, **changes}


@pytest.fixture
def run(tmp_path):
    """Writes the tables of the smoke run, and returns what is said about them."""
    results = tmp_path / "results" / "smoke"
    (results / "tables").mkdir(parents=True)
    shutil.copy(ROOT / "config" / "smoke.yaml", results / "config.yaml")

    def summarize(**tables):
        for name, rows in tables.items():
            path = results / "tables" / f"{name.replace('_', '-')}.csv"
            pd.DataFrame(rows).to_csv(path, index=False)
        done = vlmrm("summarize", "results/smoke", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return summarize


def test_the_best_reward_is_named_with_its_spread_over_seeds_and_its_video(run, tmp_path):
    place = "results/smoke/evaluations/kneeling/textured/sim-S/alpha-0.5/seed-3/video.mp4"
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).touch()
    rows = [
        success("kneeling", "sim-S", 0.9, seed=2),
        success("kneeling", "sim-S", 0.5, seed=3),
        success("kneeling", "sim-S", 0.8, seed=3, scoring="alpha-0.5"),
        success("kneeling", "sim-S", 1.0, seed=4, scoring="alpha-0.5"),
        success("kneeling", "oracle", 1.0),
        success("kneeling", "random-policy", 0.01),
    ]
    assert run(success_humanoid=rows) == [
        "kneeling: 90% of 200 trajectories succeed with sim-S, alpha-0.5 (2 seeds, 80% to 100%; "
        "random policy 1%)",
        f"    {place}",
        "All figures, videos, and tables: results/smoke",
    ]


def test_each_task_and_each_epic_set_has_its_line(run):
    agents = [
        success("cartpole", "ground-truth", 0.7),
        success("cartpole", "random-policy", 0),
        success("mountain-car", "sim-S", 0.2),
        success("mountain-car", "random-policy", 0.1),
    ]
    epic = [
        {"model": "sim-S", "scoring": "alpha-0", "epic": 0.4, **MODEL},
        {"model": "sim-S", "scoring": "alpha-0.5", "epic": 0.3, **MODEL},
        {"model": "untrained", "scoring": "alpha-0", "epic": 0.1, **MODEL, "source": "random"},
        {"model": "untrained", "scoring": "alpha-0.5", "epic": 0.71, **MODEL, "source": "random"},
    ]
    assert run(success_classic_control=agents, epic_kneeling=epic)[:-1] == [
        "EPIC distance to the labels of kneeling: 0.30 with sim-S, alpha-0.5 (random weights 0.71; "
        "0 is best, 0.71 uninformative)",
        "cartpole: 70% of 100 trajectories succeed with ground-truth (95% interval 65% to 75%; "
        "random policy 0%)",
        "mountain-car: 20% of 100 trajectories succeed with sim-S, alpha-0 (95% interval 15% to "
        "25%; random policy 10%)",
    ]


def test_without_random_weights_there_is_nothing_beside_a_model(run):
    epic = [{"model": "sim-S", "scoring": "alpha-0", "epic": 0.4, **MODEL}]
    assert run(epic_kneeling=epic)[0].endswith("(0 is best, 0.71 uninformative)")


def test_a_run_that_has_only_begun_says_so(run):
    assert run() == ["results/smoke: no measurement and no agent is finished yet."]


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    done = vlmrm("summarize", "results/nothing", cwd=tmp_path)
    assert done.returncode == 2
    told = "results/nothing: holds no results of a run; give a folder such as results/demo"
    assert done.stderr == f"vlmrm: {told}\n"
