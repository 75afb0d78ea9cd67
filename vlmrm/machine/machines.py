"""Machines that a plan can be made for: a YAML file of rates for each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from vlmrm.config import read_yaml
from vlmrm.config.base import ConfigModel, PositiveInt
from vlmrm.errors import UserError, shorten, suggest
from vlmrm.machine.gpus import visible_gpus

PositiveFloat = Annotated[float, Field(gt=0)]


class Machine(ConfigModel):
    """What a machine does in a second.

    The rates are those of one GPU, or of all cores where there is none. Each job that can use a GPU
    takes one, and its share of the cores.
    """

    title: str
    cores: PositiveInt
    gpus: Annotated[int, Field(ge=0)] = 0
    flops: PositiveFloat
    """Floating-point operations per second in image towers of published size."""
    small_flops: PositiveFloat
    """The same in the small towers of the simulator-trained models."""
    update: PositiveFloat
    """Seconds of a gradient step of a humanoid agent."""
    gpu_memory: PositiveFloat | None = None
    """Bytes of memory of a GPU."""
    download: PositiveFloat = 12.5e6
    """Bytes per second from the hub."""


MACHINES = {
    file.stem: Machine.model_validate(read_yaml(file))
    for file in sorted(Path(__file__).with_name("rates").glob("*.yaml"))
}


def load_machine(name: str, gpus: int = 1) -> Machine:
    """A known machine, or the one that a YAML file describes, with several of its GPU.

    Raises:
        UserError: The machine is unknown, the file is wrong, or the machine has no GPU.
    """
    if name in MACHINES:
        machine = MACHINES[name]
    elif name.endswith((".yaml", ".yml")):
        try:
            machine = Machine.model_validate(read_yaml(name))
        except ValidationError as error:
            problem = error.errors()[0]
            place = ": ".join((name, *map(str, problem["loc"])))
            raise UserError(shorten(f"{place}: {problem['msg']}")) from error
    else:
        raise UserError(f"--machine: unknown name '{name}'{suggest(name, MACHINES)}")
    if gpus == 1:
        return machine
    if not machine.gpus:
        raise UserError(f"--gpus: '{name}' has none; name another --machine")
    title, cores = f"{gpus} x {machine.title}", gpus * machine.cores
    return machine.model_copy(update={"title": title, "gpus": gpus, "cores": cores})


def this_machine() -> Machine:
    """Counts the cores and GPUs of this machine; its rates are the stated ones."""
    cores, gpus = len(os.sched_getaffinity(0)), len(visible_gpus())
    if gpus:
        title = f"this machine ({cores} cores, {gpus} GPUs, each counted as an A100)"
        return MACHINES["a100"].model_copy(update={"title": title, "cores": cores, "gpus": gpus})
    laptop = MACHINES["laptop"]
    share = cores / laptop.cores
    return laptop.model_copy(
        update={
            "title": f"this machine ({cores} cores, no GPU)",
            "cores": cores,
            "flops": share * laptop.flops,
            "small_flops": share * laptop.small_flops,
        }
    )
