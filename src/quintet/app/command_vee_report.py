"""`quintet vee report`: how much of what can go wrong is found."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .lazy import load
from .options import Common, ask, chosen_format
from .requests import VeeReport
from .settings import read_settings
from .show import Meterstick, show


def vee_report(
    *,
    each: Annotated[int, Parameter(help="Sound stretches of each kind of channel.")] = 6,
    times: Annotated[int, Parameter(help="Stretches that each fault of each magnitude is put into.")] = 20,
    seed: Annotated[int, Parameter(help="The same seed gives the same report.")] = 1,
    stretches: Annotated[
        int,
        Parameter(help="Stretches that the back-test of the estimators hides for each commodity and length; 0: none."),
    ] = 100,
    households: Annotated[int, Parameter(help="Size of the simulated city, where no city is named.")] = 30,
    common: Common | None = None,
) -> int:
    """Put faults into sound readings and say how many are found, by kind and magnitude.

    The readings are those of the city that is named, else of a simulated one. Nothing in the city changes.
    """
    request = VeeReport(each, times, seed, stretches)
    if (common is not None and common.city is not None) or read_settings(os.environ, Path.cwd()).city is not None:
        return ask(common, request)
    with Meterstick() as stick:
        answer = load("vee_report")(request, stick, households)
    show(answer, chosen_format(common))
    return 0
