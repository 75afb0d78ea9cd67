"""States to frames to embeddings to rewards."""


rule make_states:
    output:
        STATES,
    log:
        f"{LOGS}/states/{{states}}.log",
    wildcard_constraints:
        states=sets_from("grid", "uniform", "poses", "paths"),
    params:
        config=CONFIG,
        settings=lambda w: settings.states[w.states].model_dump(),
    shell:
        "vlmrm --log {log} states {wildcards.states} --config {params.config}"
        " --output {output}"


rule make_rollout_states:
    input:
        policy=rollout_policy,
    output:
        STATES,
    log:
        f"{LOGS}/states/{{states}}.log",
    wildcard_constraints:
        states=sets_from("rollouts"),
    threads: 64
    params:
        config=CONFIG,
        policies=subpath(input.policy, parent=True),
        settings=lambda w: settings.states[w.states].model_dump(),
    shell:
        "vlmrm --log {log} states {wildcards.states} --config {params.config}"
        " --policies {params.policies} --output {output}"


rule render_frames:
    input:
        states=STATES,
    output:
        FRAMES,
    log:
        f"{LOGS}/frames/{{states}}/{{scene}}.log",
    threads: 64
    params:
        config=CONFIG,
        rendering=settings.rendering.model_dump(),
    shell:
        "vlmrm --log {log} render --config {params.config} --states {input.states}"
        " --scene {wildcards.scene} --workers {threads} --output {output}"


rule embed_frames:
    input:
        frames=FRAMES,
        model=MODEL,
    output:
        EMBEDDINGS,
    log:
        f"{LOGS}/embeddings/{{states}}/{{scene}}/{{model}}.log",
    threads: 64
    params:
        config=CONFIG,
        precision=settings.precision,
        original=settings.original.openai_normalisation,
    shell:
        "vlmrm --log {log} embed --config {params.config} --frames {input.frames}"
        " --model {input.model} --output {output}"


rule score_states:
    input:
        states=STATES,
        embeddings=EMBEDDINGS,
        prompts=PROMPTS,
    output:
        REWARDS,
    log:
        f"{LOGS}/rewards/{{states}}/{{scene}}/{{model}}.log",
    params:
        config=CONFIG,
        alphas=settings.alphas,
        tasks={name: task.model_dump() for name, task in settings.tasks.items()},
    shell:
        "vlmrm --log {log} reward --config {params.config} --states {input.states}"
        " --embeddings {input.embeddings} --prompts {input.prompts} --output {output}"
