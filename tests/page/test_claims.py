"""Claims about the method, held against the tables of a run."""

import pandas as pd
import pytest

from vlmrm.errors import UserError
from vlmrm.figures.paper import published_success
from vlmrm.page import claims
from vlmrm.page.claims import FAILS, HOLDS, OPEN, check_claims, compare, known_claims
from vlmrm.page.contents import CLAIM_KINDS

PLACE = {"task": "kneeling", "scene": "textured-fixed", "scoring": "alpha-0"}


def agent(rate, trajectories=100, **changes):
    row = {**PLACE, "reward_source": "big", "seeds": 0, "success_rate": rate}
    return {**row, "trajectories": trajectories, **changes}


def agents(rate, trajectories=100, **changes):
    """Three agents, the fewest that say something."""
    return [agent(rate, trajectories, seeds=seed, **changes) for seed in range(3)]


def measured(model, epic, parameters, **changes):
    interval = {"epic_low": epic - 0.1, "epic_high": epic + 0.1}
    row = {**PLACE, "states": "s", "model": model, "source": "packaged", "n": 500, "epic": epic}
    return {**row, **interval, "parameters": parameters, **changes}


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """The row of one claim, on tables with these rows."""

    def check(claim, **tables):
        claim = {"claim": "c", "by": "paper", "stated": "", **claim}
        monkeypatch.setattr(claims, "known_claims", lambda: [claim])
        paths = []
        for name, rows in tables.items():
            paths.append(tmp_path / f"{name.replace('_', '-')}-some.csv")
            pd.DataFrame(rows).to_csv(paths[-1], index=False)
        (row,) = check_claims(paths).to_dict("records")
        return row

    return check


HALF = {"table": "success", "column": "success_rate", "where": {"task": "kneeling"}, "smaller": 0.5}
SIZES = {
    "table": "epic",
    "column": "epic",
    "where": {"scoring": "alpha-0"},
    "larger": {"model": "smallest"},
    "smaller": {"model": "largest"},
}


@pytest.mark.parametrize(("rate", "verdict"), [(0.9, HOLDS), (0.1, FAILS), (0.55, OPEN)])
def test_a_bound_counts_where_the_interval_excludes_it(checked, rate, verdict):
    assert checked(HALF, success=agents(rate))["verdict"] == verdict
    at_most = {**HALF, "larger": 0.5}
    del at_most["smaller"]
    assert checked(at_most, success=agents(1 - rate))["verdict"] == verdict


def test_seeds_are_pooled_and_references_left_out(checked):
    rows = [agent(0.58), agent(0.62, seeds=1), agent(0.66, seeds=2)]
    rows.append(agent(0.0, reward_source="random-policy"))
    row = checked(HALF, success=rows)
    assert (row["verdict"], row["sample"], row["seeds"]) == (HOLDS, "300", "3")
    assert row["found"].startswith("kneeling, textured-fixed, big, alpha-0: 0.62 (0.5")
    assert row["files"] == "tables/success-some.csv"


def test_seeds_that_differ_leave_a_claim_open(checked):
    # Of as many independent trajectories, 200 of 300 would do.
    rows = [agent(1.0), agent(0.9, seeds=1), agent(0.1, seeds=2)]
    assert checked(HALF, success=rows)["verdict"] == OPEN


def test_two_agents_leave_a_claim_open(checked):
    assert checked(HALF, success=agents(1.0)[:2])["verdict"] == OPEN
    assert checked(HALF, success=agents(1.0))["verdict"] == HOLDS


def test_an_agent_of_two_experiments_counts_once(checked):
    assert checked(HALF, success=[agent(1.0), agent(1.0)])["seeds"] == "1"


def test_models_are_ordered_by_their_parameters(checked):
    rows = [measured("big", 0.2, 9), measured("small", 0.5, 1), measured("middle", 0.9, 4)]
    row = checked(SIZES, epic=rows)
    assert row["verdict"] == HOLDS
    assert "0.50 (0.40 to 0.60) against big: 0.20 (0.10 to 0.30)" in row["found"]
    assert row["sample"] == "500"


def test_random_weights_are_no_size(checked):
    rows = [measured("big", 0.2, 9), measured("small", 0.5, 1)]
    rows.append(measured("random", 0.0, 20, source="random"))
    assert checked(SIZES, epic=rows)["verdict"] == HOLDS
    # Nor does it train agents that a claim is about.
    agents_of_both = [*agents(1.0), *agents(0.0, reward_source="random")]
    assert checked(HALF, success=agents_of_both, epic=rows)["comparisons"] == "1 of 1"


def test_an_ensemble_is_no_size(checked):
    rows = [measured("big", 0.2, 9), measured("small", 0.5, 1)]
    rows.append(measured("duo", 0.9, 10, source="ensemble"))
    row = checked(SIZES, epic=rows)
    assert (row["verdict"], row["comparisons"]) == (HOLDS, "1 of 1")
    assert row["found"].endswith(
        "small, alpha-0: 0.50 (0.40 to 0.60) against big: 0.20 (0.10 to 0.30)"
    )


def test_models_of_one_size_are_not_compared_with_each_other(checked):
    """Such as a model and that of its next round."""
    rows = [measured("first", 0.2, 9), measured("again", 0.5, 9)]
    assert checked(SIZES, epic=rows)["comparisons"] == "0 of 0"
    row = checked(SIZES, epic=[*rows, measured("small", 0.9, 1)])
    assert (row["verdict"], row["comparisons"]) == (HOLDS, "2 of 2")


def test_each_task_is_compared_and_one_that_fails_decides(checked):
    rows = [measured("big", 0.2, 9), measured("small", 0.5, 1)]
    other = [{**row, "task": "lotus", "epic": 0.7 - row["epic"]} for row in rows]
    for row in other:
        row |= {"epic_low": row["epic"] - 0.1, "epic_high": row["epic"] + 0.1}
    row = checked(SIZES, epic=[*rows, *other])
    assert (row["verdict"], row["comparisons"]) == (FAILS, "1 of 2")


def test_what_was_not_measured_cannot_be_said(checked):
    row = checked(SIZES, success=[agent(1.0)])
    assert (row["verdict"], row["comparisons"], row["found"]) == (OPEN, "0 of 0", "")
    # One size is neither the largest nor the smallest of several.
    assert checked(SIZES, epic=[measured("big", 0.2, 9)])["comparisons"] == "0 of 0"


AVERAGE = {
    "table": "epic",
    "column": "epic",
    "where": {},
    "larger": {"scoring": "alpha-0"},
    "smaller": {"scoring": "contrast-0.2"},
    "on_average": True,
}


def scored(differences):
    """Two scorings of a model for each of as many tasks as differences, which are between them."""
    return [
        measured("m", 0.5 - less, 9, task=f"task-{number}", scoring=scoring)
        for number, difference in enumerate(differences)
        for scoring, less in (("alpha-0", 0), ("contrast-0.2", difference))
    ]


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.02, 0.03, 0.01, 0.04, 0.03, -0.01], HOLDS),
        ([-0.02, -0.03, -0.01, -0.04, -0.03, 0.01], FAILS),
        ([0.02, -0.03, 0.01, -0.02, 0.03, -0.01], OPEN),
        ([0.02, 0.03, 0.01, 0.04], OPEN),  # too few
        ([0.02] * 6, OPEN),  # no measure of how tasks differ
    ],
)
def test_an_average_counts_where_single_comparisons_say_nothing(checked, differences, verdict):
    row = checked(AVERAGE, epic=scored(differences))
    assert row["verdict"] == verdict
    assert row["comparisons"] == f"0 of {len(differences)}"
    mean = f"mean difference {sum(differences) / len(differences):.3f}"
    assert mean in row["found"] or len(differences) == 4


def test_the_interval_of_an_average_is_that_of_few_tasks(checked):
    # s is 0.02, and t with four degrees of freedom 2.776: 0.02 × 2.776 / √5 = 0.0248.
    row = checked(AVERAGE, epic=scored([0, 0, 0.02, 0.04, 0.04]))
    assert row["found"] == "mean difference 0.020 (-0.005 to 0.045)"


def test_the_share_of_trainings_that_fall_is_compared_with_a_bound(checked):
    falls = {
        "table": "optimization",
        "column": "falls",
        "where": {},
        "larger": 0.5,
        "on_average": True,
    }
    outcomes = ["rises"] * 9 + ["rises and falls"]
    rows = [
        {**PLACE, "reward_source": "big", "seed": seed, "outcome": outcome, "regret": 0, "drop": 0}
        for seed, outcome in enumerate(outcomes)
    ]
    oracle = {**rows[-1], "reward_source": "oracle"}
    never = [{**rows[0], "task": "lotus", "outcome": "never rises"}] * 9
    row = checked(falls, optimization=[*rows, *never, *[oracle] * 9])
    assert row["verdict"] == HOLDS
    # One of ten; what never rises cannot fall.
    assert row["found"].startswith("mean difference 0.400")


def test_each_task_counts_once_in_an_average(checked):
    rows = scored([0.3, -0.1, -0.1, -0.1, -0.1, -0.1])
    again = [row | {"states": f"s{n}"} for n in range(9) for row in rows[:2]]
    row = checked(AVERAGE, epic=[*rows, *again])
    assert row["found"].startswith("mean difference -0.033")


@pytest.mark.parametrize(
    ("rate", "trajectories", "verdict"),
    [(0.98, 1000, HOLDS), (0.5, 1000, FAILS), (0.9, 10, OPEN)],
)
def test_numbers_are_alike_where_their_intervals_are_close(checked, rate, trajectories, verdict):
    alike = {
        **HALF,
        "larger": {"scoring": "alpha-0"},
        "smaller": {"scoring": "alpha-0.2"},
        "within": 0.1,
    }
    rows = [*agents(1.0, trajectories), *agents(rate, trajectories, scoring="alpha-0.2")]
    assert checked(alike, success=rows)["verdict"] == verdict


def test_states_of_agents_are_compared_with_poses(checked):
    claim = {**AVERAGE, "on_average": False, "larger": {"sampler": "rollouts"}}
    claim["smaller"] = {"sampler": "poses"}
    rows = [measured("m", 0.2, 9, states="poses", sampler="poses")]
    rows.append(measured("m", 0.6, 9, states="met", sampler="rollouts"))
    assert checked(claim, epic=rows)["verdict"] == HOLDS
    rows.append(measured("m", 0.3, 9, states="others", sampler="rollouts"))
    row = checked(claim, epic=rows)
    assert (row["verdict"], row["comparisons"]) == (OPEN, "1 of 2"), "all state sets count"


def test_an_ensemble_is_compared_with_the_model_of_its_size(checked):
    claim = {**SIZES, "larger": {"source": "ensemble"}, "smaller": {"model": "nearest"}}
    rows = [measured("big", 0.2, 90), measured("small", 0.9, 9)]
    rows.append(measured("duo", 0.5, 80, source="ensemble"))
    assert "0.50 (0.40 to 0.60) against big: 0.20" in checked(claim, epic=rows)["found"]
    rows[-1] = measured("duo", 0.5, 40, source="ensemble")
    assert checked(claim, epic=rows)["comparisons"] == "0 of 0"


def test_the_gain_of_regularization_has_an_interval_of_both_distances(checked):
    claim = {"table": "epic", "column": "gain", "where": {}, "smaller": 0.0}
    rows = [measured("m", 0.6, 9), measured("m", 0.3, 9, scoring="alpha-0.5")]
    row = checked(claim, epic=rows)
    assert (row["verdict"], row["comparisons"]) == (HOLDS, "1 of 1")
    assert "0.30 (0.10 to 0.50)" in row["found"]


def test_sizes_are_also_those_of_tables_of_success_by_size(checked):
    claim = {**SIZES, "table": "success", "column": "success_rate"}
    claim |= {"larger": {"model": "largest"}, "smaller": {"model": "smallest"}}
    rows = [*agents(1.0), *agents(0.0, reward_source="small")]
    assert checked(claim, success=rows)["comparisons"] == "0 of 0"
    sizes = [{"model": "big", "source": "packaged", "parameters": 9}]
    sizes.append({"model": "small", "source": "packaged", "parameters": 1})
    assert checked(claim, success=rows, size=sizes)["verdict"] == HOLDS


def test_the_largest_model_is_that_of_all_experiments(checked):
    claim = {**HALF, "where": {"task": "kneeling", "model": "largest"}}
    sizes = [{"model": "big", "source": "packaged", "parameters": 9}]
    sizes.append({"model": "small", "source": "packaged", "parameters": 1})
    small = agents(0.0, reward_source="small")
    row = checked(claim, success=agents(1.0), success_size=small, size=sizes)
    assert (row["verdict"], row["comparisons"]) == (HOLDS, "1 of 1")


def test_the_largest_n_is_that_of_each_state_set(checked):
    claim = {"table": "best-of-n", "column": "gold", "where": {"n": "largest"}, "smaller": 0.9}
    gold = {"gold": 1.0, "gold_low": 0.95, "gold_high": 1.0, "model": "big", **PLACE}
    few, many = ([{**gold, "n": n} for n in (1, most)] for most in (64, 256))
    row = checked(claim, best_of_n_poses=few, best_of_n_met=many)
    assert (row["verdict"], row["comparisons"]) == (HOLDS, "2 of 2")


@pytest.mark.parametrize(("seeds", "verdict"), [(1, OPEN), (5, OPEN), (6, HOLDS)])
def test_few_searches_leave_a_claim_open(checked, seeds, verdict):
    claim = {"table": "search", "column": "end", "where": {}, "smaller": 0.5}
    row = {**PLACE, "reward_source": "big", "seeds": seeds, "end": 0.6}
    row = checked(claim, search=[{**row, "end_low": 0.55, "end_high": 0.7}])
    assert row["verdict"] == verdict


def test_the_numbers_of_the_paper_stand_beside_those_of_the_run(checked):
    claim = {**HALF, "where": {"task": "kneeling"}, "larger": {"scene": "textured"}}
    claim |= {"smaller": {"scene": "gymnasium"}, "stated": "best of 4 seeds"}
    row = checked(claim)
    kneeling = "kneeling, {}, ViT-bigG-14, alpha-0"
    assert row["stated"] == (
        f"91% ({kneeling.format('textured')}) against 36% ({kneeling.format('gymnasium')}); "
        "best of 4 seeds"
    )


SCENES = {
    "cartpole": ["gymnasium"],
    "mountain-car": ["gymnasium", "textured"],
    "kneeling": ["gymnasium", "textured", "textured-fixed"],
}
TASKS = (
    *SCENES,
    *("lotus", "standing", "arms-raised", "splits", "hands-on-hips", "arms-crossed", "one-leg"),
)
SOURCES = {
    **dict.fromkeys(("RN50", "ViT-L-14", "ViT-H-14", "ViT-bigG-14"), "pretrained"),
    "duo": "ensemble",
    "noise": "random",
}
ALPHAS = ("alpha-0", "alpha-0.2", "alpha-0.4", "alpha-0.5", "alpha-0.6", "contrast-0.2")


@pytest.mark.parametrize("claim", known_claims(), ids=lambda claim: claim["claim"])
def test_claims_are_decidable(claim):
    """Each has a verdict where everything that it is about has been measured."""
    rows = [
        (task, sampler, sampler, scene, model, SOURCES[model], scoring)
        for task in TASKS
        for sampler in ("poses", "rollouts")
        for scene in SCENES.get(task, ["textured-fixed"])
        for model in SOURCES
        for scoring in ALPHAS
    ]
    names = ["task", "states", "sampler", "scene", "model", "source", "scoring"]
    table = pd.DataFrame(rows, columns=names).assign(n=1000, file="f")
    sizes = dict(zip(SOURCES, (38, 304, 632, 1845, 1845), strict=False))
    table = table.assign(parameters=table["model"].map(sizes))
    table["predictor"] = claim["where"].get("predictor", "")
    interval = {f"{claim['column']}{end}": 0.7 for end in ("", "_low", "_high")}
    assert compare(claim, table.assign(**interval))


def test_each_number_of_the_paper_belongs_to_a_claim():
    stated = " ".join(claims._stated(claim) for claim in known_claims())
    for row in published_success().itertuples():
        about = f"{row.task}, {row.scene}, {row.model}, {row.scoring}"
        assert f"{row.success_rate:.0%} ({about})" in stated


@pytest.mark.parametrize("name", ["results.csv", "Epic-kneeling.csv", "epickneeling.csv"])
def test_a_table_that_no_claim_is_about_is_named(tmp_path, name):
    path = tmp_path / name
    pd.DataFrame(agents(0.9)).to_csv(path, index=False)
    with pytest.raises(UserError, match=f"{name}: claims are about tables whose names begin with"):
        check_claims([path])


@pytest.mark.parametrize("kind", CLAIM_KINDS)
def test_a_table_under_the_name_of_another_is_named_with_what_it_lacks(tmp_path, kind):
    path = tmp_path / f"{kind}-some.csv"
    content = [measured("big", 0.5, 1)] if kind != "epic" else agents(0.9)
    pd.DataFrame(content).drop(columns="source", errors="ignore").to_csv(path, index=False)
    with pytest.raises(UserError, match=rf"{kind}-some\.csv: has no column"):
        check_claims([path])
