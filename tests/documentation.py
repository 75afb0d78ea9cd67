"""The examples of the documentation, found in its text, so that they cannot drift from it."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

from tests.docs.pages import fenced, shown
from tests.paths import ROOT
from tests.processes import snakemake, vlmrm

TINY_AGENT = {
    "total_timesteps": 64,
    "episode_steps": 16,
    "n_envs": 2,
    "learning_starts": 16,
    "train_freq": 8,
    "gradient_steps": 1,
    "batch_size": 4,
    "buffer_size": 64,
    "net_arch": [8],
    "save_freq": 32,
}


def text(page: str) -> str:
    """A page of ``docs/``."""
    return (ROOT / "docs" / page).read_text()


def blocks(page: str, language: str) -> list[str]:
    """The fenced code of a page in a language."""
    return fenced(text(page), language)


def commands(page: str) -> list[list[str]]:
    """The words of the commands that a page shows in blocks."""
    return list(shown(ROOT / "docs" / page))


def run_jobs(folder: Path, *arguments: str) -> list[str]:
    """Runs the commands that a workflow would run, one after the other, without starting Python.

    Args:
        folder: Where the workflow runs, with links to it.
        arguments: Of ``snakemake``, with a complete configuration.

    Returns:
        The names of the commands.
    """
    planned = snakemake(*arguments, "--dry-run", "--printshellcmds", cwd=folder)
    assert planned.returncode == 0, planned.stderr + planned.stdout
    found = [shlex.split(line) for line in re.findall(r"vlmrm --log .*", planned.stdout)]
    given = arguments[arguments.index("--configfile") + 1]
    for path in {words[words.index("--config") + 1] for words in found if "--config" in words}:
        # Which the workflow writes before its first job.
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / given, folder / path)
    for _, *words in found:
        run = vlmrm(*words, cwd=folder)
        assert run.returncode == 0, (words, run.stderr)
    return [words[3] for words in found]
