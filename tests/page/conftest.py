"""The smoke run as it looks when it is finished, without its having run."""

import json
import shutil
from types import SimpleNamespace

import av
import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.figure import Figure

from tests.paths import smoke_all
from vlmrm.config import RANDOM_POLICY, load_config, parse_config
from vlmrm.figures.style import save_figure
from vlmrm.page.contents import contents, recorded_runs
from vlmrm.page.render import write_page
from vlmrm.page.summary import video_of

REWARDS = {"scene": "textured", "model": ["smoke-S", "random-XS"], "scoring": "alpha-0.5"}
INTERVAL = {"gold_low": 0.2, "gold_high": 0.9}
COLUMNS = {
    "landscape-table": {**REWARDS, "coordinate": [0.1, 0.2], "reward": [0.3, 0.4]},
    "epic-table": {
        **REWARDS,
        "source": ["simulator", "random"],
        "epic": [0.251, 0.7],
        "epic_low": 0.2,
        "epic_high": 0.8,
        "license": None,
    },
    "best-of-n": {**REWARDS, "model": "smoke-S", "n": [1, 64], "gold": [0.5, 0.75], **INTERVAL},
    "gallery-table": {**REWARDS, "rank": [1, 2], "reward": [2.1, 1.9], "fails": "knees"},
    "search-table": {"reward_source": ["smoke-S", "random-XS"], "reward": [0.5, 0.1], "gold": 0.5},
    "diagnosis-table": {
        **REWARDS,
        "task": "kneeling",
        "goal": "a humanoid robot kneeling",
        "level": [5, 1],
        "closeness": [0.8, 0.1],
        "verdict": ["An agent may learn.", "The model means something else."],
    },
    "optimization-table": {"outcome": ["rises", "rises and falls"], "peak": [1.0, 0.5]},
    "prediction-table": {
        "predictor": ["auroc", "epic"],
        "rho": [0.8, -0.1],
        "rho_low": -0.2,
        "rho_high": 0.9,
        "pairs": 4,
    },
    "success-by-size-table": {
        **REWARDS,
        "model": ["smoke-S", "views"],
        "parameters": [9, 2],
        "success_rate": [0.9, 0.1],
        "success_rate_low": 0.05,
        "success_rate_high": 0.95,
    },
    "claims": {"claim": ["one", "two"], "verdict": ["holds", "cannot be said here"]},
    "oracles": {"task": ["kneeling", "lotus"], "poses, clean": [1.0, 0.9]},
}
"""Tables by their captions."""


def success(runs, rates, random_rate=0.01):
    """The table of an experiment: the success rate of each run, and that of a random policy."""
    rows = [
        {**run.model_dump(exclude={"seed"}), "seeds": run.seed, "success_rate": rate}
        for run, rate in zip(runs, rates, strict=True)
    ]
    tasks = dict.fromkeys(run.task for run in runs)
    random = {"scene": "any", "reward_source": RANDOM_POLICY, "scoring": "alpha-0", "seeds": 0}
    rows += [{"task": task, **random, "success_rate": random_rate} for task in tasks]
    table = pd.DataFrame(rows).assign(trajectories=100)
    rate = table["success_rate"]
    return table.assign(
        low=(rate - 0.005).clip(0), high=(rate + 0.005).clip(upper=1), success_fraction=rate / 2
    )


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """A folder of results with each figure, table, and video of the smoke configuration."""
    results = tmp_path_factory.mktemp("run") / "results" / "smoke"
    config = parse_config(smoke_all())
    for folder in ("figures", "tables", "benchmarks"):
        (results / folder).mkdir(parents=True)
    (results / "config.yaml").write_text(yaml.safe_dump(smoke_all(), sort_keys=False))
    figure = Figure(figsize=(9, 2))
    figure.subplots().plot([0, 1])
    drawn = [results / f"drawn.{suffix}" for suffix in ("svg", "png")]
    save_figure(figure, drawn)
    for section in contents(config):
        for exhibit in section.exhibits:
            if not exhibit.is_table:
                for path in drawn:
                    shutil.copy(path, results / "figures" / f"{exhibit.name}{path.suffix}")
            elif exhibit.caption != "success-table":
                table = pd.DataFrame(COLUMNS[exhibit.caption])
                table.to_csv(results / "tables" / f"{exhibit.name}.csv", index=False)
    for name in config.experiments:
        runs = list(config.runs(name))
        rates = np.linspace(0.9, 0.0, len(runs))
        success(runs, rates).to_csv(results / "tables" / f"success-{name}.csv", index=False)
    video = results / "video.mp4"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(0, 250, 25):
            picture = np.full((48, 64, 3), shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    for run in recorded_runs(config):
        (results / video_of(run)).parent.mkdir(parents=True)
        shutil.copy(video, results / video_of(run))
    record = {"rule_name": "train_policy", "s": 61.0}
    (results / "benchmarks" / "one.jsonl").write_text(json.dumps(record) + "\n")
    for path in (*drawn, video):
        path.unlink()
    return results


@pytest.fixture
def smoke(finished_run, tmp_path):
    """A copy of the finished run that a test may change, and its page as text."""
    results = tmp_path / "smoke"
    shutil.copytree(finished_run, results)

    def page(output=results / "index.html"):
        write_page(results, load_config(results / "config.yaml"), output)
        return output.read_text()

    return SimpleNamespace(results=results, page=page)
