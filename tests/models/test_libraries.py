import logging
import subprocess
import sys

from vlmrm.models.network import load_network, load_tokenizer
from vlmrm.models.random_init import build_random


def test_a_model_starts_without_the_compiler_which_works_when_it_is_asked_for():
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


def test_messages_of_a_process_are_not_printed_because_it_loads_a_model(model_folder, monkeypatch):
    """Snakemake's were printed twice."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    build_random("sim-XS", 0, "meta")
    load_network(model_folder)
    load_tokenizer(model_folder)
    assert root.handlers == []
