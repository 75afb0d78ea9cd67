import subprocess
import sys


def test_a_model_starts_without_the_compiler_which_is_there_when_it_is_asked_for():
    """In a process of its own, because the others have loaded the compiler."""
    program = """
import sys
import vlmrm.models.clip
assert "torch._dynamo" not in sys.modules
import torch
from torchvision.ops import roi_align
assert roi_align.__globals__["is_compile_supported"]("cpu") is True
assert torch._dynamo.is_compiling() is False
"""
    subprocess.run([sys.executable, "-c", program], check=True)
