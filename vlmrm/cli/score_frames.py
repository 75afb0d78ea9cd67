"""``vlmrm score-frames``."""

from __future__ import annotations

import math

from vlmrm.cli.options import (
    ConfigFile,
    FramesFile,
    Gpus,
    ModelName,
    Output,
    StatesFile,
    TaskName,
    model_settings,
    pick,
)
from vlmrm.config import FunctionModel, load_config
from vlmrm.data.files import read_scene, require_rows
from vlmrm.data.frames import FrameReader
from vlmrm.data.states import States
from vlmrm.data.tables import write_table
from vlmrm.machine.gpus import claim_gpus
from vlmrm.terminal.bars import bar


def score_frames(
    name: ModelName,
    config: ConfigFile,
    task: TaskName,
    states: StatesFile,
    frames: FramesFile,
    output: Output,
    gpus: Gpus = 1,
) -> None:
    """Score frames for a task by a function of yours, whose code runs."""
    model = model_settings(config, name, FunctionModel)
    content = load_config(config)
    pick(content.tasks, "tasks", task)
    settings = content.function_settings(name, task)
    state_set = States.read(states)
    state_set.check_environment(states, task, settings.environment)
    scene = read_scene(frames)
    claim_gpus(gpus)
    from vlmrm.rewards.factories import load_function
    from vlmrm.rewards.functions import score_windows
    from vlmrm.rewards.windows import read_windows, window_rows

    with FrameReader(frames) as reader:
        require_rows(frames, len(reader), len(state_set), "frames")
        function = load_function(name, model)
        rows = window_rows(state_set, model.window)
        windows = read_windows(reader, rows, model.batch_size)
        count = math.ceil(len(rows) / model.batch_size)
        batches = bar(windows, total=count, unit="batch", desc=f"score {name}")
        table = score_windows(function, batches, settings)
    table.insert(0, "scene", scene)
    table.insert(1, "model", name)
    write_table(output, table, scorings=settings.scorings, model=name, function=model.model_dump())
