"""What the reward models look at."""


def galleries():
    """One picture of example frames for each environment in use."""
    environments = {task.environment for task in settings.tasks.values()}
    return [file for name in sorted(environments) for file in figure(f"scenes-{name}")]


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
