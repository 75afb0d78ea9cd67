import numpy as np
import pandas as pd
import pytest

from vlmrm.errors import UserError
from vlmrm.figures.epic_overview import draw_epic_overview


def measured(task, model, epic, **changes):
    row = {"task": task, "states": "poses", "scene": "textured", "model": model}
    row |= {"source": "simulator", "parameters": 1e6, "scoring": "alpha-0", "labels": "oracle"}
    for measure, value in {"epic_balanced": epic, "auroc": 1 - epic}.items():
        row |= {measure: value, f"{measure}_low": value - 0.05, f"{measure}_high": value + 0.05}
    return row | changes


def rows_of(figure):
    return [tick.get_text() for tick in figure.axes[0].get_yticklabels()]


def test_a_row_per_task_with_all_its_models():
    table = [measured(t, m, 0.3) for t in ("kneeling", "lotus") for m in ("sim-S", "sim-M")]
    figure = draw_epic_overview(pd.DataFrame(table), "alpha-0")
    assert rows_of(figure) == ["kneeling", "lotus"]
    distance, auroc = figure.axes
    points = [line for line in distance.lines if line.get_marker() not in ("None", None, "")]
    places = np.concatenate([line.get_ydata() for line in points])
    assert len(set(places)) == 4
    assert np.abs(np.sort(places) - [0, 0, 1, 1]).max() <= 0.25
    names = [axes.get_xlabel().replace("\n", " ") for axes in (distance, auroc)]
    assert "0 is best" in names[0] and "1 is best" in names[1]


def test_labels_of_people_have_rows_of_their_own():
    table = [measured("kneeling", "sim-S", 0.3), measured("kneeling", "sim-S", 0.6, labels="human")]
    figure = draw_epic_overview(pd.DataFrame(table), "alpha-0")
    assert rows_of(figure) == ["kneeling", "kneeling · human labels"]


def test_another_scoring_is_named():
    with pytest.raises(UserError, match="alpha-1"):
        draw_epic_overview(pd.DataFrame([measured("kneeling", "sim-S", 0.3)]), "alpha-1")
