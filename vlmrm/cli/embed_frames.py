"""``vlmrm embed-frames``."""

from __future__ import annotations

from vlmrm.cli.options import ConfigFile, Device, FramesFile, Gpus, ModelFolder, Output
from vlmrm.config import load_config
from vlmrm.data.embeddings import write_embeddings
from vlmrm.data.files import read_scene
from vlmrm.data.frames import FrameReader
from vlmrm.machine.gpus import claim_gpus

READ = 1024
"""Frames read at a time."""


def embed_frames(
    config: ConfigFile,
    frames: FramesFile,
    model: ModelFolder,
    output: Output,
    device: Device = "auto",
    gpus: Gpus = 1,
) -> None:
    """Embed frames with a model."""
    settings = load_config(config).embedding_settings()
    scene = read_scene(frames)
    claim_gpus(gpus)
    from vlmrm.models.cached import embed_batches
    from vlmrm.models.clip import ClipModel
    from vlmrm.models.license import read_license

    clip = ClipModel.load(model, device, gpus=gpus, **settings.model_dump())
    origin = {"model": clip.name, "device": str(clip.device), "precision": clip.precision}
    sample = None
    with FrameReader(frames) as reader:
        embeddings = embed_batches(clip, reader.batches(READ), len(reader))
        if clip.precision != "float32":
            from vlmrm.rewards.precision import embed_sample  # loads SciPy's statistics

            del clip  # before the next one is loaded
            sample = embed_sample(model, reader, settings, device)
    write_embeddings(
        output,
        embeddings,
        sample,
        **origin,
        license=read_license(model),
        scene=scene,
        frames=str(frames),
    )
