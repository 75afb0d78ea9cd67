"""What the workflow is asked for, by the configuration."""


def figure(name):
    """Both files of a figure; the PNG is shown in the report."""
    return [f"{FIGURES}/{name}.{suffix}" for suffix in ("svg", "png")]


def results():
    """Everything that the configuration asks for, but for the page."""
    claims = [f"{TABLES}/claims.csv"] if claimed_tables() else []
    return [
        *claims,
        *landscapes(),
        *epic_results(),
        *diagnosis_results(),
        *round_results(),
        *experiment_results(),
        *size_results(),
        *optimization_results(),
        *galleries(),
    ]


def claimed_tables():
    """The tables that claims are about."""
    files = epic_results() + optimization_results() + experiment_results()
    files += size_results()
    kinds = tuple(f"{TABLES}/{kind}-" for kind in CLAIM_KINDS)
    return [file for file in files if file.startswith(kinds)]


def page_parts():
    """Parts of the run after which the page is made, and their files: measurements come first."""
    best_of_n = [file for name in settings.epic for file in figure(f"best-of-n-{name}")]
    return {
        "measurements": landscapes() + epic_results() + diagnosis_results() + best_of_n,
        **{f"agents-{name}": experiment_results(name) for name in settings.experiments},
    }


def landscapes():
    """Figures and tables of every landscape."""
    names = [f"landscape-{name}" for name in settings.landscapes]
    return [
        *(file for name in names for file in figure(name)),
        *(f"{TABLES}/{name}.csv" for name in names),
    ]


def epic_results():
    """Figures and tables of every EPIC measurement."""
    return [
        *(file for name in settings.epic for file in figure(f"epic-{name}")),
        *(
            file
            for name in settings.epic
            if any(alpha_of(scoring) is not None for scoring in settings.scorings)
            for file in figure(f"epic-alpha-{name}")
        ),
        *(file for name in settings.epic for file in figure(f"rewards-{name}")),
        *(f"{TABLES}/epic-{name}.csv" for name in settings.epic),
        *(figure("epic") if settings.epic else []),
        *(
            f"{TABLES}/agreement-{name}.csv"
            for name, measurement in settings.epic.items()
            if measurement.label_files
        ),
    ]


def diagnosis_results():
    """Figure and table of every diagnosis."""
    names = [f"diagnosis-{name}" for name in settings.diagnoses]
    return [
        *(file for name in names for file in figure(name)),
        *(f"{TABLES}/{name}.csv" for name in names),
    ]


def optimization_results():
    """Figures and tables of what optimization does to rewards."""
    names = [f"best-of-n-{name}" for name in settings.epic]
    names += [f"gallery-{name}" for name in drawn_measurements(settings)]
    names += [f"search-{name}" for name in settings.searches]
    names += [f"optimization-{name}" for name in settings.optimization.experiments]
    names += [f"prediction-{name}" for name in settings.predictions]
    return [
        *(file for name in names for file in figure(name)),
        *(f"{TABLES}/{name}.csv" for name in names),
        *(
            file
            for name in settings.searches
            for file in figure(f"search-gallery-{name}")
        ),
        *(
            file
            for name in settings.optimization.experiments
            for file in figure(f"divergence-{name}")
        ),
    ]


def round_results():
    """Figures and tables of adversarial rounds."""
    return [
        *(file for name in settings.rounds for file in figure(f"rounds-{name}")),
        *(f"{TABLES}/rounds-{name}.csv" for name in settings.rounds),
    ]


def experiment_results(*names):
    """Figures, tables and videos of experiments, by default of all; success where it is judged."""
    names = names or settings.experiments
    rendered = [name for name in names if has_filmstrip(settings, name)]
    judged = [name for name in names if is_judged(settings, name)]
    return [
        *(file for name in names for file in figure(f"learning-{name}")),
        *(file for name in judged for file in figure(f"success-{name}")),
        *(f"{TABLES}/success-{name}.csv" for name in judged),
        *(f"{folder}/video.mp4" for name in names for folder in runs(name, EVALUATION)),
        *(file for name in rendered for file in figure(f"filmstrip-{name}")),
    ]


def size_results():
    """Figures and tables of success by size of the model, of experiments with several sizes."""
    names = [name for name in settings.experiments if compares_sizes(settings, name)]
    return [
        *(file for name in names for file in figure(f"size-{name}")),
        *(f"{TABLES}/size-{name}.csv" for name in names),
    ]


def galleries():
    """Example frames of each environment in use, and the humanoid's poses."""
    environments = {task.environment for task in settings.tasks.values()}
    environments -= settings.environments.keys()  # cannot be drawn from example states
    pictures = [f"scenes-{name}" for name in sorted(environments)]
    pictures += ["poses", "boundaries"] if "humanoid" in environments else []
    tables = [f"{TABLES}/oracles.csv"] if "humanoid" in environments else []
    return [*(file for name in pictures for file in figure(name)), *tables]
