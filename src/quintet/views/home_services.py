"""The utilities of a home: which meters make up each, and what they read, meter exchanges bridged."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.terms.commodity import Commodity
from quintet.terms.period import FIXED_MINUTES, Resolution, Span, edges
from quintet.terms.quality import qualities
from quintet.terms.unit import Unit, units

from .catalogue import Catalogue
from .series import own_resolution, share

USED = "consumption"
MEASURED, ESTIMATED, EDITED, QUESTIONABLE, MISSING, TO_COME = (
    "measured", "estimated", "edited", "questionable", "missing", "",
)  # fmt: skip
TRUSTED = frozenset(code for code, one in qualities().items() if one.kind == "measured" and one.espi in (0, 11))
"""Qualities of measured values that nobody doubts: valid (ESPI 0) and derived from other meters (ESPI 11)."""
TRUSTED_IDS = frozenset(qualities()[code].id for code in TRUSTED)
EDITED_ID = qualities()[EDITED].id


@dataclass(frozen=True, slots=True)
class Service:
    """One utility of a home: the channels that count as its use, an exchanged meter's too, and their unit."""

    commodity: Commodity
    unit: Unit
    channels: tuple[str, ...]
    cadence_min: int

    @property
    def resolution(self) -> Resolution:
        """The finest resolution in which all of its channels can be asked."""
        return own_resolution(self.cadence_min)

    @property
    def minutes(self) -> int:
        """The length of its interval."""
        return FIXED_MINUTES.get(self.resolution, 1440)


class Slot(NamedTuple):
    """One period of a utility: its amount with how it is drawn. `coverage` is None where nothing is expected."""

    start: datetime
    value: Decimal | None
    mark: str
    coverage: float | None
    estimated_share: float | None


def services_of(catalogue: Catalogue, place: str, of: Set[str] | None = None) -> list[Service]:
    """Give the utilities (`of` these; None: all) metered as use at a place, in the order of commodities."""
    known = catalogue.registry.commodities
    grouped: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for meter in catalogue.meters_in(place):
        told = of is None or meter.commodity in of
        if told and meter.flow == USED and known[meter.commodity].balanced:
            key = (meter.commodity, meter.display_unit)
            grouped.setdefault(key, []).append((meter.channel, meter.cadence_min))
    return [
        Service(known[code], units()[unit], tuple(name for name, _ in rows), max(minutes for _, minutes in rows))
        for (code, unit), rows in grouped.items()
    ]


@lru_cache(maxsize=4)
def carriers_of(catalogue: Catalogue) -> list[Commodity]:
    """Give the carriers that some dwelling of the city is metered for: a home without one of them is told so."""
    registry = catalogue.registry
    premises = {row.place for row in catalogue.places if row.level == "premise"}
    used = {meter.commodity for meter in catalogue.meters if meter.flow == USED and meter.place in premises}
    return [row for code, row in registry.commodities.rows.items() if row.balanced and code in used]


def slots_of(
    access: Access, service: Service, span: Span, resolution: Resolution, tz: ZoneInfo, until: datetime
) -> list[Slot]:
    """Give a utility's periods of a span, its channels added up; nothing is due from `until` on."""
    starts = _starts(span, resolution, tz)
    due = bisect_left(starts, until)
    columns = [_columns(access, name, span, resolution, due) for name in service.channels]
    amount = _amounts(service.unit.code)
    known = [_slot(start, cells, amount) for start, *cells in zip(starts[:due], *columns, strict=True)]
    return [*known, *(Slot(start, None, TO_COME, None, None) for start in starts[due:])]


Cell = tuple[int | Decimal | None, int | None, float | None, float | None]
"""One period of a channel: sub-units, quality id, coverage, estimated share."""


def _columns(access: Access, name: str, span: Span, resolution: Resolution, due: int) -> Iterator[Cell]:
    """Read a channel's first periods."""
    series = access.series(name, span, resolution).slice(0, due)
    columns = (series[column].to_pylist() for column in ("value", "quality", "coverage", "estimated_share"))
    return zip(*columns, strict=True)


@lru_cache(maxsize=64)
def _starts(span: Span, resolution: Resolution, tz: ZoneInfo) -> list[datetime]:
    """Give the starts of a span's periods on the city's clock; all who look at a day look at the same ones."""
    return [start.astimezone(tz) for start in edges(span, resolution, tz)[:-1]]


@cache
def _amounts(code: str) -> Callable[[int], Decimal]:
    """Give what says sub-units in a unit; small amounts, and nothing, come again and again."""
    return lru_cache(maxsize=8192)(units()[code].to_decimal)


def _slot(start: datetime, cells: Sequence[Cell], amount: Callable[[int], Decimal]) -> Slot:
    """Add up the same period of several channels."""
    if len(cells) == 1 and cells[0][1] in TRUSTED_IDS and not cells[0][3]:  # as nearly all are
        value, _, coverage, _ = cells[0]
        return Slot(start, amount(int(value or 0)), MEASURED, share(coverage), 0.0)
    due = [share(coverage) or 0.0 for _, _, coverage, _ in cells if coverage is not None]
    coverage = sum(due) / len(due) if due else None
    known = [cell for cell in cells if cell[0] is not None]
    if not known:
        return Slot(start, None, MISSING if due else TO_COME, coverage, None)
    value = amount(sum(int(cell[0] or 0) for cell in known))
    estimated = sum(share(cell[3]) or 0.0 for cell in known) / len(known)
    marks = {cell[1] for cell in known}
    if estimated > 0:
        mark = ESTIMATED
    elif EDITED_ID in marks:
        mark = EDITED
    elif marks <= TRUSTED_IDS:
        mark = MEASURED
    else:
        mark = QUESTIONABLE
    return Slot(start, value, mark, coverage, estimated)


def heard_until(slots: Sequence[Slot], minutes: int) -> datetime | None:
    """Give the end of the last period in which something was measured."""
    for slot in reversed(slots):
        if slot.value is not None and (slot.coverage is None or slot.coverage > 0):
            return datetime.fromtimestamp(slot.start.timestamp() + 60 * minutes, slot.start.tzinfo)
    return None
