"""Makes `--logger vlmrm` known to Snakemake, which looks for packages of such a name."""

from vlmrm.terminal.workflow import LogHandler

__all__ = ["LogHandler"]
