"""Calibrates `vlmrm diagnose`: what it measures against trained agents and known sentences.

    python benchmarks/diagnosis.py [SUCCESS.csv ...]

First, the rank correlation of every measure with the success of trained agents.

Tables of the workflow (`results/*/tables/success-*.csv`) of humanoid tasks with packaged models
fit; the default is `benchmarks/agents.csv`: agents of two packaged models after 60,000 steps, one
seed each. The interval resamples tasks: agents of the same task are alike.

Then, how far the measures tell sentences apart that mean a pose (the paraphrases of
tests/pretraining) from those that do not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import spearmanr

from vlmrm.diagnosis.cached import cached_embeddings, cached_states
from vlmrm.diagnosis.sentences import AVERAGE, KNOWN, Sentences, measure_sentences
from vlmrm.diagnosis.verdict import MEANS, SPREAD
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import check_model_folder

# Higher is better for all of these.
PREDICTORS = ("progress", "closeness", "auroc", "-fooled", "best_of_n", "margin", "spread", "ease")
POSES = 128
PARAPHRASES = Path(__file__).parents[1] / "tests" / "pretraining" / "paraphrases.yaml"
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
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="*", help="tables of success (CSV)")
    files = parser.parse_args().files or [Path(__file__).with_name("agents.csv")]
    agents = pd.concat([pd.read_csv(file) for file in files])
    keys = ["reward_source", "task", "scoring"]
    agents = agents.groupby(keys, as_index=False)["success_rate"].mean()
    states, folder = cached_states(POSES)
    rows = []
    paraphrases = yaml.safe_load(PARAPHRASES.read_text())
    meant = {sentence: task for task in KNOWN for sentence in paraphrases[task]}
    others = [sentence.strip() for sentence in OTHERS.split(",")]
    sentence_rows = []
    for name, trained in agents.groupby("reward_source"):
        model = check_model_folder(str(name))
        clip = ClipModel.load(model)
        images = cached_embeddings(states, folder, "textured-fixed", model, clip)
        sentences = [*KNOWN.values(), "a humanoid robot"]
        prompts = dict(zip(sentences, clip.embed_prompts(sentences), strict=True))
        for agent in trained.itertuples():
            goals = Sentences([KNOWN[str(agent.task)]], sentences[-1:])
            scorings = [str(agent.scoring)]
            (row,) = measure_sentences(states, images, prompts, goals, scorings, str(agent.task))
            rows.append({"model": name, "task": agent.task, "success": agent.success_rate, **row})
        goals = Sentences([*meant, *others])
        texts = [*goals.all, *KNOWN.values()]
        prompts = dict(zip(texts, clip.embed_prompts(texts), strict=True))
        measured = measure_sentences(states, images, prompts, goals, ["alpha-0"])
        sentence_rows += [row for row in measured if row["goal"] != AVERAGE]
    table = pd.DataFrame(rows)
    table["-fooled"] = -table["fooled"]
    columns = ["model", "task", "scoring", "success", *PREDICTORS]
    print(table[columns].to_string(index=False, float_format="{:.3f}".format))
    print(f"\nRank correlation with success, n = {len(table)} agents of", end=" ")
    print(f"{table['task'].nunique()} tasks, with the 95 % interval over tasks:")
    print(correlations(table).to_string(float_format="{:.2f}".format))

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


def correlations(table: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation of each predictor with success, best first, with bootstrap intervals."""
    rng = np.random.default_rng(0)
    tasks = [rows for _, rows in table.groupby("task")]
    resamples = [
        pd.concat([tasks[i] for i in rng.integers(len(tasks), size=len(tasks))])
        for _ in range(RESAMPLES)
    ]
    found = {}
    for name in PREDICTORS:
        drawn = [spearmanr(t[name], t["success"]).statistic for t in resamples if varies(t, name)]
        low, high = np.quantile(drawn, (0.025, 0.975))
        found[name] = (spearmanr(table[name], table["success"]).statistic, low, high)
    columns = ["correlation", "low", "high"]
    result = pd.DataFrame.from_dict(found, orient="index", columns=columns)
    return result.sort_values("correlation", ascending=False)


def varies(table: pd.DataFrame, name: str) -> bool:
    return bool(np.ptp(table[name]) > 0 and np.ptp(table["success"]) > 0)


if __name__ == "__main__":
    main()
