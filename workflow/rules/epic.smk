"""EPIC distance between the reward and the labels of a state set."""


rule measure_epic:
    input:
        model=MODEL,
        states=epic_states,
        rewards=lambda w: REWARDS.format(
            states=settings.epic[w.epic].states,
            scene=w.scene,
            model=w.model,
            task=settings.epic[w.epic].task,
        ),
        labels=epic_labels,
    output:
        EPIC,
    log:
        f"{LOGS}/epic/{{epic}}/{{scene}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_epic/{{epic}}/{{scene}}/{{model}}.jsonl"
    resources:
        mem_mb=memory(4_000),
        runtime=minutes(60),
    params:
        config=config_file,
        model=subpath(input.model, parent=True),
        settings=lambda w: settings.epic_settings(w.epic).model_dump(),
        labels=lambda w, input: options("labels", input.labels),
    shell:
        "vlmrm --log {log} measure-epic {wildcards.epic} --config {params.config}"
        " --model {params.model} --states {input.states} --rewards {input.rewards}"
        " {params.labels} --output {output}"


rule measure_agreement:
    input:
        states=epic_states,
        labels=epic_labels,
    output:
        table_output("agreement-{epic}", "agreement", "EPIC distance"),
    log:
        f"{LOGS}/epic/{{epic}}/agreement.log",
    resources:
        mem_mb=memory(2_000),
        runtime=minutes(30),
    params:
        config=config_file,
        settings=lambda w: agreement_settings(w.epic).model_dump(),
    shell:
        "vlmrm --log {log} measure-agreement --states {input.states}"
        " --config {params.config} --task {params.settings[task]}"
        " --bootstrap {params.settings[bootstrap]} --seed {params.settings[seed]}"
        " --output {output} -- {input.labels:q}"


rule draw_epic:
    input:
        lambda w: epic_tables(w.epic),
    output:
        **figure_outputs("epic-{epic}", "epic", "EPIC distance"),
        table=table_output("epic-{epic}", "epic-table", "EPIC distance"),
    log:
        f"{LOGS}/figures/epic-{{epic}}.log",
    resources:
        **LIGHT,
    shell:
        "vlmrm --log {log} draw-epic {input} --table {output.table}"
        " --output {output.svg} --output {output.png}"


rule draw_epic_by_alpha:
    input:
        lambda w: epic_tables(w.epic),
    output:
        **figure_outputs("epic-alpha-{epic}", "epic-alpha", "EPIC distance"),
    log:
        f"{LOGS}/figures/epic-alpha-{{epic}}.log",
    resources:
        **LIGHT,
    shell:
        "vlmrm --log {log} draw-epic-by-alpha {input}"
        " --output {output.svg} --output {output.png}"


rule draw_rewards_by_label:
    input:
        states=epic_states,
        rewards=epic_rewards,
    output:
        **figure_outputs("rewards-{epic}", "rewards-by-label", "EPIC distance"),
    log:
        f"{LOGS}/figures/rewards-{{epic}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.histogram_settings(w.epic).model_dump(),
    shell:
        "vlmrm --log {log} draw-rewards-by-label {wildcards.epic} {input.rewards}"
        " --config {params.config} --states {input.states}"
        " --output {output.svg} --output {output.png}"


rule draw_rounds:
    input:
        round_tables,
    output:
        **figure_outputs("rounds-{rounds}", "rounds", "EPIC distance"),
        table=table_output("rounds-{rounds}", "epic-table", "EPIC distance"),
    log:
        f"{LOGS}/figures/rounds-{{rounds}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.round_settings(w.rounds).model_dump(),
    shell:
        "vlmrm --log {log} draw-rounds {wildcards.rounds} {input} --config {params.config}"
        " --table {output.table} --output {output.svg} --output {output.png}"


rule draw_epic_overview:
    input:
        [table for name in settings.epic for table in epic_tables(name)],
    output:
        **figure_outputs("epic", "epic-overview", "EPIC distance"),
    log:
        f"{LOGS}/figures/epic.log",
    resources:
        **LIGHT,
    params:
        scoring=settings.common_scoring(
            m for e in settings.epic.values() for m in e.models
        ),
    shell:
        "vlmrm --log {log} draw-epic-overview {input} --scoring {params.scoring}"
        " --output {output.svg} --output {output.png}"
