"""Videos: their frames, and what is written below them."""

import base64
import io
import re

import av
import numpy as np
import pytest

from vlmrm.rendering.band import ACCEPTED, REJECTED, Band, Legend
from vlmrm.rendering.video import HOLD, Take, rendered, show_video, write_video

LEGEND = Legend("a lamp that shines", "by sim-S, alpha-0")
SHAPE = (200, 300, 3)


class Lamp:
    """Renders the state as brightness."""

    shape = SHAPE

    def render(self, state, out):
        if state[0] < 0:
            raise RuntimeError("no negative light")
        out[:] = state[0]

    def close(self):
        pass


def take(*brightness, verdicts=None, lamp=None):
    states = np.array(brightness, float)[:, None]
    frames = rendered(lamp or Lamp(), states)
    return Take(frames, np.arange(len(states)) / 10, verdicts, "trajectory 0")


def frames_of(path):
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        return stream.average_rate, [f.to_ndarray(format="rgb24") for f in video.decode(stream)]


def test_a_video_shows_the_trajectories_one_after_another_and_holds_their_ends(tmp_path):
    takes = [take(20, 60), take(120, 200)]
    write_video(tmp_path / "video.mp4", takes, LEGEND, SHAPE, frames_per_second=1 / 0.015)
    rate, frames = frames_of(tmp_path / "video.mp4")
    assert float(rate) == pytest.approx(66.67, abs=0.01)
    hold = round(HOLD / 0.015)
    expected = [20, *[60] * (1 + hold), 120, *[200] * (1 + hold)]
    np.testing.assert_allclose([f[:200].mean() for f in frames], expected, atol=4)


def test_the_band_is_below_the_frame_and_never_over_it(tmp_path):
    write_video(tmp_path / "video.mp4", [take(20, 60)], LEGEND, SHAPE, 30)
    _, (first, *_) = frames_of(tmp_path / "video.mp4")
    assert first.shape[0] > 250
    assert np.ptp(first[:196].astype(int)) < 12  # H.264 is not exact
    assert np.ptp(first[206:].astype(int)) > 150


def test_small_frames_are_enlarged_until_text_is_legible(tmp_path):
    class Small(Lamp):
        shape = (33, 48, 3)

    write_video(tmp_path / "video.mp4", [take(20, lamp=Small())], LEGEND, Small.shape, 30)
    _, (first, *_) = frames_of(tmp_path / "video.mp4")
    assert first.shape[1] == 5 * 48
    np.testing.assert_allclose(first[: 5 * 33 - 4].mean(), 20, atol=4)


def test_a_failure_leaves_no_video(tmp_path):
    with pytest.raises(RuntimeError):
        write_video(tmp_path / "video.mp4", [take(9, -1)], LEGEND, SHAPE, 30)
    assert not any(tmp_path.iterdir())


def drawn(rewards, verdicts, step, legend=LEGEND):
    band = Band(legend, 320, [rewards])
    return band.draw(band.trajectory("trajectory 0"), rewards, verdicts, step, 0.5)


def has(picture, color):
    return bool((picture == np.array(color, np.uint8)).all(axis=2).any())


def test_the_verdict_of_the_step_is_shown_and_none_without_an_oracle():
    rewards, verdicts = np.array([0.1, 0.2, 0.3]), np.array([False, False, True])
    refused, accepted = (drawn(rewards, verdicts, step) for step in (1, 2))
    assert has(refused, REJECTED) and not has(refused, ACCEPTED)
    assert has(accepted, ACCEPTED)
    silent = drawn(rewards, None, 2)
    assert not has(silent, REJECTED) and not has(silent, ACCEPTED)


def test_verdicts_differ_without_color():
    """In words and marks at the left, and by the height of the bar."""
    rewards = np.array([0.1, 0.1])
    gray = [drawn(rewards, np.full(2, v), 1).mean(axis=2) for v in (False, True)]
    dark = [picture < 160 for picture in gray]
    words, bars = dark[1][:, :120] != dark[0][:, :120], dark[1][:, 130:] & ~dark[0][:, 130:]
    assert words.sum() > 50
    assert bars.sum() > 400


def test_the_curve_grows_with_time():
    rewards = np.linspace(0, 1, 50)
    early, late = (drawn(rewards, None, step)[:, 130:] for step in (10, 40))
    before = (early < 60).all(axis=2).any(axis=0).nonzero()[0].max()
    after = (late < 60).all(axis=2).any(axis=0).nonzero()[0].max()
    assert before < 60 < after


def test_a_constant_reward_has_a_curve():
    assert drawn(np.ones(5), None, 4).shape == drawn(np.arange(5.0), None, 4).shape


def test_a_long_sentence_takes_two_lines_at_most():
    rewards = np.array([0.0, 1.0])
    heights = [
        len(drawn(rewards, None, 1, Legend("a robot that kneels " * count, "sim-S")))
        for count in (1, 3, 30)
    ]
    assert heights[0] < heights[1] == heights[2]


def test_a_notebook_shows_and_stores_a_video():
    frames = (np.full((32, 48, 3), shade, np.uint8) for shade in (20, 120, 200))
    html = show_video(frames, 25)._repr_html_()
    [data] = re.findall(r'<video [^>]*src="data:video/mp4;base64,([^"]*)"></video>', html)
    with av.open(io.BytesIO(base64.b64decode(data))) as video:
        assert float(video.streams.video[0].average_rate) == 25
        shown = [frame.to_ndarray(format="rgb24").mean() for frame in video.decode(video=0)]
    np.testing.assert_allclose(shown, [20, 120, 200], atol=4)
