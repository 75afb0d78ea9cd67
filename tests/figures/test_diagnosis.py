import pandas as pd
import pytest

from vlmrm.diagnosis.sentences import KNOWN
from vlmrm.errors import UserError
from vlmrm.figures.diagnosis import draw_diagnosis

POSES = list(KNOWN)


@pytest.fixture
def table():
    """Sentences for kneeling and standing, of which one model takes all for kneeling."""
    rows = []
    for task, oracle, area in (("kneel", "kneeling", 0.93), ("stand", "standing", 0.87)):
        for model in ("sim-S", "sim-L"):
            for scoring, goal in (("alpha-0", "average"), ("alpha-0", "alone"), ("alpha-1", "x")):
                about = {"task": task, "scene": "textured", "model": model, "scoring": scoring}
                areas = dict.fromkeys(POSES, 0.5)
                areas["kneeling" if model == "sim-S" else oracle] = area
                areas["lotus"] = {"average": 0.25, "alone": 0.35, "x": 0.45}[goal]
                rows.append({**about, "goal": goal, "oracle": oracle, **areas})
    return pd.DataFrame(rows)


def test_each_model_has_a_matrix_of_sentences_and_poses(table):
    figure = draw_diagnosis(table)
    small, large = figure.axes
    assert [axes.get_title(loc="left") for axes in (small, large)] == ["sim-S", "sim-L"]
    assert [text.get_text() for text in small.get_yticklabels()] == ["kneel", "stand"]
    assert [text.get_text() for text in small.get_xticklabels()] == POSES
    numbers = [[text.get_text() for text in axes.texts] for axes in (small, large)]
    by_row = [0.93, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.87, 0.25, *[0.5] * 6]
    assert numbers[0] == [f"{number:.2f}" for number in by_row]
    assert numbers[1][8 + POSES.index("standing")] == "0.87"
    frames = [patch.get_xy() for patch in small.patches]
    assert frames == [(POSES.index("kneeling"), 0), (POSES.index("standing"), 1)]


def test_scenes_are_named_where_there_are_several(table):
    other = table.assign(scene="gymnasium")
    figure = draw_diagnosis(pd.concat([table, other]))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [f"{m} · {s}" for s in ("textured", "gymnasium") for m in ("sim-S", "sim-L")]


def test_a_missing_column_is_named(table):
    with pytest.raises(UserError, match="table of a diagnosis: has no column 'one-leg'"):
        draw_diagnosis(table.drop(columns="one-leg"))
