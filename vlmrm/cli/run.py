"""``vlmrm run``: an agent from a sentence, by the workflow and without a configuration file."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import humanize
import psutil
import typer
import yaml

from vlmrm.checks.models import folder_problem, unread_words
from vlmrm.cli.options import Baselines, Contrasts, ScoringName, Seed, check_sentences
from vlmrm.cli.summarize import summarize
from vlmrm.config import (
    ORACLE_NAMES,
    Config,
    PretrainedModel,
    TrainingRun,
    parse_config,
    read_yaml,
)
from vlmrm.config.base import MAX_NAME
from vlmrm.config.from_sentence import EXPERIMENT, sentence_config
from vlmrm.config.scoring import PLAIN
from vlmrm.data.files import atomic_path
from vlmrm.data.tables import read_table
from vlmrm.errors import UserError, printable, shorten
from vlmrm.machine.machines import this_machine
from vlmrm.models.folder import (
    MODELS,
    find_model_folder,
    has_read_shipped_captions,
    is_simulator_trained,
)
from vlmrm.page.summary import LEARNED, video_of
from vlmrm.plan.cost import make_plan, measured_jobs, sum_seconds
from vlmrm.plan.jobs import Job, planned_jobs
from vlmrm.pretraining.phrases import new_words_warning
from vlmrm.workflow import SNAKEFILE

CONFIG = "run.yaml"
"""Name of the configuration in the results folder."""
TARGET = "agents"
"""The rule that trains, judges, records, and draws."""


def run(
    sentence: Annotated[str, typer.Argument(help="Describes success.")],
    environment: Annotated[
        str, typer.Option(help="humanoid, cartpole, or mountain-car.")
    ] = "humanoid",
    model: Annotated[
        str,
        typer.Option(
            help="Packaged model, published model of config/shared/published.yaml, or folder."
        ),
    ] = "sim-M",
    scoring: ScoringName = PLAIN,
    baseline: Baselines = None,
    contrast: Contrasts = None,
    total_timesteps: Annotated[
        int | None, typer.Option(min=1, help="Steps; default: those of config/shared/agents.yaml.")
    ] = None,
    seed: Seed = 0,
    oracle: Annotated[
        str | None,
        typer.Option(
            help=f"Judge of success, such as {', '.join(ORACLE_NAMES['humanoid'])}; or none. "
            "Default: that of the shipped task with this sentence (docs/sentence.md)."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Results are in results/NAME; default: by the sentence.")
    ] = None,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores to use; default: all.")] = None,
) -> None:
    """Train an agent on a sentence, judge it if an oracle fits, record a video, and draw its curve.

    The same command continues an interrupted run. The configuration is in results/NAME/run.yaml.
    """
    sentence = " ".join(sentence.split())  # in one line, as a comment has it
    if not sentence:
        raise UserError("sentence: empty; describe what success looks like")
    if name is not None and not re.fullmatch(
        rf"[A-Za-z0-9][A-Za-z0-9_.-]{{,{MAX_NAME - 1}}}", name
    ):
        raise UserError(shorten(f"--name: '{name}' is no name; use letters, digits, '-', and '_'"))
    check_sentences([sentence], [scoring], baseline, contrast)
    content = sentence_config(
        sentence,
        name,
        environment=environment,
        model=model,
        scoring=scoring,
        baselines=baseline or [],
        contrasts=contrast or [],
        total_timesteps=total_timesteps,
        seed=seed,
        oracle=oracle,
    )
    path = Path("results", content["run"], CONFIG)
    config = parse_config(content, str(path))
    (training,) = config.runs(EXPERIMENT)
    texts = config.prompt_settings(training.task).sentences
    if problem := folder_problem(config, training.reward_source):
        raise UserError(problem)
    if problem := unread_words(config, training.reward_source, texts):
        raise UserError(shorten(f"sentence: {problem}"))
    _write(path, content, sentence)
    options = ["--snakefile", str(SNAKEFILE), "--configfile", str(path)]
    _describe(config, training)
    if jobs := planned_jobs([*options, "--", TARGET]):
        print(f"{len(jobs)} jobs, {_duration(jobs, options, config)}.", flush=True)
        status = _snakemake(*options, "--cores", str(cores or "all"), "--", TARGET)
        if status:
            print("Not finished. The same command goes on where it stopped.", file=sys.stderr)
            raise typer.Exit(status)
    else:
        print("Everything is there already.")
        summarize(path.parent)
    for line in _results(config, training):
        print(printable(line))


def _write(path: Path, content: dict[str, Any], sentence: str) -> None:
    """Writes the configuration, unless it is there.

    Raises:
        UserError: The folder is another run's.
    """
    there = read_yaml(path) if path.is_file() else {}
    if there == content:
        return
    if not isinstance(there, dict):
        there = {}
    folder = path.parent
    if folder.exists() and any(file != path for file in folder.iterdir()):
        keys = {*there, *content} if there else {"run"}
        others = ", ".join(sorted(key for key in keys if there.get(key) != content.get(key)))
        raise UserError(
            f"{folder}: holds another run (other {others}); choose another --name, or delete it"
        )
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    with atomic_path(path) as temporary:
        temporary.write_text(f"# vlmrm run {shlex.quote(sentence)}\n{text}", encoding="utf-8")


def _describe(config: Config, run: TrainingRun) -> None:
    """Prints what is trained on what."""
    task = config.tasks[run.task]
    agent = config.training[task.environment].agent
    judge = f"the oracle {task.oracle} judges it" if task.oracle else "nobody judges it but you"
    print(
        printable(
            f"{agent.algorithm.upper()} learns '{task.goals[0]}' in {task.environment}, "
            f"{humanize.intcomma(agent.total_timesteps)} steps, from the rewards of "
            f"{run.reward_source} ({run.scoring}); {judge}."
        )
    )
    name, model = run.reward_source, config.models[run.reward_source]
    if is_simulator_trained(model):
        print(f"{name} was trained on these environments: this is not zero-shot.")
        own = model.path if isinstance(model, PretrainedModel) else None
        warning = new_words_warning(name, task.goals, [task.environment])
        if warning and has_read_shipped_captions(find_model_folder(own or name)):
            print(printable(warning))


def _duration(jobs: list[Job], options: list[str], config: Config) -> str:
    """About how long jobs take on this machine."""
    machine = this_machine()
    done = measured_jobs([*options, "--", TARGET], jobs, config, machine)
    seconds = sum_seconds(make_plan(jobs, config, machine, done))
    about = humanize.precisedelta(max(seconds, 60), minimum_unit="minutes", format="%.0f")
    return f"about {about} on {machine.title}"


def _snakemake(*arguments: str) -> int:
    """Runs the workflow in this folder, and returns its exit status."""
    # A closed terminal would end Snakemake at once, which would leave its lock in this folder.
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # A terminal interrupts all processes, and Snakemake has trainings write a checkpoint first. Set
    # before it starts: in the background of a script, it would ignore interrupts.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    process = subprocess.Popen([sys.executable, "-m", "snakemake", *arguments])

    def interrupt(number: int, frame: object) -> None:
        """Does what Ctrl-C does: on SIGTERM, Snakemake would wait for trainings of many hours."""
        with suppress(psutil.NoSuchProcess):
            snakemake = psutil.Process(process.pid)
            for job in (*snakemake.children(recursive=True), snakemake):
                with suppress(psutil.NoSuchProcess):
                    job.send_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, interrupt)
    if before != signal.SIG_IGN:  # as with nohup
        signal.signal(signal.SIGHUP, interrupt)
    return process.wait()


def _results(config: Config, run: TrainingRun) -> Iterator[str]:
    """Where everything is that Snakemake's last lines have not named, and what to try next."""
    folder = Path("results", config.run)
    if config.tasks[run.task].oracle is None:
        yield f"Video: {folder / video_of(run)}"
    yield f"Learning curve: {folder / 'figures' / f'learning-{EXPERIMENT}.png'}"
    yield f"Policy: {folder / 'policies' / run.folder / 'best.zip'}"
    yield f"Configuration, to go on from: {folder / CONFIG}"
    table = folder / "tables" / f"success-{EXPERIMENT}.csv"
    if table.is_file():
        agents = read_table(table).query("reward_source == @run.reward_source")
        if agents["success_rate"].max() >= LEARNED:
            yield "Next: another sentence, or more seeds and models in the configuration."
            return
    yield "Next: more --total-timesteps, other words, another --model or --scoring."
    if config.tasks[run.task].environment == "humanoid":
        model, goal = MODELS / run.reward_source, shlex.quote(config.tasks[run.task].goals[0])
        yield f"How good a reward it is: vlmrm diagnose --model {model} --goal {goal}"
