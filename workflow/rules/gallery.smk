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
    params:
        config=CONFIG,
        rendering=settings.rendering.model_dump(),
    shell:
        "vlmrm --log {log} figure scenes {wildcards.environment} --config {params.config}"
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
    shell:
        "vlmrm --log {log} figure poses --output {output.svg}"
