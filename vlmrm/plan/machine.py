"""What a machine does in a second: rates, each with where it comes from."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from vlmrm.config.architectures import family_architectures
from vlmrm.config.base import ConfigModel, PositiveInt
from vlmrm.errors import UserError, suggest
from vlmrm.plan.work import Amount

PROFILES = Path(__file__).with_name("machines.yaml")

OTHERWISE = "laptop"
"""Machine of the table that stands in for what is not known of another."""


class Rate(ConfigModel):
    """A number, and how it was come by."""

    value: Annotated[float, Field(gt=0)]
    how: str


class Machine(ConfigModel):
    """A machine as far as a plan needs it."""

    title: str
    gpu: bool
    """Whether a GPU computes the towers, and the updates of agents that learn from frames."""
    gpus: PositiveInt = 1
    """How many there are: a job takes one, and their rates are those of one."""
    cores: Rate
    flops: Rate
    """Floating-point operations per second of the whole machine, or of one GPU, in towers of
    published size."""
    small_flops: Rate
    """The same in the small towers of the offline family."""
    frame: dict[str, Rate]
    """Seconds of one core per frame of an environment; for the humanoid what every frame takes,
    to which its pixels come."""
    megapixel: dict[str, Rate]
    """Seconds of one core per million pixels of the humanoid's frames, and of `filament`'s."""
    step: dict[str, Rate]
    """Seconds of one core per environment step, the agent's action included."""
    update: dict[str, Rate]
    """Seconds per gradient step of the agents of an environment."""
    state: dict[str, Rate]
    """Seconds per sampled state."""
    resample: Rate
    """Seconds per state that the bootstrap of EPIC draws."""
    start: Rate
    """Seconds for a process to start and load its libraries."""
    download: Rate
    """Bytes per second from the hub."""

    def seconds(self, amount: Amount) -> tuple[float, str]:
        """What one of an amount takes on one core, or, of images, on all; and that in words."""
        what, size = amount.what, amount.size
        match amount.kind:
            case "images":
                flops = self.small_flops if what in family_architectures() else self.flops
                each = size / flops.value
                return each, f"{_si(size)}FLOP / {_si(flops.value)}FLOP/s"
            case "frames":
                each = self.frame[what].value
                if what not in self.megapixel:
                    return each, _time(each)
                pixels = self.megapixel[what].value
                told = f"({_time(each)} + {size:.3f} Mpx x {_time(pixels)}/Mpx)"
                return each + pixels * size, told
            case "steps":
                each = self.step[what].value
            case "updates":
                each = self.update[what].value
            case "states":
                each = self.state[what].value
            case "resamples":
                each = self.resample.value
            case "starts":
                each = self.start.value
            case "downloads":
                each = size / self.download.value
                return each, f"{_si(size)}B / {_si(self.download.value)}B/s"
        return each, _time(each)


@functools.cache
def known_machines() -> dict[str, Machine]:
    """The machines of the table."""
    profiles = yaml.safe_load(PROFILES.read_text())
    return {name: Machine.model_validate(profile) for name, profile in profiles.items()}


def load_machine(name: str, gpus: int = 1) -> Machine:
    """A machine of the table, or several of them in one: GPUs, and as many cores beside each.

    Raises:
        UserError: The table has none of that name, or that one has no GPU.
    """
    machines = known_machines()
    if name not in machines:
        raise UserError(f"--machine: unknown name '{name}'{suggest(name, machines)}")
    machine = machines[name]
    if gpus == 1:
        return machine
    if not machine.gpu:
        raise UserError(f"--gpus: '{name}' has none; name another --machine")
    cores = Rate(value=gpus * machine.cores.value, how=f"{machine.cores.how}, for each GPU")
    title = f"{gpus} x {machine.title}"
    return machine.model_copy(update={"title": title, "gpus": gpus, "cores": cores})


def _si(value: float) -> str:
    for prefix, unit in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if value >= unit:
            return f"{value / unit:.4g} {prefix}"
    return f"{value:.4g} "


def _time(seconds: float) -> str:
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
