"""How certain the totals of a place are: bounds for each metered flow over whole local days."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from quintet.access import Access, PlaceDays
from quintet.ledger.calibration import WAYS, Calibration, calibrate
from quintet.ledger.uncertainty import DaySums, Interval, numbers, total_interval
from quintet.terms.errors import UsageError
from quintet.terms.period import Span, day_start, local_day
from quintet.terms.unit import Unit

from .answers import CertainTotal, Certainty
from .series import share

KIND = ("commodity", "quantity", "flow")
LONGEST_DAYS = 400
MOST_TRIALS = 10_000


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow of one carrier at a place: its meters in groups of one level of places, and what was heard of them."""

    commodity: str
    quantity: str
    flow: str
    groups: list[DaySums]
    total: int
    expected_min: int
    arrived_min: int
    estimated_min: int


def place_certainty(
    access: Access, place: str, span: Span, *, level: float, known_at: datetime | None, tz: ZoneInfo
) -> Certainty:
    """Give each flow's total over whole local days with its interval.

    Raises UsageError for a span that cuts days or is too long, NotFound for a place that is none.
    """
    days, first, last = place_days(access, place, span, known_at, tz)
    rows = certain_totals(access, days, first, last, place, level)
    start, end = (day_start(day, tz).astimezone(tz) for day in (first, last + timedelta(days=1)))
    return Certainty(place, start, end, level, days.known_at.astimezone(tz), days.rule_set, rows)


def certain_totals(
    access: Access, days: PlaceDays, first: date, last: date, place: str, level: float
) -> list[CertainTotal]:
    """Give each flow's total over days, both included, with its interval; `days` are those that tell levels too."""
    return [_row(access, flow, place, level) for flow in flows_of(days, first, last)]


def place_days(
    access: Access, place: str, span: Span, known_at: datetime | None, tz: ZoneInfo
) -> tuple[PlaceDays, date, date]:
    """Read the days of a span with the margin that tells levels; give them with the span's first and last day."""
    first, after = local_day(span.start, tz), local_day(span.end, tz)
    if (day_start(first, tz), day_start(after, tz)) != (span.start, span.end):
        raise UsageError(
            "the range cuts a day.", code="range_cuts_days", place="from", remedy="Give days or months, as 2025-10."
        )
    if (after - first).days > LONGEST_DAYS:
        raise UsageError(
            f"that is more than {LONGEST_DAYS} days.", code="range_too_long", place="to", remedy="Ask for a year."
        )
    margin = timedelta(days=numbers()["margin_days"])
    last = after - timedelta(days=1)
    return access.place_days(place, first - margin, last + margin, known_at), first, last


def flows_of(days: PlaceDays, first: date, last: date) -> Iterator[Flow]:
    """Lay out each carrier's flows in order of their names; meters are alike that stand at one level of places."""
    at = np.arange(days.value.shape[1])
    inside = (at >= (first - days.first).days) & (at <= (last - days.first).days)
    kinds = list(zip(*(days.rows[name].to_pylist() for name in KIND), strict=True))
    levels = days.rows["level"].to_pylist()
    for kind in sorted(set(kinds)):
        own = np.array([one == kind for one in kinds])
        if not days.due[own][:, inside].any():
            continue
        groups: list[DaySums] = []
        for name in sorted({level for level, mine in zip(levels, own, strict=True) if mine}):
            rows = np.flatnonzero(own & (np.array(levels) == name))
            value = np.asarray(days.value[rows], np.int64)
            groups.append(DaySums(value, days.due[rows], days.whole[rows], days.estimated[rows], inside))
        total = sum(int(value) for value in days.value[own][:, inside].ravel())
        expected, arrived, estimated = (
            int(part[own][:, inside].sum()) for part in (days.expected_min, days.arrived_min, days.estimated_min)
        )
        commodity, quantity, flow = kind
        yield Flow(commodity, quantity, flow, groups, total, expected, arrived, estimated)


def seed_of(*words: str) -> int:
    """Give the same seed for the same question."""
    return zlib.crc32("/".join(words).encode())


def _row(access: Access, flow: Flow, place: str, level: float) -> CertainTotal:
    unit = unit_of(access, flow)
    found = total_interval(flow.groups, level, seed_of(place, flow.commodity, flow.quantity, flow.flow))
    bounds = bounds_of(found, unit)
    expected, known = flow.expected_min, flow.arrived_min + flow.estimated_min
    return CertainTotal(
        flow.commodity, flow.flow, unit.code, unit.to_decimal(flow.total) if known else None, *bounds,
        unit.to_decimal(found.measured), sum(len(group.value) for group in flow.groups), found.unknown_channels,
        share(flow.arrived_min / expected) if expected else None,
        share(flow.estimated_min / known) if known else None,
        found.reason,
    )  # fmt: skip


def unit_of(access: Access, flow: Flow) -> Unit:
    """Give the unit in which people read a flow."""
    return access.registry().commodities[flow.commodity].display_unit(flow.quantity)


def bounds_of(found: Interval, unit: Unit) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Give low, best and high in a unit; None where no interval can be given."""
    low, best, high = (None if one is None else unit.to_decimal(one) for one in (found.low, found.best, found.high))
    return low, best, high


def trials(
    access: Access, place: str, span: Span, *, shares: list[float], level: float, times: int, seed: int, tz: ZoneInfo
) -> list[tuple[Flow, Calibration]]:
    """Hide measured meters of each flow at random and see whether the interval holds the truth.

    Raises UsageError for a share or a number of trials out of range.
    """
    if not 1 <= times <= MOST_TRIALS or not all(0 < one < 1 for one in shares):
        raise UsageError(
            "wants shares between 0 and 1, and 1 to 10000 trials.", code="bad_trials", remedy="Try --hide 0.05,0.2."
        )
    days, first, last = place_days(access, place, span, None, tz)
    out: list[tuple[Flow, Calibration]] = []
    for flow in flows_of(days, first, last):
        for way in WAYS:
            for one in shares:
                found = calibrate(flow.groups, way=way, share=one, level=level, trials=times, seed=seed)
                out.append((flow, found))
    return out
