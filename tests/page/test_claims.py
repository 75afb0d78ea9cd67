"""Claims about the method, held against the tables of a run."""

import pandas as pd
import pytest

from vlmrm.page import claims
from vlmrm.page.claims import FAILS, HOLDS, OPEN, check_claims, compare, known_claims

PLACE = {"task": "kneeling", "scene": "textured-fixed", "scoring": "alpha-0"}


def agent(rate, trajectories=100, **changes):
    row = {**PLACE, "reward_source": "big", "seeds": 0, "success_rate": rate}
    return {**row, "trajectories": trajectories, **changes}


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
    assert checked(HALF, success=[agent(rate)])["verdict"] == verdict
    at_most = {**HALF, "larger": 0.5}
    del at_most["smaller"]
    assert checked(at_most, success=[agent(1 - rate)])["verdict"] == verdict


def test_seeds_are_pooled_and_references_left_out(checked):
    # 55 of 100 alone would not do.
    rows = [agent(0.55), agent(0.65, seeds=1), agent(0.0, reward_source="random-policy")]
    row = checked(HALF, success=rows)
    assert (row["verdict"], row["sample"], row["seeds"]) == (HOLDS, "200", "2")
    assert "0.60 (0.53 to 0.67) against 0.5" in row["found"]
    assert row["files"] == "tables/success-some.csv"


def test_an_agent_of_two_experiments_counts_once(checked):
    assert checked(HALF, success=[agent(1.0), agent(1.0)])["seeds"] == "1"


def test_models_are_ordered_by_their_parameters(checked):
    rows = [measured("big", 0.2, 9), measured("small", 0.5, 1), measured("middle", 0.9, 4)]
    row = checked(SIZES, epic=rows)
    assert row["verdict"] == HOLDS
    assert "0.50 (0.40 to 0.60) against 0.20 (0.10 to 0.30)" in row["found"]
    assert row["sample"] == "500"


def test_random_weights_are_no_size(checked):
    rows = [measured("big", 0.2, 9), measured("small", 0.5, 1)]
    rows.append(measured("random", 0.0, 20, source="random"))
    assert checked(SIZES, epic=rows)["verdict"] == HOLDS


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


@pytest.mark.parametrize("claim", known_claims(), ids=lambda claim: claim["claim"])
def test_claims_are_decidable(claim):
    """Each has a verdict where everything that it is about has been measured."""
    rows = []
    for task in ("kneeling", "lotus", "standing", "arms-raised", "splits", "hands-on-hips"):
        rows += [(task, "textured-fixed", "big", 9), (task, "textured-fixed", "small", 1)]
    rows += [(t, "textured-fixed", "big", 9) for t in ("arms-crossed", "one-leg")]
    rows += [("kneeling", s, m, p) for s in ("textured", "gymnasium") for m, p in (("big", 9),)]
    rows += [("mountain-car", s, "big", 9) for s in ("textured", "gymnasium")]
    rows += [("cartpole", "gymnasium", "big", 9)]
    table = pd.DataFrame(rows, columns=["task", "scene", "model", "parameters"])
    both = [table.assign(scoring=scoring) for scoring in ("alpha-0", "alpha-0.5")]
    predictor = claim.get("where", {}).get("predictor", "")
    table = pd.concat(both).assign(source="packaged", n=1000, file="f", predictor=predictor)
    random = table[table["model"] == "big"].assign(model="r", source="random", parameters=None)
    table = pd.concat([table, random], ignore_index=True)
    interval = {f"{claim['column']}{end}": 0.7 for end in ("", "_low", "_high")}
    assert compare(claim, table.assign(**interval))
