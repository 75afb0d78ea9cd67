"""The code of docs/loops.md runs as it is printed, with fewer steps and a smaller model."""

import re
from pathlib import Path

import numpy as np
import pytest

TEXT = (Path(__file__).parents[1] / "docs" / "loops.md").read_text()
FIRST, *BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
TITLES = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)[: len(BLOCKS)]


@pytest.fixture(scope="module")
def start():
    """What the first block defines, which the others use."""
    names = {}
    exec(FIRST.replace("1_000_000", "128").replace("sim-M", "sim-XS"), names)
    assert names["steps"] == 128
    return names


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=TITLES)
def test_each_loop_is_at_most_15_lines_that_run(start, block):
    assert len(block.splitlines()) <= 15
    names = dict(start)
    exec(block, names)
    if "agent" in names:
        assert names["agent"].num_timesteps >= 128
        names["env"].close()
    else:
        names["envs"].close()
        rewards = names["rewards"]
        assert np.ptp(rewards) > 0
        # Cosines, unlike the rewards of the environment: those are at most 0 before the flag.
        assert 0 < rewards.max() <= 1
        assert rewards.min() >= -1
