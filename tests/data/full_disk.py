"""Writes each kind of file on a disk that is almost full, and counts what stays half-written.

A small disk in memory, for which no privileges are needed:

    unshare --user --map-root-user --mount python -m tests.data.full_disk EMPTY_FOLDER AMOUNTS
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
import stable_baselines3
from matplotlib import pyplot as plt

from tests.rendering.test_video import LEGEND, SHAPE, take
from vlmrm.config import Corpus, PackagedModel, RandomModel
from vlmrm.data.embeddings import write_embeddings, write_prompt_embeddings
from vlmrm.data.files import atomic_path
from vlmrm.data.frames import FrameWriter
from vlmrm.data.states import States
from vlmrm.data.tables import write_table
from vlmrm.errors import UserError
from vlmrm.figures.style import panels, save_figure
from vlmrm.models.packaged import copy_packaged
from vlmrm.models.random_init import make_random_model
from vlmrm.pretraining.corpus import make_corpus
from vlmrm.rendering.video import write_video

PAGE = 4096
RNG = np.random.default_rng(0)
UNITS = np.tile(np.linalg.qr(RNG.normal(size=(32, 32)))[0].astype(np.float32), (50, 1))
FRAMES = RNG.integers(0, 256, (37, 20, 20, 3), dtype=np.uint8)
REWARDS = pd.DataFrame({"reward": RNG.normal(size=9000)})
POINTS = RNG.normal(size=(2, 300))
STATES = States(
    environment="cartpole",
    values=RNG.normal(size=(2000, 4)),
    columns={"origin": np.array(["a"] * 2000)},
    labels={"cartpole": np.arange(2000) % 2 == 0},
)
AGENT = stable_baselines3.DQN("MlpPolicy", "CartPole-v1", buffer_size=1)
RANDOM = RandomModel(source="random", architecture="sim-XS")
PACKAGED = PackagedModel(source="packaged", architecture="sim-XS")


def write_frames(path):
    with FrameWriter(path, len(FRAMES)) as writer:
        for start in range(0, len(FRAMES), 10):
            writer.append(FRAMES[start : start + 10])


def write_policy(path):
    with atomic_path(path) as temporary:
        AGENT.save(temporary)


def write_replay(path):
    with atomic_path(path) as temporary:
        np.savez(temporary, observations=STATES.values)


def write_figure(path):
    table = pd.DataFrame({"x": POINTS[0], "y": POINTS[1], "panel": "a"})
    grid = panels(table, 3.0, 2.3, col="panel")
    grid.map_dataframe(sns.scatterplot, "x", "y")
    save_figure(grid.figure, [path])
    plt.close(grid.figure)


WRITERS = {
    "states.h5": STATES.write,
    "embeddings.h5": lambda path: write_embeddings(path, UNITS),
    "prompts.h5": lambda path: write_prompt_embeddings(
        path, {str(number): vector for number, vector in enumerate(UNITS)}
    ),
    "frames.h5": write_frames,
    "corpus.h5": lambda path: make_corpus(
        Corpus(frames={"cartpole": {"gymnasium": 3}}, image_size=32), path, 1
    ),
    "table.parquet": lambda path: write_table(path, REWARDS),
    "table.csv": lambda path: write_table(path, REWARDS),
    "policy.zip": write_policy,
    "replay.npz": write_replay,
    "figure.svg": write_figure,
    "figure.png": write_figure,
    "video.mp4": lambda path: write_video(path, [take(*range(200))], LEGEND, SHAPE, 30),
    "random": lambda folder: make_random_model(RANDOM, folder),
    "packaged": lambda folder: copy_packaged(PACKAGED, folder),
}
"""Writers of artifacts: files, and folders of models."""


def free_pages(disk: Path) -> int:
    usage = os.statvfs(disk)
    return usage.f_bavail * usage.f_frsize // PAGE


def main(disk: Path, amounts: int) -> None:
    """Prints a line for each writer, and one for each mistake; exits with the mistakes' number."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", disk], check=True)
    filler, folder, mistakes = disk / "filler", disk / "results", 0
    folder.mkdir()
    for name, write in WRITERS.items():
        path = folder / name
        empty = free_pages(disk)
        write(path)
        size = empty - free_pages(disk)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        left = np.unique(np.linspace(0, size - 1, amounts, dtype=int))
        for pages in left:
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, (free_pages(disk) - int(pages)) * PAGE)
            try:
                write(path)
                answer = "status 0"  # without a temporary peak, the last amounts may suffice
            except UserError as error:
                answer = str(error)
            except Exception as error:
                answer = repr(error)
            if answer != f"{path}: No space left on device; make space there, and run again":
                mistakes += 1
                print(f"{name} with {pages} of {size} pages: {answer}")
            if found := [str(file) for file in folder.rglob("*")]:
                mistakes += 1
                print(f"{name} with {pages} of {size} pages left {found}")
                shutil.rmtree(folder)
                folder.mkdir()
            filler.unlink()
        print(f"{name}: {size * PAGE // 1000} kB, {len(left)} amounts of free space")
    sys.exit(min(mistakes, 100))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
