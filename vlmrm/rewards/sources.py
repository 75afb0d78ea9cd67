"""The reward source of a training, made from its settings and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vlmrm.config import REFERENCES, FunctionModel, TrainingRun
from vlmrm.config.settings import RunRewardSettings, SearchSettings
from vlmrm.data.states import States
from vlmrm.data.tables import read_rewards, read_table, table_sha256
from vlmrm.models.folder import find_model_folder, weights_sha256
from vlmrm.rewards.files import RewardFiles
from vlmrm.rewards.lookup import RewardGrid, refuse_inexact
from vlmrm.rewards.steps import EnvironmentReward, FrameReward, RewardSource, StateReward
from vlmrm.rewards.windows import WindowReward
from vlmrm.tasks.oracles import ORACLES

if TYPE_CHECKING:
    from vlmrm.rewards.vlm import VLMReward


def reward_source(
    settings: RunRewardSettings,
    files: RewardFiles,
    device: str = "auto",
    gpus: int = 1,
) -> RewardSource:
    """Creates the reward source of a training run.

    Args:
        settings: The run, and how frames and sentences are embedded.
        files: What the rewards are computed from.
        device: Torch device of the models.
        gpus: Number of GPUs that share the frames.

    Raises:
        UserError: A file cannot be read, the grid is too coarse, or the sentences give no reward.
    """
    run = settings.run
    if run.reward_source in REFERENCES:
        return reference_reward(run.reward_source, settings.oracle)
    if files.grid is not None:
        states, rewards, errors = files.grid
        assert settings.max_lookup_error is not None
        refuse_inexact(read_table(errors), run.task, run.scoring, settings.max_lookup_error)
        grid_states = States.read(states)
        table = read_rewards(rewards, len(grid_states))
        return StateReward(RewardGrid.from_table(grid_states, table, run.task, run.scoring))
    prompts = settings.prompts
    if isinstance(settings.embedding, FunctionModel):
        from vlmrm.rewards.factories import load_function
        from vlmrm.rewards.functions import function_reward

        function = settings.embedding
        loaded = load_function(run.reward_source, function)
        reward = function_reward(loaded, function.embeddings, prompts, run.scoring)
        return WindowReward(reward, function.window, function.batch_size)
    # Loads open_clip, which takes seconds and which the other sources do without.
    from vlmrm.rewards.ensemble import load_ensemble

    if settings.ensemble is not None:
        assert files.statistics is not None
        folders = dict(zip(settings.ensemble.models, files.models, strict=True))
        return FrameReward(load_ensemble(settings, folders, files.statistics, device, gpus))
    (model,) = files.models
    return FrameReward(model_reward(settings, model, device, gpus))


def reward_checksums(settings: RunRewardSettings, files: RewardFiles) -> dict[str, str]:
    """Checksums of what a reward source is read from; arguments as for `reward_source`.

    Those of tables are of their content, because a file that is made again has another date. Of a
    function, nothing is read but its settings.

    Raises:
        UserError: A file cannot be read.
    """
    run = settings.run
    by_function = isinstance(settings.embedding, FunctionModel)
    found = {
        f"weights of {folder.name}": weights_sha256(find_model_folder(folder))
        for folder in ([] if by_function else files.models)
    }
    if files.statistics is not None:
        found["statistics"] = _sha256_for(run, files.statistics)
    if files.grid is not None:
        _, rewards, _ = files.grid
        found["rewards"] = _sha256_for(run, rewards)
    return found


def _sha256_for(run: TrainingRun, path: Path) -> str:
    """Checksum of the rows that a run reads: those of other tasks and scorings may change."""
    table = read_table(path)
    read = (table["task"] == run.task) & (table["scoring"] == run.scoring)
    return table_sha256(table[read])


def model_reward(
    settings: RunRewardSettings | SearchSettings, model: Path, device: str, gpus: int
) -> VLMReward:
    """Loads a model as the reward of a run's task; arguments as for `reward_source`.

    Raises:
        UserError: The folder cannot be read, or the sentences give no reward.
    """
    from vlmrm.models.clip import ClipModel
    from vlmrm.rewards.vlm import VLMReward

    clip = ClipModel.load(model, device, gpus=gpus, **settings.embedding.model_dump())
    return VLMReward.of_task(clip, settings.prompts, settings.run.scoring)


def reference_reward(name: str, oracle: str | None) -> RewardSource:
    """Creates the reward source of a reference: one of `REFERENCES`."""
    if name == "ground-truth":
        return EnvironmentReward()
    assert oracle, f"'{name}' is not a reference of this task"
    judge = ORACLES[oracle]
    return StateReward(judge.score if name == "oracle-score" else judge)
