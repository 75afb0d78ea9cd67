import numpy as np
import pytest

from vlmrm.config import SCENES, Rendering
from vlmrm.errors import MissingDependency, UserError
from vlmrm.figures import scenes
from vlmrm.figures.scenes import draw_scenes, example_frames


def test_frames_are_shown_unchanged_under_their_title():
    wide = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)
    square = wide[:2, :, :40]
    figure = draw_scenes({"cartpole": wide, "humanoid": square})
    shown = [axes.images[0].get_array() if axes.images else None for axes in figure.axes]
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "cartpole",
        "",
        "",
        "humanoid",
        "",
        "",
    ]
    for axes_image, frame in zip(shown, [*wide, *square, None], strict=True):
        assert (axes_image is None) if frame is None else np.array_equal(axes_image, frame)


@pytest.mark.parametrize("rows", [{}, {"cartpole": np.zeros((0, 4, 4, 3), np.uint8)}])
def test_no_frames_is_an_error(rows):
    with pytest.raises(UserError, match="frames"):
        draw_scenes(rows)


def test_a_scene_that_cannot_be_drawn_here_is_left_out_with_a_note(monkeypatch, caplog):
    def without_vulkan(environment, scene, rendering):
        if scene == "filament":
            raise MissingDependency("scene: filament needs Vulkan")
        return make_renderer(environment, scene, rendering)

    make_renderer = scenes.make_renderer
    monkeypatch.setattr(scenes, "make_renderer", without_vulkan)
    monkeypatch.setattr(scenes, "FRAME_SIZE", 32)
    frames = example_frames("humanoid", Rendering())
    assert [*frames, "filament"] == list(SCENES["humanoid"])
    assert "filament needs Vulkan" in caplog.text
    figure = draw_scenes(frames, ["filament"])
    assert figure.get_supxlabel().endswith("not available on this machine: filament")
    assert draw_scenes(frames).get_supxlabel() == ""
