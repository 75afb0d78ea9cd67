"""Networks of open_clip, read from a model folder."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.overrides import TorchFunctionMode

from vlmrm.errors import UserError, one_line
from vlmrm.models.folder import CONFIG_FILE, MAKE_AGAIN, WEIGHTS_FILE, check_files
from vlmrm.models.libraries import open_clip, quiet, timm


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Checks the files of a model folder, and says if the block cannot load them.

    Raises:
        UserError: A file is another, missing, or damaged.
    """
    check_files(folder)
    try:
        yield
    except Exception as error:  # open_clip raises anything for malformed files
        raise UserError(
            f"{folder}: open_clip cannot load this model ({one_line(error)}); {MAKE_AGAIN}"
        ) from error


@quiet()
def load_network(folder: Path) -> Any:
    """The network of a model folder, in float32.

    No weights are drawn only to be replaced. Those in float32 are not copied: the parameters are
    pages of the file, which the operating system reads on demand and shares between processes.

    Raises:
        RuntimeError, ValueError, TypeError, SafetensorError: The configuration and the weights do
            not fit each other, or one of them is damaged.
    """
    with WithoutInitialization():
        network = open_clip.create_model(
            f"local-dir:{folder}", load_weights=False, pretrained_text=False
        )
    # load_checkpoint adapts older layouts, and then calls this.
    network.load_state_dict = functools.partial(network.load_state_dict, assign=True)
    open_clip.factory.load_checkpoint(network, str(folder / WEIGHTS_FILE))
    del network.load_state_dict
    return network.float()


def merge_layers(network: Any) -> Any:
    """Merges layers of an image tower that only training needs apart; the function stays the same.

    Those are the branches of MobileCLIP's towers (Ding et al., 2021, "RepVGG"), and the batch
    norms of OpenAI's ResNets, which scale and shift what a convolution computes.
    """
    network.visual = timm.utils.model.reparameterize_model(network.visual.eval(), inplace=True)
    if isinstance(network.visual, open_clip.modified_resnet.ModifiedResNet):
        for block in network.visual.modules():
            _merge_batch_norms(block)
    return network


def _merge_batch_norms(block: nn.Module) -> None:
    """Merges each batch norm of a block with the convolution defined before it."""
    for (name, layer), (following, norm) in pairwise(list(block.named_children())):
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(block, name, fuse_conv_bn_eval(layer, norm))
            setattr(block, following, nn.Identity())


@quiet()
def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model folder, which pads sentences as in training: at their end.

    Without ``padding_side`` in its configuration, some versions of transformers pad at the start,
    which makes every sentence another one. The transformers library runs no code of the folder,
    even if its configuration asks for it.
    """
    text = json.loads((folder / CONFIG_FILE).read_text())["model_cfg"]["text_cfg"]
    options = {"trust_remote_code": False} if text.get("hf_tokenizer_name") else {}
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}", **options)
    inner = getattr(tokenizer, "tokenizer", None)  # of the transformers library
    if inner is not None and "padding_side" not in _tokenizer_config(folder):
        inner.padding_side = "right"
    return tokenizer


def _tokenizer_config(folder: Path) -> dict[str, Any]:
    file = folder / "tokenizer_config.json"
    return dict(json.loads(file.read_text())) if file.is_file() else {}


class WithoutInitialization(TorchFunctionMode):
    """Within it, nothing is written to parameters, whose values are about to be replaced."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        in_place = func.__name__.endswith("_") and not func.__name__.startswith("_")
        if in_place and args and isinstance(args[0], nn.Parameter):
            return args[0]
        return func(*args, **(kwargs or {}))
