"""Writes the page of a run: one HTML file, without network, of whatever is finished."""

from __future__ import annotations

import base64
import json
import mimetypes
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from PIL import Image

from vlmrm.config import REFERENCES, Config, TrainingRun
from vlmrm.config.scoring import alpha_of, scoring_order
from vlmrm.data.files import atomic_path, reading
from vlmrm.data.provenance import provenance
from vlmrm.data.tables import read_table
from vlmrm.errors import UserError
from vlmrm.models.folder import MODELS, is_simulator_trained
from vlmrm.page.contents import TITLES, Exhibit, Section, contents, recorded_runs
from vlmrm.page.summary import (
    VERDICTS,
    Outcome,
    outcomes,
    success_by_run,
    trained_line,
    trust_lines,
    video_of,
)
from vlmrm.page.tables import ShownTable, number, shown_table
from vlmrm.page.times import in_words, stages
from vlmrm.terminal.workflow import duration

MAX_EMBEDDED = 30_000_000
"""Bytes of figures, videos, and tables up to which they are in the page itself."""
MAX_SVG = 500_000
"""Bytes from which on a figure is shown as PNG: larger SVGs contain photographs."""

TRIES = 3
"""How often the files of a run are listed and read."""
PAUSE = 0.2
"""Seconds in between."""

CSS_DPI = 96
"""CSS pixels per inch."""


class Files:
    """The files of a run as the page refers to them: by their content, or by a relative link."""

    def __init__(self, results: Path, embedded: bool):
        self.results = results
        self.embedded = embedded

    def url(self, path: Path) -> str:
        """What stands in `src` or `href`."""
        if not self.embedded:
            return quote(path.relative_to(self.results).as_posix())
        kind, _ = mimetypes.guess_type(path.name)
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


@dataclass(frozen=True)
class Shown:
    """A figure or table of the page; without a file while it is not finished."""

    exhibit: Exhibit
    file: Path | None
    table: ShownTable | None = None

    @property
    def size(self) -> Markup:
        """Width and height of a figure in CSS pixels, as attributes; the PNG knows them."""
        assert self.file is not None
        path = self.file.with_suffix(".png")
        with reading(path), Image.open(path) as picture:
            dpi = round(picture.info["dpi"][0])
            width, height = (round(side * CSS_DPI / dpi) for side in picture.size)
        return Markup('width="{}" height="{}"').format(width, height)


@dataclass(frozen=True)
class Video:
    """A video of the page; without a file while it is not finished."""

    run: TrainingRun
    file: Path | None
    success: str

    @property
    def model(self) -> str:
        """The model that it belongs to; none for references, which all are compared with."""
        return "" if self.run.reward_source in REFERENCES else self.run.reward_source


@dataclass(frozen=True)
class Card:
    """A task at the top of the page: its best outcome so far, and the video of it."""

    task: str
    outcome: Outcome | None
    video: Video


def write_page(results: Path, config: Config, output: Path) -> None:
    """Writes the page.

    A job that starts again deletes its files, also while they are read: then all are listed anew.

    Figures, videos, and tables are in the page itself, up to `MAX_EMBEDDED` bytes together or where
    the page is outside of the results. Otherwise the page links to them, and works where the folder
    of the results is copied as a whole.

    Args:
        results: Folder of the run.
        config: Configuration of the run.
        output: The page.

    Raises:
        UserError: A file is damaged.
    """
    for left in reversed(range(TRIES)):
        try:
            page = _render(results, config, output)
            break
        except (OSError, UserError):
            if not left:
                raise
            time.sleep(PAUSE)
    with atomic_path(output) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _render(results: Path, config: Config, output: Path) -> str:
    sections = [
        (section, [_find(results, exhibit) for exhibit in section.exhibits])
        for section in contents(config)
    ]
    shown = [item for _, items in sections for item in items]
    videos = list(_videos(results, config))
    files = [*(item.file for item in shown), *(video.file for video in videos)]
    found = [file for file in files if file is not None]
    size = sum(file.stat().st_size for file in found)
    elsewhere = output.absolute().parent != results.absolute()
    sources = Files(results, size <= MAX_EMBEDDED or elsewhere)
    environment = Environment(
        loader=PackageLoader("vlmrm.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"duration": duration, "in_words": in_words, "number": number, "url": sources.url}
    environment.filters |= filters
    return environment.get_template("page.html").render(
        config=config,
        css=Markup(_static("vlmrm.web", "colors.css") + _static("vlmrm.page", "page.css")),
        js=Markup(_static("vlmrm.page", "page.js")),
        embedded=sources.embedded,
        made=datetime.now(UTC),
        finished=len(found),
        promised=len(files),
        trained=trained_line(config, sum(video.file is not None for video in videos)),
        trust=list(trust_lines(results, config)),
        cards=list(_cards(results, config, videos)),
        verdicts=VERDICTS,
        simulator_trained=[
            name
            for name, model in config.models.items()
            if is_simulator_trained(model, MODELS / name)
        ],
        sections=sections,
        videos=videos,
        captions={name: _caption(name) for name in TITLES},
        choices=_choices(config, [section for section, _ in sections], videos),
        stages=stages(results / "benchmarks"),
        settings=yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False),
        origins=_origins(
            item.file for item in shown if item.file is not None and not item.exhibit.is_table
        ),
        maker=provenance(),
        alpha_of=alpha_of,
    )


def _find(results: Path, exhibit: Exhibit) -> Shown:
    """A figure is finished with both of its files."""
    if exhibit.is_table:
        table = results / "tables" / f"{exhibit.name}.csv"
        if table.is_file():
            return Shown(exhibit, table, shown_table(read_table(table)))
        return Shown(exhibit, None)
    svg, png = (results / "figures" / f"{exhibit.name}.{suffix}" for suffix in ("svg", "png"))
    if not (svg.is_file() and png.is_file()):
        return Shown(exhibit, None)
    return Shown(exhibit, svg if svg.stat().st_size <= MAX_SVG else png)


def _videos(results: Path, config: Config) -> Iterator[Video]:
    success = success_by_run(results, config)
    for run in recorded_runs(config):
        file = results / video_of(run)
        yield Video(run, file if file.is_file() else None, success.get(run, ""))


def _cards(results: Path, config: Config, videos: list[Video]) -> Iterator[Card]:
    """One for each task that agents are trained for: of models, if there are any."""
    found = sorted(
        outcomes(results, config),
        key=lambda outcome: (outcome.run.reward_source not in REFERENCES, outcome.rate),
    )
    best = {outcome.run.task: outcome for outcome in found}
    for task in dict.fromkeys(video.run.task for video in videos):
        outcome = best.get(task)
        own = [video for video in videos if video.run.task == task]
        video, *_ = [video for video in own if outcome and video.run == outcome.run] or own
        yield Card(task, outcome, video)


def _choices(
    config: Config, sections: Iterable[Section], videos: Iterable[Video]
) -> dict[str, list[str]]:
    """What the reader of the page can choose: the names that figures and videos are about."""
    exhibits = [exhibit for section in sections for exhibit in section.exhibits]
    tasks = {task for item in exhibits if item.models for task in item.tasks}
    models = {model for item in exhibits for model in item.models}
    scorings = {*config.scorings, *(video.run.scoring for video in videos)}
    return {
        "task": [name for name in config.tasks if name in tasks],
        "model": [name for name in config.models if name in models],
        "scoring": sorted(scorings, key=scoring_order),
    }


def _origins(figures: Iterable[Path]) -> list[tuple[dict[str, Any], int]]:
    """Commit and versions that figures were made with, and how many; the PNGs say it."""
    counts: Counter[str] = Counter()
    for figure in figures:
        path = figure.with_suffix(".png")
        with reading(path), Image.open(path) as picture:
            record = json.loads(picture.info.get("Description", "{}"))
        known = {key: record.get(key) for key in ("commit", "python", "versions")}
        counts[json.dumps(known)] += 1
    return [(json.loads(record), count) for record, count in counts.most_common()]


def _static(package: str, name: str) -> str:
    return resources.files(package).joinpath("static", name).read_text(encoding="utf-8")


def _caption(name: str) -> Markup:
    """A caption as HTML. The files are reStructuredText, of which they use paragraphs and code."""
    file = resources.files("vlmrm.page").joinpath("captions", f"{name}.rst")
    text = file.read_text(encoding="utf-8")
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    marked = (re.sub(r"``(.+?)``", r"<code>\1</code>", str(escape(part))) for part in paragraphs)
    return Markup("".join(f"<p>{part}</p>" for part in marked))
