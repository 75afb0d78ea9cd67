"""The page as a file: what it contains, and where it works."""

import importlib
import re
import shutil
from importlib import resources

import pytest

from tests.page.conftest import success
from tests.paths import smoke_all
from vlmrm.config import parse_config
from vlmrm.errors import UserError
from vlmrm.figures.paper import LARGEST, published_success
from vlmrm.page import render
from vlmrm.page.contents import TITLES, contents, recorded_runs

TASKS = set(published_success()["task"])


def sources(page):
    """What figures, videos, and links to tables refer to."""
    return re.findall(r'(?:src|href)="(?!#)(?!data:,")([^"]+)"', page)


def test_a_small_run_is_a_single_file_without_references_to_others(smoke):
    found = sources(smoke.page())
    assert found
    assert all(source.startswith("data:") for source in found)
    assert "This page is a single file" in smoke.page()


def test_a_large_run_links_to_files_beside_the_page(smoke, monkeypatch):
    monkeypatch.setattr(render, "MAX_EMBEDDED", 0)
    page = smoke.page()
    found = sources(page)
    assert found
    assert all((smoke.results / source).is_file() for source in found)
    assert "copy the folder as a whole" in page
    assert sources(smoke.page(smoke.results.parent / "elsewhere.html"))[0].startswith("data:")


def test_what_is_missing_is_not_finished(smoke):
    whole = smoke.page()
    assert "not finished" not in whole
    assert re.search(r"all \d+ figures, tables, and videos are finished", whole)
    (smoke.results / "figures" / "landscape-cartpole.svg").unlink()
    shutil.rmtree(smoke.results / "evaluations")
    page = smoke.page()
    videos = len(recorded_runs(parse_config(smoke_all())))
    assert page.count("This figure: not finished.") == 1
    tasks = {run.task for run in recorded_runs(parse_config(smoke_all()))}
    assert page.count("The video: not finished.") == videos + len(tasks)
    assert "Finished: 0." in page


def test_a_run_that_has_just_begun_has_a_page_too(smoke):
    for folder in ("figures", "tables", "evaluations", "benchmarks"):
        shutil.rmtree(smoke.results / folder)
    page = smoke.page()
    assert "not judged yet" in page
    assert "No job has been timed yet." in page


def test_that_nothing_is_zero_shot_is_said_once_where_it_is_so(smoke):
    assert smoke.page().count("zero-shot") == 1
    said = "Trained on pictures of these simulators: smoke-S, sim-XS, smoke-S-round-1. Such results"
    assert f"<strong>Not zero-shot.</strong> {said}" in " ".join(smoke.page().split())


def test_sentences_cannot_change_the_page(smoke):
    config = smoke.results / "config.yaml"
    text = config.read_text()
    config.write_text(text.replace("robot kneeling", "robot <script>kneeling</script>"))
    page = smoke.page()
    assert "<script>kneeling" not in page
    assert "&lt;script&gt;kneeling" in page


def test_numbers_and_verdicts_come_from_the_tables(smoke):
    page = " ".join(smoke.page().split())
    # The agents of `humanoid` succeed in 90 % with the model, and in none with the oracle.
    assert '<strong class="rate">90%</strong> of 100 trajectories succeed with smoke-S' in page
    assert "Best of 64 states of kneeling: 75% fulfill the task" in page
    assert "EPIC distance to the labels of kneeling: 0.25 with smoke-S" in page
    assert "0.251 (0.200 to 0.800)" in page
    assert "rises (1 agent), rises and falls (1 agent)" in page


def test_a_card_shows_a_model_rather_than_the_reference_of_another_experiment(smoke):
    by_model, oracle = parse_config(smoke_all()).runs("humanoid")
    tables = smoke.results / "tables"
    (tables / "success-smoke-S-rounds.csv").unlink()
    success([by_model], [0.03]).to_csv(tables / "success-humanoid.csv", index=False)
    success([oracle], [1.0]).to_csv(tables / "success-other-sources.csv", index=False)
    page = " ".join(smoke.page().split())
    assert '<strong class="rate">3%</strong> of 100 trajectories succeed with smoke-S' in page
    assert "trajectories succeed with oracle" not in page


@pytest.mark.parametrize("name", TITLES)
def test_each_kind_has_a_caption_of_plain_paragraphs(name):
    caption = render._caption(name)
    assert caption.startswith("<p>")
    assert "`" not in caption
    assert "{{" not in caption
    assert "zero-shot" not in caption


def listed(names):
    *first, last = [name.replace("-", " ") if name in TASKS else name for name in names]
    comma = "," * (len(first) > 1)
    return f"{', '.join(first)}{comma} and {last}" if first else last


def test_captions_state_the_numbers_of_the_paper():
    caption = {name: " ".join(render._caption(name).split()) for name in TITLES}
    rates = published_success()["success_rate"]
    published = published_success().assign(percent=[f"{100 * rate:.0f} %" for rate in rates])
    largest = published[published["model"] == LARGEST]
    for percent, rows in largest[largest["scene"] == "textured-fixed"].groupby("percent"):
        assert f"{percent} for {listed(rows['task'])}" in caption["success"]
    for row in largest[largest["scene"] != "textured-fixed"].itertuples():
        assert f"{row.percent} in <code>{row.scene}</code>" in caption["success"]
    sizes = published[(published["task"] == "kneeling") & (published["scene"] == "textured-fixed")]
    for percent, rows in sizes.groupby("percent"):
        assert f"{percent} for {listed(rows['model'])}" in caption["success-by-size"]


def test_no_caption_is_left_over():
    folder = resources.files("vlmrm.page").joinpath("captions")
    assert {file.name for file in folder.iterdir()} == {f"{name}.rst" for name in TITLES}


def test_a_figure_has_one_name_and_belongs_to_one_section():
    exhibits = [e for section in contents(parse_config(smoke_all())) for e in section.exhibits]
    names = [(exhibit.name, exhibit.is_table) for exhibit in exhibits]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("function", "pattern"),
    [
        ("vlmrm.page.render.read_table", "tables/epic-*.csv"),
        ("vlmrm.page.summary.read_table", "tables/success-*.csv"),
        ("vlmrm.page.render._videos", "figures/*.svg"),
        ("vlmrm.page.render._videos", "figures/*.png"),
        ("vlmrm.page.render._cards", "**/video.mp4"),
    ],
)
def test_files_that_a_restarted_job_deletes_while_the_page_is_written_are_left_out(
    smoke, monkeypatch, function, pattern
):
    module, _, name = function.rpartition(".")
    read = getattr(importlib.import_module(module), name)
    gone = []

    def deleting(*arguments):
        if not gone:
            gone.extend(sorted(smoke.results.glob(pattern))[:1])
            gone[0].unlink()
        return read(*arguments)

    monkeypatch.setattr(function, deleting)
    assert "</html>" in smoke.page()
    assert gone


def test_a_file_that_stays_damaged_is_named(smoke):
    min(smoke.results.glob("tables/epic-*.csv")).write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"epic-.*\.csv"):
        smoke.page()
