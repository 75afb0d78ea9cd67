import subprocess
import sys


def test_a_model_starts_without_the_compiler_which_works_when_it_is_asked_for():
    """In a process of its own, because the others have loaded the compiler."""
    program = """
import sys
import vlmrm.models.clip
assert "torch._dynamo" not in sys.modules
import torch
from torchvision.ops import roi_align
assert torch._dynamo.is_compiling() is False
assert roi_align.__globals__["is_compile_supported"]("cpu") is True
assert torch.compile(lambda x: x + 1, backend="eager")(torch.tensor(1)) == 2
"""
    subprocess.run([sys.executable, "-c", program], check=True)
