import subprocess
import sys

DRAW_AND_TRAIN = """
import numpy as np
from vlmrm.config import Rendering
from vlmrm.rendering import make_renderer

renderer = make_renderer("humanoid", "textured-fixed", Rendering(humanoid_size=32))
renderer.render(np.eye(47)[3], np.empty(renderer.shape, np.uint8))
import torch
torch.optim.Adam([torch.zeros(1, requires_grad=True)])
"""


def test_a_process_that_has_drawn_can_train():
    run = subprocess.run([sys.executable, "-c", DRAW_AND_TRAIN], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
