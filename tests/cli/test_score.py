"""``vlmrm score`` on pictures of every kind."""

import numpy as np
from PIL import Image

from tests.processes import vlmrm


def test_pictures_are_scored_without_a_warning(model_folder, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 4), dtype=np.uint8)
    for mode in ("L", "RGB", "RGBA"):
        Image.fromarray(pixels).convert(mode).save(tmp_path / f"{mode}.png")
    options = ("--model", model_folder, "--goal", "a robot")
    run = vlmrm("score", *tmp_path.glob("*.png"), *options)
    assert run.returncode == 0
    assert len(run.stdout.splitlines()) == 3
    assert not run.stderr


def test_a_picture_that_fails_late_costs_no_score_of_the_others(model_folder, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    whole, cut = tmp_path / "whole.png", tmp_path / "cut.png"
    Image.fromarray(pixels).save(whole)
    cut.write_bytes(whole.read_bytes()[:3000])
    run = vlmrm("score", cut, whole, "--model", model_folder, "--goal", "a robot")
    assert run.returncode != 0
    assert run.stdout.endswith(f"  {whole}\n")
    assert run.stderr.splitlines()[-1].endswith(f"{cut}: damaged (image file is truncated)")


def test_words_that_a_packaged_model_has_never_read_are_told(tmp_path):
    Image.new("RGB", (50, 50)).save(tmp_path / "black.png")
    known, new = (
        vlmrm("score", tmp_path / "black.png", "--model", "sim-XS", "--goal", goal)
        for goal in ("a humanoid robot kneeling", "a humanoid robot à genoux")
    )
    assert known.returncode == new.returncode == 0
    assert known.stderr == ""
    assert new.stderr.startswith("sim-XS has never read: à, genoux. It may reward anything")
    assert new.stdout.endswith("black.png\n")
