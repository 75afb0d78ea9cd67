import numpy as np
import pandas as pd
import pytest

from vlmrm.config import RANDOM_POLICY
from vlmrm.errors import UserError
from vlmrm.figures.style import scoring_label
from vlmrm.figures.success import (
    draw_success,
    success_interval,
    success_table,
    wilson_interval,
)


def evaluation(successes, trials=10):
    success = np.arange(trials) < successes
    return pd.DataFrame({"success": success, "success_fraction": np.where(success, 0.9, 0.1)})


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Center (p + z²/2n) / (1 + z²/n) with z = 1.959964, worked out by hand.
        (64, 100, 0.5424, 0.7273),
        (100, 100, 0.9630, 1.0),
        (0, 100, 0.0, 0.0370),
    ],
)
def test_wilson_interval(successes, trials, low, high):
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_of_one_seed_is_that_of_its_trajectories():
    assert success_interval([64], [100]) == wilson_interval(64, 100)


def test_seeds_that_differ_have_a_wide_interval():
    # With three degrees of freedom, t is 3.182, and s of these rates 0.127.
    low, high = success_interval([60, 80, 40, 60], [100] * 4)
    assert (low, high) == pytest.approx(
        (0.6 - 3.182 * 0.1633 / 2, 0.6 + 3.182 * 0.1633 / 2), abs=1e-3
    )
    assert wilson_interval(240, 400)[0] > 0.55
    assert success_interval([96, 0], [100] * 2) == (0, 1)


@pytest.mark.parametrize("seeds", [3, 8])
def test_nine_intervals_of_ten_or_more_contain_the_rate_of_all_seeds(seeds):
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(400):
        low, high = success_interval(rng.binomial(100, rng.beta(2, 2, seeds)), [100] * seeds)
        found += low <= 0.5 <= high
    assert found / 400 > 0.9


@pytest.mark.parametrize("rates", [[0, 0], [5, 5, 5], [0, 5]])
def test_the_interval_includes_the_rate(rates):
    low, high = success_interval(rates, [5] * len(rates))
    assert low <= sum(rates) / (5 * len(rates)) <= high


def test_seeds_that_agree_have_the_interval_of_all_their_trajectories():
    low, high = success_interval([80] * 50, [100] * 50)
    assert (low, high) == pytest.approx(wilson_interval(4000, 5000), abs=0.006)
    low, high = success_interval([100, 100], [100, 100])
    assert 0.97 < low < 0.99 and high > 0.999


def test_the_order_of_the_seeds_makes_no_difference_and_long_evaluations_count_more():
    assert success_interval([3, 90], [10, 100]) == success_interval([90, 3], [100, 10])
    low, high = success_interval([0, 1000], [10, 1000])
    assert low < 0.2 and high > 0.99


def test_table_pools_seeds(run):
    table = success_table([(run(seed=0), evaluation(4)), (run(seed=1), evaluation(8))])
    (row,) = table.to_dict("records")
    assert row["seeds"] == "0 1"
    assert row["trajectories"] == 20
    assert row["success_rate"] == pytest.approx(0.6)
    assert (row["low"], row["high"]) == success_interval([4, 8], [10, 10])
    assert row["success_fraction"] == pytest.approx(0.58)


def test_table_by_seed(run):
    table = success_table(
        [(run(seed=0), evaluation(4)), (run(seed=1), evaluation(8))], by_seed=True
    )
    assert table["seeds"].tolist() == ["0", "1"]
    assert table["success_rate"].tolist() == [0.4, 0.8]
    assert list(table.columns) == [
        "task", "scene", "reward_source", "scoring", "seeds", "trajectories",
        "success_rate", "low", "high", "success_fraction", "paper",
    ]  # fmt: skip


def curve(*rewards):
    """The learning curve of a training with these rewards, of 40 episodes each."""
    return pd.DataFrame(
        {"training_reward": rewards, "episodes": 40 * np.arange(1, len(rewards) + 1)}
    )


def test_the_seed_of_highest_reward_is_chosen_whether_or_not_it_succeeds(run, labels_of):
    runs = [run(seed=0), run(seed=1), run("sim-L", seed=0)]
    evaluations = [(each, evaluation(n)) for each, n in zip(runs, (4, 8, 9), strict=True)]
    curves = list(zip(runs, (curve(0.1, 0.5, 0.2), curve(0.3, 0.4), curve(0.2)), strict=True))
    table = success_table([*evaluations, (run(RANDOM_POLICY), evaluation(0))], True, curves)
    assert table["best_reward"].tolist() == pytest.approx([0.5, 0.4, 0.2, np.nan], nan_ok=True)
    assert table["chosen"].tolist() == [True, False, True, False]
    figure = draw_success(evaluations, curves)
    (star,) = (line for line in figure.axes[0].lines if line.get_marker() == "*")
    assert star.get_xdata() == pytest.approx([0.4])  # none where there is one seed
    assert "seed of highest training reward" in labels_of(figure)


def test_bars_dots_intervals_and_the_random_policy(run, labels_of):
    figure = draw_success(
        [
            (run(scoring="alpha-0", seed=0), evaluation(4)),
            (run(scoring="alpha-0", seed=1), evaluation(8)),
            (run(scoring="alpha-1"), evaluation(1)),
            (run(RANDOM_POLICY), evaluation(2)),
        ]
    )
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [
        f"sim-S, {scoring_label('alpha-0')}",
        f"sim-S, {scoring_label('alpha-1')}",
    ]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("success rate", "")
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.6, 0.1])
    interval = axes.collections[0].get_paths()[0].vertices[:, 0]
    assert interval == pytest.approx(success_interval([4, 8], [10, 10]))
    dots = [np.asarray(dots.get_offsets()) for dots in axes.collections[1:]]
    assert np.concatenate(dots)[:, 0] == pytest.approx([0.4, 0.8])
    (random,) = (line for line in axes.lines if line.get_linestyle() == ":")
    assert np.allclose(random.get_xdata(), 0.2)
    assert labels_of(figure) == ["95 % interval", "one seed", "random policy", "paper"]


def test_the_paper_is_marked_in_the_rows_that_it_has(run, labels_of):
    place = {"task": "hands-on-hips", "scene": "textured-fixed"}
    rewards = [("sim-S", "alpha-0"), ("sim-S", "alpha-1"), ("oracle", "alpha-0")]
    runs = [run(source, scoring, **place) for source, scoring in rewards]
    figure = draw_success([(each, evaluation(5)) for each in runs])
    (axes,) = figure.axes
    (diamonds,) = (line for line in axes.lines if line.get_marker() == "D")
    marked = [x for x in diamonds.get_xdata() if not np.isnan(x)]
    assert marked == [0.64]  # of alpha 0 by a model
    assert labels_of(figure) == ["95 % interval", "paper"]


def test_a_panel_for_each_task_and_scene(run):
    figure = draw_success(
        [(run(scene=scene), evaluation(5)) for scene in ("textured", "gymnasium")]
    )
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["kneeling · textured", "kneeling · gymnasium"]


def test_the_random_policy_is_that_of_every_scene_and_has_no_panel_of_its_own(run):
    runs = [run(scene="textured"), run(scene="gymnasium"), run(task="lotus")]
    random = run(RANDOM_POLICY, scene="textured-fixed"), evaluation(2)
    figure = draw_success([random, *((each, evaluation(5)) for each in runs)])
    rates = {
        axes.get_title(loc="left"): [
            line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"
        ]
        for axes in figure.axes
    }
    assert rates == {
        "kneeling · textured": [0.2],
        "kneeling · gymnasium": [0.2],
        "lotus · textured": [],
    }
    with pytest.raises(UserError, match="only of the random policy"):
        draw_success([random])


def test_tasks_without_oracle_are_not_scored(run):
    unjudged = pd.DataFrame({"success": [np.nan] * 3, "success_fraction": [np.nan] * 3})
    table = success_table([(run(task="juggling"), unjudged), (run(), evaluation(5))])
    assert table["task"].tolist() == ["kneeling"]
    with pytest.raises(UserError, match="oracle"):
        success_table([(run(), unjudged)])


def test_success_read_from_a_file_counts_the_same(run, tmp_path):
    evaluation(3).to_csv(tmp_path / "e.csv", index=False)
    (row,) = success_table([(run(), pd.read_csv(tmp_path / "e.csv"))]).to_dict("records")
    assert row["success_rate"] == pytest.approx(0.3)


def test_missing_column_is_named_with_its_run(run):
    with pytest.raises(UserError, match="seed 0: has no column 'success'"):
        draw_success([(run(), evaluation(3).drop(columns="success"))])
