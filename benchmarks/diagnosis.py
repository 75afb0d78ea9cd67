"""Calibrates `vlmrm diagnose`: what it measures against trained agents and known sentences.

    python benchmarks/diagnosis.py

First, the rank correlation of every measure with the mean success of the agents of
results/reference, and that of the share of true poses, in which no reward has a part: eight on
`sim-L` after 75,000 to 100,000 steps (four seeds), those of sizes, and eight on the model of rounds
(one or two seeds); and of three on `sim-S` after 60,000, of which only `benchmarks/agents.csv` is
left (one seed). Then that of the measures on the larger pose sets of both folders, and once more
together with the agents of classic control, over alpha. `predictions` of a configuration does the
same with the agents of a run.

Then, how far the measures tell sentences apart that mean a pose (the paraphrases of
vlmrm/diagnosis) from those that do not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vlmrm.config import RANDOM_POLICY
from vlmrm.config.settings import DiagnosisSettings, PromptSettings
from vlmrm.config.training import SERIES
from vlmrm.data.tables import read_table
from vlmrm.diagnosis.cached import cached_embeddings, cached_states
from vlmrm.diagnosis.sentences import AVERAGE, KNOWN, PARAPHRASES, Sentences, measure_sentences
from vlmrm.diagnosis.tasks import measure_tasks, with_verdicts
from vlmrm.diagnosis.verdict import MEANS, SPREAD
from vlmrm.epic.distances import rank_correlation
from vlmrm.models.clip import ClipModel
from vlmrm.optimization.prediction import correlations, diagnosis_predictors, epic_predictors

AGENTS = Path(__file__).with_name("agents.csv")
REFERENCE = Path(__file__).parents[1] / "results" / "reference"
SIZES = REFERENCE / "sizes"
ROUNDS = REFERENCE / "rounds"
SUCCESS = (
    REFERENCE / "agents" / "success-humanoid.csv",
    SIZES / "success.csv",
    ROUNDS / "success.csv",
)
FOLDERS = {"sim-L-round-1": ROUNDS / "sim-L-round-1"}
"""Models that do not come with the package."""
CLASSIC_CONTROL = REFERENCE / "classic-control" / "success.csv"
SCENE = "textured-fixed"
POSES = 128
OTHERS = """
a red bicycle in the snow, a bowl of soup, two cats on a sofa, the stock market fell,
a map of France, an old wooden ship at sea, green, a portrait of a queen, rain on a window,
a page of text, a violin, an airplane above clouds, a crowd in a stadium, my favorite song,
a loaf of bread, an electron microscope, a street at night, a field of tulips,
a coffee cup on a desk, mathematics
"""
"""Sentences about other things, written before they were measured."""
RESAMPLES = 2000


def main() -> None:
    agents = success_of_agents()
    settings = DiagnosisSettings(
        prompts=[
            PromptSettings(task=task, goals=[KNOWN[task]], baselines=["a humanoid robot"])
            for task in agents["task"].unique()
        ],
        oracles={task: task for task in agents["task"]},
        scorings=sorted(agents["scoring"].unique()),
    )
    states, folder = cached_states(POSES)
    meant = {sentence: task for task in KNOWN for sentence in PARAPHRASES[task]}
    others = [" ".join(sentence.split()) for sentence in OTHERS.split(",")]
    tables, sentence_rows = [], []
    for name in agents["reward_source"].unique():
        clip = ClipModel.load(FOLDERS.get(name, name))
        images = cached_embeddings(states, folder, SCENE, clip)
        measured = measure_tasks(states, images, clip.embed_prompts, settings)
        tables.append(measured.assign(scene=SCENE, model=name))
        goals = Sentences([*meant, *others])
        texts = [*goals.all, *KNOWN.values()]
        prompts = dict(zip(texts, clip.embed_prompts(texts), strict=True))
        rows = measure_sentences(states, images, prompts, goals, ["alpha-0"])
        sentence_rows += [row for row in rows if row["goal"] != AVERAGE]
    measures = diagnosis_predictors(with_verdicts(pd.concat(tables, ignore_index=True)))
    larger = epic_predictors(
        *(
            pd.concat([read_table(folder / name) for folder in (SIZES, ROUNDS)])
            for name in ("epic.csv", "best-of-n.csv")
        )
    )
    table = agents.merge(measures, on=SERIES)
    print(table.drop(columns="scene").to_string(index=False, float_format="{:.3f}".format))
    _print_correlations(table)
    poses = states.columns["path"] == ""
    shares = agents["task"].map({task: true[poses].mean() for task, true in states.labels.items()})
    print("Without any reward, the share of true poses:", end=" ")
    print(f"{rank_correlation(shares, agents['success_rate']):.2f}")
    _print_correlations(agents.merge(larger, on=SERIES))
    classic = pd.read_csv(CLASSIC_CONTROL).groupby(SERIES, as_index=False)["success_rate"].mean()
    _print_correlations(pd.concat([agents, classic]).merge(larger, on=SERIES))

    table = pd.DataFrame(sentence_rows)
    other = table[table["goal"].isin(others)]
    known = table.drop(other.index).assign(task=lambda rows: rows["goal"].map(meant))
    own = np.array([row[row["task"]] for _, row in known.iterrows()])
    right = known["preferred"] == known["task"]
    print(f"\nSentences about other things with a spread below {SPREAD}:", end=" ")
    print(f"{(other['spread'] < SPREAD).sum()} of {len(other)};", end=" ")
    print(f"paraphrases: {(known['spread'] < SPREAD).sum()} of {len(known)}")
    print(f"Largest AUROC of the others: {other['auroc'].max():.3f}")
    for side, rows in (("from", own >= MEANS), ("below", own < MEANS)):
        print(f"Paraphrases with an AUROC {side} {MEANS}:", end=" ")
        print(f"{right[rows].sum()} of {rows.sum()} prefer their own pose")


def success_of_agents() -> pd.DataFrame:
    """Mean success of the agents of each reward by a model."""
    trained = pd.concat([read_table(path) for path in SUCCESS])
    trained = trained[trained["reward_source"] != RANDOM_POLICY].assign(scene=SCENE)
    means = trained.groupby(SERIES, as_index=False)["success_rate"].mean()
    return pd.concat([means, pd.read_csv(AGENTS).assign(scene=SCENE)], ignore_index=True)


def _print_correlations(table: pd.DataFrame) -> None:
    print(f"\nRank correlation with success, n = {len(table)} pairs of", end=" ")
    print(f"{table['task'].nunique()} tasks, with the 95 % interval over tasks:")
    found = correlations(table, "success_rate", RESAMPLES).drop(columns=["pairs", "tasks"])
    print(found.to_string(index=False, float_format="{:.2f}".format))


if __name__ == "__main__":
    main()
