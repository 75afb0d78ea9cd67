"""From CLIP models to figures: states, frames, embeddings, rewards, and what they tell.

The configuration (config.yaml, or --configfile) says what is computed; the profiles under
workflow/profiles/ say where. Each rule runs one `vlmrm` command.
"""

from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


# The image of the Dockerfile, where the workflow is asked to run in containers: as a file, which a
# cluster's nodes can read, or from Docker.
container: "vlmrm.sif" if Path("vlmrm.sif").exists() else "docker-daemon://vlmrm:latest"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/states.smk"
include: "workflow/rules/ensembles.smk"
include: "workflow/rules/landscapes.smk"
include: "workflow/rules/epic.smk"
include: "workflow/rules/diagnoses.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/optimization.smk"
include: "workflow/rules/searches.smk"
include: "workflow/rules/gallery.smk"
include: "workflow/rules/page.smk"


rule all:
    default_target: True
    input:
        results(),
        expand(PAGE_PART, part=page_parts()),
        PAGE,


rule agents:
    input:
        experiment_results(),
