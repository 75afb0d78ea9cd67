"""What the reward models look at."""


rule draw_scenes:
    output:
        svg=f"{FIGURES}/scenes-{{environment}}.svg",
        png=report(
            f"{FIGURES}/scenes-{{environment}}.png",
            caption="../report/scenes.rst",
            category="Scenes",
        ),
    log:
        f"{LOGS}/figures/scenes-{{environment}}.log",
    resources:
        mem_mb=memory(4_000),
        runtime=minutes(15),
    params:
        config=config_file,
        settings=lambda w: settings.rendering_settings(w.environment).model_dump(),
    shell:
        "vlmrm --log {log} draw-scenes {wildcards.environment} --config {params.config}"
        " --output {output.svg}"


rule draw_poses:
    output:
        svg=f"{FIGURES}/poses.svg",
        png=report(
            f"{FIGURES}/poses.png",
            caption="../report/poses.rst",
            category="Scenes",
        ),
    log:
        f"{LOGS}/figures/poses.log",
    resources:
        mem_mb=memory(4_000),
        runtime=minutes(15),
    shell:
        "vlmrm --log {log} draw-poses --output {output.svg}"


rule draw_boundaries:
    output:
        svg=f"{FIGURES}/boundaries.svg",
        png=report(
            f"{FIGURES}/boundaries.png",
            caption="../report/boundaries.rst",
            category="Scenes",
        ),
        table=report(
            f"{TABLES}/oracles.csv",
            caption="../report/oracles.rst",
            category="Scenes",
        ),
    log:
        f"{LOGS}/figures/boundaries.log",
    resources:
        mem_mb=memory(4_000),
        runtime=minutes(15),
    shell:
        "vlmrm --log {log} draw-boundaries --table {output.table} --output {output.svg}"
