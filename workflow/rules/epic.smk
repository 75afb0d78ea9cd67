"""EPIC distance between the reward and the labels of a state set."""


def epic_results():
    """Figures and tables of every EPIC measurement."""
    return [
        *(file for name in settings.epic for file in figure(f"epic-{name}")),
        *(file for name in settings.epic for file in figure(f"epic-alpha-{name}")),
        *(file for name in settings.epic for file in figure(f"rewards-{name}")),
        *(f"{TABLES}/epic-{name}.csv" for name in settings.epic),
    ]


def epic_tables(wildcards):
    """The tables of one measurement, one per scene and model."""
    epic = settings.epic[wildcards.epic]
    return expand(EPIC, epic=wildcards.epic, scene=epic.scenes, model=epic.models)


def epic_states(wildcards):
    return STATES.format(states=settings.epic[wildcards.epic].states)


def epic_rewards(wildcards):
    """Rewards of the measured states, by every model in every scene."""
    epic = settings.epic[wildcards.epic]
    return expand(REWARDS, states=epic.states, scene=epic.scenes, model=epic.models)


rule measure_epic:
    input:
        model=MODEL,
        states=epic_states,
        rewards=lambda w: REWARDS.format(
            states=settings.epic[w.epic].states, scene=w.scene, model=w.model
        ),
    output:
        EPIC,
    log:
        f"{LOGS}/epic/{{epic}}/{{scene}}/{{model}}.log",
    params:
        config=CONFIG,
        bootstrap=lambda w: settings.epic[w.epic].bootstrap,
        seed=lambda w: settings.epic[w.epic].seed,
        task=lambda w: settings.epic[w.epic].task,
    shell:
        "vlmrm --log {log} epic {wildcards.epic} --config {params.config}"
        " --model {input.model} --states {input.states} --rewards {input.rewards}"
        " --output {output}"


rule draw_epic:
    input:
        epic_tables,
    output:
        svg=f"{FIGURES}/epic-{{epic}}.svg",
        png=report(
            f"{FIGURES}/epic-{{epic}}.png",
            caption="../report/epic.rst",
            category="EPIC distance",
        ),
        table=report(
            f"{TABLES}/epic-{{epic}}.csv",
            caption="../report/epic-table.rst",
            category="EPIC distance",
        ),
    log:
        f"{LOGS}/figures/epic-{{epic}}.log",
    shell:
        "vlmrm --log {log} figure epic {input} --table {output.table} --output {output.svg}"


rule draw_epic_by_alpha:
    input:
        epic_tables,
    output:
        svg=f"{FIGURES}/epic-alpha-{{epic}}.svg",
        png=report(
            f"{FIGURES}/epic-alpha-{{epic}}.png",
            caption="../report/epic-alpha.rst",
            category="EPIC distance",
        ),
    log:
        f"{LOGS}/figures/epic-alpha-{{epic}}.log",
    shell:
        "vlmrm --log {log} figure epic {input} --by alpha --output {output.svg}"


rule draw_rewards_by_label:
    input:
        states=epic_states,
        rewards=epic_rewards,
    output:
        svg=f"{FIGURES}/rewards-{{epic}}.svg",
        png=report(
            f"{FIGURES}/rewards-{{epic}}.png",
            caption="../report/rewards-by-label.rst",
            category="EPIC distance",
        ),
    log:
        f"{LOGS}/figures/rewards-{{epic}}.log",
    params:
        task=lambda w: settings.epic[w.epic].task,
        oracle=lambda w: settings.tasks[settings.epic[w.epic].task].oracle,
    shell:
        "vlmrm --log {log} figure rewards {input.rewards} --states {input.states}"
        " --task {params.task} --oracle {params.oracle} --output {output.svg}"
