import json
from importlib import resources

import pandas as pd
import pytest

from vlmrm.figures.paper import paper_column, published_success

ARCHITECTURES = {"RN50": "RN50-quickgelu"}
"""Where it is not the name of the model."""


def rows(*sources, task="kneeling", scene="textured-fixed", scoring="alpha-0"):
    place = {"task": task, "scene": scene, "reward_source": list(sources), "scoring": scoring}
    return pd.DataFrame(place)


def test_a_row_has_the_number_of_the_same_model_and_other_models_that_of_the_largest():
    table = rows("RN50", "ViT-bigG-14", "sim-S")
    assert paper_column(table).tolist() == [0.0, 1.0, 1.0]
    assert paper_column(table, only_same_model=True).fillna(-1).tolist() == [0.0, 1.0, -1.0]
    assert paper_column(rows("sim-S", scene="gymnasium")).tolist() == [0.36]


@pytest.mark.parametrize("changes", [{"scoring": "alpha-1"}, {"task": "cartpole"}])
def test_what_the_paper_does_not_state_is_missing(changes):
    assert paper_column(rows("ViT-bigG-14", **changes)).isna().all()


def test_references_and_the_random_policy_have_none():
    assert paper_column(rows("oracle", "oracle-score", "random-policy")).isna().all()


def test_the_sizes_are_those_of_the_models():
    sizes = json.loads(resources.files("vlmrm.models").joinpath("model_size.json").read_text())
    for row in published_success().itertuples():
        known = sizes[ARCHITECTURES.get(row.model, row.model)]
        assert row.parameters == known["image_parameters"]
