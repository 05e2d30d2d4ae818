"""The plain answers of open data: released months, and cells of which each is a number, suppressed, or not known."""

from datetime import datetime
from decimal import Decimal

import msgspec

from .answers import Answer, Place


class OpenRelease(Answer, frozen=True):
    """A month that was told: as known at `known_at` for good, by one factor set and one privacy floor."""

    month: str
    known_at: datetime
    released: datetime | None
    by: str
    why: str
    factor_set: str
    floor: str


class OpenReleases(Answer, frozen=True):
    """The months that were told, the earliest first."""

    releases: list[OpenRelease]


class OpenCell(Answer, frozen=True):
    """One number of open data over [start, end), or why there is none.

    `status`: told; partial (told, but some sources have no amount); unknown (nothing is known); suppressed (over the
    whole of the month, with `reason` below_floor or protects_others). `customers`: how many private ones it holds.
    """

    start: datetime
    end: datetime
    place: str
    measure: str
    commodity: str | None
    unit: str
    value: Decimal | None
    status: str
    reason: str | None
    derived: bool
    customers: int | None
    coverage: float | None
    estimated_share: float | None


class OpenFloor(Answer, frozen=True):
    """The privacy floor in force: customers and largest share (%) of a sum over months, customers of one over days."""

    customers: int
    share_percent: int
    customers_fine: int
    digest: str


class OpenData(Answer, frozen=True):
    """Aggregates of a city for everybody over [from, to): what was released, by which rules, and the cells.

    `licence` is the city's own statement; null where it has made none. `preview`: not released, for the city's eyes.
    """

    city_en: str
    city_ko: str
    timezone: str
    licence: str | None
    simulated: bool
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    resolution: str
    place: str
    preview: bool
    rule_set: str
    floor: OpenFloor
    releases: list[OpenRelease]
    places: list[Place]
    cells: list[OpenCell]
