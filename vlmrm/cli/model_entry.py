"""The models of a configuration, by their source."""

from __future__ import annotations

from typing import TypeVar, get_args

from vlmrm.cli.options import pick
from vlmrm.config import Config, PretrainedModel, RandomModel, SimulatorModel
from vlmrm.errors import UserError

Source = TypeVar("Source", PretrainedModel, RandomModel, SimulatorModel)


def model_entry(config: Config, name: str, kind: type[Source]) -> Source:
    """A model of the configuration.

    Raises:
        UserError: There is none of that name, or its source is another one.
    """
    settings = pick(config.models, "models", name)
    if not isinstance(settings, kind):
        (source,) = get_args(kind.model_fields["source"].annotation)
        raise UserError(
            f"models.{name}.source: is '{settings.source}', but this command is for '{source}'"
        )
    return settings
