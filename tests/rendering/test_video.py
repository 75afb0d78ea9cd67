import base64
import io
import re

import av
import numpy as np
import pytest

from vlmrm.rendering.video import show_video, write_video


class Lamp:
    """Renders the state as brightness."""

    shape = (33, 48, 3)

    def render(self, state, out):
        if state[0] < 0:
            raise RuntimeError("no negative light")
        out[:] = state[0]

    def close(self):
        pass


def test_a_video_shows_the_trajectories_one_after_another(tmp_path):
    trajectories = np.array([[[20.0], [60.0]], [[120.0], [200.0]]])
    write_video(tmp_path / "video.mp4", trajectories, Lamp(), frames_per_second=1 / 0.015)
    with av.open(str(tmp_path / "video.mp4")) as video:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert float(stream.average_rate) == pytest.approx(66.67, abs=0.01)
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(stream)]
    assert [frame.shape for frame in frames] == [(32, 48, 3)] * 4
    np.testing.assert_allclose([f.mean() for f in frames], [20, 60, 120, 200], atol=4)


def test_a_failure_leaves_no_video(tmp_path):
    with pytest.raises(RuntimeError):
        write_video(tmp_path / "video.mp4", np.array([[[9.0], [-1.0]]]), Lamp(), 30)
    assert not any(tmp_path.iterdir())


def test_a_notebook_shows_and_stores_a_video():
    frames = (np.full((32, 48, 3), shade, np.uint8) for shade in (20, 120, 200))
    html = show_video(frames, 25)._repr_html_()
    [data] = re.findall(r'<video [^>]*src="data:video/mp4;base64,([^"]*)"></video>', html)
    with av.open(io.BytesIO(base64.b64decode(data))) as video:
        assert float(video.streams.video[0].average_rate) == 25
        shown = [frame.to_ndarray(format="rgb24").mean() for frame in video.decode(video=0)]
    np.testing.assert_allclose(shown, [20, 120, 200], atol=4)
