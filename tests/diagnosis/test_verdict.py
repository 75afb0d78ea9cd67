"""Words from made-up numbers."""

import re

import pandas as pd
import pytest

from tests.paths import ROOT
from vlmrm.data.tables import read_table
from vlmrm.diagnosis.sentences import AVERAGE, KNOWN, PARAPHRASES
from vlmrm.diagnosis.verdict import (
    CLOSE,
    EASY,
    TAUGHT,
    Level,
    describe,
    judge_pictures,
    level,
    verdict,
)

GOOD = {
    **dict.fromkeys(KNOWN, 0.5),
    "model": "sim-M",
    "scoring": "alpha-0",
    "goal": "a humanoid robot kneeling",
    "preferred": "kneeling",
    "oracle": "kneeling",
    "kneeling": 0.99,
    "lotus": 0.8,
    "progress": 0.9,
    "closeness": 0.8,
    "auroc": 0.99,
    "fooled": 0.0,
    "rewarded": 40,
    "best_of_n": 1.0,
    "margin": 1.0,
    "ease": 0.5,
    "spread": 0.9,
}
VAGUE = GOOD | {"spread": 0.5, "auroc": 0.8, "kneeling": 0.8}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Level.likely),
        ({"ease": 0.3}, Level.open),
        ({"closeness": 0.5}, Level.open),
        ({"closeness": 0.5, "ease": 0.3}, Level.unlikely),
        ({"fooled": 0.2}, Level.fooled),
        ({"preferred": "lotus"}, Level.other),
        ({"auroc": 0.8}, Level.other),
        ({"spread": 0.5, "auroc": 0.8}, Level.unknown),
        ({"spread": 0.5}, Level.likely),
    ],
)
def test_each_fault_has_its_level(changes, expected):
    assert level(GOOD | changes, named=True) == expected


def test_a_small_spread_is_excused_only_if_the_sentence_prefers_the_named_pose():
    assert level(GOOD | {"spread": 0.5}, named=False) == Level.unknown


@pytest.mark.parametrize("oracle", ["kneeling", None])
@pytest.mark.parametrize(
    "changes",
    [{}, {"ease": 0.3, "closeness": 0.1}, {"fooled": 0.2}, {"auroc": 0.6}, {"spread": 0.1}],
)
def test_a_verdict_has_at_most_ten_lines_and_says_what_to_try(changes, oracle):
    rows = [GOOD | changes | {"goal": goal} for goal in (AVERAGE, "kneeling", "on its knees")]
    lines = verdict(rows, oracle)
    assert len(lines) <= 10
    assert sum(line.startswith("  Try next: 1. ") for line in lines) == 1
    assert sum("No --oracle" in line for line in lines) == (oracle is None)


def test_a_good_sentence():
    lines = verdict([GOOD], "kneeling")
    assert lines[0] == "An agent will probably learn kneeling. (sim-M, alpha-0)"
    assert "prefers kneeling (AUROC 0.990), then lotus (0.800)" in lines[1]


@pytest.mark.parametrize(
    ("false", "near"), [(0, False), (1, True), (2, True), (4, True), (5, False)]
)
def test_a_verdict_that_a_few_poses_decide_says_so(false, near):
    lines = verdict([GOOD | {"fooled": false / 40}], "kneeling")
    (line,) = (line for line in lines if "False successes" in line)
    assert f"{false} of 40 poses that are rewarded like a success" in line
    assert ("2 more or fewer would change that" in line) == near


def test_a_sentence_about_something_else():
    lines = verdict([VAGUE])
    assert lines[0].startswith("The model hardly distinguishes poses by this sentence.")
    assert "a published model" in lines[-1]
    assert "published" not in verdict([VAGUE | {"model": "ViT-L-14"}])[-1]


def test_it_describes_the_best_row():
    rows = [GOOD | {"fooled": 0.3, "closeness": 0.9}, GOOD | {"scoring": "contrast-0.05"}]
    first = verdict(rows, "kneeling")[0]
    assert first.endswith("(sim-M, contrast-0.05, the best of 2 measured)")


def test_the_wording_is_compared_by_the_same_model_and_scoring():
    rows = [
        GOOD | {"goal": goal, "kneeling": area, "closeness": close}
        for goal, area, close in ((AVERAGE, 0.97, 0.8), ("first", 0.9, 0.7), ("second", 0.98, 0.7))
    ]
    (line,) = (line for line in verdict(rows, "kneeling") if "Wording" in line)
    assert "0.900 to 0.980 over 2 sentences, averaged 0.970; best is 'second'" in line


def test_of_several_sentences_the_average_is_judged_on_which_agents_are_trained():
    rows = [
        GOOD | {"goal": AVERAGE, "fooled": 0.5},
        GOOD | {"goal": "good"},
        GOOD | {"goal": "bad", "fooled": 0.6},
    ]
    assert verdict(rows, "kneeling")[0] == (
        "An agent will find poses that are rewarded like kneeling and are not. (sim-M, alpha-0)"
    )


def test_the_shares_of_rewards_that_taught_a_pose_are_those_of_the_reference_agents():
    reference = ROOT / "results" / "reference"
    on = ["task", "reward_source", "scoring"]
    tables = (reference / "agents" / "success-humanoid.csv", reference / "sizes" / "success.csv")
    success = [read_table(path)[[*on, "success_rate"]] for path in tables]
    success.append(pd.read_csv(ROOT / "benchmarks" / "agents.csv"))
    agents = pd.concat(success).groupby(on, as_index=False)["success_rate"].mean()
    measured = read_table(reference / "sizes" / "diagnosis.csv")
    pairs = agents.merge(measured.rename(columns={"model": "reward_source"}), on=on)
    assert len(pairs) == 24
    taught = pairs["success_rate"] > 0.5
    for measure, threshold in (("closeness", CLOSE), ("ease", EASY)):
        above = pairs[measure] >= threshold
        parts = [f"{taught[some].sum()} of {some.sum()}" for some in (above, ~above)]
        said = re.findall(r"\d+ of \d+", TAUGHT[measure])
        assert said == parts


def test_what_has_been_measured_is_not_advised():
    bad = GOOD | {"fooled": 0.2}
    advice = next(line for line in verdict([bad], "kneeling") if "Try next" in line)
    assert f"--contrast '{KNOWN['lotus']}'" in advice
    assert "--baseline" in advice and "--model sim-L" in advice
    rows = [bad | {"scoring": s, "model": "sim-L"} for s in ("alpha-0.5", "contrast-0.05")]
    advice = next(line for line in verdict(rows, "kneeling") if "Try next" in line)
    assert advice == "  Try next: 1. other words."


def test_scenes_are_named_where_there_are_several_and_only_then_advised_no_more():
    bad = GOOD | {"fooled": 0.2, "model": "ViT-L-14", "scene": "textured"}
    assert "another scene" in verdict([bad], "kneeling")[-2]
    rows = [bad, bad | {"scene": "filament", "closeness": 0.9}]
    lines = verdict(rows, "kneeling")
    assert lines[0].endswith("(ViT-L-14, alpha-0, filament, the best of 2 measured)")
    assert not any("another scene" in line for line in lines)


def test_other_words_are_not_those_that_were_measured():
    wrong = GOOD | {"preferred": "lotus", "goal": KNOWN["kneeling"]}
    advice = describe([wrong])[0]["try_next"]
    assert f"'{KNOWN['kneeling']}'" not in advice
    assert f"other words, as in '{PARAPHRASES['kneeling'][0]}'" in advice


def test_where_all_known_words_were_measured_the_pose_s_own_are_named():
    wrong = GOOD | {"preferred": "lotus"}
    rows = [wrong | {"goal": goal} for goal in (KNOWN["kneeling"], *PARAPHRASES["kneeling"])]
    assert f"other words, as in '{KNOWN['kneeling']}'" in describe(rows)[0]["try_next"]


def test_each_row_of_a_task_has_its_verdict_and_advice_that_nothing_measured_covers():
    rows = [GOOD | {"ease": 0.2}, GOOD | {"scoring": "contrast-0.05", "fooled": 0.3}]
    likely, fooled = describe(rows)
    assert (likely["level"], fooled["level"]) == (Level.open, Level.fooled)
    assert likely["verdict"] == "An agent may learn kneeling."
    assert "a longer training" in likely["try_next"]
    assert "--contrast" not in fooled["try_next"] and "--baseline" in fooled["try_next"]


PICTURES = {"model": "m", "scoring": "alpha-0", "goal": "a cat", "std": 0.1}


def test_labeled_pictures_are_judged_by_their_folders():
    good = PICTURES | {"auroc": 0.95, "fooled": 0.0, "best_of_n": 1.0}
    assert judge_pictures([good], [])[0].startswith("The sentence tells yes from no: AUROC 0.950")
    lines = judge_pictures([good | {"fooled": 0.3}], [])
    assert lines[0].startswith("The sentence does not tell yes from no")
    assert "--contrast" in lines[1]


def test_pictures_are_judged_by_other_sentences():
    other = {"model": "m", "goal": "a cat", "sentence": "a dog", "correlation": 0.95, "closer": 0.5}
    (line,) = judge_pictures([PICTURES], [other])
    assert "'a cat' orders the pictures as 'a dog' does (rank correlation 0.95, m)" in line
    (line,) = judge_pictures([PICTURES], [other | {"correlation": 0.1}])
    assert "otherwise" in line


def test_pictures_alone_cannot_be_judged():
    (line,) = judge_pictures([PICTURES], [])
    assert "--contrast" in line and "yes and no" in line
