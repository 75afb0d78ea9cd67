"""Loads CLIP models and embeds images and sentences with them."""

from __future__ import annotations

import copy
import functools
import math
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vlmrm.config import Precision, WideFrames
from vlmrm.errors import UserError
from vlmrm.machine.gpus import check_device, has_nvidia_gpu
from vlmrm.machine.libraries import load_triton_first
from vlmrm.models.folder import check_model_folder
from vlmrm.models.lengths import check_lengths
from vlmrm.models.libraries import open_clip
from vlmrm.models.network import load_network, load_tokenizer, loading, merge_layers
from vlmrm.models.preprocessing import Preprocessing
from vlmrm.models.sizes import GPU_BATCH_PIXELS

CPU_BATCH_PIXELS = 32 * 224**2
"""Input pixels per batch on a CPU; larger batches do not fit into the caches."""

# The caller may render with other libraries first, and then train, which loads Triton.
load_triton_first()


class ClipModel:
    """Embeds images and sentences as unit vectors.

    Attributes:
        name: Name of the folder that the model was loaded from, or of what was trained.
        folder: The folder that it was loaded from; None for one that was just trained.
        network: The open_clip model, in evaluation mode.
        preprocessing: The model's image preprocessing.
        device: Device of the image tower. Sentences are few, and embedded on the CPU.
        replicas: Further devices, which hold copies of the image tower and share the images.
        precision: Precision of the image tower; sentences are always embedded in float32.
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
        self.folder: Path | None = None
        self._load: Callable[[], ClipModel] | None = None
        self._tokenizing = threading.Lock()
        # Frames have their channels last, and convolutions are faster in this format.
        network = network.to(memory_format=torch.channels_last)
        self.network: Any = network.eval().requires_grad_(False)
        self.precision = choose_precision(precision, device)
        dtype: torch.dtype = getattr(torch, self.precision)
        _cast(self.network.visual, dtype)
        pixels = GPU_BATCH_PIXELS if device.type == "cuda" else CPU_BATCH_PIXELS
        self._batch_size = max(1, pixels // preprocessing.size**2)
        self.tokenizer = tokenizer
        self.preprocessing = preprocessing
        self.device = device
        # Copy before moving: the first GPU may not have the memory for two image towers.
        networks = [self.network, *(copy_image_tower(self.network) for _ in replicas)]
        self._towers = [
            _Tower(network, dtype, place)
            for network, place in zip(networks, [device, *replicas], strict=True)
        ]

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        device: str = "auto",
        precision: Precision = "auto",
        *,
        wide_frames: WideFrames = "squash",
        openai_normalization: bool = False,
        gpus: int = 1,
    ) -> ClipModel:
        """Loads a model folder.

        Args:
            folder: A model in open_clip's layout, or the name of a packaged model such as
                ``sim-M``.
            device: A torch device, or ``auto`` for CUDA if available.
            precision: Precision of the image tower; see `choose_precision` for ``auto``.
            wide_frames: How frames that are not square reach a model that would crop them.
            openai_normalization: Normalize images with the constants of OpenAI's models instead of
                the model's own: a bug in the paper's code, for comparison.
            gpus: Number of GPUs that share the images if ``device`` is ``auto``.

        Raises:
            UserError: The folder, its configuration or its weights are missing or damaged.
        """
        folder = check_model_folder(folder).absolute()
        with loading(folder):
            network = merge_layers(load_network(folder))
            preprocessing = Preprocessing.from_open_clip(network.visual.preprocess_cfg)
            tokenizer = load_tokenizer(folder)
        preprocessing = preprocessing.for_wide_frames(wide_frames)
        if openai_normalization:
            preprocessing = replace(
                preprocessing,
                mean=open_clip.OPENAI_DATASET_MEAN,
                std=open_clip.OPENAI_DATASET_STD,
            )
        target = choose_device(device)
        several = device == "auto" and target.type == "cuda"
        replicas = range(1, min(gpus, torch.cuda.device_count())) if several else ()
        model = cls(
            name=folder.name,  # the name of a link, not of its target
            network=network,
            tokenizer=tokenizer,
            preprocessing=preprocessing,
            device=target,
            precision=precision,
            replicas=[torch.device("cuda", number) for number in replicas],
        )
        model.folder = folder
        model._load = functools.partial(
            cls.load,
            folder,
            device,
            precision,
            wide_frames=wide_frames,
            openai_normalization=openai_normalization,
            gpus=gpus,
        )
        return model

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Rewards, agents, and buffers are saved with the model's folder, not with the model."""
        return (self._load, ()) if self._load else super().__reduce_ex__(protocol)

    @torch.inference_mode()
    def embed_images(
        self, frames: NDArray[np.uint8] | Tensor, batch_size: int | None = None
    ) -> NDArray[np.float32]:
        """Unit embeddings float32 ``[N, E]`` of uint8 RGB frames ``[N, H, W, 3]``.

        Args:
            frames: Frames of any size; they are resized on the device.
            batch_size: Frames per batch. The default suits the device, and is halved whenever its
                memory runs out.

        Raises:
            ValueError: The frames are of another type or shape.
            UserError: The embeddings are not finite.
        """
        if not isinstance(frames, Tensor):
            frames = torch.from_numpy(np.ascontiguousarray(frames))
        if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
            given = f"{str(frames.dtype).removeprefix('torch.')} {list(frames.shape)}"
            raise ValueError(f"frames must be uint8 RGB [N, H, W, 3] from 0 to 255, not {given}")
        while True:
            share = math.ceil(len(frames) / len(self._towers))
            size = max(1, min(batch_size or self._batch_size, share))
            try:
                # GPUs compute while others receive their batches.
                towers = cycle(self._towers)
                batches = [
                    next(towers).embed(batch, self.preprocessing)
                    for batch in torch.split(frames, size)
                ]
                for tower in self._towers:
                    tower.finish()
                return self._finite(batches)
            except RuntimeError as error:
                if batch_size or size == 1 or not lacks_gpu_memory(error):
                    raise
            # Outside the handler, the batch's memory is free; OpenGL needs some of it.
            self._batch_size = size // 2
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def embed_prompts(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Unit embeddings float32 ``[P, E]`` of sentences.

        Raises:
            UserError: A sentence is longer than the model reads, or the embeddings are not finite.
        """
        # Fast tokenizers keep the length of a call as their state: one thread at a time.
        with self._tokenizing:
            check_lengths(self.tokenizer, prompts, self.name)
            tokens = self.tokenizer(list(prompts))
        return self._finite([self.network.encode_text(tokens, normalize=True)])

    def _finite(self, batches: list[Tensor]) -> NDArray[np.float32]:
        embeddings: NDArray[np.float32] = torch.cat([e.float().cpu() for e in batches]).numpy()
        if not np.isfinite(embeddings).all():
            raise UserError(
                f"{self.name}: its embeddings are not finite; use another model, or a precision "
                f"other than {self.precision}"
            )
        return embeddings


class _Tower:
    """An image tower on its device. A GPU copies frames while it computes with those before."""

    def __init__(self, network: Any, dtype: torch.dtype, device: torch.device):
        self.network = network
        self._dtype = dtype
        self._device = device
        network.visual.to(device)
        self._streams: tuple[Any, Any] | None = None
        self._last: Any = None
        if device.type == "cuda":
            # In the default stream, an agent's next actions would wait for these frames.
            self._streams = torch.cuda.Stream(device), torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            torch.cuda.synchronize(device)  # wait for the weights

    def embed(self, frames: Tensor, preprocessing: Preprocessing) -> Tensor:
        """Unit embeddings of uint8 frames; on a GPU, they are there after `finish`."""
        if self._streams is None:
            return self._compute(preprocessing(frames.to(self._device)))
        copies, computations = self._streams
        with torch.cuda.stream(copies):
            # Copies from other memory would not run beside computations.
            pinned = frames if frames.is_cuda else frames.pin_memory()
            received = pinned.to(self._device, non_blocking=True)
        computations.wait_stream(copies)
        with torch.cuda.stream(computations):
            embeddings = self._compute(preprocessing(received))
        received.record_stream(computations)
        # At most two batches are in memory.
        self.finish()
        self._last = computations.record_event()
        return embeddings

    def _compute(self, pixels: Tensor) -> Tensor:
        embeddings = self.network.encode_image(pixels.to(self._dtype))
        return functional.normalize(embeddings.float(), dim=-1)

    def finish(self) -> None:
        """Waits for the last batch."""
        if self._last is not None:
            self._last.synchronize()
            self._last = None


def choose_device(device: str) -> torch.device:
    """Resolves ``auto`` to CUDA if available, else to the CPU; warns about an unused GPU.

    Raises:
        UserError: PyTorch cannot use the device.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cpu" and has_nvidia_gpu():
            warnings.warn(
                "there is an NVIDIA GPU, but PyTorch cannot use it and computes on the CPU; "
                "`vlmrm doctor` says why",
                stacklevel=2,
            )
    check_device(device)
    return torch.device(device)


def choose_precision(precision: Precision, device: torch.device) -> Precision:
    """Resolves ``auto`` to the reduced precision in which the hardware multiplies matrices.

    That is bfloat16 on GPUs from compute capability 8.0 on and on CPUs with AMX, and float16 on
    GPUs of 7.0 and 7.5 (Volta, Turing). All others compute in float32, in which they are fastest.
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        if capability >= (8, 0):
            return "bfloat16"
        return "float16" if capability >= (7, 0) else "float32"
    fast = device.type == "cpu" and torch.cpu._is_amx_tile_supported()
    return "bfloat16" if fast else "float32"


def lacks_gpu_memory(error: RuntimeError) -> bool:
    """Whether a GPU's memory ran out, for a tensor or within one of NVIDIA's libraries."""
    libraries = ("CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(
        name in str(error) for name in libraries
    )


def copy_image_tower(network: Any) -> Any:
    """A copy of a network that shares all weights but those of the image tower."""
    own = {id(weights) for weights in network.visual.parameters()}
    shared = {id(weights): weights for weights in network.parameters() if id(weights) not in own}
    return copy.deepcopy(network, shared)


def _cast(network: Any, dtype: torch.dtype) -> None:
    """Casts weights, but for batch norm, whose running statistics lose their digits otherwise."""
    network.to(dtype)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.float()
