import numpy as np
import pandas as pd
import pytest

from vlmrm.errors import UserError
from vlmrm.figures.learning_curves import draw_learning_curves, learning_curve_table
from vlmrm.figures.style import scoring_label


def curve(reward=(1.0, 2.0, 3.0), oracle=(0.0, 0.5, 1.0)):
    steps = 100 * (1 + np.arange(len(reward)))
    return pd.DataFrame({"steps": steps, "training_reward": reward, "oracle": oracle})


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


def test_training_reward_is_rescaled_over_the_seeds_of_a_reward(run):
    table = learning_curve_table(
        [
            (run(seed=0), curve((1.0, 2.0, 3.0))),
            (run(seed=1), curve((1.0, 3.0, 5.0))),
            (run(scoring="alpha-1"), curve((10.0, 20.0, 30.0))),
        ]
    )
    rescaled = table.groupby(["scoring", "seed"])["rescaled"].apply(list)
    assert np.allclose(rescaled["alpha-0.5", 0], [0, 0.25, 0.5])
    assert np.allclose(rescaled["alpha-0.5", 1], [0, 0.5, 1])
    assert np.allclose(rescaled["alpha-1", 0], [0, 0.5, 1])


def test_long_curves_are_averaged_over_parts(run):
    reward = np.tile([0.0, 1.0], 300)
    table = learning_curve_table([(run(), curve(reward, oracle=reward))])
    assert len(table) == 60
    assert np.allclose(table["oracle"], 0.5)
    assert np.allclose(table["training_reward"], 0.5)


def test_a_shorter_seed_joins_the_same_parts(run):
    long = curve(np.arange(120.0), oracle=np.linspace(0, 1, 120))
    table = learning_curve_table([(run(seed=0), long), (run(seed=1), long[:40])])
    parts = table.groupby("seed")
    assert parts.size().tolist() == [60, 20]
    one, other = (part.set_index("part")["steps"] for _, part in parts)
    assert (one.loc[other.index] == other).all()


def test_one_seed_is_a_line_and_several_their_mean_in_a_band(run):
    single = draw_learning_curves([(run(), curve())]).axes
    assert not single[1].collections
    low, high = curve(oracle=(0.0, 0.2, 0.4)), curve(oracle=(0.2, 0.4, 0.8))
    both = draw_learning_curves([(run(seed=0), low), (run(seed=1), high)]).axes[1]
    (line,) = both.lines
    assert np.allclose(line.get_xydata(), [[100, 0.1], [200, 0.3], [300, 0.6]])
    (band,) = both.collections
    vertices = band.get_paths()[0].vertices
    at_the_end = vertices[vertices[:, 0] == 300, 1]
    assert at_the_end.min() == pytest.approx(0.4)
    assert at_the_end.max() == pytest.approx(0.8)


def test_references_are_dashed_and_last(run, labels_of):
    figure = draw_learning_curves(
        [
            (run("ground-truth"), curve()),
            (run("oracle"), curve()),
            (run(scoring="alpha-1"), curve()),
            (run(scoring="alpha-0"), curve()),
        ]
    )
    assert labels_of(figure) == [
        f"sim-S, {scoring_label('alpha-0')}",
        f"sim-S, {scoring_label('alpha-1')}",
        "oracle reward",
        "ground-truth reward",
    ]
    drawn = lines(figure.axes[0])
    assert drawn["oracle reward"].get_linestyle() == "--"
    assert drawn[f"sim-S, {scoring_label('alpha-0')}"].get_linestyle() == "-"


def test_the_random_policy_is_a_dotted_line_at_its_share_of_timesteps(run, labels_of):
    random = pd.DataFrame({"success_fraction": [0.1, 0.3]})
    figure = draw_learning_curves([(run(), curve())], [(run("random-policy"), random)])
    reward, share = (lines(axes) for axes in figure.axes)
    assert "random policy" not in reward
    assert set(share["random policy"].get_ydata()) == {0.2}
    assert labels_of(figure)[-1] == "random policy"


def test_a_random_policy_that_nobody_judged_is_not_drawn(run, labels_of):
    unjudged = pd.DataFrame({"success_fraction": [np.nan]})
    curves = [(run(task="a"), curve()), (run(task="b"), curve(oracle=(np.nan,) * 3))]
    figure = draw_learning_curves(curves, [(run("random-policy", task="b"), unjudged)])
    assert "random policy" not in labels_of(figure)


def test_a_panel_for_each_task_and_scene(run):
    figure = draw_learning_curves([(run(task=task), curve()) for task in ("a", "b", "c", "d", "e")])
    shown = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert [title for title in shown if title] == [f"{t} · textured" for t in "abcde"]
    assert sum(axes.get_visible() for axes in figure.axes) == 10


def test_without_any_oracle_there_is_no_panel_for_it(run):
    figure = draw_learning_curves([(run(), curve(oracle=(np.nan,) * 3))])
    assert len(figure.axes) == 1


def test_a_task_without_oracle_says_so(run):
    figure = draw_learning_curves(
        [(run(task="a"), curve()), (run(task="b"), curve(oracle=(np.nan,) * 3))]
    )
    assert [text.get_text() for axes in figure.axes for text in axes.texts] == ["no oracle"]


def test_unfinished_runs_are_left_out_and_alone_an_error(run):
    empty = curve().iloc[:0]
    figure = draw_learning_curves(
        [(run(scoring="alpha-0"), empty), (run(scoring="alpha-1"), curve())]
    )
    assert list(lines(figure.axes[0])) == [f"sim-S, {scoring_label('alpha-1')}"]
    with pytest.raises(UserError, match="no run has finished"):
        draw_learning_curves([(run(), empty)])


def test_missing_column_is_named_with_its_run(run):
    with pytest.raises(
        UserError, match=r"kneeling on sim-S, alpha-0\.5, seed 3: has no column 'oracle'"
    ):
        draw_learning_curves([(run(seed=3), curve().drop(columns="oracle"))])
