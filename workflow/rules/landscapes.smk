"""Reward against state (figure 2 of the paper)."""


rule draw_landscape:
    input:
        unpack(landscape_inputs),
    output:
        **figure_outputs("landscape-{landscape}", "landscape", "Reward landscapes"),
        table=table_output(
            "landscape-{landscape}", "landscape-table", "Reward landscapes"
        ),
    log:
        f"{LOGS}/figures/landscape-{{landscape}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.landscape_settings(w.landscape).model_dump(),
    shell:
        "vlmrm --log {log} draw-landscape {wildcards.landscape} {input.rewards}"
        " --config {params.config} --states {input.states} --table {output.table}"
        " --output {output.svg} --output {output.png}"
