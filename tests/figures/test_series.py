from vlmrm.figures.series import series_styles
from vlmrm.figures.style import alpha_color


def test_color_is_alpha_where_alphas_differ_and_lines_tell_models(run):
    styles = series_styles(run(model, a) for model in ("sim-S", "sim-M") for a in (1.0, 0.0))
    assert list(styles) == [("sim-S", 0.0), ("sim-S", 1.0), ("sim-M", 0.0), ("sim-M", 1.0)]
    assert styles["sim-S", 1.0].color == styles["sim-M", 1.0].color == alpha_color(1.0)
    assert styles["sim-S", 1.0].line != styles["sim-M", 1.0].line


def test_color_is_the_model_where_alpha_is_the_same(run):
    styles = series_styles(run(model, 0.5) for model in ("sim-S", "sim-M"))
    assert styles["sim-S", 0.5].color != styles["sim-M", 0.5].color
    assert styles["sim-S", 0.5].line == styles["sim-M", 0.5].line == "-"


def test_all_references_look_different(run):
    styles = series_styles(run(name, 0.0) for name in ("ground-truth", "oracle"))
    assert list(styles) == [("oracle", 0.0), ("ground-truth", 0.0)]
    assert styles["oracle", 0.0].color != styles["ground-truth", 0.0].color
