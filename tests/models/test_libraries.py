import logging

from vlmrm.models.network import load_network, load_tokenizer
from vlmrm.models.random_init import build_random


def test_messages_of_a_process_are_not_printed_because_it_loads_a_model(model_folder, monkeypatch):
    """Snakemake's were printed twice."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    build_random("sim-XS", 0, "meta")
    load_network(model_folder)
    load_tokenizer(model_folder)
    assert root.handlers == []
