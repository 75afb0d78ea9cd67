"""From CLIP models to figures: states, frames, embeddings, rewards, and what they tell.

The configuration (config.yaml, or --configfile) says what is computed; the profiles under
workflow/profiles/ say where. Each rule runs one `vlmrm` command.
"""

import sys
from pathlib import Path

from snakemake.utils import min_version

from vlmrm import __version__ as package

min_version("9.0")

# A module may come from another place than the package.
VERSION = "0.2.0"
if package != VERSION:
    sys.exit(
        f"vlmrm: this workflow is version {VERSION}, but the package is {package}; "
        f"run `pip install vlmrm=={VERSION}`, or name the tag v{package} of the workflow"
    )


configfile: "config.yaml"


# The image of the Dockerfile, where the workflow is asked to run in containers: as a file, which a
# cluster's nodes can read, or that of this version from Docker.
container: "vlmrm.sif" if Path("vlmrm.sif").exists() else f"docker-daemon://vlmrm:{VERSION}"


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
include: "workflow/rules/handlers.smk"


rule all:
    input:
        results(),
        expand(PAGE_PART, part=page_parts()),
        PAGE,


rule agents:
    input:
        experiment_results(),
