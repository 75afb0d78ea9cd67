"""Diagnosis of the tasks of a run, with made-up embeddings."""

import numpy as np
import pandas as pd
import pytest

from vlmrm.config import DiagnosisStates
from vlmrm.config.settings import DiagnosisSettings, PromptSettings
from vlmrm.diagnosis.sentences import AVERAGE, KNOWN, PARAPHRASES
from vlmrm.diagnosis.tasks import measure_tasks, with_verdicts
from vlmrm.errors import UserError
from vlmrm.states import sample_states

TASKS = list(KNOWN)
SETTINGS = DiagnosisSettings(
    prompts=[
        PromptSettings(task="kneel", goals=["kneel", "on its knees"], contrasts=["sit"]),
        PromptSettings(task="sit", goals=["sit"], contrasts=["kneel"]),
    ],
    oracles={"kneel": "kneeling", "sit": "lotus"},
    scorings=["alpha-0", "contrast-0.05"],
)
MEANT = {"kneel": "kneeling", "on its knees": "kneeling", "sit": "lotus"}
MEANT |= {text: task for task, texts in PARAPHRASES.items() for text in texts}
MEANT |= {text: task for task, text in KNOWN.items()}


def embed(sentences):
    """A direction per pose."""
    return np.eye(len(TASKS) + 1, dtype=np.float32)[[TASKS.index(MEANT[s]) for s in sentences]]


@pytest.fixture(scope="module")
def states():
    return sample_states(DiagnosisStates(sampler="diagnosis", poses=16))


@pytest.fixture(scope="module")
def images(states):
    """Each pose of a task is near its direction, by the oracle's score."""
    scores = np.stack([states.columns[f"score {task}"] for task in TASKS], axis=1)
    near = scores / np.sqrt(len(TASKS))
    rest = np.sqrt(1 - (near**2).sum(axis=1, keepdims=True))
    return np.hstack([near, rest]).astype(np.float32)


def test_each_task_is_measured_by_its_own_oracle_and_words(states, images):
    table = measure_tasks(states, images, embed, SETTINGS)
    named = list(zip(table["task"], table["goal"], table["scoring"], strict=True))
    goals = [("kneel", goal) for goal in (AVERAGE, "kneel", "on its knees")] + [("sit", "sit")]
    assert named == [(*goal, scoring) for goal in goals for scoring in SETTINGS.scorings]
    assert (table["preferred"] == table["oracle"]).all()
    assert (table[["auroc", "wording_low"]] > 0.99).all(axis=None)
    assert (table.loc[table["scoring"] == "alpha-0", "progress"] > 0.99).all()


def test_a_sentence_that_cannot_be_embedded_is_named_by_its_task(states, images):
    def refuse(sentences):
        if "sit" in sentences:
            raise ValueError("too long")
        return embed(sentences)

    with pytest.raises(UserError, match=r"tasks\.kneel: too long"):
        measure_tasks(states, images, refuse, SETTINGS)


def test_verdicts_are_about_one_task_and_the_tables_of_all_models(states, images):
    tables = []
    for model, shown in (("sim-S", images), ("sim-L", np.roll(images, 1, axis=0))):
        table = measure_tasks(states, shown, embed, SETTINGS)
        tables.append(table.assign(scene="textured-fixed", model=model))
    table = with_verdicts(pd.concat(tables, ignore_index=True))
    assert list(table.columns[:8]) == [
        *("task", "scene", "model", "scoring", "goal", "level", "verdict", "try_next")
    ]
    assert table["task"].tolist() == ["kneel"] * 12 + ["sit"] * 4
    good = table[table["model"] == "sim-S"]
    bad = table[table["model"] == "sim-L"]
    assert good["level"].min() > bad["level"].max()
    assert bad["verdict"].str.contains("something other than (?:kneeling|lotus)").all()
    # A larger model and a contrast were measured.
    assert not table["try_next"].str.contains("larger|--contrast").any()
