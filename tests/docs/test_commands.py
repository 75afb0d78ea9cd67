"""Every command in the pages: its program would accept it, and what it names is there."""

import json
import re
import shlex
import tomllib

import jsonschema
import pytest
import snakemake.cli
import typer
import yaml

from tests.docs.pages import CONFIGS, OURS, PAGES, fenced, inline_code, named, shown
from tests.paths import ROOT
from tests.processes import snakemake as run_snakemake
from vlmrm.cli import COMMANDS, UsageError, app
from vlmrm.config import REFERENCES, load_config

GROUP = typer.main.get_command(app)
RULES = re.findall(
    r"^ *rule (\w+):",
    "\n".join(
        path.read_text()
        for path in [*ROOT.glob("workflow/Snakefile"), *ROOT.glob("workflow/rules/*")]
    ),
    re.MULTILINE,
)
MAKEFILE = (ROOT / "Makefile").read_text()
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"

TODAY = [page for page in PAGES if page.name != "CHANGELOG.md"]
"""The pages whose commands are those of today."""

SHOWN = {shlex.join(words): (path, words) for path in [*TODAY, *CONFIGS] for words in shown(path)}
NAMED = {shlex.join(words): (path, words) for path in TODAY for words in named(path)}


def commands(*programs, of=SHOWN):
    """The commands of these programs as parameters of a test."""
    return [
        pytest.param(words[1:], id=f"{path.name}: {shlex.join(words)[:70]}")
        for path, words in of.values()
        if words[0] in programs
    ]


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_every_file_that_a_command_names_is_there():
    assert len(SHOWN) > 50
    for path, words in (SHOWN | NAMED).values():
        for word in words:
            assert not OURS.fullmatch(word) or [*ROOT.glob(word)], f"{path}: {word}"


def parse_vlmrm(words):
    """The parameters of a `vlmrm` command.

    Raises:
        UsageError: Its options are wrong.
    """
    with GROUP.make_context("vlmrm", [], resilient_parsing=True) as context:
        _, words, _ = GROUP.make_parser(context).parse_args(list(words))
        command = GROUP.get_command(context, words[0])
        assert command, f"{words[0]} is none of the commands"
        return command.make_context(words[0], words[1:]).params


@pytest.mark.parametrize("words", commands("vlmrm"))
def test_vlmrm_accepts_the_command(words):
    options = parse_vlmrm(words)
    if not options.get("config") or not options["config"].exists():
        return
    config = load_config(options["config"])
    entries = {name for section in config if isinstance(section[1], dict) for name in section[1]}
    assert options.get("task") in {None, *config.tasks}
    assert options.get("reward_source") in {None, *config.models, *REFERENCES}
    assert options.get("name") in {None, *entries}


@pytest.mark.parametrize("words", commands("vlmrm", of=NAMED))
def test_vlmrm_knows_what_the_prose_names(words):
    """Where the prose leaves out what a command needs, or the command itself."""
    try:
        parse_vlmrm(["doctor" if word == "..." else word for word in words])
    except UsageError as error:
        assert type(error).__name__ == "MissingParameter", error.format_message()


@pytest.mark.parametrize("words", commands("snakemake", of=SHOWN | NAMED))
def test_snakemake_accepts_the_command(words):
    _, options = snakemake.cli.parse_args(words)
    rules = {*options.until, *options.set_threads, *options.set_resources}
    assert rules | {target for target in options.targets if "/" not in target} <= {*RULES}


FIGURES = [
    words for path, words in SHOWN.values() if re.search(r"snakemake.*/figures/", str(words))
]


@pytest.mark.slow
@pytest.mark.parametrize("words", FIGURES, ids=shlex.join)
def test_the_workflow_makes_the_figure(words, tmp_path):
    (tmp_path / "config").symlink_to(ROOT / "config")
    run = run_snakemake(*words[1:], "--dry-run", "--quiet", "--directory", str(tmp_path))
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("words", commands("make", of=SHOWN | NAMED))
def test_make_has_the_target(words):
    targets = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split()
    for word in words:
        variable, is_set, _ = word.partition("=")
        assert f"$({variable})" in MAKEFILE if is_set else word in targets


@pytest.mark.parametrize("words", commands("pip", of=SHOWN | NAMED))
def test_the_package_has_the_extra(words):
    for extra in re.findall(r"^\.\[(.*)\]$", "\n".join(words), re.MULTILINE):
        assert extra in EXTRAS


def test_every_option_that_the_prose_names_is_there():
    parser, _ = snakemake.cli.parse_args([])
    known = {option for action in parser._actions for option in action.option_strings}
    with GROUP.make_context("vlmrm", [], resilient_parsing=True) as context:
        for name in COMMANDS:
            params = GROUP.get_command(context, name).params
            known |= {option for param in params for option in param.opts}
    for page in TODAY:
        for code in inline_code(page.read_text()):
            if code.startswith("--"):
                assert set(re.findall(r"(?<!\S)--[a-z][\w-]*", code)) <= known, (page, code)


def test_every_configuration_in_the_pages_follows_the_schema():
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    blocks = [block for page in TODAY for block in fenced(page.read_text(), "yaml")]
    contents = [yaml.safe_load(block) for block in blocks]
    assert contents
    for content in contents:
        if not {"partitions", "title"} & content.keys():  # of a cluster, of a machine
            validator.validate(content)
