"""States to frames to embeddings to rewards, a command for each step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from vlmrm.cli.options import (
    ConfigFile,
    Device,
    Gpus,
    ModelFolder,
    Output,
    StatesFile,
    Workers,
    pick,
    same_environment,
)
from vlmrm.config import RolloutStates, load_config
from vlmrm.errors import UserError
from vlmrm.machine.gpus import claim_gpus


def register(app: typer.Typer) -> None:
    for command in (states, render, prompts, embed, reward):
        app.command()(command)


def states(
    name: Annotated[str, typer.Argument(help="Name of a state set of the configuration.")],
    config: ConfigFile,
    output: Output,
    policies: Annotated[
        Path | None, typer.Option(help="Results of the training that rollouts are made with.")
    ] = None,
    workers: Workers = None,
) -> None:
    """Sample a state set, with labels."""
    settings = load_config(config)
    spec = pick(settings.state_sets, "states", name)
    if isinstance(spec, RolloutStates):
        if policies is None:
            raise UserError("--policies: missing; give the folder of the training's results")
        from vlmrm.training.rollouts import sample_rollouts

        sampled = sample_rollouts(spec, settings, policies, workers)
    else:
        from vlmrm.states import sample_states

        sampled = sample_states(spec)
    sampled.write(output, name=name, settings=spec.model_dump())


def render(
    config: ConfigFile,
    states: StatesFile,
    scene: Annotated[str, typer.Option(help="Scene of the states' environment.")],
    output: Output,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core.")] = None,
    gpus: Gpus = 1,
) -> None:
    """Render states in a scene."""
    rendering = load_config(config).rendering
    claim_gpus(gpus)
    from vlmrm.data.frames import FrameWriter
    from vlmrm.data.states import States
    from vlmrm.rendering import make_renderer
    from vlmrm.rendering.parallel import render_states

    what = States.read(states)
    renderer = make_renderer(what.environment, scene, rendering)
    shape = renderer.shape
    renderer.close()
    with (
        FrameWriter(output, (len(what), *shape), scene=scene, states=str(states)) as writer,
        tqdm(total=len(what), unit="frame", desc=f"render {scene}", disable=None) as bar,
    ):
        for frames in render_states(what.environment, scene, rendering, what.values, workers):
            writer.append(frames)
            bar.update(len(frames))


def prompts(
    config: ConfigFile,
    model: ModelFolder,
    output: Output,
    device: Device = "auto",
    gpus: Gpus = 1,
) -> None:
    """Embed every prompt of the configuration's tasks."""
    sentences = load_config(config).prompts
    claim_gpus(gpus)
    from vlmrm.data.embeddings import write_prompt_embeddings
    from vlmrm.models.clip import ClipModel

    clip = ClipModel.load(model, device)
    embeddings = dict(zip(sentences, clip.embed_prompts(sentences), strict=True))
    write_prompt_embeddings(output, embeddings, model=clip.name)


def embed(
    config: ConfigFile,
    frames: Annotated[Path, typer.Option(help="Frames (HDF5).")],
    model: ModelFolder,
    output: Output,
    device: Device = "auto",
    batch_size: Annotated[int, typer.Option(min=1, help="Images read at a time.")] = 1024,
    gpus: Gpus = 1,
) -> None:
    """Embed frames with a model."""
    settings = load_config(config)
    claim_gpus(gpus)
    import numpy as np

    from vlmrm.data.embeddings import write_embeddings
    from vlmrm.data.files import read_provenance
    from vlmrm.data.frames import FrameReader
    from vlmrm.models.clip import ClipModel

    clip = ClipModel.load(
        model, device, settings.precision, settings.paper_code.openai_normalization, gpus
    )
    with FrameReader(frames) as reader:
        batches = reader.batches(batch_size)
        count = -(-len(reader) // batch_size)
        bar = tqdm(batches, total=count, unit="batch", desc=f"embed {clip.name}", disable=None)
        embeddings = np.concatenate([clip.embed_images(batch) for batch in bar])
    scene = read_provenance(frames)["scene"]
    write_embeddings(
        output,
        embeddings,
        model=clip.name,
        scene=scene,
        frames=str(frames),
        device=str(clip.device),
        precision=clip.precision,
    )


def reward(
    config: ConfigFile,
    states: StatesFile,
    embeddings: Annotated[Path, typer.Option(help="Image embeddings (HDF5).")],
    prompts: Annotated[Path, typer.Option(help="Prompt embeddings of the same model (HDF5).")],
    output: Output,
) -> None:
    """Score embedded states for every task of their environment and every alpha."""
    settings = load_config(config)
    from vlmrm.data.embeddings import read_embeddings, read_prompt_embeddings
    from vlmrm.data.files import read_provenance
    from vlmrm.data.states import States
    from vlmrm.data.tables import write_table
    from vlmrm.rewards.scoring import score_states

    tasks = same_environment(settings.tasks, States.read(states).environment)
    images = read_embeddings(embeddings)
    table = score_states(images, read_prompt_embeddings(prompts), tasks, settings.alphas)
    source = read_provenance(embeddings)
    table.insert(0, "scene", source["scene"])
    table.insert(1, "model", source["model"])
    write_table(output, table, alphas=settings.alphas)
