"""Links, anchors, and file names in the pages."""

import re
import subprocess

import pytest

from tests.docs.pages import PAGES, ROOT, inline_code, name_of, prose

INDEX = ROOT / "docs" / "index.md"
FOLDERS = "benchmarks|config|docs|envs|examples|scripts|tests|vlmrm|workflow"


def anchor_of(title):
    """The anchor that GitHub gives a title."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_of_a_page_has_a_target(page):
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        if "//" in path:
            continue
        target = page.parent / path if path else page
        assert target.is_file(), link
        if anchor:
            titles = re.findall(r"^#+ (.*)$", prose(target.read_text()), re.MULTILINE)
            assert anchor in [anchor_of(title) for title in titles], link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_a_page_names_is_there(page):
    for code in inline_code(page.read_text()):
        if re.fullmatch(rf"(?:{FOLDERS})/[\w./-]+", code):
            assert (ROOT / code).exists(), code


def test_the_code_names_pages_that_are_there():
    command = ["git", "grep", "-hoE", r"docs/[a-z-]+\.md(#[a-z-]+)?", "--", ":!docs", ":!*.md"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    found = set(run.stdout.split())
    assert "docs/configuration.md" in found, run.stderr
    assert [name for name in found if not (ROOT / name.partition("#")[0]).is_file()] == []


def test_the_first_page_lists_every_page_once():
    links = re.findall(r"^- \[.*?\]\((\S+?\.md)\)", INDEX.read_text(), re.MULTILINE)
    others = {ROOT / "README.md", INDEX, *ROOT.glob("results/reference/*/README.md")}
    assert sorted((INDEX.parent / link).resolve() for link in links) == sorted({*PAGES} - others)
