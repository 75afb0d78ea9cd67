"""What a run would take: Snakemake's jobs, the work in each, and what a machine does in a second.

Modules are imported one by one: Snakemake needs two of them at every start, and they must not load
PyTorch.
"""
