"""Checks the machine and says how to fix what is missing, one line per check."""

from __future__ import annotations

import enum
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from vlmrm import OPENGL
from vlmrm.errors import one_line
from vlmrm.machine.libraries import NVIDIA_EGL

LOW_SPACE, LITTLE_SPACE = 1e9, 10e9
"""Bytes free on the disk below which runs fail, and below which long ones may."""


class Verdict(enum.Enum):
    """`note`: something lacks, but runs without network or GPU do not need it."""

    fine = "fine"
    note = "note"
    broken = "BROKEN"


@dataclass(frozen=True)
class Check:
    """What is checked, the verdict, and the value or what to do."""

    name: str
    verdict: Verdict
    message: str

    def __str__(self) -> str:
        return f"{self.name:<11} {self.verdict.value}: {self.message}"


def examine() -> list[Check]:
    """Runs all checks; takes seconds, and at most a minute."""
    checks: list[Callable[[], Check]] = [
        check_python,
        check_torch,
        check_rendering,
        check_vulkan,
        check_disk,
        check_hub,
        check_tokenizers,
        check_slurm,
    ]
    with ThreadPoolExecutor(len(checks)) as pool:
        done = [pool.submit(check) for check in checks]
    return [check.result() for check in done]


def check_python() -> Check:
    """Version of Python; the package does not install on one that is too old."""
    return Check("Python", Verdict.fine, platform.python_version())


def check_torch() -> Check:
    """Version of PyTorch, threads, and the GPU."""
    try:
        import torch
    except (ImportError, OSError) as error:
        message = f"cannot be imported ({one_line(error)}); run `make install` again"
        return Check("PyTorch", Verdict.broken, message)
    what = f"{torch.__version__}, {torch.get_num_threads()} threads"
    card = nvidia_gpu()
    if torch.cuda.is_available():
        names = {torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())}
        built_for = map(re.compile(r"sm_(\d+)[a-z]?").fullmatch, torch.cuda.get_arch_list())
        oldest = min((int(arch[1]) for arch in built_for if arch), default=0)  # none of AMD's
        for number in range(torch.cuda.device_count()):
            major, minor = torch.cuda.get_device_capability(number)
            if 10 * major + minor < oldest:
                message = f"{torch.cuda.get_device_name(number)} is too old for this PyTorch"
                advice = "hide it by CUDA_VISIBLE_DEVICES, or install a PyTorch made for it"
                return Check("PyTorch", Verdict.broken, f"{what}; {message}: {advice}")
        devices = f"{torch.cuda.device_count()} x {', '.join(sorted(names))}"
        driver = f", driver {card[1]}" if card else ""
        version = (
            f"CUDA {torch.version.cuda}" if torch.version.cuda else f"ROCm {torch.version.hip}"
        )
        return Check("PyTorch", Verdict.fine, f"{what}, {devices}, {version}{driver}")
    if card:
        message = f"{what}; there is a {card[0]} (driver {card[1]}), but PyTorch cannot use it"
        reason = f"update the driver, to one for CUDA {torch.version.cuda}"
        if torch.version.cuda is None:
            reason = "it was built without CUDA"
        return Check("PyTorch", Verdict.note, f"{message}: {reason}")
    return Check("PyTorch", Verdict.fine, f"{what}, no GPU: CPU only")


def check_rendering() -> Check:
    """Whether the humanoid's renderer starts, and what it renders with."""
    ended, message = _probe("rendering", timeout=60)
    library = OPENGL.upper()
    if not ended:
        return Check("Rendering", Verdict.broken, message)
    if message.startswith("hardware"):
        return Check("Rendering", Verdict.fine, f"{library}, {message}")
    if nvidia_gpu():
        message = f"{library}, in {message}, although there is an NVIDIA GPU; {NVIDIA_EGL}"
        return Check("Rendering", Verdict.note, message)
    return Check("Rendering", Verdict.fine, f"{library}, in {message}")


def check_vulkan() -> Check:
    """Whether the scene `filament` can be rendered, and on what."""
    ended, message = _probe("vulkan", timeout=60)
    if ended and message.startswith("software") and nvidia_gpu():
        message = f"filament is rendered in {message}, although there is an NVIDIA GPU"
        advice = "install the driver's Vulkan library, in containers start with --runtime=nvidia"
        return Check("Vulkan", Verdict.note, f"{message}; {advice}")
    if ended:
        return Check("Vulkan", Verdict.fine, f"the scene filament can be rendered, in {message}")
    return Check("Vulkan", Verdict.note, f"the scene filament cannot be rendered: {message}")


def filament_problem() -> str | None:
    """Why the scene `filament` cannot be rendered; None if it can."""
    works, message = _probe("vulkan", timeout=60)
    return None if works else message


def check_disk() -> Check:
    """Free space where the results go."""
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    message = f"{free / 1e9:.0f} GB free in {here}"
    if not os.access(here, os.W_OK):
        return Check("Disk", Verdict.broken, f"{here} cannot be written; start elsewhere")
    if free < LOW_SPACE:
        return Check("Disk", Verdict.broken, f"{free / 1e9:.1f} GB free in {here}; free some")
    if free < LITTLE_SPACE:
        return Check("Disk", Verdict.note, f"{message}; long runs and large models need more")
    return Check("Disk", Verdict.fine, message)


def check_hub() -> Check:
    """Whether published models can be downloaded."""
    hub = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    lost = "published models cannot be downloaded; simulator-trained ones work"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return Check("Hub", Verdict.note, f"HF_HUB_OFFLINE is set: {lost}")
    ended, message = _probe("hub", timeout=30)
    if ended:
        token = "set" if os.environ.get("HF_TOKEN") else "not set, gated models need it"
        return Check("Hub", Verdict.fine, f"{hub} answers; HF_TOKEN is {token}")
    return Check("Hub", Verdict.note, f"{hub} not reachable ({message}): {lost}")


def check_tokenizers() -> Check:
    """Whether the library for models with their own tokenizers is installed."""
    try:
        version = importlib.metadata.version("transformers")
    except importlib.metadata.PackageNotFoundError:
        message = "transformers is not installed; models of the SigLIP family need it"
        return Check("Tokenizers", Verdict.note, f"{message}: `pip install transformers`")
    return Check("Tokenizers", Verdict.fine, f"transformers {version}")


def check_slurm() -> Check:
    """Whether jobs can be submitted to a cluster."""
    found = shutil.which("sbatch")
    if found is None:
        return Check("SLURM", Verdict.fine, "no sbatch; jobs run on this machine")
    answers, message = _run(["sinfo", "--noheader"], timeout=10)
    if not answers:
        message = f"sbatch is here, but no controller answers ({message}); jobs run on this machine"
        return Check("SLURM", Verdict.note, message)
    try:
        importlib.metadata.version("snakemake-executor-plugin-slurm")
    except importlib.metadata.PackageNotFoundError:
        message = "a controller answers, but Snakemake has no executor for it; run "
        advice = "`pip install '.[slurm]'` in the project's folder"
        return Check("SLURM", Verdict.note, message + advice)
    return Check("SLURM", Verdict.fine, f"{found}, and a controller answers")


def nvidia_gpu() -> tuple[str, str] | None:
    """Name of the first NVIDIA GPU, and the version of its driver."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    ended, message = _run(query, timeout=30, line=0)
    name, comma, driver = message.partition(",")
    return (name.strip(), driver.strip()) if ended and comma else None


def cuda_works() -> bool:
    """Whether PyTorch can use a GPU; another process finds out, which leaves it again."""
    works, _ = _probe("cuda", timeout=60)
    return works


def _probe(name: str, timeout: float) -> tuple[bool, str]:
    """Runs a function of `vlmrm.machine.probe`."""
    return _run([sys.executable, "-m", "vlmrm.machine.probe", name], timeout)


def _run(command: list[str], timeout: float, line: int = -1) -> tuple[bool, str]:
    """Whether a command succeeded, and one line of its output, or of its errors if it failed."""
    # The package that is running, also where another one is installed.
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.getenv("PYTHONPATH"))))
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "PYTHONPATH": path},
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer within {timeout:g} seconds"
    except OSError as error:
        return False, one_line(error)
    lines = (run.stderr if run.returncode else run.stdout).strip().splitlines()
    message = lines[line] if lines else "no output"
    return (
        run.returncode == 0,
        message if run.returncode >= 0 else f"ended by signal {-run.returncode}",
    )
