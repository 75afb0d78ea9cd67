from vlmrm.figures.series import series_styles
from vlmrm.figures.style import scoring_color


def test_color_is_the_scoring_where_scorings_differ_and_lines_tell_models(run):
    styles = series_styles(
        run(model, a) for model in ("sim-S", "sim-M") for a in ("alpha-1", "alpha-0")
    )
    assert list(styles) == [
        ("sim-S", "alpha-0"),
        ("sim-S", "alpha-1"),
        ("sim-M", "alpha-0"),
        ("sim-M", "alpha-1"),
    ]
    assert (
        styles["sim-S", "alpha-1"].color
        == styles["sim-M", "alpha-1"].color
        == scoring_color("alpha-1")
    )
    assert styles["sim-S", "alpha-1"].line != styles["sim-M", "alpha-1"].line


def test_color_and_line_are_the_model_where_the_scoring_is_the_same(run):
    styles = series_styles(run(model, "alpha-0.5") for model in ("sim-S", "sim-M"))
    assert styles["sim-S", "alpha-0.5"].color != styles["sim-M", "alpha-0.5"].color
    assert styles["sim-S", "alpha-0.5"].line != styles["sim-M", "alpha-0.5"].line


def test_any_number_of_models_have_lines_of_their_own(run):
    models = [f"model-{number}" for number in range(9)]
    styles = series_styles(run(model, a) for model in models for a in ("alpha-0", "alpha-1"))
    assert len({style.line for style in styles.values()}) == 9
    assert len({(style.color, style.line) for style in styles.values()}) == 18


def test_all_references_look_different(run):
    styles = series_styles(run(name, "alpha-0") for name in ("ground-truth", "oracle"))
    assert list(styles) == [("oracle", "alpha-0"), ("ground-truth", "alpha-0")]
    assert styles["oracle", "alpha-0"].color != styles["ground-truth", "alpha-0"].color
