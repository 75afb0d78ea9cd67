"""``vlmrm draw-filmstrip``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Figures, pick
from vlmrm.config import load_config
from vlmrm.data.tables import require_columns
from vlmrm.errors import UserError


def draw_filmstrip(
    name: Annotated[str, typer.Argument(help="Name of an experiment of the configuration.")],
    evaluations: Annotated[list[Path], typer.Argument(help="Evaluations of its policies (CSV).")],
    trajectories: Annotated[
        list[Path], typer.Option(help="Trajectories of each evaluation (HDF5), in this order.")
    ],
    config: ConfigFile,
    output: Figures,
) -> None:
    """Draw moments of the agents of an experiment, a row for each reward."""
    content = load_config(config)
    pick(content.experiments, "experiments", name)
    settings = content.filmstrip_settings(name)
    if len(evaluations) != len(trajectories):
        raise UserError(
            f"--trajectories: {len(trajectories)} given for {len(evaluations)} evaluations; give "
            "one for each"
        )
    from vlmrm.data.states import States
    from vlmrm.figures import filmstrip
    from vlmrm.figures.style import save_figure
    from vlmrm.figures.tables import read_runs

    agents = []
    for path, judged in zip(trajectories, read_runs(evaluations), strict=True):
        states = States.read(path)
        task = pick(settings.environments, "experiments", judged[0].task)
        states.check_environment(path, judged[0].task, task)
        require_columns(states.columns, ("trajectory", "step"), path)
        agents.append((judged, states))
    save_figure(filmstrip.draw_filmstrip(agents, settings), output)
