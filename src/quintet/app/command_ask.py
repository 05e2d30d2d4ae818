"""Commands that ask: each builds a request and prints its answer."""

from typing import Annotated

from cyclopts import Parameter

from .options import Common, From, KnownAt, Place, Step, To, ask
from .requests import Balance, Emissions, Intervals, MetersList, MetersShow, SelfSufficiency

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
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print supply against use for every carrier."""
    return ask(common, Balance(start, end, resolution, place, known_at))


def selfsufficiency(
    *,
    start: From,
    end: To,
    resolution: Step = "hour",
    place: Place = WHOLE,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print how much of its energy a place makes itself; supply and use are matched step by step."""
    return ask(common, SelfSufficiency(start, end, resolution, place, known_at))


def emissions(
    *,
    start: From,
    end: To,
    resolution: Step = "month",
    place: Place = WHOLE,
    gwp: Annotated[
        str, Parameter(help="Warming potentials: SAR, AR4, AR5, AR6_fossil, AR6_nonfossil, AR6_unspecified.")
    ] = "AR5",
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print greenhouse gases, each with its factor and source."""
    return ask(common, Emissions(start, end, resolution, place, gwp, known_at))
