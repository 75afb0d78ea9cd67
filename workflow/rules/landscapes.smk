"""Reward against state (figure 2 of the paper)."""


def landscapes():
    """Figures and tables of every landscape."""
    names = [f"landscape-{name}" for name in settings.landscapes]
    return [
        *(file for name in names for file in figure(name)),
        *(f"{TABLES}/{name}.csv" for name in names),
    ]


def landscape_inputs(wildcards):
    """The states of a landscape and their rewards in every scene, by every model."""
    landscape = settings.landscapes[wildcards.landscape]
    return {
        "states": STATES.format(states=landscape.states),
        "rewards": expand(
            REWARDS,
            states=landscape.states,
            scene=landscape.scenes,
            model=landscape.models,
        ),
    }


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
    params:
        task=lambda w: settings.landscapes[w.landscape].task,
    shell:
        "vlmrm --log {log} figure landscape {input.rewards} --states {input.states}"
        " --task {params.task} --table {output.table} --output {output.svg}"
