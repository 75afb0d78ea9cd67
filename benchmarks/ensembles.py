"""Compares ensembles with their members and with a larger model, on poses; trains nothing.

    snakemake --cores all --configfile CONFIG --until embed_frames embed_prompts
    python benchmarks/ensembles.py CONFIG RESULTS OUTPUT

CONFIG is that of results/reference/ensembles, RESULTS the run's folder, which has the embeddings.
Ensembles are scored in this process, as `vlmrm score-ensemble` does. OUTPUT gets `measures.csv` and
`comparisons.csv`: differences of paired bootstrap resamples of the trajectories, averaged over the
tasks.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from vlmrm.config import Config, EnsembleModel, load_config
from vlmrm.config.ensembles import ensemble_settings, towers
from vlmrm.data.embeddings import read_embeddings, read_prompt_embeddings
from vlmrm.data.states import States
from vlmrm.data.tables import write_table
from vlmrm.epic.bootstrap import cluster_bootstrap
from vlmrm.epic.distances import auroc, class_balanced_distance, fooled, pearson_distance
from vlmrm.optimization.best_of_n import best_of_n
from vlmrm.plan.sizes import model_size
from vlmrm.rewards.members import measure_members, score_ensemble
from vlmrm.rewards.scoring import score_by_goal, score_states

MEASURES = ("epic", "epic_balanced", "auroc", "fooled", "best_of_16", "best_of_128")
RESAMPLES = 300
AGGREGATES = ("mean", "min", "pessimistic")
# Ensembles by the beginnings of their names, and what each is compared with.
AGAINST = {
    "XS-S-M": ("sim-M", "sim-L"),
    "S-M": ("sim-M", "sim-L"),
    "S-M-L": ("sim-L",),
    "sim-S-views": ("sim-S", "sim-M"),
    "sim-L-views": ("sim-L",),
    "sim-S-said": ("sim-S averaged", "sim-S"),
    "sim-L-said": ("sim-L averaged", "sim-L"),
}


def measure(rewards, labels):
    """The measures of rewards ``[N]``, in the order of `MEASURES`."""
    return np.array(
        [
            pearson_distance(rewards, labels),
            class_balanced_distance(rewards, labels),
            auroc(rewards, labels),
            fooled(rewards, labels),
            *best_of_n(rewards, labels, [16, 128]),
        ]
    )


class Run:
    """Rewards of a run's state sets, from its embeddings."""

    def __init__(self, config: Config, folder: Path):
        self.config, self.folder = config, folder

    @functools.cache  # noqa: B019  # one run
    def rewards(
        self, model: str, task: str, scene: str, states: str, by_goal: bool
    ) -> pd.DataFrame:
        settings = self.config.scoring_settings(task)
        images = read_embeddings(self.folder / "embeddings" / states / scene / f"{model}.h5")
        prompts = read_prompt_embeddings(self.folder / "prompts" / task / f"{model}.h5")
        score = score_by_goal if by_goal else score_states
        return score(images, prompts, settings).assign(scene=scene, model=model)

    def score(self, name: str, task: str, scene: str, states: str) -> pd.DataFrame:
        model = self.config.models[name]
        if not isinstance(model, EnsembleModel):
            return self.rewards(name, task, scene, states, False)
        settings = ensemble_settings(self.config, name, task, scene)
        pairs = dict.fromkeys((member.model, member.scene) for member in settings.members)
        reference, scored = (
            pd.concat(self.rewards(m, task, s, set_, model.prompts == "separate") for m, s in pairs)
            for set_ in (model.reference, states)
        )
        return score_ensemble(scored, measure_members(reference, settings), settings)


def main(config_file: str, results: str, output: str) -> None:
    config = load_config(config_file)
    run = Run(config, Path(results))
    rows, samples = [], {}
    for entry in config.epic.values():
        oracle = config.tasks[entry.task].oracle
        states = States.read(run.folder / "states" / f"{entry.states}.h5")
        labels, trajectory = states.labels[oracle], states.columns.get("trajectory")
        member_of, draw = cluster_bootstrap(len(labels), trajectory, RESAMPLES, 0)
        counts = draw(RESAMPLES)[:, member_of].astype(int)
        draws = [np.repeat(np.arange(len(labels)), drawn) for drawn in counts]
        (scene,) = entry.scenes
        for name in entry.models:
            label = name
            if not isinstance(config.models[name], EnsembleModel):
                label += " averaged" if entry.task.endswith("-said") else ""
                label += "" if scene == "textured-fixed" else f" in {scene}"
            sizes = [model_size(config, tower) for tower in towers(config, name)]
            table = run.score(name, entry.task, scene, entry.states)
            for scoring, group in table.groupby("scoring"):
                values = group.sort_values("state")["reward"].to_numpy()
                drawn = np.array([measure(values[i], labels[i]) for i in draws])
                samples[label, scoring, entry.states] = measure(values, labels), drawn
                low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
                row = {"task": entry.states, "reward": label, "scoring": scoring}
                row["image_parameters"] = sum(size.image_parameters for size in sizes)
                row["image_flops"] = sum(size.image_flops for size in sizes)
                for number, what in enumerate(MEASURES):
                    row |= {
                        what: samples[label, scoring, entry.states][0][number],
                        f"{what}_low": low[number],
                        f"{what}_high": high[number],
                    }
                rows.append(row)
        print(entry.task, scene, flush=True)
    measures = pd.DataFrame(rows)
    write_table(Path(output) / "measures.csv", measures.round(4))
    write_table(Path(output) / "comparisons.csv", compare(measures, samples).round(4))


def compare(measures: pd.DataFrame, samples: dict) -> pd.DataFrame:
    """Mean differences over the tasks, with intervals over paired resamples."""
    sizes = measures.drop_duplicates("reward").set_index("reward")["image_parameters"]
    tasks = sorted({task for *_, task in samples})
    rows = []
    for start, others in AGAINST.items():
        for how in AGGREGATES:
            name = f"{start}-{how}"
            mean = (f"{start}-mean",) if how != "mean" else ()
            for other in (*others, *mean):
                for scoring in measures["scoring"].unique():
                    pairs = [(samples[name, scoring, t], samples[other, scoring, t]) for t in tasks]
                    point = np.array([one[0] - two[0] for one, two in pairs])
                    drawn = np.mean([one[1] - two[1] for one, two in pairs], axis=0)
                    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
                    for number, what in enumerate(MEASURES):
                        falls = what in ("epic", "epic_balanced", "fooled")
                        differences = point[:, number]
                        rows.append(
                            {
                                "ensemble": name,
                                "against": other,
                                "parameters_ratio": sizes[name] / sizes[other],
                                "scoring": scoring,
                                "measure": what,
                                "tasks": len(tasks),
                                "better": int(((differences < 0) == falls)[differences != 0].sum()),
                                "difference": differences.mean(),
                                "low": low[number],
                                "high": high[number],
                            }
                        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
