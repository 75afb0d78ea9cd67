"""Links, anchors, and file names in the pages."""

import re

import pytest

from tests.docs.pages import OURS, PAGES, inline_code, name_of, prose
from tests.paths import ROOT

INDEX = ROOT / "docs" / "index.md"


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
        if OURS.fullmatch(code):
            assert [*ROOT.glob(code)], code


def test_the_code_names_pages_that_are_there():
    suffixes = (".py", ".sh", ".smk", ".yaml")
    folders = ("config", "scripts", "vlmrm", "workflow")
    files = [path for name in folders for path in (ROOT / name).rglob("*.*")]
    texts = [(ROOT / "Makefile").read_text()]
    texts += [path.read_text() for path in files if path.suffix in suffixes]
    pages = {page for text in texts for page in re.findall(r"docs/[a-z-]+\.md", text)}
    assert "docs/configuration.md" in pages
    assert [page for page in pages if not (ROOT / page).is_file()] == []


def test_the_first_page_lists_every_page_once():
    links = re.findall(r"^- \[.*?\]\((\S+?\.md)\)", INDEX.read_text(), re.MULTILINE)
    others = {ROOT / "README.md", INDEX, *ROOT.glob("results/reference/**/README.md")}
    assert sorted((INDEX.parent / link).resolve() for link in links) == sorted({*PAGES} - others)
