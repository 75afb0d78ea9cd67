"""States to frames to embeddings to rewards; by functions, frames to rewards."""


rule sample_states:
    output:
        STATES,
    log:
        f"{LOGS}/states/{{states}}.log",
    benchmark:
        f"{BENCHMARKS}/sample_states/{{states}}.jsonl"
    wildcard_constraints:
        states=sets_from("grid", "uniform", "poses", "paths", "diagnosis"),
    resources:
        mem_mb=memory(2_000),
        runtime=minutes(30),
    params:
        config=config_file,
        settings=lambda w: settings.state_sets[w.states].model_dump(),
    shell:
        "vlmrm --log {log} sample-states {wildcards.states} --config {params.config} --output {output}"


rule sample_rollouts:
    input:
        policy=rollout_policy,
    output:
        STATES,
    log:
        f"{LOGS}/states/{{states}}.log",
    benchmark:
        f"{BENCHMARKS}/sample_rollouts/{{states}}.jsonl"
    wildcard_constraints:
        states=sets_from("rollouts"),
    threads: lambda w: cores_for(settings.set_size(w.states), 1000)
    resources:
        mem_mb=worker_memory,
        runtime=minutes(60),
    params:
        config=config_file,
        policies=subpath(input.policy, parent=True),
        settings=lambda w: settings.rollout_settings(w.states).model_dump(),
    shell:
        "vlmrm --log {log} sample-rollouts {wildcards.states} --config {params.config}"
        " --policies {params.policies} --workers {threads} --output {output}"


rule sample_live_rollouts:
    input:
        policy=rollout_policy,
    output:
        states=STATES,
        frames=FRAMES.replace("{scene}", "default"),
    log:
        f"{LOGS}/states/{{states}}.log",
    benchmark:
        f"{BENCHMARKS}/sample_live_rollouts/{{states}}.jsonl"
    wildcard_constraints:
        states=sets_from("rollouts", live=True),
    threads: lambda w: cores_for(settings.set_size(w.states), 500)
    resources:
        mem_mb=memory(8_000),
        runtime=minutes(60),
    params:
        config=config_file,
        policies=lambda w, input: options("policies", folders(input)),
        settings=lambda w: settings.rollout_settings(w.states).model_dump(),
    shell:
        "vlmrm --log {log} sample-rollouts {wildcards.states} --config {params.config}"
        " {params.policies} --workers {threads} --output {output.states} --frames {output.frames}"


rule join_states:
    input:
        lambda w: expand(STATES, states=settings.state_sets[w.states].sets),
    output:
        STATES,
    log:
        f"{LOGS}/states/{{states}}.log",
    wildcard_constraints:
        states=sets_from("union"),
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.state_sets[w.states].model_dump(),
    shell:
        "vlmrm --log {log} join-states {wildcards.states} {input} --config {params.config}"
        " --output {output}"


rule render_frames:
    input:
        states=STATES,
    output:
        FRAMES,
    log:
        f"{LOGS}/frames/{{states}}/{{scene}}.log",
    benchmark:
        f"{BENCHMARKS}/render_frames/{{states}}/{{scene}}.jsonl"
    wildcard_constraints:
        states=sets_from(
            *("grid", "uniform", "poses", "paths", "diagnosis", "rollouts", "union")
        ),
    threads: rendering_threads
    resources:
        mem_mb=worker_memory,
        runtime=minutes(60),
        gpu=1,
    params:
        config=config_file,
        settings=lambda w: settings.rendering_settings(
            environment_of(w.states)
        ).model_dump(),
    shell:
        "vlmrm --log {log} render-frames --config {params.config} --states {input.states}"
        " --scene {wildcards.scene} --workers {threads} --gpus {resources.gpu} --output {output}"


rule embed_frames:
    input:
        frames=FRAMES,
        model=MODEL,
    output:
        EMBEDDINGS,
    log:
        f"{LOGS}/embeddings/{{states}}/{{scene}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/embed_frames/{{states}}/{{scene}}/{{model}}.jsonl"
    wildcard_constraints:
        model=models_from(*EMBEDDING),
    threads: embedding_threads
    resources:
        mem_mb=model_memory,
        runtime=minutes(60),
        gpu=1,
    params:
        config=config_file,
        model=subpath(input.model, parent=True),
        settings=lambda w: settings.embedding_settings(
            settings.state_sets[w.states].environment
        ).model_dump(),
    shell:
        "vlmrm --log {log} embed-frames --config {params.config} --frames {input.frames}"
        " --model {params.model} --gpus {resources.gpu} --output {output}"


rule score_states:
    input:
        states=STATES,
        embeddings=EMBEDDINGS,
        prompts=PROMPTS,
    output:
        REWARDS,
    log:
        f"{LOGS}/rewards/{{states}}/{{scene}}/{{model}}/{{task}}.log",
    benchmark:
        f"{BENCHMARKS}/score_states/{{states}}/{{scene}}/{{model}}/{{task}}.jsonl"
    wildcard_constraints:
        model=models_from(*EMBEDDING),
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.scoring_settings(w.task).model_dump(),
    shell:
        "vlmrm --log {log} score-states --config {params.config} --task {wildcards.task} --states {input.states}"
        " --embeddings {input.embeddings} --prompts {input.prompts} --output {output}"


rule score_frames:
    input:
        states=STATES,
        frames=FRAMES,
        model=MODEL,
    output:
        REWARDS,
    log:
        f"{LOGS}/rewards/{{states}}/{{scene}}/{{model}}/{{task}}.log",
    benchmark:
        f"{BENCHMARKS}/score_frames/{{states}}/{{scene}}/{{model}}/{{task}}.jsonl"
    wildcard_constraints:
        model=models_from("function"),
    threads: CORES_PER_GPU
    resources:
        mem_mb=model_memory,
        runtime=minutes(240),
        gpu=1,
    params:
        config=config_file,
        settings=lambda w: settings.function_settings(w.model, w.task).model_dump(),
    shell:
        "vlmrm --log {log} score-frames {wildcards.model} --config {params.config}"
        " --task {wildcards.task} --states {input.states} --frames {input.frames}"
        " --gpus {resources.gpu} --output {output}"
