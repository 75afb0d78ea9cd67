"""``vlmrm diagnose``: whether an agent will learn from a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vlmrm.cli.options import (
    Baselines,
    Contrasts,
    Device,
    EachGoal,
    check_sentences,
    refuse_together,
    scoring_name,
)
from vlmrm.config import ORACLE_NAMES, SCENES, default_scene
from vlmrm.config.scoring import PLAIN
from vlmrm.data.pictures import labeled_pictures
from vlmrm.errors import UserError, printable, refuse_unknown
from vlmrm.models.folder import folders_by_name

if TYPE_CHECKING:
    from vlmrm.diagnosis.sentences import Sentences

BLEND = "alpha-0.5"
"""Measured too if there is a baseline."""
CONTRAST = "contrast-0.05"
"""Measured too if there are contrasts."""
POSES = 128
"""Poses around each task."""
LISTED = 5
"""Best and worst pictures that are named."""

Rows = list[dict[str, Any]]


def diagnose(
    model: Annotated[
        list[Path], typer.Option(help="Model folder, or packaged model; may be repeated.")
    ],
    goal: EachGoal,
    baseline: Baselines = None,
    contrast: Contrasts = None,
    scoring: Annotated[
        list[str] | None,
        typer.Option(
            help=f"alpha-A or contrast-T; may be repeated. Default: {PLAIN}, also {BLEND} with a "
            f"baseline and {CONTRAST} with contrasts."
        ),
    ] = None,
    oracle: Annotated[
        str | None, typer.Option(help="Pose that the sentence describes, such as kneeling.")
    ] = None,
    scene: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Scene of the frames; may be repeated. Default: {default_scene('humanoid')}."
        ),
    ] = None,
    poses: Annotated[
        int | None,
        typer.Option(min=16, help=f"Poses around each of the eight tasks; default: {POSES}."),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="Folder of pictures to rank, instead of the humanoid; with sub-folders yes and "
            "no, also to judge by."
        ),
    ] = None,
    table: Annotated[Path | None, typer.Option(help="Also write the numbers here (CSV).")] = None,
    device: Device = "auto",
) -> None:
    """Say how good a reward a sentence is, and what to try next, before any training.

    The first diagnosis renders poses of the humanoid. They are kept in ~/.cache/vlmrm.
    """
    scorings = _scorings(scoring, goal, baseline, contrast)
    scenes = list(dict.fromkeys(scene or [default_scene("humanoid")]))
    for name in scenes:
        refuse_unknown("--scene", name, SCENES["humanoid"])
    if oracle is not None:
        refuse_unknown("--oracle", oracle, ORACLE_NAMES["humanoid"])
    if pictures is not None:
        refuse_together("--pictures", {"--oracle": oracle, "--scene": scene, "--poses": poses})
    if table is not None and table.suffix != ".csv":
        raise UserError(f"--table: {table} must end in .csv")
    paths, labels = labeled_pictures(pictures) if pictures is not None else ([], None)
    folders = list(folders_by_name(model).values())
    from vlmrm.diagnosis.sentences import Sentences

    sentences = Sentences(list(dict.fromkeys(goal)), baseline or [], contrast or [])
    if pictures is not None:
        rows = _diagnose_pictures(folders, sentences, scorings, paths, labels, device)
    else:
        rows = _diagnose_poses(folders, sentences, scorings, oracle, scenes, poses or POSES, device)
    if table is not None:
        import pandas as pd

        from vlmrm.data.tables import write_table

        write_table(table, pd.DataFrame(rows))


def _scorings(
    names: list[str] | None, goal: list[str], baseline: list[str] | None, contrast: list[str] | None
) -> list[str]:
    defaults = [PLAIN, *([BLEND] if baseline else []), *([CONTRAST] if contrast else [])]
    scorings = list(dict.fromkeys(map(scoring_name, names or defaults)))
    check_sentences(goal, scorings, baseline, contrast)
    return scorings


def _diagnose_poses(
    folders: Sequence[Path],
    sentences: Sentences,
    scorings: Sequence[str],
    oracle: str | None,
    scenes: Sequence[str],
    poses: int,
    device: str,
) -> Rows:
    from vlmrm.diagnosis.cached import cached_embeddings, cached_states
    from vlmrm.diagnosis.measure import SHOWN
    from vlmrm.diagnosis.sentences import KNOWN, measure_sentences, sentences_for
    from vlmrm.diagnosis.verdict import verdict
    from vlmrm.models.clip import ClipModel

    rows: Rows = []
    for folder in folders:
        clip = ClipModel.load(folder, device)
        # Before states are made: a sentence may be longer than the model reads.
        texts = list(dict.fromkeys([*sentences.all, *sentences_for(oracle)]))
        prompts = dict(zip(texts, clip.embed_prompts(texts), strict=True))
        states, cache = cached_states(poses)
        for scene in scenes:
            images = cached_embeddings(states, cache, scene, clip)
            measured = measure_sentences(states, images, prompts, sentences, scorings, oracle)
            rows += [{"model": clip.name, "scene": scene, **row} for row in measured]
    _print_rows("The reward on the way to the pose and on poses", rows, SHOWN)
    _print_rows("AUROC for each pose", rows, dict(zip(KNOWN, KNOWN, strict=True)))
    _print_lines(verdict(rows, oracle))
    return rows


def _diagnose_pictures(
    folders: Sequence[Path],
    sentences: Sentences,
    scorings: Sequence[str],
    paths: Sequence[Path],
    labels: Sequence[bool] | None,
    device: str,
) -> Rows:
    from vlmrm.diagnosis.measure import N
    from vlmrm.diagnosis.sentences import measure_images
    from vlmrm.diagnosis.verdict import judge_pictures
    from vlmrm.models.cached import embed_pictures
    from vlmrm.models.clip import ClipModel

    rows: Rows = []
    others: Rows = []
    for folder in folders:
        clip = ClipModel.load(folder, device)
        prompts = dict(zip(sentences.all, clip.embed_prompts(sentences.all), strict=True))
        images = embed_pictures(paths, clip)
        measured = measure_images(images, prompts, sentences, scorings, labels)
        for row, rewards in zip(measured.rows, measured.rewards, strict=True):
            heading = f"{clip.name}, {row['scoring']}, '{row['goal']}'"
            _print_lines([heading, *_ranking(rewards, paths)])
        rows += [{"model": clip.name, **row} for row in measured.rows]
        others += [{"model": clip.name, **row} for row in measured.others]
    heads = {"std": "standard deviation"}
    if labels:
        best_of_n = f"best of {min(N, len(paths))}"
        heads |= {"auroc": "AUROC", "fooled": "fooled", "best_of_n": best_of_n}
    _print_rows("Rewards", rows, heads)
    if others:
        heads = {"correlation": "rank correlation", "closer": "closer to the goal"}
        _print_rows("The goal and other sentences", others, {"sentence": "sentence", **heads})
    _print_lines(judge_pictures(rows, others))
    return rows


def _ranking(rewards: Iterable[float], paths: Sequence[Path]) -> list[str]:
    """Lines with the best and the worst pictures."""
    ranked = sorted(zip(rewards, paths, strict=True), reverse=True)
    lines = [f"    {reward:.4f}  {path}" for reward, path in ranked]
    if len(lines) <= 2 * LISTED:
        return ["  All, best first", *lines, ""]
    head, tail = f"  Best {LISTED} of {len(lines)}", f"  Worst {LISTED}"
    return [head, *lines[:LISTED], tail, *lines[-LISTED:], ""]


def _print_rows(title: str, rows: Rows, columns: dict[str, str]) -> None:
    """Prints rows as a table: what names them, where it differs, and these columns."""
    from rich.table import Table
    from rich.text import Text

    from vlmrm.cli.output import print_table

    keys = "model", "scoring", "scene", "goal", "oracle"
    # Those of one value need no column, but the first two are always of interest.
    names = [k for k in keys if k in rows[0] and (k in keys[:2] or len({r[k] for r in rows}) > 1)]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=name != "goal")
    for heading in columns.values():
        # On a narrow terminal, headings break at hyphens too.
        table.add_column(heading.replace("-", "-\n"), justify="right", overflow="fold")
    for row in rows:
        cells = [row[key] for key in (*names, *columns)]
        texts = (cell if isinstance(cell, str) else f"{cell:.3f}" for cell in cells)
        table.add_row(*(Text(printable(text)) for text in texts))
    print_table(table)
    print()


def _print_lines(lines: Iterable[str]) -> None:
    print(printable("\n".join(lines)))
