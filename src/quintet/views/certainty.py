"""How certain the totals of a place are: bounds for each metered flow over days, or the part of them that is over."""

import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.access import Access, PlaceDays
from quintet.access.cell_sums import PlaceCells, cells_of_days, place_cells
from quintet.access.coding import coded
from quintet.access.flows import Amounts
from quintet.ledger.calibration import WAYS, Calibration, calibrate
from quintet.ledger.meter_cells import Ints, Mask, MeterCells
from quintet.ledger.uncertainty import Drawn, check_level, draw, numbers
from quintet.terms.errors import UsageError
from quintet.terms.length import DAY_US
from quintet.terms.period import Span, day_start, from_us, local_day, to_us
from quintet.terms.unit import Unit

from .answers import CertainTotal, Certainty
from .series import share

KIND = ("commodity", "quantity", "flow")
NARROW = ("owes", "known", "expected_min", "arrived_min", "estimated_min")
"""What a flow holds once for each cell."""
LONGEST_DAYS = 400
MOST_TRIALS = 10_000
NOBODY = "no meter of it was wholly measured at any time"


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow of one carrier at a place over the cells that were read.

    `groups` are its meters in groups of one level of places, of which `renewable` tells which are of renewable plants;
    `known` and the minutes are sums [cells].
    """

    commodity: str
    quantity: str
    flow: str
    groups: list[MeterCells]
    renewable: list[bool]
    owes: Mask
    known: Amounts
    expected_min: Ints
    arrived_min: Ints
    estimated_min: Ints
    edges_us: Ints

    @property
    def kind(self) -> tuple[str, str, str]:
        """Give commodity, quantity and flow."""
        return self.commodity, self.quantity, self.flow

    def inside(self, start_us: int, end_us: int) -> Mask:
        """Name the cells [cells] of a stretch."""
        return np.asarray((self.edges_us[:-1] >= start_us) & (self.edges_us[1:] <= end_us), np.bool_)

    def cut(self, cells: slice) -> "Flow":
        """Give fewer cells."""
        count = len(self.edges_us) - 1
        first, end, _ = cells.indices(count)
        narrow = {name: getattr(self, name)[cells] for name in NARROW}
        groups = [one.cut(cells) for one in self.groups]
        return replace(self, groups=groups, edges_us=self.edges_us[first : end + 1], **narrow)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was drawn of a flow in a stretch, and the part of it of which the draws speak: the rest is not over yet.

    `renewable` are draws of what the renewable part is above what is known of it.
    """

    drawn: Drawn
    renewable: Drawn | None
    start_us: int
    end_us: int


def place_certainty(
    access: Access, place: str, span: Span, *, level: float, known_at: datetime | None, tz: ZoneInfo
) -> Certainty:
    """Give each flow's total over local days with its interval.

    Raises UsageError for a span that is too long or a level that is none, NotFound for a place that is none.
    """
    check_days(span, tz)
    check_level(level)
    cells = place_cells(access, place, span, numbers()["margin_days"], known_at)
    rows = [_row(access, flow, place, span.start_us, span.end_us, level, tz) for flow in flows_of(cells)]
    rows = [row for row in rows if row is not None]
    start, end = (moment.astimezone(tz) for moment in (span.start, span.end))
    return Certainty(place, start, end, level, cells.known_at.astimezone(tz), cells.rule_set, rows)


def certain_totals(
    access: Access, days: PlaceDays, stretches: Sequence[tuple[date, date]], place: str, level: float
) -> list[list[CertainTotal]]:
    """Give each flow's total over stretches of days, both ends included, with its interval; `days` hold all of them.

    Each stretch is judged by its own days and by those of the margin around it, as if these alone had been read.
    """
    tz, margin = access.registry().tz, numbers()["margin_days"]

    def row(flow: Flow, first: date, last: date) -> CertainTotal | None:
        low, high = (to_us(day_start(day, tz)) for day in (first, last + timedelta(days=1)))
        begin, end = (first - days.first).days - margin, (last - days.first).days + margin + 1
        return _row(access, flow.cut(slice(max(begin, 0), end)), place, low, high, level, tz)

    out: list[list[CertainTotal]] = [[] for _ in stretches]
    with ThreadPoolExecutor() as pool:  # sums over many meters hold no other thread up
        for flow in flows_of(cells_of_days(access.registry(), days)):
            found = pool.map(partial(row, flow), *zip(*stretches, strict=True)) if stretches else ()
            for rows, one in zip(out, found, strict=True):
                rows.extend(() if one is None else (one,))
    return out


def check_days(span: Span, tz: ZoneInfo) -> None:
    """Refuse a span that cuts days or is too long."""
    first, after = local_day(span.start, tz), local_day(span.end, tz)
    if (day_start(first, tz), day_start(after, tz)) != (span.start, span.end):
        raise UsageError(
            "the range cuts a day.", code="range_cuts_days", place="from", remedy="Give days or months, as 2025-10."
        )
    if (after - first).days > LONGEST_DAYS:
        raise UsageError(
            f"that is more than {LONGEST_DAYS} days.", code="range_too_long", place="to", remedy="Ask for a year."
        )


def place_days(
    access: Access, place: str, span: Span, known_at: datetime | None, tz: ZoneInfo
) -> tuple[PlaceDays, date, date]:
    """Read the days of a span with the margin that tells levels; give them with the span's first and last day."""
    check_days(span, tz)
    first, last = local_day(span.start, tz), local_day(span.end, tz) - timedelta(days=1)
    margin = timedelta(days=numbers()["margin_days"])
    return access.place_days(place, first - margin, last + margin, known_at), first, last


def whole_total(values: Amounts) -> int:
    """Sum whole numbers exactly, however large."""
    if values.dtype == object:
        return sum(int(value) for value in values.ravel())
    high, low = values >> 32, values & 0xFFFF_FFFF
    return int(high.sum()) * 2**32 + int(low.sum())


def flows_of(cells: PlaceCells) -> Iterator[Flow]:
    """Lay out each carrier's flows in order of their names; meters are alike that stand at one level of places."""
    code, said = coded(cells.rows, (*KIND, "renewable", "level"))
    size = cells.rows["floor_area_m2"].to_numpy(zero_copy_only=False).astype(np.float64)
    days = np.diff(cells.edges_us) / DAY_US
    members: dict[tuple[str, str, str], dict[tuple[bool, str], npt.NDArray[np.intp]]] = {}
    for at, (*kind, renewable, level) in enumerate(said):
        commodity, quantity, flow = kind
        members.setdefault((commodity, quantity, flow), {})[renewable, level] = np.flatnonzero(code == at)
    nothing = np.zeros(len(days), np.bool_)
    for kind in sorted(members):
        groups: list[MeterCells] = []
        every = np.sort(np.concatenate(list(members[kind].values())))
        for _, rows in sorted(members[kind].items()):
            value = np.asarray(cells.value[rows], np.int64)
            wide = (cells.due[rows], cells.whole[rows], cells.estimated[rows])
            groups.append(MeterCells(value, *wide, nothing, days, size[rows]))
        expected, arrived, estimated = (
            part[every].sum(axis=0) for part in (cells.expected_min, cells.arrived_min, cells.estimated_min)
        )
        owes = np.asarray((cells.owes[every] & cells.whole[every]).any(axis=0), np.bool_)
        known = cells.value[every].astype(object).sum(axis=0) if cells.value.dtype == object else _exact(cells, every)
        green = [one for one, _ in sorted(members[kind])]
        yield Flow(*kind, groups, green, owes, known, expected, arrived, estimated, cells.edges_us)


def _exact(cells: PlaceCells, rows: Ints) -> Amounts:
    """Sum meters by cell, in Python integers where 64 bits may not hold it."""
    value = cells.value[rows]
    fits = float(np.abs(value.astype(np.float64)).sum()) < 2.0**62
    return value.sum(axis=0) if fits else value.astype(object).sum(axis=0)


def spoken(flow: Flow, start_us: int, end_us: int, level: float, seed: int) -> Spoken | None:
    """Draw a flow's total in a stretch, of the part of it in which meters of it were wholly measured; None: none owed.

    The levels of meters are told by the cells of the stretch and some weeks around it.
    """
    inside = flow.inside(start_us, end_us)
    due = np.any([one.due[:, inside].any(axis=0) for one in flow.groups], axis=0)
    if not due.any():
        return None
    at = np.flatnonzero(inside)
    whole = at[flow.owes[at]]
    owing = at[flow.expected_min[at] > 0]
    low, high = start_us, end_us
    if len(owing):
        first, last = (whole[0], whole[-1]) if len(whole) else (owing[0], owing[0] - 1)
        low = start_us if first <= owing[0] else int(flow.edges_us[first])
        high = end_us if last >= owing[-1] else int(flow.edges_us[last + 1])
    margin = numbers()["margin_days"] * DAY_US
    cut = slice(
        int(np.searchsorted(flow.edges_us, start_us - margin)),
        max(int(np.searchsorted(flow.edges_us, end_us + margin, side="right")) - 1, int(at[-1]) + 1),
    )
    own = flow.inside(low, high)
    groups = [one.within(own).cut(cut) for one in flow.groups]
    drawn = draw(groups, level, seed)
    if len(owing) and not len(whole):
        drawn = Drawn(0, 0, None, drawn.unknown, drawn.meters, NOBODY)
    green = [one for one, renewable in zip(groups, flow.renewable, strict=True) if renewable]
    if not green:
        return Spoken(drawn, None, low, high)
    part = drawn if len(green) == len(groups) else draw(green, level, seed)
    return Spoken(drawn, part, low, high)


def seed_of(*words: str) -> int:
    """Give the same seed for the same question."""
    return zlib.crc32("/".join(words).encode())


def _row(
    access: Access, flow: Flow, place: str, start_us: int, end_us: int, level: float, tz: ZoneInfo
) -> CertainTotal | None:
    unit = unit_of(access, flow)
    found = spoken(flow, start_us, end_us, level, seed_of(place, *flow.kind))
    if found is None:
        return None
    inside = flow.inside(start_us, end_us)
    total = whole_total(flow.known[inside])
    expected, arrived, estimated = (
        int(part[inside].sum()) for part in (flow.expected_min, flow.arrived_min, flow.estimated_min)
    )
    known = arrived + estimated
    low, best, high = bounds_of(found.drawn, total, level)
    said = [None if one is None else unit.to_decimal(one) for one in (low, best, high)]
    since, until = (from_us(one).astimezone(tz) for one in (found.start_us, found.end_us))
    return CertainTotal(
        flow.commodity, flow.flow, unit.code, unit.to_decimal(total) if known else None,
        said[0], said[1], said[2],
        unit.to_decimal(found.drawn.measured), found.drawn.meters, found.drawn.unknown,
        share(min(arrived / expected, 1.0)) if expected else None, share(estimated / known) if known else None,
        found.drawn.reason, since, until,
    )  # fmt: skip


def unit_of(access: Access, flow: Flow) -> Unit:
    """Give the unit in which people read a flow."""
    return access.registry().commodities[flow.commodity].display_unit(flow.quantity)


def bounds_of(drawn: Drawn, total: int, level: float) -> tuple[int | None, int | None, int | None]:
    """Give low, best and high of a total, sub-units, of which `total` is known; None where no interval can be given."""
    if drawn.extra is None:
        return None, None, None
    low, best, high = np.quantile(drawn.extra, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return total + int(np.floor(low)), total + round(float(best)), total + int(np.ceil(high))


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
    check_days(span, tz)
    cells = place_cells(access, place, span, numbers()["margin_days"])
    out: list[tuple[Flow, Calibration]] = []
    for flow in flows_of(cells):
        inside = flow.inside(span.start_us, span.end_us)
        groups = [one.within(inside) for one in flow.groups]
        if not any((one.due & inside).any() for one in groups):
            continue
        for way in WAYS:
            for one in shares:
                found = calibrate(groups, way=way, share=one, level=level, trials=times, seed=seed)
                out.append((flow, found))
    return out
