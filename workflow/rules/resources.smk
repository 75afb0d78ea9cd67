"""What jobs need: threads, memory, run time, GPUs. A profile says where they run.

Estimates for the first attempt. A cluster's profile has jobs tried again with more, and any of them
can be changed there: `set-resources: {train_policy: {runtime: 2880}}`.
"""

import os

from snakemake.exceptions import WorkflowError

from vlmrm.config.architectures import sim_architectures
from vlmrm.config.ensembles import towers
from vlmrm.machine.gpus import visible_gpus
from vlmrm.plan.sizes import weight_bytes

# Rules ask for one GPU each. The default profile limits them to the GPUs of this machine; on a
# cluster the scheduler assigns them. With several, each command locks one (vlmrm/machine/gpus.py).
GPUS = visible_gpus()
if not workflow.is_main_process:
    # A cluster's node has other GPUs than the machine from which jobs are submitted.
    os.environ.pop("VLMRM_GPUS", None)
os.environ.setdefault("VLMRM_GPUS", ",".join(GPUS) if len(GPUS) > 1 else "")

# As many as there are: --cores, or max-threads of a profile, is the limit.
ALL_CORES = 64


def share_of_cores(jobs):
    """Cores for each of several jobs that share this machine; all of them on a cluster's node."""
    try:
        return (
            max(1, workflow.cores // max(1, jobs))
            if workflow.is_main_process
            else ALL_CORES
        )
    except WorkflowError:  # a cluster's profile has none
        return ALL_CORES


# Jobs on several GPUs share the cores of the machine. Where there is no GPU, so do trainings, and
# searches.
CORES_PER_GPU = share_of_cores(len(GPUS)) if len(GPUS) > 1 else ALL_CORES
TRAININGS = {path for name in settings.experiments for path in runs(name, POLICY)}
CORES_PER_TRAINING = CORES_PER_GPU if GPUS else share_of_cores(len(TRAININGS))
SEARCHES = [run for search in settings.searches.values() for run in search.runs()]
CORES_PER_SEARCH = CORES_PER_GPU if GPUS else share_of_cores(len(SEARCHES))


def memory(megabytes):
    """Twice as much at the second attempt, and four times at all further ones.

    Most of these are trainings that ran out of time.
    """
    return lambda wildcards, attempt: megabytes * min(4, 2 ** (attempt - 1))


def minutes(first):
    """As much again at each further attempt."""
    return lambda wildcards, attempt: first * attempt


# What any job without PyTorch needs that takes a few minutes, such as drawing a large gallery.
LIGHT = {"mem_mb": memory(2_000), "runtime": minutes(15)}


def worker_memory(wildcards, threads, attempt):
    """Main memory for processes of one environment each, which take less than a gigabyte."""
    return memory(min(8_000, 1_000 + 1_000 * threads))(wildcards, attempt)


def model_megabytes(wildcards):
    """Main memory for PyTorch and models: their weights in float32, and half as much again.

    A model of unknown size gets what the largest published ones need.
    """
    name = getattr(wildcards, "reward_source", None) or wildcards.model
    models = {*towers(settings, name)}  # none of a reference reward
    small = sim_architectures()
    if all(settings.models[model].architecture in small for model in models):
        # CUDA takes as much again, on a GPU of this machine or of a cluster's node.
        return 6_000 if GPUS or not workflow.local_exec else 3_000
    weights = sum(weight_bytes(settings, model) for model in models) / 1e6
    return round(max(8_000, 4_000 + 1.5 * weights))


def model_memory(wildcards, attempt):
    return memory(model_megabytes(wildcards))(wildcards, attempt)


def corpus_memory(wildcards, attempt):
    """Main memory for PyTorch and a corpus, of which there are two copies for a while."""
    name = settings.models[wildcards.model].corpus
    frame = 3 * settings.corpora[name].image_size ** 2
    corpus = settings.corpus_size(name) * frame / 1e6
    return memory(round(4_000 + 2.5 * corpus))(wildcards, attempt)


def cores_for(count, per_core, limit=ALL_CORES):
    """Cores for this many frames or trajectories.

    A job of few takes one: starting takes longer than its work, and while it waits for several, jobs
    of one core would take each core that becomes free.
    """
    return max(1, min(limit, count // per_core))


def rendering_threads(wildcards):
    return cores_for(settings.set_size(wildcards.states), 4000, CORES_PER_GPU)


def embedding_threads(wildcards):
    """All that there are for models of published size: an image may take a second of one core."""
    if settings.models[wildcards.model].architecture in sim_architectures():
        return rendering_threads(wildcards)
    return CORES_PER_GPU


def looks_up(wildcards):
    """Whether a training looks its rewards up: then its networks are all that it computes."""
    return training_of(wildcards).lookup is not None


def training_threads(wildcards):
    """One for references and looked-up rewards, for which no frame is rendered.

    Without a GPU to share, other trainings run beside one of frames: two of one core each take less
    time than one after the other on both.
    """
    return CORES_PER_TRAINING if settings.sees_frames(run_of(wildcards)) else 1


def training_memory(wildcards, attempt):
    sees = settings.sees_frames(run_of(wildcards))
    megabytes = model_megabytes(wildcards) if sees else 3_000
    if settings.tasks[wildcards.task].environment not in ("cartpole", "mountain-car"):
        # A replay buffer of a million steps is 3 GB, and once more while it is saved.
        agent = training_of(wildcards).agent
        megabytes += round(8e-3 * min(agent.buffer_size, agent.total_timesteps))
    return memory(megabytes)(wildcards, attempt)


def training_minutes(wildcards, attempt):
    """A training that did not come to its end goes on from its checkpoint at the next attempt."""
    return 12 * 60 * min(attempt, 4)
