"""``vlmrm check-models``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from humanize import naturalsize
from rich.markup import escape
from rich.table import Table

from vlmrm.cli.options import ConfigFile, model_settings
from vlmrm.cli.output import print_table
from vlmrm.config import PretrainedModel, load_config
from vlmrm.errors import UserError
from vlmrm.models.folder import MODELS

if TYPE_CHECKING:
    from vlmrm.models.look_up import Finding


def check_models(
    config: ConfigFile,
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of models; default: every published one.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Folder of the model folders.")] = MODELS,
) -> None:
    """Look up published models: files, sizes, licenses, access. Downloads nothing."""
    if names:
        published = {name: model_settings(config, name, PretrainedModel) for name in names}
    else:
        models = load_config(config).models.items()
        published = {name: m for name, m in models if isinstance(m, PretrainedModel)}
    if not published:
        print("No published models.")
        return
    from vlmrm.models.look_up import describe_problems, look_up_models

    findings = look_up_models(published, folder)
    print_table(findings_table(findings))
    if problems := describe_problems(findings, folder):
        raise UserError("\n".join(problems))


def findings_table(findings: dict[str, Finding]) -> Table:
    """A row per model, and a total."""
    table = Table("model", "from", "file", box=None, pad_edge=False)
    table.add_column("size", justify="right")
    table.add_column("to download", justify="right")
    table.add_column("license")
    for name, finding in findings.items():
        table.add_row(name, *(("cannot be fetched",) if finding.problem else _describe(finding)))
    total = sum(finding.missing for finding in findings.values())
    table.add_row("total", "", "", "", naturalsize(total))
    return table


def _describe(finding: Finding) -> tuple[str, ...]:
    from vlmrm.models.license import describe_license

    origin = finding.origin
    if "repository" in origin:
        source = f"{origin['repository']}@{origin['commit']}"
        license = describe_license(origin.get("license"))
        if origin.get("gated"):
            license += ", gated"
    else:
        source, license = origin.get("url") or origin["path"], "-"
    missing = "here" if finding.here else naturalsize(finding.missing)
    return escape(source), origin["file"], naturalsize(finding.size), missing, license
