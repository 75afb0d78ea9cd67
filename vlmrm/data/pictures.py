"""Pictures of people, as they see them: upright, on a white page, eight bits per color."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vlmrm.errors import UserError, one_line

PLAIN = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV")
"""Pillow's modes that it converts to RGB by itself."""
TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")

ORIENTATION = 274
"""EXIF tag that says how the camera was held."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its orientation."""

PIXELS = 100_000_000
"""Largest number of pixels: larger files may be made to fill the memory."""
TOO_LARGE = f"has more than {PIXELS // 1_000_000} megapixels; make it smaller"


def picture_files(folder: Path) -> list[Path]:
    """The files of a folder whose names end as those of pictures do, by name.

    Raises:
        UserError: There are none.
    """
    suffixes = Image.registered_extensions()
    files = [path for path in folder.iterdir() if path.suffix.lower() in suffixes]
    shown = sorted(path for path in files if not path.name.startswith("."))
    if not shown:
        raise UserError(f"{folder}: contains no pictures")
    return shown


def labeled_pictures(folder: Path) -> tuple[list[Path], list[bool] | None]:
    """The pictures of a folder; if it has sub-folders yes and no, those there, with labels.

    Raises:
        UserError: There are none, one cannot be read, or one of the sub-folders is missing.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    labeled = [place for place in (folder / "yes", folder / "no") if place.is_dir()]
    if len(labeled) == 1:
        raise UserError(f"{folder}: has {labeled[0].name}/ alone; make sub-folders yes and no")
    paths = [path for place in labeled or [folder] for path in picture_files(place)]
    for path in paths:
        check_picture(path)
    return paths, [path.parent.name == "yes" for path in paths] if labeled else None


def check_picture(path: Path) -> None:
    """Checks all that can be known of a picture without decoding it; raises as `read_picture`."""
    with _opened(path):
        pass


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Reads a picture in any of Pillow's formats.

    It is turned as its orientation tag says, and what is transparent is white. Sixteen-bit gray
    keeps its upper eight bits.

    Returns:
        Uint8 RGB ``[H, W, 3]``.

    Raises:
        UserError: The file is missing, damaged, or no picture, it is an animation or has several
            pages, or its colors have no definite meaning in eight bits.
    """
    with _opened(path) as image:
        try:
            # Not by `exif_transpose`, which writes the other tags back and fails at odd ones.
            turn = TURNS.get(image.getexif().get(ORIENTATION, 1))
            return np.array(_rgb(image if turn is None else image.transpose(turn)))
        except Exception as error:  # Pillow raises nearly anything on damaged files
            raise UserError(f"{path}: damaged ({one_line(error)})") from error


def encode_png(image: Image.Image) -> bytes:
    """A picture as PNG.

    It is encoded once and usually sent to the same machine: time matters more than size.
    """
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _opened(path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except UnidentifiedImageError as error:
        raise UserError(f"{path}: not a picture in a format that can be read") from error
    except Image.DecompressionBombError as error:
        raise UserError(f"{path}: {TOO_LARGE}") from error
    except Exception as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        raise UserError(f"{path}: cannot be read ({reason})") from error
    try:
        problem = _problem(image)
    except Exception as error:
        problem = f"damaged ({one_line(error)})"
    if problem:
        image.close()
        raise UserError(f"{path}: {problem}")
    return image


def _problem(image: Image.Image) -> str | None:
    """Why a picture is refused."""
    if image.width * image.height > PIXELS:
        return TOO_LARGE
    frames = getattr(image, "n_frames", 1)
    # Phones add pictures of the depth or of a larger view to the one that is meant.
    if frames > 1 and image.format != "MPO":
        return f"has {frames} frames; save the one that you mean as a picture"
    if image.mode not in (*PLAIN, *TRANSPARENT, *SIXTEEN_BITS):
        return (
            f"colors of mode {image.mode} have no definite range; save it as RGB with 8 bits per "
            "channel"
        )
    return None


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BITS:
        gray = np.asarray(image).astype(np.uint16) >> 8
        return Image.fromarray(gray.astype(np.uint8)).convert("RGB")
    if image.mode in TRANSPARENT or "transparency" in image.info:
        colors = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        white = Image.new("RGBA", colors.size, "white")
        return Image.alpha_composite(white, colors).convert("RGB")
    return image.convert("RGB")
