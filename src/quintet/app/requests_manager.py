"""Requests of a building's manager."""

from .request import Request


class BuildingWalk(Request, frozen=True, tag="building_walk"):
    """The walk to a building's meters that do not measure."""

    place: str


class BuildingVisited(Request, frozen=True, tag="building_visited"):
    """What somebody found at a meter of a building."""

    place: str
    channel: str
    found: str
    note: str = ""
    actor: str = ""


class BuildingMonth(Request, frozen=True, tag="building_month"):
    """The list that closes a building's month (None: the newest that is over)."""

    place: str
    month: str | None = None


class BuildingSigned(Request, frozen=True, tag="building_signed"):
    """Somebody closes the list of a building's month."""

    place: str
    month: str | None = None
    reason: str = ""
    actor: str = ""


class BuildingShared(Request, frozen=True, tag="building_shared"):
    """A complex' bill of a month, shared over its flats, with how."""

    place: str
    month: str | None = None
    commodity: str | None = None
    common_won: int | None = None


BuildingRequest = BuildingWalk | BuildingVisited | BuildingMonth | BuildingSigned | BuildingShared
