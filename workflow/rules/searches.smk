"""Searches that climb rewards over poses: optimization pressure without agents."""


rule search_poses:
    input:
        model=searched_model,
    output:
        SEARCH,
    log:
        f"{LOGS}/searches/{{search}}/{RUN}.log",
    benchmark:
        f"{BENCHMARKS}/search_poses/{{search}}/{RUN}.jsonl"
    threads: lambda w: CORES_PER_SEARCH if w.reward_source in settings.models else 1
    resources:
        mem_mb=model_memory,
        runtime=minutes(120),
        gpu=lambda w: 1 if w.reward_source in settings.models else 0,
    params:
        config=config_file,
        model=lambda w, input: options("model", folders(input.model)),
        settings=lambda w: settings.search_settings(w.search, run_of(w)).model_dump(),
    shell:
        "vlmrm --log {log} search-poses {wildcards.search} --config {params.config}"
        " --task {wildcards.task} --reward-source {wildcards.reward_source}"
        " --scoring {wildcards.scoring} --seed {wildcards.seed} {params.model}"
        " --gpus {resources.gpu} --output {output}"


rule draw_search:
    input:
        search_results,
    output:
        **figure_outputs("search-{search}", "search", "Optimization"),
        table=table_output("search-{search}", "search-table", "Optimization"),
        generations=f"{TABLES}/generations-{{search}}.csv",
    log:
        f"{LOGS}/figures/search-{{search}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.search_figure_settings(w.search).model_dump(
            exclude={"rendering"}
        ),
    shell:
        "vlmrm --log {log} draw-search {wildcards.search} {input} --config {params.config}"
        " --table {output.table} --generations {output.generations}"
        " --output {output.svg} --output {output.png}"


rule draw_search_gallery:
    input:
        search_results,
    output:
        **figure_outputs("search-gallery-{search}", "search-gallery", "Optimization"),
    log:
        f"{LOGS}/figures/search-gallery-{{search}}.log",
    resources:
        **LIGHT,
    params:
        config=config_file,
        settings=lambda w: settings.search_figure_settings(w.search).model_dump(),
    shell:
        "vlmrm --log {log} draw-search-gallery {wildcards.search} {input}"
        " --config {params.config} --output {output.svg} --output {output.png}"
