"""``vlmrm embed-prompts``."""

from __future__ import annotations

from vlmrm.cli.options import ConfigFile, ModelFolder, Output, TaskName, pick
from vlmrm.config import load_config
from vlmrm.data.embeddings import write_prompt_embeddings
from vlmrm.errors import blaming


def embed_prompts(config: ConfigFile, task: TaskName, model: ModelFolder, output: Output) -> None:
    """Embed the prompts of a task with a model."""
    content = load_config(config)
    pick(content.tasks, "tasks", task)
    sentences = content.prompt_settings(task).sentences
    from vlmrm.models.clip import ClipModel

    clip = ClipModel.load(model, "cpu")  # where sentences are always embedded
    with blaming(f"tasks.{task}"):
        embeddings = dict(zip(sentences, clip.embed_prompts(sentences), strict=True))
    write_prompt_embeddings(output, embeddings, model=clip.name)
