"""The workflow, for `snakemake` in this folder; its place is workflow/Snakefile."""


include: "workflow/Snakefile"
