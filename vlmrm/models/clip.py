"""A loaded CLIP model: images and sentences to unit embeddings."""

from __future__ import annotations

import copy
import math
import os
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import cycle
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional

from vlmrm.config import Precision
from vlmrm.errors import UserError, in_short
from vlmrm.machine.gpus import has_nvidia_gpu
from vlmrm.machine.libraries import load_triton_first
from vlmrm.models.folder import check_model_folder
from vlmrm.models.preprocessing import Preprocessing

CUDA_BATCH_SIZE = 4096
"""Frames at a time on a GPU, as far as its memory reaches."""

CPU_BATCH_PIXELS = 32 * 224**2
"""Pixels of the network's input at a time on a CPU: larger batches leave the caches."""

# Whoever loads a model may train on its rewards after drawing with other libraries than ours.
load_triton_first()


class ClipModel:
    """Images and sentences to unit embeddings.

    Attributes:
        name: Name of the folder that the model was loaded from.
        network: The open_clip model, in evaluation mode.
        preprocessing: The model's own.
        device: Where it computes.
        replicas: Further devices with a copy of the network each, among which images are shared
            out.
        precision: In what the image tower computes; sentences are always embedded in float32.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        tokenizer: Any,
        preprocessing: Preprocessing,
        device: torch.device,
        precision: Precision = "float32",
        replicas: Sequence[torch.device] = (),
    ):
        self.name = name
        # Frames come with their channels last, and convolutions like them so.
        network = network.to(memory_format=torch.channels_last)
        self.network: Any = network.eval().requires_grad_(False)
        self.precision = choose_precision(precision, device)
        self._dtype: torch.dtype = getattr(torch, self.precision)
        self.network.visual.to(self._dtype)
        self._batch_size = CUDA_BATCH_SIZE
        if device.type != "cuda":
            self._batch_size = max(1, CPU_BATCH_PIXELS // preprocessing.size**2)
        self.tokenizer = tokenizer
        self.preprocessing = preprocessing
        self.device = device
        # Copied before it moves: the first GPU may have no room for two.
        networks = [self.network, *(copy.deepcopy(self.network) for _ in replicas)]
        self._towers = list(map(_Tower, [device, *replicas], networks))

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        device: str = "auto",
        precision: Precision = "auto",
        openai_normalization: bool = False,
        gpus: int = 1,
    ) -> ClipModel:
        """Loads a model folder.

        Args:
            folder: Holds a model in open_clip's layout.
            device: A torch device, or ``auto`` for CUDA where there is one.
            precision: Of the image tower; see `choose_precision` for ``auto``.
            openai_normalization: Whether pictures are normalized as for OpenAI's models, whatever
                the model's own mean and deviation: a fault of the paper's code, for comparison.
            gpus: On ``auto``, among how many of the GPUs that CUDA sees images are shared out.

        Raises:
            UserError: The folder, its configuration or its weights are missing or damaged.
        """
        folder = check_model_folder(folder)
        identifier = f"local-dir:{folder}"
        try:
            network = open_clip.create_model(identifier, pretrained_text=False)
        except (SafetensorError, RuntimeError, ValueError, TypeError) as error:
            raise UserError(
                f"{folder}: open_clip cannot load this model ({in_short(error)}); delete the "
                "folder and make it anew"
            ) from error
        preprocessing = Preprocessing.from_open_clip(network.visual.preprocess_cfg)
        if openai_normalization:
            preprocessing = replace(
                preprocessing,
                mean=open_clip.OPENAI_DATASET_MEAN,
                std=open_clip.OPENAI_DATASET_STD,
            )
        target = choose_device(device)
        several = device == "auto" and target.type == "cuda"
        replicas = range(1, min(gpus, torch.cuda.device_count())) if several else ()
        return cls(
            name=folder.absolute().name,  # of a link rather than of what it leads to
            network=network,
            tokenizer=open_clip.get_tokenizer(identifier),
            preprocessing=preprocessing,
            device=target,
            precision=precision,
            replicas=[torch.device("cuda", number) for number in replicas],
        )

    @torch.inference_mode()
    def embed_images(
        self, frames: NDArray[np.uint8] | Tensor, batch_size: int | None = None
    ) -> NDArray[np.float32]:
        """Unit embeddings float32 ``[N, E]`` of uint8 RGB frames ``[N, H, W, 3]``.

        Args:
            frames: Of any size; they go to the device as they are.
            batch_size: Frames at a time; by default what suits the device, and less from the first
                time on that its memory runs out.
        """
        if not isinstance(frames, Tensor):
            frames = torch.from_numpy(np.ascontiguousarray(frames))
        while True:
            share = math.ceil(len(frames) / len(self._towers))
            size = max(1, min(batch_size or self._batch_size, share))
            try:
                # GPUs compute while others are handed their batches.
                batches = list(map(self._embed, torch.split(frames, size), cycle(self._towers)))
                for tower in self._towers:
                    tower.finish()
                return _to_numpy(batches)
            except torch.cuda.OutOfMemoryError:
                if batch_size or size == 1:
                    raise
            # The error is forgotten, and with it what the batch held; OpenGL wants memory too.
            self._batch_size = size // 2
            torch.cuda.empty_cache()

    def _embed(self, frames: Tensor, tower: _Tower) -> Tensor:
        with tower.stream():
            pixels = self.preprocessing(frames.to(tower.device, non_blocking=True))
            embeddings = tower.network.encode_image(pixels.to(self._dtype))
            return functional.normalize(embeddings.float(), dim=-1)

    @torch.inference_mode()
    def embed_prompts(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Unit embeddings float32 ``[P, E]`` of sentences."""
        tokens = self.tokenizer(list(prompts)).to(self.device)
        return _to_numpy([self.network.encode_text(tokens, normalize=True)])


class _Tower:
    """An image tower on its device, beside whatever else computes there."""

    def __init__(self, device: torch.device, network: Any):
        self.device = device
        self.network = network.to(device)
        self._stream: Any = None
        if device.type == "cuda":
            # In the default stream, an agent's next actions would wait for the frames before.
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            torch.cuda.synchronize(device)  # the weights have arrived

    def stream(self) -> AbstractContextManager[Any]:
        """What is computed inside waits for nothing else on the device."""
        return torch.cuda.stream(self._stream) if self._stream else nullcontext()

    def finish(self) -> None:
        """Waits until everything begun is computed."""
        if self._stream:
            self._stream.synchronize()


def choose_device(device: str) -> torch.device:
    """``auto`` is CUDA where there is one, else the CPU; a GPU that stays unused is warned of."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cpu" and has_nvidia_gpu():
            warnings.warn(
                "there is an NVIDIA GPU, but PyTorch cannot use it and computes on the CPU; "
                "`vlmrm doctor` says why",
                stacklevel=2,
            )
    return torch.device(device)


def choose_precision(precision: Precision, device: torch.device) -> Precision:
    """``auto`` is bfloat16 where matrices of it are multiplied in hardware, else float32.

    That is CUDA from compute capability 8.0 on, and processors with AMX. Without such units a CPU
    is slower in bfloat16 than in float32.
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        fast = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        fast = device.type == "cpu" and torch.cpu._is_amx_tile_supported()
    return "bfloat16" if fast else "float32"


def _to_numpy(embeddings: list[Tensor]) -> NDArray[np.float32]:
    array: NDArray[np.float32] = torch.cat([e.float().cpu() for e in embeddings]).numpy()
    return array
