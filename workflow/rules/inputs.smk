"""What the rules need, by the configuration."""

# Sources whose models embed frames and sentences.
EMBEDDING = ("pretrained", "packaged", "simulator", "random")


def models_from(*sources):
    """Names of the models of some sources, as a wildcard constraint."""
    return any_of(
        name for name, model in settings.models.items() if model.source in sources
    )


def sets_from(*samplers, live=False):
    """Names of the state sets of some samplers, as a wildcard constraint.

    Environments of the user's own draw frames only while they act: ``live`` sets come with frames.
    """
    return any_of(
        name
        for name, states in settings.state_sets.items()
        if states.sampler in samplers
        and (states.environment in settings.environments) == live
    )


def tasks_of(live):
    """Names of the tasks of the user's own environments, or of all others, as a constraint."""
    return any_of(name for name in settings.tasks if settings.can_render(name) != live)


def captioned_frames(corpus):
    """The frames of a corpus with captions by a function; none where they are rendered for it."""
    entry = settings.corpora[corpus]
    return (
        expand(FRAMES, states=entry.states, scene="default") if entry.captions else []
    )


def initial_model(model):
    """The model whose weights the training of another starts from, if any."""
    name = settings.models[model].initial_model
    return [MODEL.format(model=name)] if name else []


def landscape_inputs(wildcards):
    """The states of a landscape and their rewards in every scene, by every model."""
    landscape = settings.landscapes[wildcards.landscape]
    return {
        "states": STATES.format(states=landscape.states),
        "rewards": expand(
            REWARDS,
            states=landscape.states,
            scene=landscape.scenes,
            model=landscape.models,
            task=landscape.tasks,
        ),
    }


def epic_tables(name):
    """The tables of one measurement, one per scene and model."""
    epic = settings.epic[name]
    return expand(EPIC, epic=name, scene=epic.scenes, model=epic.models)


def epic_states(wildcards):
    return STATES.format(states=settings.epic[wildcards.epic].states)


def epic_labels(wildcards):
    """Labels of people; none where the oracle's are meant."""
    return [local(path) for path in settings.epic[wildcards.epic].label_files]


def epic_rewards(wildcards):
    """Rewards of the measured states, by every model in every scene."""
    epic = settings.epic[wildcards.epic]
    return expand(
        REWARDS,
        states=epic.states,
        scene=epic.scenes,
        model=epic.models,
        task=epic.task,
    )


def diagnosis_tables(name):
    """The tables of one diagnosis, one per scene and model."""
    diagnosis = settings.diagnoses[name]
    return expand(
        DIAGNOSIS, diagnosis=name, scene=diagnosis.scenes, model=diagnosis.models
    )


def prediction_inputs(wildcards):
    """Measurements of rewards, and evaluations of the agents that were trained on them."""
    prediction = settings.predictions[wildcards.prediction]
    return {
        "epic": [table for name in prediction.epic for table in epic_tables(name)],
        "best_of_n": [f"{TABLES}/best-of-n-{name}.csv" for name in prediction.epic],
        "diagnoses": [
            f"{TABLES}/diagnosis-{name}.csv" for name in prediction.diagnoses
        ],
        "evaluations": [
            f"{folder}/evaluation.csv"
            for name in prediction.experiments
            for folder in runs(name, EVALUATION)
        ],
    }


def studied_runs():
    """Training runs of the over-optimization study, by the names of their state sets."""
    return {
        name: run
        for experiment in settings.optimization.experiments
        for name, run in studied(settings, experiment).items()
    }


def checkpoint_inputs(wildcards):
    """States that the checkpoints of a run visit, and their rewards by the run's model."""
    run = run_of(wildcards)
    names = [name for name, other in studied_runs().items() if other == run]
    if not names:
        raise WorkflowError(f"optimization.experiments: none of them has {run.folder}")
    place = {"scene": run.scene, "model": run.reward_source, "task": run.task}
    return {
        "states": STATES.format(states=names[0]),
        "rewards": REWARDS.format(states=names[0], **place),
    }


def searched_model(wildcards):
    """The model whose reward is climbed; none of controls."""
    source = wildcards.reward_source
    return [MODEL.format(model=source)] if source in settings.models else []


def search_results(wildcards):
    """The poses of all searches of an entry, in the order of their runs."""
    return [
        SEARCH.format(search=wildcards.search, **run.model_dump())
        for run in settings.searches[wildcards.search].runs()
    ]


def oracle_evaluations(wildcards):
    """Evaluations of the agents of an experiment that were trained on the oracle."""
    trained = [
        run
        for run in settings.runs(wildcards.experiment)
        if run.reward_source in ("oracle", "oracle-score")
    ]
    return of_runs(f"{EVALUATION}/evaluation.csv", trained)


def round_tables(wildcards):
    """The EPIC tables of the states that the agents of each round met."""
    return [
        table
        for name in settings.round_settings(wildcards.rounds).measurements
        for table in epic_tables(name)
    ]


def of_runs(pattern, runs):
    """The paths of training runs, by a pattern with the wildcards of `RUN`."""
    return [pattern.format(**run.model_dump()) for run in runs]


def runs(experiment, pattern):
    """The paths of an experiment's runs, by a pattern with the wildcards of `RUN`."""
    return of_runs(pattern, settings.runs(experiment))


def learning_curves(wildcards):
    """The learning curves of an experiment's runs."""
    return [
        f"{folder}/learning_curve.csv" for folder in runs(wildcards.experiment, POLICY)
    ]


def rollout_policy(wildcards):
    """The finished training whose checkpoints a state set is made with; none for random actions."""
    run = settings.state_sets[wildcards.states].run
    if run.reward_source == RANDOM_POLICY:
        return []
    return f"{POLICY}/policy.zip".format(**run.model_dump())


def options(name, paths):
    """A file or several as an option of a command, which takes one and may be repeated.

    Names may begin with a hyphen.
    """
    paths = [paths] if isinstance(paths, str) else paths
    return [f"--{name}={quote(str(path))}" for path in paths]


def folders(paths):
    """The folders that hold a file or several."""
    paths = [paths] if isinstance(paths, str) else paths
    return [str(Path(path).parent) for path in paths]


def random_policies(experiment):
    """The random policy's evaluation of each task, for comparison."""
    tasks = settings.experiments[experiment].tasks
    return [f"{RANDOM_EVALUATION.format(task=task)}/evaluation.csv" for task in tasks]


def training_of(wildcards):
    """How the environment of the task is trained."""
    return settings.training[settings.tasks[wildcards.task].environment]


def training_inputs(wildcards):
    """What the reward is computed from: a model, or a grid of rewards already computed."""
    if wildcards.reward_source not in settings.models:
        return {}
    lookup = training_of(wildcards).lookup
    if lookup is None:
        return model_inputs(wildcards)
    place = {
        "task": wildcards.task,
        "scene": wildcards.scene,
        "model": wildcards.reward_source,
    }
    return {
        "states": STATES.format(states=lookup.grid),
        "rewards": REWARDS.format(states=lookup.grid, **place),
        "errors": LOOKUP.format(**place),
    }


def model_inputs(wildcards):
    """The model that scores frames, or the members of an ensemble and their statistics."""
    name = wildcards.reward_source
    run = settings.training_settings(run_of(wildcards))
    if run.ensemble is None:
        return {"model": MODEL.format(model=name)}
    place = {"task": wildcards.task, "scene": wildcards.scene, "model": name}
    return {
        "model": expand(MODEL, model=run.ensemble.models),
        "statistics": STATISTICS.format(**place),
    }


def video_inputs(wildcards):
    """The trajectories of a video; with their frames where these are drawn only while agents act."""
    files = {"trajectories": f"{EVALUATION}/trajectories.h5"}
    if not settings.can_render(wildcards.task):
        files["frames"] = f"{EVALUATION}/frames.h5"
    return {name: path.format(**wildcards) for name, path in files.items()}


def recorded(experiment, file):
    """A file of the evaluation of each agent of an experiment whose states can be rendered."""
    return of_runs(f"{EVALUATION}/{file}", settings.filmstrip_settings(experiment).runs)


def lookup_inputs(wildcards):
    """The grid and the states that it is checked with, and their rewards."""
    lookup = training_of(wildcards).lookup
    return {
        "states": STATES.format(states=lookup.grid),
        "rewards": REWARDS.format(states=lookup.grid, **wildcards),
        "check_states": STATES.format(states=lookup.check),
        "check_rewards": REWARDS.format(states=lookup.check, **wildcards),
    }


def reward_options(wildcards, input):
    """The inputs as options of `vlmrm train-policy` and `vlmrm record-video`."""
    named = [
        options(name, folders(paths) if name == "model" else paths)
        for name, paths in input.items()
    ]
    return list(itertools.chain(*named))


def evaluations_of(wildcards):
    folders = runs(wildcards.experiment, EVALUATION)
    return [f"{folder}/evaluation.csv" for folder in folders] + random_policies(
        wildcards.experiment
    )


def size_inputs(wildcards):
    """The models of an experiment that have a size, their EPIC tables, and their agents' evaluations."""
    name = wildcards.experiment
    models = sized_models(settings, name)
    sized = [run for run in settings.runs(name) if run.reward_source in models]
    return {
        "evaluations": of_runs(f"{EVALUATION}/evaluation.csv", sized),
        "models": expand(MODEL, model=models),
        "epic": [
            EPIC.format(epic=epic, scene=scene, model=model)
            for epic in measurements_of(settings, name)
            for scene in settings.epic[epic].scenes
            for model in settings.epic[epic].models
            if model in models
        ],
    }


def run_of(wildcards):
    """The training run that the wildcards of `RUN` name."""
    return TrainingRun(**{name: wildcards[name] for name in TrainingRun.model_fields})


def agreement_settings(epic):
    """What measuring the agreement of the raters of an EPIC measurement reads."""
    epic = settings.epic[epic]
    return settings.agreement_settings(epic.task, epic.bootstrap, epic.seed)


def environment_of(states):
    return settings.state_sets[states].environment


def member_rewards(wildcards, states):
    """Rewards of a state set by every member of an ensemble."""
    ensemble = settings.models[wildcards.model]
    return expand(
        GOAL_REWARDS if ensemble.prompts == "separate" else REWARDS,
        states=states,
        scene=ensemble.scenes or wildcards.scene,
        model=ensemble.members,
        task=wildcards.task,
    )


def reference_of(wildcards):
    return settings.models[wildcards.model].reference


def humanoid_oracles():
    """The oracles that judge what the run measures or trains on the humanoid, as options.

    Shared tasks that it does not use are left out. None stands for all.
    """
    sections = (settings.experiments, settings.landscapes, settings.searches)
    used = {
        task
        for section in sections
        for entry in section.values()
        for task in entry.tasks
    }
    used |= {epic.task for epic in settings.epic.values()}
    for diagnosis in settings.diagnoses.values():
        used |= {*diagnosed_tasks(settings, diagnosis)}
    tasks = [settings.tasks[name] for name in used]
    names = {
        task.oracle for task in tasks if task.environment == "humanoid" and task.oracle
    }
    return [f"--oracle {name}" for name in sorted(names)]
