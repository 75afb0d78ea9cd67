"""The reference results agree with each other."""

import io
import runpy

import pandas as pd

from tests.paths import ROOT


def test_the_claims_are_those_of_the_tables():
    make = runpy.run_path(str(ROOT / "benchmarks" / "claims.py"))["reference_claims"]
    made, shipped = make().to_csv(index=False), ROOT / "results" / "reference" / "claims.csv"
    pd.testing.assert_frame_equal(pd.read_csv(shipped), pd.read_csv(io.StringIO(made)))
