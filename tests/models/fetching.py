"""What the tests of published models share."""

import hashlib

import huggingface_hub
import numpy as np
import pytest

from vlmrm.errors import UserError
from vlmrm.models.fetch import fetch_pretrained

REPOSITORY = "somebody/tiny-clip"
WEIGHTS = "open_clip_model.safetensors"
CONFIG = "open_clip_config.json"
FRAMES = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)

CUT = 25 * huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE
"""Bytes after which connections end: less than the client keeps unless it is told to."""


def refused(settings, folder):
    """Fetches what cannot be fetched: the error's only line, and no folder."""
    with pytest.raises(UserError) as caught:
        fetch_pretrained("tiny", settings, folder)
    message = str(caught.value)
    assert message.startswith("models.tiny")
    assert len(message.splitlines()) == 1
    left = [path.name for path in folder.parent.iterdir()] if folder.parent.exists() else []
    assert set(left) <= {".tiny.download"}
    print(message)
    return message


def sha256(data):
    return hashlib.sha256(data).hexdigest()
