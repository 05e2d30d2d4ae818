"""The command that brings a city's store to a chosen version: for going back to an older Quintet."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .lazy import load
from .options import Common, chosen_format
from .settings import city_folder
from .show import show


def migrate(
    *,
    to: Annotated[int | None, Parameter(help="The store version; default: the newest that this Quintet knows.")] = None,
    common: Common | None = None,
) -> int:
    """Bring the city's store to a version, up or down; every reading is kept.

    An older Quintet opens only its own version: stop `serve`, migrate down, start the older one. Opening the city with
    this Quintet brings it up again by itself.
    """
    answer = load("migrate_city")(Path(city_folder(common.city if common else None)), to)
    show(answer, chosen_format(common))
    return 0
