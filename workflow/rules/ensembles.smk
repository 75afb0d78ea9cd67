"""Several models, sentences, or views as one reward."""


rule make_ensemble:
    input:
        lambda w: expand(MODEL, model=settings.models[w.model].members),
    output:
        MODEL,
    log:
        f"{LOGS}/models/{{model}}.log",
    wildcard_constraints:
        model=models_from("ensemble"),
    resources:
        **LIGHT,
    params:
        config=config_file,
        members=lambda w, input: folders(input),
        folder=subpath(output[0], parent=True),
        settings=lambda w: settings.models[w.model].model_dump(),
    shell:
        "vlmrm --log {log} make-ensemble {wildcards.model} {params.members}"
        " --config {params.config} --output {params.folder}"


rule score_by_goal:
    input:
        states=STATES,
        embeddings=EMBEDDINGS,
        prompts=PROMPTS,
    output:
        GOAL_REWARDS,
    log:
        f"{LOGS}/goals/{{states}}/{{scene}}/{{model}}/{{task}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.scoring_settings(w.task).model_dump(),
    shell:
        "vlmrm --log {log} score-states --config {params.config} --task {wildcards.task} --states {input.states}"
        " --embeddings {input.embeddings} --prompts {input.prompts} --each-goal --output {output}"


rule measure_members:
    input:
        states=lambda w: STATES.format(states=reference_of(w)),
        rewards=lambda w: member_rewards(w, reference_of(w)),
    output:
        STATISTICS,
    log:
        f"{LOGS}/ensembles/{{scene}}/{{model}}/{{task}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: member_settings(
            settings, w.model, w.task, w.scene
        ).model_dump(),
    shell:
        "vlmrm --log {log} measure-members {wildcards.model} {input.rewards}"
        " --config {params.config} --task {wildcards.task} --scene {wildcards.scene}"
        " --states {input.states} --output {output}"


rule score_ensemble:
    input:
        states=STATES,
        rewards=lambda w: member_rewards(w, w.states),
        statistics=STATISTICS,
    output:
        REWARDS,
    log:
        f"{LOGS}/rewards/{{states}}/{{scene}}/{{model}}/{{task}}.log",
    wildcard_constraints:
        model=models_from("ensemble"),
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: ensemble_settings(
            settings, w.model, w.task, w.scene
        ).model_dump(),
    shell:
        "vlmrm --log {log} score-ensemble {wildcards.model} {input.rewards}"
        " --config {params.config} --task {wildcards.task} --scene {wildcards.scene}"
        " --states {input.states} --statistics {input.statistics} --output {output}"
