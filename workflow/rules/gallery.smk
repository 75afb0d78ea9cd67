"""What the reward models see: scenes and poses."""


rule draw_scenes:
    output:
        **figure_outputs("scenes-{environment}", "scenes", "Scenes"),
    log:
        f"{LOGS}/figures/scenes-{{environment}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.rendering_settings(w.environment).model_dump(),
    shell:
        "vlmrm --log {log} draw-scenes {wildcards.environment} --config {params.config}"
        " --output {output.svg} --output {output.png}"


rule draw_poses:
    output:
        **figure_outputs("poses", "poses", "Scenes"),
    log:
        f"{LOGS}/figures/poses.log",
    resources:
        **LIGHT,
    params:
        oracles=humanoid_oracles(),
    shell:
        "vlmrm --log {log} draw-poses {params.oracles} --output {output.svg} --output {output.png}"


rule draw_boundaries:
    output:
        **figure_outputs("boundaries", "boundaries", "Scenes"),
        table=table_output("oracles", "oracles", "Scenes"),
    log:
        f"{LOGS}/figures/boundaries.log",
    resources:
        **LIGHT,
    params:
        oracles=humanoid_oracles(),
    shell:
        "vlmrm --log {log} draw-boundaries {params.oracles} --table {output.table}"
        " --output {output.svg} --output {output.png}"
