"""What is left to do of a run: jobs, hours, disk and download.

The jobs are those of Snakemake's dry run (``jobs``). Their times are counts (frames, images, steps,
updates) times rates (``work``), or what Snakemake's benchmark files say of the same rule in the
same run (``cost``).
"""
