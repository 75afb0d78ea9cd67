"""Runs examples/sentence.ipynb and stores its outputs; also makes it a page of the site.

.venv/bin/uv run --no-project --with nbclient --with ipykernel --with ipywidgets docs/notebook.py
"""

import hashlib
from pathlib import Path
from typing import Any

import nbformat

NOTEBOOK = Path(__file__).parents[1] / "examples" / "sentence.ipynb"
DIGEST = "code_sha256"
"""Key of the notebook's metadata for the code that made its outputs."""


def read(text: str) -> Any:
    """The notebook in this JSON."""
    return nbformat.reads(text, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def digest(notebook: Any) -> str:
    """The sha256 of the code."""
    code = "\0".join(cell.source for cell in code_cells(notebook))
    return hashlib.sha256(code.encode()).hexdigest()


def run(notebook: Any) -> None:
    """Runs all cells from top to bottom in a new kernel, and keeps nothing but their outputs."""
    from nbclient import NotebookClient  # not among the installed packages

    resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(notebook, timeout=None, resources=resources).execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        DIGEST: digest(notebook),
    }
    for cell in code_cells(notebook):
        cell.metadata.pop("execution", None)  # times of the day


def markdown(notebook: Any) -> str:
    """The notebook with its outputs, as a page for MyST."""
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        else:
            parts.append(f"```python\n{cell.source}\n```")
            parts += map(_shown, cell.outputs)
    return "\n\n".join(parts) + "\n"


def _shown(output: Any) -> str:
    if output.output_type == "stream":
        return f"```text\n{output.text}```"
    data = output.data
    if "text/html" in data:
        html = data["text/html"]
    elif "image/png" in data:
        html = f'<img alt="Output of the code" src="data:image/png;base64,{data["image/png"]}">'
    else:
        return f"```text\n{data['text/plain']}\n```"
    return f"```{{raw}} html\n{html}\n```"


if __name__ == "__main__":
    remade = read(NOTEBOOK.read_text())
    run(remade)
    nbformat.write(remade, NOTEBOOK)
