"""Checks whether this machine can render the ``filament`` scene, without starting Filament."""

from __future__ import annotations

import ctypes
import functools
import importlib
import sys
from dataclasses import dataclass

from vlmrm.errors import MissingDependency, one_line


@functools.cache
def require_filament() -> None:
    """Checks for MuJoCo's Filament renderer and a Vulkan driver; Filament aborts without one.

    Raises:
        MissingDependency: One of them is not installed.
    """
    try:
        importlib.import_module("mujoco.mjrf")
        importlib.import_module("mujoco.studio.window")  # registers Filament's material files
    except ImportError as error:
        raise MissingDependency(
            f"scene: filament needs MuJoCo 4 with mujoco-studio ({one_line(error)}); pip install "
            "'mujoco>=4'"
        ) from error
    try:
        vulkan_devices()
    except OSError as error:
        raise MissingDependency(
            f"scene: filament needs Vulkan ({error}); install the Debian packages libvulkan1 and "
            "mesa-vulkan-drivers, or NVIDIA's driver if the machine has a GPU"
        ) from error


@dataclass(frozen=True)
class VulkanDevice:
    """A device that Vulkan can render on."""

    name: str
    software: bool
    """Whether it is the CPU."""


def vulkan_devices() -> list[VulkanDevice]:
    """The devices that Vulkan offers, in the driver's order of preference.

    Raises:
        OSError: There is no Vulkan library, driver, or device.
    """
    vulkan = ctypes.CDLL("libvulkan.so.1")
    # VkInstanceCreateInfo: 64 bytes, all zero but for its type, 1, at the beginning.
    request = (ctypes.c_uint64 * 8)(1)
    instance, count = ctypes.c_void_p(), ctypes.c_uint32()
    error = vulkan.vkCreateInstance(request, None, ctypes.byref(instance))
    if error:
        raise OSError(f"no driver, error {error}")
    try:
        error = vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None)
        if error or not count.value:
            raise OSError(f"no device, error {error}")
        handles = (ctypes.c_void_p * count.value)()
        vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles)
        return [_describe(vulkan, handle) for handle in handles[: count.value]]
    finally:
        vulkan.vkDestroyInstance(instance, None)


def _describe(vulkan: ctypes.CDLL, handle: int | None) -> VulkanDevice:
    # VkPhysicalDeviceProperties: 824 bytes; at 16 the type, of which 4 is a CPU, at 20 the name.
    properties = ctypes.create_string_buffer(1024)
    vulkan.vkGetPhysicalDeviceProperties(ctypes.c_void_p(handle), properties)
    kind = int.from_bytes(properties.raw[16:20], sys.byteorder)
    name, _, _ = properties.raw[20:276].partition(b"\0")
    return VulkanDevice(name.decode(), software=kind == 4)
