"""How good sentences are as rewards, before any training."""


rule measure_diagnosis:
    input:
        model=MODEL,
        states=lambda w: STATES.format(states=settings.diagnoses[w.diagnosis].states),
        embeddings=lambda w: EMBEDDINGS.format(
            states=settings.diagnoses[w.diagnosis].states, scene=w.scene, model=w.model
        ),
    output:
        DIAGNOSIS,
    log:
        f"{LOGS}/diagnoses/{{diagnosis}}/{{scene}}/{{model}}.log",
    resources:
        mem_mb=model_memory,
        runtime=minutes(30),
    params:
        config=config_file,
        model=subpath(input.model, parent=True),
        settings=lambda w: settings.diagnosis_settings(w.diagnosis).model_dump(),
    shell:
        "vlmrm --log {log} measure-diagnosis {wildcards.diagnosis} --config {params.config}"
        " --model {params.model} --states {input.states} --embeddings {input.embeddings}"
        " --output {output}"


rule draw_diagnosis:
    input:
        lambda w: diagnosis_tables(w.diagnosis),
    output:
        **figure_outputs("diagnosis-{diagnosis}", "diagnosis", "Diagnosis"),
        table=table_output("diagnosis-{diagnosis}", "diagnosis-table", "Diagnosis"),
    log:
        f"{LOGS}/figures/diagnosis-{{diagnosis}}.log",
    resources:
        **LIGHT,
    shell:
        "vlmrm --log {log} draw-diagnosis {input} --table {output.table}"
        " --output {output.svg} --output {output.png}"
