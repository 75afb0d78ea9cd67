"""What happens before the first job and after the last one.

Snakemake calls the handlers of a module only where the workflow that uses it does.
"""

from functools import cache
from hashlib import sha256
from shlex import quote

import yaml

from vlmrm.checks.executor import check_unchanged
from vlmrm.checks.shared import check_shared
from vlmrm.checks.start import check_start
from vlmrm.data.files import atomic_path

# A module's `prefix` changes the paths of rules.
FOLDER = Path(rules.make_page.output[0]).parent
# What commands read: a file for each configuration, so that jobs that run or wait keep theirs.
DIGEST = sha256(settings.model_dump_json().encode()).hexdigest()[:12]
CONFIG = FOLDER / "configs" / f"{DIGEST}.yaml"

for place in (FOLDER, Path(rules.make_corpus.output[0]).parents[1]):
    if quote(str(place)) != str(place):
        sys.exit(
            f"vlmrm: {place}: commands cannot name this folder; choose a prefix without spaces"
        )

try:
    check_unchanged(DIGEST, workflow.is_main_process)
    check_shared(settings, Path(rules.make_corpus.output[0]).parents[1])
except UserError as error:
    sys.exit(f"vlmrm: {error}")

# `use rule * from vlmrm as vlmrm_*` changes their names.
RENAMED = rules.evaluate_random_policy.rule.name.split("evaluate_random_policy")


def own_name(rule):
    """The name of a rule in these files; None for rules of the workflow that uses them."""
    name = rule.removeprefix(RENAMED[0]).removesuffix(RENAMED[-1])
    return name if rules.has(name) else None


@cache
def write_config():
    """Writes the configuration that commands read, and a copy beside the results."""
    resolved = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)
    try:
        for file in (CONFIG, FOLDER / "config.yaml"):
            if not file.exists() or file.read_text() != resolved:
                with atomic_path(file) as temporary:
                    temporary.write_text(resolved)
    except UserError as error:
        sys.exit(f"vlmrm: {error}")


onstart:
    # Problems are reported before the first job, not by a job that fails hours later.
    cluster = not workflow.local_exec
    if problems := check_start(sys.argv, settings, own_name, cluster):
        sys.exit("\n".join(f"vlmrm: {line}" for line in problems.splitlines()))
    write_config()


onerror:
    # What has been finished is on the page.
    if CONFIG.exists():
        shell(
            "vlmrm make-page {FOLDER} --config {CONFIG} --output {FOLDER}/{PAGE_NAME} || true"
        )


onsuccess:
    # A run that finished is a success, whatever becomes of this.
    shell("vlmrm summarize {FOLDER} || true")
