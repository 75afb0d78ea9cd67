"""Measures how much of a GPU the pipeline uses.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --architectures ViT-B-32 --processes 1 2     # smaller

Models have random weights, which are as fast as any. The table shows medians:

matrix rate       operations per second of large bfloat16 products, the reference below
ARCHITECTURE      frames per second from main memory to embeddings, and their share of the matrix
                  rate (only multiplications and additions of the image tower); with --compiled,
                  also after torch.compile, which needs a C++ compiler
rendering         frames per second of several processes that share the device, and the driver
whole training    environment steps per second, and their ratio to rewards alone, with the smallest
                  architecture
"""

from __future__ import annotations

import argparse
import collections
import functools
import itertools
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from throughput import RENDER_SIZE, SCENE, loop, median, rate

from vlmrm.config import Config, RandomModel, load_config
from vlmrm.data.tables import write_table
from vlmrm.models.clip import choose_device
from vlmrm.models.model_size import measure_size
from vlmrm.models.random_init import make_random_model
from vlmrm.rendering import make_renderer
from vlmrm.rendering.opengl import gl_renderer, render_on
from vlmrm.rendering.parallel import BATCH, render_states
from vlmrm.rewards.vlm import VLMReward
from vlmrm.states.training import sample_training_states

PUBLISHED = ["ViT-L-14", "ViT-H-14", "ViT-bigG-14"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--config", type=Path, default=Path("config/offline.yaml"))
    parser.add_argument("--architectures", nargs="+", default=PUBLISHED)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 8, 16])
    parser.add_argument("--frames", type=int, default=1024)
    parser.add_argument("--task", default="kneeling")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--output", type=Path, help="Write the table there (CSV).")
    options = parser.parse_args()
    config = load_config(options.config)
    device = choose_device("auto")
    rows: list[dict[str, object]] = []

    def add(part: str, per_second: float, share: float | None = None, note: str = "") -> None:
        rows.append({"part": part, "per second": per_second, "share": share, "note": note})
        percent = "" if share is None else f"{share:8.1%}"
        print(f"{part:<28}{per_second:>12.4g}{percent} {note}", flush=True)

    name = torch.cuda.get_device_name() if device.type == "cuda" else "no GPU"
    operations = median(functools.partial(matrix_rate, device), options.repeat)
    add("matrix rate (operations)", operations, note=name)
    frames = np.random.default_rng(0).integers(
        0, 256, (options.frames, RENDER_SIZE, RENDER_SIZE, 3), dtype=np.uint8
    )
    alone = {}
    for architecture in options.architectures:
        reward = random_reward(architecture, config, options.task)
        score = functools.partial(rate, functools.partial(reward, frames), len(frames))
        share = measure_size(architecture).image_flops / operations
        alone[architecture] = median(score, options.repeat)
        add(architecture, alone[architecture], alone[architecture] * share, reward.model.precision)
        if options.compiled:
            reward.model.network.visual.compile()
            score()
            compiled = median(score, options.repeat)
            add(f"{architecture}, compiled", compiled, compiled * share, reward.model.precision)
    render_on(str(device))
    driver = rendering_driver(config)
    for processes in options.processes:
        render = functools.partial(rendering_rate, config, processes, options.frames)
        add(f"rendering, {processes} processes", median(render, options.repeat), note=driver)
    smallest = min(options.architectures, key=lambda a: measure_size(a).image_flops)
    whole = loop(config, options.task, random_reward(smallest, config, options.task))
    add("whole training", whole, whole / alone[smallest], f"relative to {smallest} alone")
    if options.output:
        write_table(options.output, pd.DataFrame(rows))


def matrix_rate(device: torch.device) -> float:
    """Operations per second of bfloat16 products of square matrices."""
    side, count = (8192, 20) if device.type == "cuda" else (1024, 4)
    a, b = (torch.randn(side, side, device=device).bfloat16() for _ in range(2))

    def work() -> None:
        for _ in range(count):
            torch.matmul(a, b)
        if device.type == "cuda":
            torch.cuda.synchronize()

    work()
    return rate(work, 2 * count * side**3)


def random_reward(architecture: str, config: Config, task: str) -> VLMReward:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / architecture
        make_random_model(RandomModel(source="random", architecture=architecture), path)
        return VLMReward.load(path, config.tasks[task].goals, precision=config.precision)


def rendering_rate(config: Config, processes: int, count: int) -> float:
    """Frames per second once all processes render, ``count`` frames each."""
    rendering = config.rendering.model_copy(update={"humanoid_size": RENDER_SIZE})
    states = np.tile(sample_training_states("humanoid", BATCH, seed=0), (count // BATCH, 1))
    batches = render_states(
        "humanoid", SCENE, rendering, np.tile(states, (processes + 1, 1)), processes
    )
    start_up = list(itertools.islice(batches, count // BATCH))
    result = rate(lambda: collections.deque(batches, maxlen=0), processes * len(states))
    assert start_up, "--frames is less than a batch"
    return result


def rendering_driver(config: Config) -> str:
    renderer = make_renderer("humanoid", SCENE, config.rendering)
    try:
        return gl_renderer()
    finally:
        renderer.close()


if __name__ == "__main__":
    main()
