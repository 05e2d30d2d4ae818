"""The utilities of a home: which meters make up each, and what they read, meter exchanges bridged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.terms.commodity import Commodity
from quintet.terms.period import FIXED_MINUTES, Resolution, Span
from quintet.terms.quality import qualities
from quintet.terms.unit import Unit, units

from .answers import Interval
from .catalogue import Catalogue
from .series import channel_rows, own_resolution

USED = "consumption"
MEASURED, ESTIMATED, EDITED, QUESTIONABLE, MISSING, TO_COME = (
    "measured", "estimated", "edited", "questionable", "missing", "",
)  # fmt: skip
TRUSTED = frozenset(code for code, one in qualities().items() if one.kind == "measured" and one.espi in (0, 11))
"""Qualities of measured values that nobody doubts: valid (ESPI 0) and derived from other meters (ESPI 11)."""


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


def services_of(catalogue: Catalogue, place: str) -> list[Service]:
    """Give the utilities that are metered as use at a place, in the order of the table of commodities."""
    known = catalogue.registry.commodities
    grouped: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for meter in catalogue.meters_in(place):
        if meter.flow == USED and known[meter.commodity].balanced:
            key = (meter.commodity, meter.display_unit)
            grouped.setdefault(key, []).append((meter.channel, meter.cadence_min))
    return [
        Service(known[code], units()[unit], tuple(name for name, _ in rows), max(minutes for _, minutes in rows))
        for (code, unit), rows in grouped.items()
    ]


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
    series = [channel_rows(access, name, service.unit, span, resolution, None, tz) for name in service.channels]
    return [_slot(rows, until) for rows in zip(*series, strict=True)]


def _slot(rows: Sequence[Interval], until: datetime) -> Slot:
    """Add up the same period of several channels."""
    start = rows[0].start
    if start >= until:
        return Slot(start, None, TO_COME, None, None)
    known = [row for row in rows if row.value is not None]
    due = [row.coverage for row in rows if row.coverage is not None]
    coverage = sum(due) / len(due) if due else None
    if not known:
        return Slot(start, None, MISSING if due else TO_COME, coverage, None)
    value = sum((row.value for row in known if row.value is not None), Decimal(0))
    shares = [row.estimated_share or 0.0 for row in known]
    estimated = sum(shares) / len(shares)
    if estimated > 0:
        mark = ESTIMATED
    elif any(row.quality == EDITED for row in known):
        mark = EDITED
    elif all(row.quality in TRUSTED for row in known):
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
