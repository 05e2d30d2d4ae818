"""Commands that open the ledger's books: losses of networks, conversions of plants, facilities with a service."""

from typing import Annotated

from cyclopts import Parameter

from .command_ask import WHOLE
from .options import Common, From, KnownAt, Place, Step, To, ask
from .requests import Conversions, Facilities, Losses

AnyPlace = Annotated[str | None, Parameter(name="--place", help="A place and all below it; default: the whole city.")]


def losses(
    *,
    start: From,
    end: To,
    resolution: Step = "day",
    place: AnyPlace = None,
    network: Annotated[str | None, Parameter(help="One feeder, zone or branch instead of a place's.")] = None,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print what each network lost: its head meter less the sum of what hangs below; for water, unaccounted water."""
    return ask(common, Losses(start, end, resolution, place, network, known_at))


def conversions(
    *,
    start: From,
    end: To,
    resolution: Step = "day",
    place: Place = WHOLE,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print what each plant took in and gave out, its efficiency (COP) and what it lost."""
    return ask(common, Conversions(start, end, resolution, place, known_at))


def facilities(
    *,
    start: From,
    end: To,
    resolution: Step = "month",
    place: Place = WHOLE,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print what facilities with a service (such as bus shelters) did: kWh per comfortable, clean hour."""
    return ask(common, Facilities(start, end, resolution, place, known_at))
