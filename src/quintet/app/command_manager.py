"""`quintet building visits`, `visited`, `close`, `allocation`: the work of a building's manager."""

from typing import Annotated

from cyclopts import Parameter

from .command_bill import Text
from .command_city import actor
from .options import Common, CommonWon, ask
from .requests_manager import BuildingMonth, BuildingShared, BuildingSigned, BuildingVisited, BuildingWalk

Where = Annotated[str, Parameter(name="PLACE", help="A complex or a building of `quintet registry list`.")]
Month = Annotated[Text, Parameter(help="The month, as 2025-10; default: the newest that is over.")]
By = Annotated[Text, Parameter(name="--by", help="Who says so; default: the account that asks.")]


def building_visits(place: Where, /, *, common: Common | None = None) -> int:
    """List the meters that are silent, dead or of no use in the order of a walk, with evidence and what to bring."""
    return ask(common, BuildingWalk(place))


def building_visited(
    place: Where,
    /,
    *,
    channel: Annotated[str, Parameter(help="The meter's channel, as `quintet building visits` names it.")],
    found: Annotated[str, Parameter(help="What was found: battery_changed, exchanged, empty, sound, no_access ...")],
    note: Annotated[str, Parameter(help="Anything worth keeping.")] = "",
    by: By = None,
    common: Common | None = None,
) -> int:
    """Write down what was found at a meter: it goes from the list, or stays with its reason."""
    return ask(common, BuildingVisited(place, channel, found, note, by or actor()))


def building_close(
    place: Where,
    /,
    *,
    month: Month = None,
    sign: Annotated[
        bool, Parameter(negative=(), help="Close the list: kept with who and when. No bill is issued.")
    ] = False,
    reason: Annotated[str, Parameter(help="Why the list is closed; needed while points are open.")] = "",
    by: By = None,
    common: Common | None = None,
) -> int:
    """Show the list that closes a month: what is complete, what wants attention, what blocks; or close it."""
    if sign:
        return ask(common, BuildingSigned(place, month, reason, by or actor()))
    return ask(common, BuildingMonth(place, month))


def building_allocation(
    place: Where,
    /,
    *,
    month: Month = None,
    commodity: Annotated[
        Text, Parameter(help="The utility; default: the first with a contract of the whole complex.")
    ] = None,
    common_won: CommonWon = None,
    common: Common | None = None,
) -> int:
    """Share a complex' bill over its flats and show how each amount came about, odd won, vacancies and moves too."""
    return ask(common, BuildingShared(place, month, commodity, common_won))
