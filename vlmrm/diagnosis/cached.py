"""States and frames of the diagnosis, and their embeddings: made once, kept in the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

import vlmrm
from vlmrm.config import HumanoidOracleName, PathStates, PoseStates, Rendering
from vlmrm.data.embeddings import read_embeddings, write_embeddings
from vlmrm.data.files import require
from vlmrm.data.frames import FrameReader, FrameWriter
from vlmrm.data.states import States
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import CONFIG_FILE, WEIGHTS_FILE, file_sha256
from vlmrm.rendering import make_renderer
from vlmrm.rendering.parallel import render_states
from vlmrm.states.paths import sample_paths
from vlmrm.states.poses import sample_poses
from vlmrm.tasks.oracles import ORACLES
from vlmrm.terminal.bars import bar

TASKS: tuple[HumanoidOracleName, ...] = get_args(HumanoidOracleName)
RENDERING = Rendering(humanoid_size=192)
"""Twice the side that packaged models see, so that resizing smooths the edges."""
BATCH = 128
"""Frames that are embedded between two steps of the progress bar."""
STATES_AND_FRAMES = ("envs", "rendering", "states", "tasks"), ("gymnasium", "mujoco", "numpy")
"""Rooms of the package, and libraries, that determine states and frames."""
EMBEDDINGS = ("models",), ("open_clip_torch", "torch")
"""Those that, with a model, determine embeddings."""


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/vlmrm``, by default ``~/.cache/vlmrm``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vlmrm"


def cached_states(poses: int) -> tuple[States, Path]:
    """States on the path to every pose, then poses of all tasks in equal shares.

    Args:
        poses: Number of poses for each of the eight tasks.

    Returns:
        The states, with the columns ``path`` (the task of a path, empty for poses), ``progress``
        (0 at the start of a path, 1 at its end), and ``score TASK`` (the oracle's score); and the
        folder in the cache that keeps what is made of them.
    """
    paths = PathStates(sampler="paths", tasks=list(TASKS))
    sets = [PoseStates(sampler="poses", task=task, size=poses) for task in TASKS]
    key = _key([spec.model_dump() for spec in (paths, *sets)], _versions(*STATES_AND_FRAMES))
    folder = cache_folder() / "diagnosis" / key
    file = folder / "states.h5"
    if not file.exists():
        parts = [sample_paths(paths)]
        parts += [sample_poses(spec) for spec in bar(sets, unit="task", desc="sample states")]
        values = np.concatenate([part.values for part in parts])
        empty = len(values) - len(parts[0])
        columns = {
            "path": np.append(parts[0].columns["path"], np.full(empty, "")),
            "progress": np.append(parts[0].columns["progress"], np.zeros(empty)),
            **{f"score {task}": ORACLES[task].score(values) for task in TASKS},
        }
        labels: dict[str, NDArray[np.bool_]] = {
            task: np.concatenate([part.labels[task] for part in parts]) for task in TASKS
        }
        States("humanoid", values, columns, labels).write(file, poses=poses)
    return States.read(file), folder


def cached_frames(states: States, folder: Path, scene: str) -> Path:
    """The file of the states' frames in a scene."""
    file = folder / scene / "frames.h5"
    if not file.exists():
        renderer = make_renderer("humanoid", scene, RENDERING)
        shape = renderer.shape
        renderer.close()
        with (
            FrameWriter(file, (len(states), *shape), scene=scene) as writer,
            bar(total=len(states), unit="frame", desc=f"render {scene}") as rendered,
        ):
            for frames in render_states("humanoid", scene, RENDERING, states.values):
                writer.append(frames)
                rendered.update(len(frames))
    return file


def cached_embeddings(
    states: States, folder: Path, scene: str, model: Path, clip: ClipModel
) -> NDArray[np.float32]:
    """Unit embeddings ``[N, E]`` of the states' frames in a scene.

    Args:
        states: Of `cached_states`.
        folder: Of `cached_states`.
        scene: One of the humanoid's scenes.
        model: Model folder.
        clip: The model that was loaded from there.
    """
    checksums = [file_sha256(model / name) for name in (WEIGHTS_FILE, CONFIG_FILE)]
    key = _key(*checksums, clip.precision, _versions(*EMBEDDINGS))
    file = folder / scene / f"embeddings-{key}.h5"
    if not file.exists():
        with FrameReader(cached_frames(states, folder, scene)) as reader:
            count = -(-len(reader) // BATCH)
            steps = bar(reader.batches(BATCH), total=count, unit="batch", desc=f"embed {clip.name}")
            embeddings = np.concatenate([clip.embed_images(batch) for batch in steps])
        write_embeddings(file, embeddings, model=clip.name, scene=scene)
    embeddings = read_embeddings(file)
    require(file, len(embeddings) == len(states), f"{len(embeddings)} of {len(states)} states")
    return embeddings


def _versions(rooms: Sequence[str], libraries: Sequence[str]) -> dict[str, str]:
    """A checksum of rooms of the package, and the versions of libraries."""
    digest = hashlib.sha256()
    root = Path(vlmrm.__file__).parent
    for room in rooms:
        for path in sorted((root / room).rglob("*")):
            if path.is_file() and path.suffix not in (".pyc", ".safetensors"):
                digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return {**{name: version(name) for name in libraries}, "vlmrm": digest.hexdigest()}


def _key(*parts: object) -> str:
    text = json.dumps([*parts, RENDERING.model_dump()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
