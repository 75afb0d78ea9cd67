"""Sphinx: these pages as a site, with the API from the docstrings; `make docs` builds it.

The source folder is the whole repository, in which a link means the same as on GitHub: Markdown
pages and notebooks become pages of the site, and other files are copied beside them.
"""

import re
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parents[1]))

from docs.notebook import markdown, read
from vlmrm import __version__

project = "vlmrm"
release = version = __version__
author = "The vlmrm authors"
copyright = author
root_doc = "docs/index"
source_suffix = {".md": "markdown", ".ipynb": "markdown"}
include_patterns = ["*.md", "config/*.md", "docs/*.md", "examples/*.ipynb"]
include_patterns += ["results/reference/**.md"]
# What else may be in the folder is not even searched.
exclude_patterns = [".*", "resources", "build", "results/[!r]*"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
myst_heading_anchors = 4
highlight_language = "text"  # of indented blocks: commands, output, and equations
default_role = "code"
autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_type_aliases = {"ArrayLike": "ArrayLike", "NDArray": "NDArray"}
napoleon_use_rtype = False
napoleon_attr_annotations = False

html_theme = "furo"
html_title = f"vlmrm {release}"
html_extra_path = ["site"]  # index.html, which leads to the first page


def show_notebook(app: Sphinx, page: str, source: list[str]) -> None:
    """Shows a notebook with the outputs that are stored in it."""
    if app.env.doc2path(page).suffix == ".ipynb":
        source[0] = markdown(read(source[0]))


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Makes the lists of the first page, which GitHub shows as they are, the navigation."""
    if page == "README" or page.startswith("results/"):
        source[0] = f"---\norphan: true\n---\n{source[0]}"
    if page == app.config.root_doc:
        for section in re.split(r"^## ", source[0], flags=re.MULTILINE)[1:]:
            title, _, text = section.partition("\n")
            links = re.findall(r"^- \[(.*?)\]\((\S+?)\.(?:md|ipynb)\)", text, re.MULTILINE)
            entries = "\n".join(f"{name} <{path}>" for name, path in links)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{entries}\n```\n"


def shorten_types(*event: Any) -> tuple[str | None, str | None]:
    """Writes types as the code does, not as Python evaluates them."""
    *_, signature, returned = event
    return shorten(signature), shorten(returned)


def shorten(types: str | None) -> str | None:
    types = re.sub(r"~(?:numpy|typing)\.|TypeAliasForwardRef\('(\w+)'\)", r"\1", types or "")
    return re.sub(r"ndarray\[tuple\[Any, \.\.\.\], dtype\[(.*?)\]\]", r"NDArray[\1]", types) or None


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", show_notebook)
    app.connect("source-read", add_navigation)
    app.connect("autodoc-process-signature", shorten_types)
    return {"parallel_read_safe": True}
