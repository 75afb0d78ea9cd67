import itertools

import pandas as pd
import pytest

from vlmrm.errors import UserError
from vlmrm.figures.rounds import by_round, draw_rounds

MODELS = ["sim", "sim-round-1"]
FOOLED = {("sim", "sim"): 0.4, ("sim", "sim-round-1"): 0.1}


@pytest.fixture
def table():
    rows = []
    tasks = ("kneeling", "one-leg")
    for task, agents, model, alpha in itertools.product(tasks, MODELS, MODELS, (0.0, 1.0)):
        fooled = FOOLED.get((agents, model), 0.2) + alpha / 2
        interval = {"fooled": fooled, "fooled_low": fooled - 0.05, "fooled_high": fooled + 0.05}
        row = {"task": task, "states": f"{agents}-{task}", "scene": "textured", "model": model}
        rows.append(
            {
                **row,
                "source": "simulator",
                "parameters": 1,
                "scoring": f"alpha-{alpha:g}",
                **interval,
            }
        )
    return pd.DataFrame(rows)


def test_rounds_are_those_of_the_agents_and_of_the_model(table):
    chosen = by_round(table, MODELS, "alpha-0")
    assert len(chosen) == 8 and set(chosen["scoring"]) == {"alpha-0"}
    found = {
        (row.task, row.agents_round, row.model_round): row.fooled for row in chosen.itertuples()
    }
    assert found["one-leg", 0, 0] == 0.4
    assert found["one-leg", 0, 1] == 0.1
    assert found["kneeling", 1, 0] == 0.2


def test_each_task_has_a_panel_and_each_model_a_line(table, labels_of):
    figure = draw_rounds(by_round(table, MODELS, "alpha-0"), MODELS)
    assert [axes.get_title("left") for axes in figure.axes] == ["kneeling", "one-leg"]
    assert labels_of(figure) == MODELS
    first, second = figure.axes[0].lines
    assert list(first.get_ydata()) == [0.4, 0.2]
    assert list(second.get_ydata()) == [0.1, 0.2]
    assert [round(x) for x in first.get_xdata()] == [0, 1]


def test_a_scoring_that_was_not_measured_is_named(table):
    with pytest.raises(UserError, match=r"no rows of alpha-0\.3"):
        by_round(table, MODELS, "alpha-0.3")


def test_other_states_and_models_belong_to_no_round(table):
    others = pd.concat([table.assign(states="poses"), table.assign(model="random"), table])
    chosen = by_round(others, MODELS, "alpha-0")
    pd.testing.assert_frame_equal(chosen, by_round(table, MODELS, "alpha-0"))
    with pytest.raises(UserError, match="no states of these rounds; give the tables of sim-TASK"):
        by_round(table.assign(states="poses"), MODELS, "alpha-0")
