"""Agents: trained on the reward alone, judged by the oracle."""


rule check_lookup:
    input:
        unpack(lookup_inputs),
    output:
        LOOKUP,
    log:
        f"{LOGS}/lookup/{{task}}/{{scene}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/check_lookup/{{task}}/{{scene}}/{{model}}.jsonl"
    resources:
        **LIGHT,
    shell:
        "vlmrm --log {log} check-lookup --states {input.states} --rewards {input.rewards}"
        " --check-states {input.check_states} --check-rewards {input.check_rewards}"
        " --output {output}"


rule train_policy:
    input:
        unpack(training_inputs),
    output:
        final=f"{POLICY}/policy.zip",
        best=f"{POLICY}/best.zip",
        curve=f"{POLICY}/learning_curve.csv",
    log:
        f"{LOGS}/policies/{RUN}.log",
    benchmark:
        f"{BENCHMARKS}/train_policy/{RUN}.jsonl"
    # What measures the reward comes first: it takes minutes, and tells whether an agent is worth hours.
    priority: -1
    threads: training_threads
    resources:
        mem_mb=training_memory,
        runtime=training_minutes,
        gpu=lambda w: 0 if looks_up(w) else 1,
    params:
        config=config_file,
        reward=reward_options,
        folder=subpath(output.final, parent=True),
        # No reason to train again: videos are by the way, and the error of a look-up is accepted or not.
        settings=lambda w: settings.training_settings(run_of(w)).model_dump(
            exclude={"video", "max_lookup_error"}
        ),
    shell:
        "vlmrm --log {log} train-policy --config {params.config} --task {wildcards.task}"
        " --scene {wildcards.scene} --reward-source {wildcards.reward_source} --scoring {wildcards.scoring}"
        " --seed {wildcards.seed} {params.reward} --gpus {resources.gpu} --workers {threads}"
        " --output {params.folder}"


rule evaluate_policy:
    input:
        policy=JUDGED_POLICY,
        # Written last: a training that was interrupted has its best policy so far already.
        final=f"{POLICY}/policy.zip",
    output:
        table=f"{EVALUATION}/evaluation.csv",
        trajectories=f"{EVALUATION}/trajectories.h5",
    log:
        f"{LOGS}/evaluations/{RUN}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate_policy/{RUN}.jsonl"
    wildcard_constraints:
        task=tasks_of(live=False),
    threads: cores_for(settings.evaluation.trajectories, 25)
    resources:
        mem_mb=worker_memory,
        runtime=minutes(60),
    params:
        config=config_file,
        frames=lambda w, output: options("frames", output.get("frames", [])),
        settings=lambda w: settings.evaluation_settings(run_of(w)).model_dump(),
    shell:
        "vlmrm --log {log} evaluate-policy --config {params.config} --task {wildcards.task}"
        " --scene {wildcards.scene} --reward-source {wildcards.reward_source} --scoring {wildcards.scoring}"
        " --seed {wildcards.seed} --policy {input.policy} --workers {threads}"
        " --output {output.table} --trajectories {output.trajectories} {params.frames}"


use rule evaluate_policy as evaluate_live_policy with:
    output:
        table=f"{EVALUATION}/evaluation.csv",
        trajectories=f"{EVALUATION}/trajectories.h5",
        frames=[f"{EVALUATION}/frames.h5"],
    benchmark:
        f"{BENCHMARKS}/evaluate_live_policy/{RUN}.jsonl"
    wildcard_constraints:
        task=tasks_of(live=True),
    resources:
        mem_mb=memory(8_000),  # a simulator of unknown size
        runtime=minutes(60),


rule record_video:
    input:
        unpack(training_inputs),
        unpack(video_inputs),
    output:
        report(
            f"{EVALUATION}/video.mp4",
            caption="../report/captions/video.rst",
            category="Agents",
            subcategory="{task}",
            labels={
                "reward": "{reward_source}",
                "scoring": "{scoring}",
                "seed": "{seed}",
            },
        ),
    log:
        f"{LOGS}/videos/{RUN}.log",
    benchmark:
        f"{BENCHMARKS}/record_video/{RUN}.jsonl"
    threads: training_threads
    resources:
        mem_mb=model_memory,
        runtime=minutes(60),
        gpu=lambda w: 0 if looks_up(w) else 1,
    params:
        config=config_file,
        inputs=reward_options,
        settings=lambda w: settings.recording_settings(run_of(w)).model_dump(),
    shell:
        "vlmrm --log {log} record-video --config {params.config} --task {wildcards.task}"
        " --scene {wildcards.scene} --reward-source {wildcards.reward_source} --scoring {wildcards.scoring}"
        " --seed {wildcards.seed} {params.inputs} --gpus {resources.gpu} --output {output}"


rule evaluate_random_policy:
    output:
        f"{RANDOM_EVALUATION}/evaluation.csv",
    log:
        f"{LOGS}/evaluations/{{task}}/random.log",
    benchmark:
        f"{BENCHMARKS}/evaluate_random_policy/{{task}}.jsonl"
    threads: cores_for(settings.evaluation.trajectories, 25)
    resources:
        mem_mb=worker_memory,
        runtime=minutes(60),
    params:
        config=config_file,
        settings=lambda w: settings.random_evaluation_settings(w.task).model_dump(),
    shell:
        "vlmrm --log {log} evaluate-random-policy --config {params.config} --task {wildcards.task}"
        " --workers {threads} --output {output}"


rule draw_learning_curves:
    input:
        curves=learning_curves,
        # A curve grows while its agent is trained.
        final=lambda w: [
            f"{folder}/policy.zip" for folder in runs(w.experiment, POLICY)
        ],
        random=lambda w: random_policies(w.experiment),
    output:
        **figure_outputs("learning-{experiment}", "learning-curves", "Agents"),
    log:
        f"{LOGS}/figures/learning-{{experiment}}.log",
    resources:
        **LIGHT,
    params:
        random=lambda w, input: options("random", input.random),
    shell:
        "vlmrm --log {log} draw-learning-curves {input.curves} {params.random}"
        " --output {output.svg} --output {output.png}"


rule draw_success:
    input:
        # Of finished trainings, whose curves grow no more.
        evaluations=evaluations_of,
        curves=learning_curves,
    output:
        **figure_outputs("success-{experiment}", "success", "Agents"),
        table=table_output("success-{experiment}", "success-table", "Agents"),
    log:
        f"{LOGS}/figures/success-{{experiment}}.log",
    resources:
        **LIGHT,
    params:
        curves=lambda w, input: options("curve", input.curves),
    shell:
        "vlmrm --log {log} draw-success {input.evaluations} {params.curves} --table {output.table}"
        " --output {output.svg} --output {output.png}"


rule draw_success_by_size:
    input:
        unpack(size_inputs),
    output:
        **figure_outputs("size-{experiment}", "success-by-size", "Agents"),
        table=table_output("size-{experiment}", "success-by-size-table", "Agents"),
    log:
        f"{LOGS}/figures/size-{{experiment}}.log",
    resources:
        **LIGHT,
    params:
        models=lambda w, input: options("model", folders(input.models)),
        epic=lambda w, input: options("epic", input.epic),
    shell:
        "vlmrm --log {log} draw-success-by-size {input.evaluations} {params.models} {params.epic}"
        " --table {output.table} --output {output.svg} --output {output.png}"


rule draw_filmstrip:
    input:
        evaluations=lambda w: recorded(w.experiment, "evaluation.csv"),
        trajectories=lambda w: recorded(w.experiment, "trajectories.h5"),
    output:
        **figure_outputs("filmstrip-{experiment}", "filmstrip", "Agents"),
    log:
        f"{LOGS}/figures/filmstrip-{{experiment}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        trajectories=lambda w, input: options("trajectories", input.trajectories),
        settings=lambda w: settings.filmstrip_settings(w.experiment).model_dump(),
    shell:
        "vlmrm --log {log} draw-filmstrip {wildcards.experiment} {input.evaluations}"
        " {params.trajectories} --config {params.config}"
        " --output {output.svg} --output {output.png}"
