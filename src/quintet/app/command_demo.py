"""The command that shows everything at once."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .lazy import load
from .show import Meterstick


def demo(
    *,
    households: Annotated[int, Parameter(help="Size of the city.")] = 2000,
    days: Annotated[int, Parameter(help="Whole days of readings before today.")] = 7,
    folder: Annotated[
        Path | None, Parameter(name="--dir", help="Keep the city in this new folder; default: a temporary one.")
    ] = None,
    port: Annotated[int, Parameter(help="0: any free port.")] = 0,
    no_serve: Annotated[bool, Parameter(help="Stop when the city is made.", negative=())] = False,
) -> int:
    """Make a simulated city, take its meters in, and serve it on this machine."""
    with Meterstick() as stick:
        return int(load("demo")(households, days, folder, port, serve_it=not no_serve, progress=stick))
