"""Size of an architecture, without its weights."""

from __future__ import annotations

import functools
import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from vlmrm.models.folder import count_parameters
from vlmrm.models.network import WithoutInitialization
from vlmrm.models.random_init import build_random
from vlmrm.models.sizes import ModelSize


@functools.cache
def measure_size(architecture: str) -> ModelSize:
    """Counts parameters and operations on the device ``meta``, whose tensors have no data.

    Raises:
        UserError: The architecture is unknown.
    """
    with WithoutInitialization():
        built, config, _ = build_random(architecture, seed=0, device="meta")
    network: Any = built.eval().requires_grad_(False)
    size = config["vision_cfg"]["image_size"]
    parameters = count_parameters(network)
    image = torch.empty(1, 3, size, size, device="meta")
    with FlopCounterMode(display=False) as counter, PeakMemory() as memory, torch.inference_mode():
        embeddings = network.encode_image(image)
    return ModelSize(
        image_size=size,
        image_flops=counter.get_total_flops(),
        activations=memory.peak // image.element_size(),
        image_parameters=parameters["image"],
        parameters=sum(parameters.values()),
        embedding=embeddings.shape[-1],
    )


class PeakMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within it, follows the bytes of all tensors that operations make and programs still hold.

    Attributes:
        peak: Most bytes at a time.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._bytes = 0
        self._holders: Counter[int] = Counter()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._hold(tensor)
        return result

    def _hold(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if not self._holders[key]:
            self._bytes += size
            self.peak = max(self.peak, self._bytes)
        self._holders[key] += 1
        weakref.finalize(tensor, self._release, key, size)

    def _release(self, key: int, size: int) -> None:
        self._holders[key] -= 1
        if not self._holders[key]:
            self._bytes -= size
