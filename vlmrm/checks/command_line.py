"""The options of a command line of Snakemake that are needed before Snakemake reads it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from vlmrm.errors import UserError


def snakemake_options(argv: Sequence[str]) -> argparse.Namespace | None:
    """The options executor, profile, config, configfile, snakefile, and directory.

    Args:
        argv: The command line.

    Returns:
        Those that may be repeated are lists of lists. None if an option lacks its value, which
        Snakemake reports.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False, exit_on_error=False)
    parser.add_argument("--executor", "-e")
    parser.add_argument("--profile", action="append", default=[])
    parser.add_argument("--config", "-C", nargs="*", action="append", default=[])
    parser.add_argument(
        "--configfile", "--configfiles", nargs="+", type=Path, action="append", default=[]
    )
    parser.add_argument("--snakefile", "-s", type=Path)
    parser.add_argument("--directory", "-d", type=Path, default=Path())
    try:
        return parser.parse_known_args(argv[1:])[0]
    except argparse.ArgumentError:
        return None


def refuse_repeated(options: argparse.Namespace) -> None:
    """Refuses options of which Snakemake would silently keep the last one.

    Raises:
        UserError: One is given twice; names it.
    """
    for name in ("config", "configfile"):
        if len(getattr(options, name)) > 1:
            raise UserError(
                f"--{name}: given twice, and Snakemake would read the last one alone; give it "
                "once, followed by all values"
            )
