"""A generative vision-language model as a reward: the probability of "yes" to a question.

models:
  judge:
    source: function
    function: examples.rewards.vqa:make_reward
    settings: {checkpoint: HuggingFaceTB/SmolVLM2-500M-Video-Instruct}
    batch_size: 8

It needs `pip install transformers`, and a checkpoint with a chat template.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

QUESTION = "Does the picture show {sentence}? Answer yes or no."


def make_reward(
    checkpoint: str, question: str = QUESTION, revision: str = "main"
) -> Callable[[NDArray[np.uint8], str], torch.Tensor]:
    """Makes the reward from a folder or a repository of the Hugging Face hub."""
    checkpoint = os.path.expanduser(checkpoint)  # noqa: PTH111  # may be a repository
    device = "cuda" if torch.cuda.is_available() else "cpu"
    processor = AutoProcessor.from_pretrained(checkpoint, revision=revision)
    model = AutoModelForImageTextToText.from_pretrained(checkpoint, revision=revision, dtype="auto")
    model.to(device).eval()
    answers = [_first_tokens(processor.tokenizer, answer) for answer in ("yes", "no")]

    @torch.inference_mode()
    def reward(windows: NDArray[np.uint8], sentence: str) -> torch.Tensor:
        """Probability of yes against no, ``[N]``, for the latest frame of each window."""
        text = {"type": "text", "text": question.format(sentence=sentence)}
        chat = [{"role": "user", "content": [{"type": "image"}, text]}]
        prompt = processor.apply_chat_template(chat, add_generation_prompt=True)
        images = [[Image.fromarray(window[-1])] for window in windows]
        inputs = processor(images=images, text=[prompt] * len(images), return_tensors="pt")
        logits = model(**inputs.to(device, model.dtype)).logits[:, -1].float()
        yes_and_no = [logits[:, tokens].logsumexp(dim=-1) for tokens in answers]
        return torch.stack(yes_and_no, dim=-1).softmax(dim=-1)[:, 0]

    return reward


def _first_tokens(tokenizer: Callable[..., dict[str, list[int]]], answer: str) -> list[int]:
    """First tokens of the ways to write an answer."""
    ways = [f"{space}{word}" for space in ("", " ") for word in (answer, answer.capitalize())]
    return sorted({tokenizer(way, add_special_tokens=False)["input_ids"][0] for way in ways})
