import io
import struct
from collections import Counter

import numpy as np
import pytest
from PIL import Image, ImageFile

from vlmrm.data.pictures import check_picture, picture_files, read_picture
from vlmrm.errors import UserError

PIXELS = np.zeros((4, 6, 3), np.uint8)
PIXELS[0] = (200, 40, 90)  # the upper edge
PIXELS[1:] = (10, 120, 250)


@pytest.fixture
def picture():
    return Image.fromarray(PIXELS)


def refusal(path):
    with pytest.raises(UserError) as error:
        check_picture(path)
        read_picture(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ") and len(message.splitlines()) == 1
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp", "ppm", "gif"])
def test_lossless_formats_keep_every_pixel(picture, tmp_path, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    picture.save(tmp_path / f"a.{suffix}", **options)
    np.testing.assert_array_equal(read_picture(tmp_path / f"a.{suffix}"), PIXELS)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_shows_about_the_same_picture(picture, tmp_path, mode):
    suffix = {"CMYK": "tiff", "YCbCr": "tiff"}.get(mode, "png")
    converted = picture.quantize(4) if mode == "P" else picture.convert(mode)
    converted.save(tmp_path / f"a.{suffix}")
    read = read_picture(tmp_path / f"a.{suffix}").astype(int)
    assert read.shape == PIXELS.shape
    expected = np.array(picture.convert("L" if mode in ("1", "L", "LA") else "RGB").convert("RGB"))
    if mode == "1":
        assert set(np.unique(read)) <= {0, 255}
    else:
        assert np.abs(read - expected).max() < 40


@pytest.mark.parametrize(("orientation", "edge"), [(3, "bottom"), (6, "right"), (8, "left")])
def test_pictures_are_turned_as_their_camera_was_held(picture, tmp_path, orientation, edge):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "a.png", exif=exif)
    read = read_picture(tmp_path / "a.png")
    shown = {"bottom": read[-1], "right": read[:, -1], "left": read[:, 0]}[edge]
    assert (shown == PIXELS[0, 0]).all()
    assert read.shape[:2] == ((4, 6) if edge == "bottom" else (6, 4))


@pytest.mark.parametrize("way", ["alpha", "palette"])
def test_what_is_transparent_is_white(picture, tmp_path, way):
    if way == "alpha":
        picture.putalpha(Image.fromarray(np.full((4, 6), 0, np.uint8)))
        picture.save(tmp_path / "a.png")
    else:
        gray = Image.fromarray(np.full((4, 6), 7, np.uint8)).convert("P")
        gray.save(tmp_path / "a.png", transparency=int(np.asarray(gray)[0, 0]))
    assert (read_picture(tmp_path / "a.png") == 255).all()


def test_half_transparent_pixels_are_blended(tmp_path):
    black = np.zeros((2, 2, 4), np.uint8)
    black[..., 3] = 51  # a fifth
    Image.fromarray(black).save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png") == 204).all()


def test_sixteen_bit_gray_keeps_its_range(tmp_path):
    gray = np.array([[0, 256 * 128, 65535]], np.uint16)
    Image.fromarray(gray).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png")[0, :, 0].tolist() == [0, 128, 255]


def test_animations_and_pages_are_refused(picture, tmp_path):
    other = Image.fromarray(255 - PIXELS)
    for name in ("a.gif", "a.png", "a.webp", "a.tiff"):
        picture.save(tmp_path / name, save_all=True, append_images=[other])
        assert refusal(tmp_path / name) == "has 2 frames; save the one that you mean as a picture"


@pytest.mark.parametrize(("dtype", "mode"), [(np.int32, "I"), (np.float32, "F")])
def test_gray_without_a_range_is_refused(tmp_path, dtype, mode):
    Image.fromarray(np.ones((2, 2), dtype)).save(tmp_path / "a.tiff")
    assert refusal(tmp_path / "a.tiff").startswith(f"colors of mode {mode} have no definite range")


def test_huge_pictures_are_refused_before_they_are_decoded(tmp_path):
    for size in ((15_000, 7_000), (40_000, 40_000)):
        Image.new("1", size).save(tmp_path / "a.png")
        assert refusal(tmp_path / "a.png") == "has more than 100 megapixels; make it smaller"


def test_what_is_no_picture_is_named(tmp_path, picture):
    assert refusal(tmp_path / "none.png") == "no such file"
    (tmp_path / "text.png").write_text("not a picture")
    assert refusal(tmp_path / "text.png") == "not a picture in a format that can be read"
    assert refusal(tmp_path).startswith("cannot be read (")


def test_odd_tags_of_a_camera_do_not_matter(picture, tmp_path):
    # Turned by 90 degrees, and a resolution that is a text.
    tags = struct.pack("<HHIHH", 274, 3, 1, 6, 0) + struct.pack("<HHII", 282, 2, 7, 38)
    head = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2)
    picture.save(tmp_path / "a.png", exif=head + tags + bytes(4) + b"72 dpi\0")
    upright = np.rot90(np.asarray(picture.convert("RGB")), -1)
    assert np.array_equal(read_picture(tmp_path / "a.png"), upright)


@pytest.mark.parametrize("error", [RuntimeError, NotImplementedError, TypeError, struct.error])
def test_whatever_fails_in_a_decoder_is_one_line(tmp_path, picture, monkeypatch, error):
    picture.save(tmp_path / "a.png")

    def fail(image):
        raise error("odd")

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    assert refusal(tmp_path / "a.png") == "damaged (odd)"


def test_damaged_pictures_are_refused_in_one_line_or_shown(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    rng = np.random.default_rng(1)
    suffixes = ("png", "jpg", "webp", "gif", "tiff", "bmp")
    refused = Counter()
    for suffix in suffixes:
        memory = io.BytesIO()
        Image.fromarray(noise).save(memory, {"jpg": "jpeg"}.get(suffix, suffix))
        path = tmp_path / f"a.{suffix}"
        for _ in range(40):
            content = bytearray(memory.getvalue())
            if rng.random() < 0.3:
                del content[rng.integers(len(content)) :]
            for place in rng.integers(max(len(content), 1), size=3 if content else 0):
                content[place] = rng.integers(256)
            path.write_bytes(content)
            try:
                check_picture(path)
                assert read_picture(path).shape[2] == 3
            except UserError as error:
                refused[suffix] += 1
                assert len(str(error).splitlines()) == 1
    assert set(refused) == set(suffixes)
    assert min(refused.values()) < 40


def test_pictures_of_a_folder_are_found_by_their_names(tmp_path):
    with pytest.raises(UserError, match="contains no pictures"):
        picture_files(tmp_path)
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.png", "Thumbs.db"):
        (tmp_path / name).touch()
    assert [path.name for path in picture_files(tmp_path)] == ["a.png", "b.JPG"]
