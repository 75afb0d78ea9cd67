"""The Markdown pages, and the commands that they show."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tests.paths import ROOT

PAGES = sorted(
    page
    for pattern in ("*.md", "config/*.md", "docs/*.md", "results/reference/**/README.md")
    for page in ROOT.glob(pattern)
)
CONFIGS = sorted([ROOT / "config.yaml", *ROOT.glob("config/**/*.yaml")])

PROGRAMS = ("vlmrm", "snakemake", "make", "python", "pip")
COMMAND = re.compile(rf"(?:\w+=\S+ )*(?:\.venv/bin/)?(?:{'|'.join(PROGRAMS)}) .*")
FOLDERS = "benchmarks|config|docs|envs|examples|scripts|tests|vlmrm|workflow|results/reference"
OURS = re.compile(rf"(?:{FOLDERS})/[\w./*-]+|config\.yaml")
"""Names of files and folders of the repository, and patterns of them."""

SHELL = ("", "sh", "bash", "console")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^    .*$", "", unfenced(text), flags=re.MULTILINE)


def unfenced(text: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def fenced(text: str, *languages: str) -> list[str]:
    """The contents of the fenced blocks in these languages."""
    blocks = re.findall(r"^```(\S*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [content for language, content in blocks if language in languages]


def inline_code(text: str) -> list[str]:
    """What stands in backticks in the prose, on one line."""
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose(text))]


def shown(path: Path) -> Iterator[list[str]]:
    """The words of each command in the blocks of a page, or in the comments of a configuration."""
    text = path.read_text()
    if path.suffix == ".yaml":
        lines = "\n".join(re.findall(r"^#   (.*)$", text, re.MULTILINE))
    else:
        indented = re.findall(r"^    (.*)$", unfenced(text), re.MULTILINE)
        lines = "\n".join([*fenced(text, *SHELL), *indented])
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        for command in re.split(r" {3,}", line):  # before a remark, or another command
            if COMMAND.fullmatch(command):
                yield words_of(command)


def named(path: Path) -> Iterator[list[str]]:
    """The words of each command that the prose of a page names, often without its options."""
    for code in inline_code(path.read_text()):
        if COMMAND.fullmatch(code):
            yield words_of(code)


def words_of(command: str) -> list[str]:
    """The words of a command, its program first, without variables and the folder of programs."""
    words = shlex.split(command, comments=True)
    while "=" in words[0]:
        del words[0]
    return [words[0].removeprefix(".venv/bin/"), *words[1:]]
