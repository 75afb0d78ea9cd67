"""Agents: trained on the reward alone, judged by the oracle."""


def experiment_results():
    """Figures, tables and videos of every experiment."""
    return [
        *(file for name in settings.experiments for file in figure(f"learning-{name}")),
        *(file for name in settings.experiments for file in figure(f"success-{name}")),
        *(f"{TABLES}/success-{name}.csv" for name in settings.experiments),
        *(
            f"{folder}/video.mp4"
            for name in settings.experiments
            for folder in runs(name, EVALUATION)
        ),
    ]


def runs(experiment, pattern):
    """The paths of an experiment's runs, by a pattern with the wildcards of `RUN`."""
    return [
        pattern.format(
            task=run.task,
            scene=run.scene,
            reward=run.reward,
            alpha=run.alpha,
            seed=run.seed,
        )
        for run in settings.runs(experiment)
    ]


def random_policies(experiment):
    """The random policy's evaluation of each task, for comparison."""
    tasks = settings.experiments[experiment].tasks
    return [f"{RANDOM_EVALUATION.format(task=task)}/evaluation.csv" for task in tasks]


def training_of(wildcards):
    """How the environment of the task is trained."""
    return settings.training[settings.tasks[wildcards.task].environment]


def reward_inputs(wildcards):
    """What the reward is computed from: a model, or a grid of rewards already computed."""
    if wildcards.reward not in settings.models:
        return {}
    lookup = training_of(wildcards).lookup
    if lookup is None:
        return {"model": MODEL.format(model=wildcards.reward)}
    return {
        "states": STATES.format(states=lookup),
        "rewards": REWARDS.format(
            states=lookup, scene=wildcards.scene, model=wildcards.reward
        ),
    }


def reward_options(wildcards, input):
    """The inputs as options of `vlmrm train`."""
    return " ".join(f"--{name} {path}" for name, path in input.items())


def evaluations_of(wildcards):
    folders = runs(wildcards.experiment, EVALUATION)
    return [f"{folder}/evaluation.csv" for folder in folders] + random_policies(
        wildcards.experiment
    )


def task_settings(wildcards):
    """The part of the task that training and judging depend on."""
    return settings.tasks[wildcards.task].model_dump()


rule train_policy:
    input:
        unpack(reward_inputs),
    output:
        policy=f"{POLICY}/policy.zip",
        curve=f"{POLICY}/learning_curve.csv",
    log:
        f"{LOGS}/policies/{RUN}.log",
    threads: lambda w: 1 if training_of(w).lookup else 64
    params:
        config=CONFIG,
        reward=reward_options,
        folder=subpath(output.policy, parent=True),
        task=task_settings,
        training=lambda w: training_of(w).model_dump(),
        rendering=settings.rendering.model_dump(),
    shell:
        "vlmrm --log {log} train --config {params.config} --task {wildcards.task}"
        " --scene {wildcards.scene} --reward {wildcards.reward} --alpha {wildcards.alpha}"
        " --seed {wildcards.seed} {params.reward} --output {params.folder}"


rule evaluate_policy:
    input:
        policy=f"{POLICY}/policy.zip",
    output:
        table=f"{EVALUATION}/evaluation.csv",
        video=report(
            f"{EVALUATION}/video.mp4",
            caption="../report/video.rst",
            category="Agents",
            subcategory="{task}",
            labels={"reward": "{reward}", "alpha": "{alpha}", "seed": "{seed}"},
        ),
    log:
        f"{LOGS}/evaluations/{RUN}.log",
    threads: 64
    params:
        config=CONFIG,
        task=task_settings,
        evaluation=settings.evaluation.model_dump(),
    shell:
        "vlmrm --log {log} evaluate --config {params.config} --task {wildcards.task}"
        " --scene {wildcards.scene} --reward {wildcards.reward} --alpha {wildcards.alpha}"
        " --seed {wildcards.seed} --policy {input.policy}"
        " --output {output.table} --video {output.video}"


rule evaluate_random_policy:
    output:
        f"{RANDOM_EVALUATION}/evaluation.csv",
    log:
        f"{LOGS}/evaluations/{{task}}/random.log",
    threads: 64
    params:
        config=CONFIG,
        task=task_settings,
        evaluation=settings.evaluation.model_dump(),
    shell:
        "vlmrm --log {log} evaluate --config {params.config} --task {wildcards.task}"
        " --reward random --output {output}"


rule draw_learning_curves:
    input:
        lambda w: [
            f"{folder}/learning_curve.csv" for folder in runs(w.experiment, POLICY)
        ],
    output:
        svg=f"{FIGURES}/learning-{{experiment}}.svg",
        png=report(
            f"{FIGURES}/learning-{{experiment}}.png",
            caption="../report/learning-curves.rst",
            category="Agents",
        ),
    log:
        f"{LOGS}/figures/learning-{{experiment}}.log",
    shell:
        "vlmrm --log {log} figure learning {input} --output {output.svg}"


rule draw_success:
    input:
        evaluations_of,
    output:
        svg=f"{FIGURES}/success-{{experiment}}.svg",
        png=report(
            f"{FIGURES}/success-{{experiment}}.png",
            caption="../report/success.rst",
            category="Agents",
        ),
        table=report(
            f"{TABLES}/success-{{experiment}}.csv",
            caption="../report/success-table.rst",
            category="Agents",
        ),
    log:
        f"{LOGS}/figures/success-{{experiment}}.log",
    shell:
        "vlmrm --log {log} figure success {input} --table {output.table} --output {output.svg}"
