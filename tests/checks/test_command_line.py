"""What of a command line is read before Snakemake does."""

from pathlib import Path

import pytest

from vlmrm.checks.command_line import refuse_repeated, snakemake_options
from vlmrm.errors import UserError


def test_options_are_read_as_snakemake_reads_them():
    options = snakemake_options(
        ["snakemake", "-C", "run=mine", "seed=3", "--configfile", "a.yaml", "b.yaml", "-e", "slurm"]
    )
    assert options.config == [["run=mine", "seed=3"]]
    assert options.configfile == [[Path("a.yaml"), Path("b.yaml")]]
    assert options.executor == "slurm"
    refuse_repeated(options)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["--config", "run=mine", "--config", "precision=float32"], "--config"),
        (["-C", "run=mine", "--cores", "1", "--config", "precision=float32"], "--config"),
        (["--configfile", "a.yaml", "--configfiles", "b.yaml"], "--configfile"),
    ],
)
def test_an_option_of_which_snakemake_keeps_the_last_is_given_once(words, name):
    with pytest.raises(UserError, match=f"^{name}: given twice"):
        refuse_repeated(snakemake_options(["snakemake", *words]))


def test_snakemake_says_which_option_lacks_its_value():
    assert snakemake_options(["snakemake", "--executor"]) is None
