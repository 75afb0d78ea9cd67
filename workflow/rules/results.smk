"""What the workflow is asked for: the figures and tables of the page, and the agents' videos."""


def results():
    """Everything that the configuration asks for, but for the page."""
    return [*files_of(*exhibits()), *videos(*settings.experiments)]


def exhibits(*sections):
    """Figures and tables of sections of the page, by default of all."""
    return [
        exhibit
        for section in contents(settings)
        if not sections or section.key in sections
        for exhibit in section.exhibits
    ]


def files_of(*exhibits):
    """Tables, and both files of figures; the report shows the PNG."""
    return [
        file
        for exhibit in exhibits
        for file in (
            [f"{TABLES}/{exhibit.name}.csv"]
            if exhibit.is_table
            else [f"{FIGURES}/{exhibit.name}.{suffix}" for suffix in ("svg", "png")]
        )
    ]


def videos(*names):
    """Videos of the agents of experiments."""
    return [
        f"{folder}/video.mp4" for name in names for folder in runs(name, EVALUATION)
    ]


def claimed_tables():
    """The tables that claims are about."""
    return files_of(*(exhibit for exhibit in exhibits() if exhibit.has_claims))


def page_parts():
    """Parts of the run after which the page is made, and their files.

    Measurements come first; those that need trained agents are on the page at the end.
    """
    return {
        "measurements": files_of(*first_exhibits(settings)),
        **{f"agents-{name}": experiment_results(name) for name in settings.experiments},
    }


def experiment_results(*names):
    """Figures, tables, and videos of experiments, by default of all."""
    names = names or settings.experiments
    shown = [e for e in exhibits("agents", "filmstrips") if e.subject in names]
    return [*files_of(*shown), *videos(*names)]
