"""What optimization does to the rewards: best of n, and proxy and gold by checkpoint."""


rule draw_best_of_n:
    input:
        states=epic_states,
        rewards=epic_rewards,
    output:
        **figure_outputs("best-of-n-{epic}", "best-of-n", "Optimization"),
        table=table_output("best-of-n-{epic}", "best-of-n", "Optimization"),
    log:
        f"{LOGS}/figures/best-of-n-{{epic}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.best_of_n_settings(w.epic).model_dump(),
    shell:
        "vlmrm --log {log} draw-best-of-n {wildcards.epic} {input.rewards}"
        " --config {params.config} --states {input.states} --table {output.table}"
        " --output {output.svg} --output {output.png}"


rule draw_gallery:
    input:
        states=epic_states,
        rewards=epic_rewards,
    output:
        **figure_outputs("gallery-{epic}", "gallery", "Optimization"),
        table=table_output("gallery-{epic}", "gallery-table", "Optimization"),
    log:
        f"{LOGS}/figures/gallery-{{epic}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.gallery_settings(w.epic).model_dump(),
    shell:
        "vlmrm --log {log} draw-gallery {wildcards.epic} {input.rewards}"
        " --config {params.config} --states {input.states} --table {output.table}"
        " --output {output.svg} --output {output.png}"


rule measure_checkpoints:
    input:
        unpack(checkpoint_inputs),
    output:
        CHECKPOINTS,
    log:
        f"{LOGS}/optimization/{RUN}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.optimization_settings(run_of(w)).model_dump(),
    shell:
        "vlmrm --log {log} measure-checkpoints --config {params.config} --task {wildcards.task}"
        " --scene {wildcards.scene} --reward-source {wildcards.reward_source}"
        " --scoring {wildcards.scoring} --seed {wildcards.seed} --states {input.states}"
        " --rewards {input.rewards} --output {output}"


rule draw_optimization:
    input:
        checkpoints=lambda w: of_runs(
            CHECKPOINTS, studied(settings, w.experiment).values()
        ),
        references=oracle_evaluations,
    output:
        **figure_outputs("optimization-{experiment}", "optimization", "Optimization"),
        table=table_output(
            "optimization-{experiment}", "optimization-table", "Optimization"
        ),
        divergence_svg=f"{FIGURES}/divergence-{{experiment}}.svg",
        divergence_png=reported(
            f"{FIGURES}/divergence-{{experiment}}.png", "divergence", "Optimization"
        ),
    log:
        f"{LOGS}/figures/optimization-{{experiment}}.log",
    resources:
        **LIGHT,
    params:
        references=lambda w, input: options("reference", input.references),
    shell:
        "vlmrm --log {log} draw-optimization {input.checkpoints} {params.references}"
        " --table {output.table} --output {output.svg} --output {output.png}"
        " --divergence {output.divergence_svg} --divergence {output.divergence_png}"


rule draw_prediction:
    input:
        unpack(prediction_inputs),
    output:
        **figure_outputs("prediction-{prediction}", "prediction", "Optimization"),
        table=table_output(
            "prediction-{prediction}", "prediction-table", "Optimization"
        ),
        pairs=f"{TABLES}/pairs-{{prediction}}.csv",
    log:
        f"{LOGS}/figures/prediction-{{prediction}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.predictions[w.prediction].model_dump(),
        epic=lambda w, input: options("epic", input.epic),
        best=lambda w, input: options("best-of-n", input.best_of_n),
        diagnoses=lambda w, input: options("diagnosis", input.diagnoses),
        judged=lambda w, input: options("evaluation", input.evaluations),
    shell:
        "vlmrm --log {log} draw-prediction {wildcards.prediction} --config {params.config}"
        " {params.epic} {params.best} {params.diagnoses} {params.judged} --table {output.table}"
        " --pairs {output.pairs} --output {output.svg} --output {output.png}"
