"""What jobs need: threads, memory, run time, GPUs. Where they run is the matter of a profile.

Estimates for the first attempt. A cluster's profile has jobs tried again with more, and any of them
can be changed there: `set-resources: {train_policy: {runtime: 2880}}`.
"""

import os
import shutil
import subprocess

from snakemake.settings.types import ExecMode


def visible_gpus():
    """The NVIDIA GPUs that this process may use, as CUDA_VISIBLE_DEVICES writes them."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [gpu.strip() for gpu in chosen.split(",") if gpu.strip()]
    if shutil.which("nvidia-smi") is None:
        return []
    query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30)
    except subprocess.TimeoutExpired:
        return []
    return answer.stdout.split() if answer.returncode == 0 else []


# On a cluster the scheduler deals out GPUs. Here jobs ask for one each, and get what there is: the
# total also limits each job, so that without a GPU they run without.
GPUS = []
if workflow.exec_mode == ExecMode.DEFAULT and workflow.resource_settings.nodes is None:
    GPUS = visible_gpus()
    if "gpu" not in workflow.global_resources:
        workflow.register_resource("gpu", len(GPUS))
    if len(GPUS) > 1:
        # Each command takes its own of them (vlmrm/machine/gpus.py).
        os.environ.setdefault("VLMRM_GPUS", ",".join(GPUS))

# As many as there are: --cores, or max-threads of a profile, is the limit.
ALL_CORES = 64
# Jobs on several GPUs share the cores of the machine.
CORES_PER_GPU = ALL_CORES
if len(GPUS) > 1 and workflow.resource_settings.cores:
    CORES_PER_GPU = max(1, workflow.resource_settings.cores // len(GPUS))


def memory(megabytes):
    """Twice as much at each further attempt."""
    return lambda wildcards, attempt: megabytes * 2 ** (attempt - 1)


def minutes(first):
    """As much again at each further attempt."""
    return lambda wildcards, attempt: first * attempt


def model_memory(wildcards, attempt):
    """Main memory for a model's weights, of which published ones have up to 10 GB."""
    name = getattr(wildcards, "reward_source", None) or wildcards.model
    large = name in settings.models and settings.models[name].source != "simulator"
    return (32_000 if large else 8_000) * 2 ** (attempt - 1)


def looks_up(wildcards):
    """Whether a training looks its rewards up: then its networks are all that it computes."""
    return training_of(wildcards).lookup is not None


def training_threads(wildcards):
    return 1 if looks_up(wildcards) else CORES_PER_GPU


def training_memory(wildcards, attempt):
    if looks_up(wildcards):
        return 4_000 * 2 ** (attempt - 1)
    # A replay buffer of a million steps is 3 GB, and once more while it is saved.
    return model_memory(wildcards, attempt) + 8_000


def training_minutes(wildcards, attempt):
    """A training that did not come to its end goes on from its checkpoint at the next attempt."""
    return 12 * 60 * attempt
