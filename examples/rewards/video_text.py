"""A video-text encoder as a reward: the similarity of the latest frames and a sentence.

models:
  video:
    source: function
    function: examples.rewards.video_text:VideoText
    settings: {checkpoint: microsoft/xclip-base-patch32}
    embeddings: true  # all scorings work
    window: 8         # as many frames as the encoder reads
    batch_size: 8

It needs `pip install transformers`.
"""

from __future__ import annotations

import os

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoProcessor, XCLIPModel


class VideoText:
    """X-CLIP from a folder or a repository of the Hugging Face hub.

    Sentences are embedded without a view of the video, which X-CLIP can add to them.
    """

    def __init__(self, checkpoint: str, revision: str = "main"):
        checkpoint = os.path.expanduser(checkpoint)  # noqa: PTH111  # may be a repository
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.processor = AutoProcessor.from_pretrained(checkpoint, revision=revision)
        self.model = XCLIPModel.from_pretrained(checkpoint, revision=revision).to(self.device)
        self.model.eval()

    @torch.inference_mode()
    def embed_images(self, windows: NDArray[np.uint8]) -> torch.Tensor:
        """Embeddings ``[N, E]`` of uint8 windows ``[N, T, H, W, 3]``."""
        if windows.shape[1] != (needed := self.model.config.vision_config.num_frames):
            raise ValueError(f"the encoder reads {needed} frames; set the model's window to that")
        frames = list(windows.reshape(-1, *windows.shape[2:]))
        pixels = self.processor.image_processor(frames, return_tensors="pt")["pixel_values"]
        pixels = pixels.reshape(*windows.shape[:2], *pixels.shape[-3:]).to(self.device)
        return self.model.get_video_features(pixels).pooler_output

    @torch.inference_mode()
    def embed_sentences(self, sentences: list[str]) -> torch.Tensor:
        """Embeddings ``[P, E]`` of sentences."""
        tokens = self.processor.tokenizer(sentences, padding=True, return_tensors="pt")
        return self.model.get_text_features(**tokens.to(self.device)).pooler_output
