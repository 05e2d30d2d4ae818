"""`vee run`: judge the city's days, and bring the queue of exceptions up."""

from typing import Annotated

from cyclopts import Parameter

from .command_city import actor
from .options import Common, ask
from .requests import VeeRun


def vee_run(
    *,
    start: Annotated[
        str | None, Parameter(name="--from", help="First day, 2025-01-31; default: the first one.")
    ] = None,
    end: Annotated[str | None, Parameter(name="--to", help="First day that no longer counts; default: today.")] = None,
    common: Common | None = None,
) -> int:
    """Judge the weeks in which anything changed: period rules, inference, outages, assigned estimates, exceptions.

    A second run writes nothing.
    """
    return ask(common, VeeRun(start, end, actor()))
