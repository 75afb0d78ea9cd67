"""Whatever a configuration says, the answer is a run or one short line.

``VLMRM_MUTATIONS=10000`` tries that many configurations, as ``tests/config/mutations.py`` does.
"""

import os

import pytest

from tests.config.mutations import judge_all
from tests.paths import ROOT

NUMBER = int(os.environ.get("VLMRM_MUTATIONS", "150"))


@pytest.mark.slow
def test_configurations_that_went_wrong_are_read_or_answered_in_one_line(monkeypatch):
    monkeypatch.chdir(ROOT)  # `extends` names files from here
    counts, wrong = judge_all(range(NUMBER))
    assert wrong == {}
    assert counts["accepted"]
    assert counts["refused"]
