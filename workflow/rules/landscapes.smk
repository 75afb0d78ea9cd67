"""Reward against state (figure 2 of the paper)."""


rule draw_landscape:
    input:
        unpack(landscape_inputs),
    output:
        svg=f"{FIGURES}/landscape-{{landscape}}.svg",
        png=report(
            f"{FIGURES}/landscape-{{landscape}}.png",
            caption="../report/landscape.rst",
            category="Reward landscapes",
        ),
        table=report(
            f"{TABLES}/landscape-{{landscape}}.csv",
            caption="../report/landscape-table.rst",
            category="Reward landscapes",
        ),
    log:
        f"{LOGS}/figures/landscape-{{landscape}}.log",
    resources:
        mem_mb=memory(4_000),
        runtime=minutes(15),
    params:
        config=config_file,
        settings=lambda w: settings.landscape_settings(w.landscape).model_dump(),
    shell:
        "vlmrm --log {log} draw-landscape {wildcards.landscape} {input.rewards} --config {params.config}"
        " --states {input.states} --table {output.table}"
        " --output {output.svg}"
