import numpy as np
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from vlmrm.models.preprocessing import Preprocessing


def frame(height, width):
    """A smooth image with edges, like a rendered frame."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], axis=-1)
    picture = (127 + 120 * waves).astype(np.uint8)
    picture[height // 3 : height // 2, width // 4 : width // 2] = (250, 240, 10)
    return picture


@pytest.mark.parametrize("shape", [(224, 224), (480, 480), (400, 600), (96, 60)])
@pytest.mark.parametrize("resize_mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_tensors_equal_open_clips_transform(shape, resize_mode, interpolation):
    config = PreprocessCfg(size=112, resize_mode=resize_mode, interpolation=interpolation)
    picture = frame(*shape)
    expected = image_transform_v2(config, is_train=False)(Image.fromarray(picture))
    ours = Preprocessing.from_open_clip(vars(config))(torch.from_numpy(picture)[None])[0]
    assert ours.shape == expected.shape
    # In units of the 256 gray levels: intermediate rounding to uint8 may differ.
    level = torch.tensor(config.std).view(3, 1, 1) * 255
    assert ((ours - expected).abs() * level).max() <= 2.01
    assert ((ours - expected).abs() * level).mean() < 0.25


def test_frames_of_the_right_size_are_not_resampled():
    picture = torch.from_numpy(frame(64, 64))[None]
    preprocessing = Preprocessing(64, (0.0,) * 3, (1.0,) * 3, "bilinear", "squash")
    assert torch.equal(preprocessing.resize(picture), picture.permute(0, 3, 1, 2))
