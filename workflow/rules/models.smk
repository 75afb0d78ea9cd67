"""Reward models as folders, whatever their source, and the prompts in their eyes."""


rule make_corpus:
    input:
        states=lambda w: expand(STATES, states=settings.corpora[w.corpus].states),
        frames=lambda w: captioned_frames(w.corpus),
    output:
        CORPUS,
    log:
        f"{LOGS}/corpora/{{corpus}}.log",
    benchmark:
        f"{BENCHMARKS}/make_corpus/{{corpus}}.jsonl"
    threads: lambda w: 1 if captioned_frames(w.corpus) else CORES_PER_GPU
    resources:
        mem_mb=memory(8_000),
        runtime=minutes(60),
        gpu=lambda w: 0 if captioned_frames(w.corpus) else 1,
    params:
        config=config_file,
        states=lambda w, input: options("states", input.states)
        + options("frames", input.frames),
        settings=lambda w: settings.corpora[w.corpus].model_dump(),
    shell:
        "vlmrm --log {log} make-corpus {wildcards.corpus} --config {params.config} {params.states}"
        " --workers {threads} --gpus {resources.gpu} --output {output}"


rule train_model:
    input:
        corpus=lambda w: CORPUS.format(corpus=settings.models[w.model].corpus),
        initial_model=lambda w: initial_model(w.model),
    output:
        MODEL,
    log:
        f"{LOGS}/models/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/train_model/{{model}}.jsonl"
    wildcard_constraints:
        model=models_from("simulator"),
    threads: CORES_PER_GPU
    resources:
        mem_mb=corpus_memory,
        runtime=minutes(240),
        gpu=1,
    params:
        config=config_file,
        folder=subpath(output[0], parent=True),
        initial_model=lambda w, input: options(
            "initial-model", folders(input.initial_model)
        ),
        settings=lambda w: settings.models[w.model].model_dump(),
    shell:
        "vlmrm --log {log} train-model {wildcards.model} --config {params.config}"
        " --corpus {input.corpus} {params.initial_model} --gpus {resources.gpu} --output {params.folder}"


rule copy_model:
    output:
        MODEL,
    log:
        f"{LOGS}/models/{{model}}.log",
    wildcard_constraints:
        model=models_from("packaged"),
    resources:
        **LIGHT,
    params:
        config=config_file,
        folder=subpath(output[0], parent=True),
        settings=lambda w: settings.models[w.model].model_dump(),
    shell:
        "vlmrm --log {log} copy-model {wildcards.model} --config {params.config} --output {params.folder}"


rule make_random_model:
    output:
        MODEL,
    log:
        f"{LOGS}/models/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/make_random_model/{{model}}.jsonl"
    wildcard_constraints:
        model=models_from("random"),
    resources:
        mem_mb=model_memory,
        runtime=minutes(15),
    params:
        config=config_file,
        folder=subpath(output[0], parent=True),
        settings=lambda w: settings.models[w.model].model_dump(),
    shell:
        "vlmrm --log {log} make-random-model {wildcards.model} --config {params.config}"
        " --output {params.folder}"


rule make_function_model:
    output:
        MODEL,
    log:
        f"{LOGS}/models/{{model}}.log",
    wildcard_constraints:
        model=models_from("function"),
    resources:
        mem_mb=model_memory,
        runtime=minutes(60),
    params:
        config=config_file,
        folder=subpath(output[0], parent=True),
        settings=lambda w: settings.models[w.model].model_dump(),
    shell:
        "vlmrm --log {log} make-function-model {wildcards.model} --config {params.config}"
        " --output {params.folder}"


rule fetch_model:
    output:
        # What is there already decides how much is downloaded.
        update(MODEL),
    log:
        f"{LOGS}/models/{{model}}.log",
    wildcard_constraints:
        model=models_from("pretrained"),
    # Where this workflow was started: the nodes of a cluster often have no way out.
    localrule: True
    resources:
        mem_mb=model_memory,
        runtime=minutes(240),
    params:
        config=config_file,
        folder=subpath(output[0], parent=True),
        # Without what only says whether a download is accepted.
        settings=lambda w: settings.models[w.model].model_dump(
            exclude={"sha256", "allow_pickle"}
        ),
    shell:
        "vlmrm --log {log} fetch-model {wildcards.model} --config {params.config} --output {params.folder}"


rule embed_prompts:
    input:
        model=MODEL,
    output:
        PROMPTS,
    log:
        f"{LOGS}/prompts/{{task}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/embed_prompts/{{task}}/{{model}}.jsonl"
    wildcard_constraints:
        model=models_from(*EMBEDDING),
    resources:
        mem_mb=model_memory,
        runtime=minutes(15),
    params:
        config=config_file,
        model=subpath(input.model, parent=True),
        settings=lambda w: settings.prompt_settings(w.task).model_dump(),
    shell:
        "vlmrm --log {log} embed-prompts --config {params.config} --task {wildcards.task}"
        " --model {params.model} --output {output}"
