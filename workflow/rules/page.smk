"""The page of a run: there as soon as rewards are measured, and again after each experiment."""


rule check_claims:
    input:
        claimed_tables(),
    output:
        table_output("claims", "claims", "Claims"),
    log:
        f"{LOGS}/claims.log",
    resources:
        **LIGHT,
    shell:
        "vlmrm --log {log} check-claims {input} --output {output}"


rule make_page:
    input:
        results(),
        # They write the same file, and not after this.
        expand(PAGE_PART, part=page_parts()),
    output:
        PAGE,
    log:
        f"{LOGS}/page.log",
    localrule: True
    resources:
        **LIGHT,
    params:
        config=config_file,
        run=subpath(output[0], parent=True),
        settings=settings.model_dump(mode="json"),
    shell:
        "vlmrm --log {log} make-page {params.run} --config {params.config} --output {output}"


# The page shows whatever is finished, so each part makes the same file. Settings that change are on it
# at the end.
rule update_page:
    input:
        lambda w: page_parts()[w.part],
    output:
        touch(PAGE_PART),
    log:
        f"{LOGS}/page/{{part}}.log",
    localrule: True
    resources:
        **LIGHT,
    params:
        config=config_file,
        run=subpath(output[0], ancestor=2),
        page=lambda w: str(FOLDER / PAGE_NAME),
    shell:
        "vlmrm --log {log} make-page {params.run} --config {params.config} --output {params.page}"
