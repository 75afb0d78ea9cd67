"""Whether this machine can draw the ``filament`` scene, found out without starting to draw."""

from __future__ import annotations

import ctypes
import functools
import importlib

from vlmrm.errors import Missing


@functools.cache
def require_filament() -> None:
    """Check for MuJoCo's Filament renderer and a Vulkan driver; Filament aborts without one.

    Raises:
        Missing: One of them is not installed.
    """
    try:
        importlib.import_module("mujoco.mjrf")
        importlib.import_module("mujoco.studio.window")  # registers Filament's material files
    except ImportError as error:
        reason = " ".join(str(error).split())
        raise Missing(
            f"scene: filament needs MuJoCo 4 with mujoco-studio ({reason}); pip install 'mujoco>=4'"
        ) from error
    problem = _vulkan_problem()
    if problem:
        raise Missing(
            f"scene: filament needs Vulkan ({problem}); install the Debian packages libvulkan1 and "
            "mesa-vulkan-drivers, or on a GPU machine NVIDIA's driver"
        )


def _vulkan_problem() -> str | None:
    try:
        vulkan = ctypes.CDLL("libvulkan.so.1")
    except OSError as missing:
        return str(missing)
    # VkInstanceCreateInfo: 64 bytes, all zero but for its type, 1, at the beginning.
    request = (ctypes.c_uint64 * 8)(1)
    instance, devices = ctypes.c_void_p(), ctypes.c_uint32()
    error = vulkan.vkCreateInstance(request, None, ctypes.byref(instance))
    if error:
        return f"no driver, error {error}"
    error = vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(devices), None)
    vulkan.vkDestroyInstance(instance, None)
    return None if not error and devices.value else f"no device, error {error}"
