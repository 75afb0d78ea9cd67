"""``vlmrm diagnose``: whether an agent will learn from a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from vlmrm.cli.options import (
    Baselines,
    Contrasts,
    Device,
    Goals,
    check_sentences,
    scoring_name,
)
from vlmrm.config import SCENES, HumanoidOracleName
from vlmrm.config.scoring import PLAIN
from vlmrm.data.pictures import check_picture, picture_files, read_picture
from vlmrm.errors import UserError, unknown
from vlmrm.models.folder import check_model_folder

if TYPE_CHECKING:
    from vlmrm.diagnosis.sentences import Sentences

BLEND = "alpha-0.5"
"""Measured too if there is a baseline."""
CONTRAST = "contrast-0.05"
"""Measured too if there are contrasts."""
LISTED = 5
"""Best and worst pictures that are named."""

SHOWN = {
    "progress": "path",
    "closeness": "closeness",
    "auroc": "AUROC",
    "fooled": "fooled",
    "best_of_n": "best of 64",
    "margin": "margin",
    "spread": "spread",
}
"""Columns of the first table, with their headings."""

Rows = list[dict[str, Any]]


def diagnose(
    model: Annotated[
        list[Path], typer.Option(help="Model folder, or packaged model; may be repeated.")
    ],
    goal: Goals,
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
    scene: Annotated[str, typer.Option(help="Scene of the frames.")] = SCENES["humanoid"][0],
    poses: Annotated[int, typer.Option(min=16, help="Poses around each of the eight tasks.")] = 128,
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
    """Say what a sentence is worth as a reward, and what to try next, before any training.

    The first diagnosis renders poses of the humanoid. They are kept in ~/.cache/vlmrm.
    """
    scorings = _scorings(scoring, baseline, contrast)
    for problem in unknown("--scene", scene, SCENES["humanoid"]):
        raise UserError(problem)
    if oracle is not None:
        for problem in unknown("--oracle", oracle, get_args(HumanoidOracleName)):
            raise UserError(problem)
        if pictures is not None:
            raise UserError("--oracle: cannot be combined with --pictures")
    if table is not None and table.suffix != ".csv":
        raise UserError(f"--table: {table} must end in .csv")
    groups = _picture_groups(pictures) if pictures is not None else {}
    folders = list(dict.fromkeys(map(check_model_folder, model)))
    from vlmrm.diagnosis.sentences import Sentences

    sentences = Sentences(list(dict.fromkeys(goal)), baseline or [], contrast or [])
    if pictures is not None:
        rows = _diagnose_pictures(folders, sentences, scorings, groups, device)
    else:
        rows = _diagnose_poses(folders, sentences, scorings, oracle, scene, poses, device)
    if table is not None:
        import pandas as pd

        from vlmrm.data.tables import write_table

        write_table(table, pd.DataFrame(rows))


def _scorings(
    names: Sequence[str] | None, baselines: Sequence[str] | None, contrasts: Sequence[str] | None
) -> list[str]:
    defaults = [PLAIN, *([BLEND] if baselines else []), *([CONTRAST] if contrasts else [])]
    scorings = list(dict.fromkeys(map(scoring_name, names or defaults)))
    for name in scorings:
        check_sentences(name, baselines, contrasts)
    return scorings


def _picture_groups(folder: Path) -> dict[bool | None, list[Path]]:
    """The pictures of a folder: labeled by the sub-folders yes and no, or None if it has none."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    places = {True: folder / "yes", False: folder / "no"}
    labeled = [place for place in places.values() if place.is_dir()]
    if len(labeled) == 1:
        raise UserError(f"{folder}: has {labeled[0].name}/ alone; make sub-folders yes and no")
    groups: dict[bool | None, list[Path]]
    groups = {label: picture_files(place) for label, place in places.items()} if labeled else {}
    groups = groups or {None: picture_files(folder)}
    for path in (path for group in groups.values() for path in group):
        check_picture(path)
    return groups


def _diagnose_poses(
    folders: Sequence[Path],
    sentences: Sentences,
    scorings: Sequence[str],
    oracle: str | None,
    scene: str,
    poses: int,
    device: str,
) -> Rows:
    from vlmrm.diagnosis.cached import cached_embeddings, cached_states
    from vlmrm.diagnosis.sentences import KNOWN, measure_sentences
    from vlmrm.diagnosis.verdict import verdict
    from vlmrm.models.clip import ClipModel

    rows: Rows = []
    for folder in folders:
        clip = ClipModel.load(folder, device)
        # Before states are made: a sentence may be longer than the model reads.
        texts = list(dict.fromkeys([*sentences.all, *KNOWN.values()]))
        prompts = dict(zip(texts, clip.embed_prompts(texts), strict=True))
        states, cache = cached_states(poses)
        images = cached_embeddings(states, cache, scene, folder, clip)
        measured = measure_sentences(states, images, prompts, sentences, scorings, oracle)
        rows += [{"model": clip.name, **row} for row in measured]
    _print_rows("The reward on the way to the pose and on poses", rows, SHOWN)
    _print_rows("AUROC for each pose", rows, dict(zip(KNOWN, KNOWN, strict=True)))
    print("\n".join(verdict(rows, oracle)))
    return rows


def _diagnose_pictures(
    folders: Sequence[Path],
    sentences: Sentences,
    scorings: Sequence[str],
    groups: dict[bool | None, list[Path]],
    device: str,
) -> Rows:
    import numpy as np

    from vlmrm.diagnosis.measure import compare_sentences, measure_pictures
    from vlmrm.diagnosis.sentences import reward_images
    from vlmrm.diagnosis.verdict import judge_pictures
    from vlmrm.models.clip import ClipModel
    from vlmrm.terminal.bars import bar

    paths = [path for group in groups.values() for path in group]
    labels = [label for label, group in groups.items() for _ in group]
    rows, others = [], []
    for folder in folders:
        clip = ClipModel.load(folder, device)
        prompts = dict(zip(sentences.all, clip.embed_prompts(sentences.all), strict=True))
        steps = bar(paths, unit="picture", desc=f"embed {clip.name}")
        images = np.concatenate([clip.embed_images(read_picture(path)[None]) for path in steps])
        for goal, directions in sentences.directions(prompts):
            name = {"model": clip.name, "goal": goal}
            for scoring, rewards in reward_images(images, directions, scorings).items():
                measures = measure_pictures(rewards, labels) if None not in groups else {}
                rows.append({**name, "scoring": scoring, "std": float(rewards.std()), **measures})
                order = np.argsort(-rewards, kind="stable")
                print(f"{clip.name}, {scoring}, '{goal}': {_ranking(rewards, paths, order)}")
            cosines = images @ np.stack([directions.goal, *directions.contrasts]).T
            compared = zip(sentences.contrasts, compare_sentences(cosines), strict=True)
            others += [{**name, "sentence": text, **numbers} for text, numbers in compared]
    shown = {"std": "std", "auroc": "AUROC", "fooled": "fooled", "best_of_n": "best of 64"}
    _print_rows("Rewards", rows, {key: head for key, head in shown.items() if key in rows[0]})
    if others:
        heads = {"sentence": "than", "correlation": "rank correlation", "closer": "closer to goal"}
        _print_rows("The goal against other sentences", others, heads)
    print("\n".join(judge_pictures(rows, others)))
    return rows


def _ranking(rewards: Any, paths: Sequence[Path], order: Sequence[int]) -> str:
    def listed(rows: Sequence[int]) -> str:
        return "".join(f"\n    {rewards[row]:.4f}  {paths[row]}" for row in rows)

    if len(order) <= 2 * LISTED:
        return f"\n  all, best first{listed(order)}"
    best, worst = listed(order[:LISTED]), listed(order[-LISTED:])
    return f"\n  best {LISTED} of {len(order)}{best}\n  worst {LISTED}{worst}"


def _print_rows(title: str, rows: Rows, columns: dict[str, str]) -> None:
    """Prints rows as a table: what names them, where it differs, and these columns."""
    from rich.table import Table

    from vlmrm.cli.output import print_table

    names = [key for key in ("model", "scoring") if key in rows[0]]
    names += [key for key in ("goal", "oracle") if len({row.get(key) for row in rows}) > 1]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=name != "goal")
    for heading in columns.values():
        table.add_column(heading, justify="right")
    for row in rows:
        cells = [row[key] for key in (*names, *columns)]
        table.add_row(*(c if isinstance(c, str) else f"{c:.3f}" for c in cells))
    print_table(table)
    print()
