import numpy as np
import pandas as pd

from vlmrm.figures.prediction import draw_prediction
from vlmrm.optimization.prediction import PREDICTORS, correlations


def test_each_predictor_has_a_panel_the_best_first(labels_of):
    reached = np.linspace(0, 1, 8)
    columns = {name: sign * reached for name, sign in PREDICTORS.items()}
    columns["auroc"] = reached[[1, 0, 3, 2, 5, 4, 7, 6]]
    tasks = ["kneel", "lotus"] * 4
    table = pd.DataFrame({"task": tasks, "success_fraction": reached, **columns})
    figure = draw_prediction(table, correlations(table, bootstrap=50))
    assert len(figure.axes) == len(PREDICTORS)
    assert labels_of(figure) == ["kneel", "lotus"]
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[0].startswith("\N{GREEK SMALL LETTER RHO} = 1.00\n(")
    assert figure.axes[-1].get_xlabel() == "AUROC"


def test_rewards_that_were_not_all_measured_have_empty_panels():
    columns = [*PREDICTORS, "task", "success_fraction"]
    table = pd.DataFrame({name: [] for name in columns})
    figure = draw_prediction(table, correlations(table, bootstrap=20))
    figure.canvas.draw()
    assert {axes.get_title(loc="left") for axes in figure.axes} == {"no correlation"}


def test_equal_agents_correlate_with_nothing():
    columns = {name: [1, 2, 3] for name in PREDICTORS}
    table = pd.DataFrame({"task": "kneel", "success_fraction": 0.0, **columns})
    figure = draw_prediction(table, correlations(table, bootstrap=20))
    assert {axes.get_title(loc="left") for axes in figure.axes} == {"no correlation"}
