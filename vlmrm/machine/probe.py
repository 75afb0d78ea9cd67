"""Questions that may hang or crash, each asked in a process of its own.

``python -m vlmrm.machine.probe NAME`` prints the answer as its last line; a failure's reason is the
last line of its errors.
"""

from __future__ import annotations

import sys

from vlmrm.errors import UserError
from vlmrm.machine.libraries import explain_opengl


def rendering() -> str:
    """Whether MuJoCo renders in hardware or in software, and on what."""
    from vlmrm.config import Rendering
    from vlmrm.rendering import make_renderer

    renderer = make_renderer("humanoid", "textured-fixed", Rendering(humanoid_size=64))
    from vlmrm.rendering.opengl import gl_renderer, in_software

    try:
        return f"{_kind(in_software())}: {gl_renderer()}"
    finally:
        renderer.close()


def vulkan() -> str:
    """The same of the scene `filament`."""
    from vlmrm.rendering.vulkan import require_filament, vulkan_devices

    require_filament()
    device, *_ = vulkan_devices()
    return f"{_kind(device.software)}: {device.name}"


def hub() -> str:
    """That the hub answers, whatever its answer."""
    from vlmrm.models.hub.repository import reach

    return reach("hub")


def cuda() -> str:
    """That PyTorch can use a GPU."""
    import torch

    if not torch.cuda.is_available():
        raise UserError("no GPU that PyTorch can use")
    return torch.cuda.get_device_name()


def _kind(software: bool) -> str:
    return "software" if software else "hardware"


PROBES = {probe.__name__: probe for probe in (rendering, vulkan, hub, cuda)}

if __name__ == "__main__":
    try:
        with explain_opengl():
            print(PROBES[sys.argv[1]]())
    except UserError as error:
        sys.exit(str(error))
