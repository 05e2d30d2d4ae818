"""Commands that ask: each builds a request and prints its answer."""

from typing import Annotated, Literal

from cyclopts import Parameter

from quintet.terms.errors import UsageError

from .options import Common, From, KnownAt, Nominal, Place, Step, To, Uncertainty, ask, nominal_of
from .requests import Balance, Intervals, MetersList, MetersShow

CHANNEL = "A channel: SITE/METER, or SITE/METER:READING-TYPE where a meter has several."
Channel = Annotated[str, Parameter(help=CHANNEL)]
WHOLE = "city"
"""The root place: the whole city."""


def meters_list(
    *,
    place: Annotated[str | None, Parameter(help="Only what counts at this place and below.")] = None,
    commodity: Annotated[str | None, Parameter(help="Only this carrier.")] = None,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """List the channels of the city's meters."""
    return ask(common, MetersList(place, commodity, known_at))


def meters_show(channel: Channel, /, *, known_at: KnownAt = None, common: Common | None = None) -> int:
    """Show one channel and where it counts."""
    return ask(common, MetersShow(channel, known_at))


def intervals(
    channel: Channel,
    /,
    *,
    start: From,
    end: To,
    resolution: Step = "hour",
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print one channel's values, with what they are worth."""
    return ask(common, Intervals(channel, start, end, resolution, known_at))


def balance(
    *,
    start: From,
    end: To,
    resolution: Step = "day",
    place: Place = WHOLE,
    tree: Annotated[bool, Parameter(help="Also of every place below, in one answer.", negative=())] = False,
    level: Annotated[
        Literal["city", "district", "complex", "building", "premise"] | None,
        Parameter(help="With --tree: only places of this level."),
    ] = None,
    limit: Annotated[
        int | None, Parameter(help="With --tree: rows of one page, which holds whole places; then ask on by --cursor.")
    ] = None,
    cursor: Annotated[str | None, Parameter(help="With --limit: the next_cursor of the page before.")] = None,
    known_at: KnownAt = None,
    uncertainty: Uncertainty = False,
    nominal: Nominal = 0.9,
    common: Common | None = None,
) -> int:
    """Print supply against use for every carrier."""
    if uncertainty and tree:
        raise UsageError(
            "intervals are of one place.", code="bad_question", place="--uncertainty", remedy="Ask without --tree."
        )
    if level is not None and not tree:
        raise UsageError("a level is one of a tree.", code="bad_question", place="--level", remedy="Give --tree too.")
    if (limit is not None or cursor is not None) and not tree:
        raise UsageError("pages are of a tree.", code="bad_question", place="--limit", remedy="Give --tree too.")
    sure = nominal_of(uncertainty, nominal)
    return ask(common, Balance(start, end, resolution, place, known_at, tree, level, sure, limit, cursor))
