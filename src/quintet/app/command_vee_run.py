"""`vee run`: judge the city's days, and bring the queue of exceptions up; `vee findings`: what was found, and where."""

from typing import Annotated

from cyclopts import Parameter

from .command_city import actor
from .options import Common, From, KnownAt, To, ask
from .requests import VeeFindings, VeeRun


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


def vee_findings(
    channel: Annotated[str | None, Parameter(help="A channel: SITE/METER; or give --place.")] = None,
    /,
    *,
    start: From,
    end: To,
    place: Annotated[str | None, Parameter(help="All channels of this place and below, instead of one.")] = None,
    rule: Annotated[str | None, Parameter(help="Only findings of this rule, as D01.")] = None,
    known_at: KnownAt = None,
    limit: Annotated[int, Parameter(help="At most this many findings, oldest first.")] = 100,
    cursor: Annotated[str | None, Parameter(help="Go on where the page before ended: its `next_cursor`.")] = None,
    common: Common | None = None,
) -> int:
    """Say why values are doubtful: what rules and runs found.

    Of a channel or a place, oldest first: each span with its figures, the rule's severity, whether it marks values
    `suspect`, and the batch and moment that stated it.
    """
    return ask(common, VeeFindings(start, end, channel, place, rule, known_at, limit, cursor))
