"""docs/python.md: what a user of the classes types."""

import numpy as np

from tests.docs.pages import fenced
from tests.paths import ROOT
from tests.training.test_evaluation import save_policy


def test_a_policy_acts_in_a_loop(tmp_path, monkeypatch):
    *_, loop = fenced((ROOT / "docs" / "python.md").read_text(), "python")
    (tmp_path / "policies" / "one-leg").mkdir(parents=True)
    save_policy(tmp_path / "policies" / "one-leg" / "best.zip", "kneel")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(loop, names)
    *_, truncated, _ = names["env"].step(names["action"])
    assert truncated, "an episode has no more steps"
    assert np.isfinite(names["observation"]).all()
