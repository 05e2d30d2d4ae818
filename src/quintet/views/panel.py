"""A place's meters over two periods, side by side: what each used, and what is filled in where it was not heard.

Meters are joined by where and as what they count, so an exchange goes on. A day on which something of it was not heard
is taken as such a meter's own mean day of the same month of the OTHER period (else of all of that period, else of its
own): what is silent is taken to have changed nothing, so it can never look like progress. What was never heard at all
is filled by nothing, and counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from quintet.access import Access, PlaceDays
from quintet.terms.errors import UsageError
from quintet.terms.period import Span, day_start, local_day

KEY = ("place", "flow", "commodity", "quantity", "renewable")
RENEWABLE = 4
"""Where a key says that what it counts is renewable."""
MONTHS = 12
LONGEST_DAYS = 400
USE = ("consumption", "conversion_in")
"""Flows that take a carrier in."""
SIGNS: Mapping[str, int] = {
    "consumption": 1, "conversion_in": 1, "storage_charge": 1, "export": 1,
    "local_generation": -1, "conversion_out": -1, "storage_discharge": -1,
}  # fmt: skip
"""What is bought, where no import is metered: what is taken and sent out, less what is made here."""
IMPORT: Mapping[str, int] = {"import": 1}
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Carrier = tuple[str, str]
Key = tuple[str, str, str, str, bool]


@dataclass
class Line:
    """One meter's row by month of the year: the sum of its whole days, how many, days open, what was heard on those."""

    whole: list[int] = field(default_factory=lambda: [0] * MONTHS)
    days: list[int] = field(default_factory=lambda: [0] * MONTHS)
    open: list[int] = field(default_factory=lambda: [0] * MONTHS)
    partial: list[int] = field(default_factory=lambda: [0] * MONTHS)


@dataclass
class Daily:
    """One carrier's use by day, in sub-units, and the minutes behind it."""

    use: Floats
    expected: Ints
    arrived: Ints
    estimated: Ints

    def shares(self) -> tuple[Floats, Floats]:
        """Give the known share of each day's meter-time (at most 1), and the estimated share of what is known."""
        known = self.arrived + self.estimated
        share = np.where(self.expected > 0, known / np.maximum(self.expected, 1), np.where(known > 0, 1.0, 0.0))
        return np.minimum(share, 1.0), self.estimated / np.maximum(known, 1)


@dataclass
class Panel:
    """A place's meters over the whole local days of a span."""

    first: date
    last: date
    lines: dict[Key, Line] = field(default_factory=dict)
    daily: dict[Carrier, Daily] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    """On how many days a meter of use was owed at each place."""

    @property
    def days(self) -> int:
        """The number of local days."""
        return (self.last - self.first).days + 1

    def of(self, carrier: Carrier, flows: Iterable[str]) -> dict[Key, Line]:
        """Give the lines of a carrier's flows."""
        named = set(flows)
        return {key: line for key, line in self.lines.items() if (key[2], key[3]) == carrier and key[1] in named}


@dataclass(frozen=True, slots=True)
class Filled:
    """A carrier's signed sum in one period: as heard, with what was not heard filled in, and what stayed open."""

    heard: Fraction
    whole: Fraction
    open_days: int
    never_heard: int


def days_of(span: Span, tz: Any) -> tuple[date, date]:
    """Give the first and last local day of a span; raises UsageError for one that cuts a day or is too long."""
    first, after = local_day(span.start, tz), local_day(span.end, tz)
    if (day_start(first, tz), day_start(after, tz)) != (span.start, span.end):
        raise UsageError("the range cuts a day.", code="range_cuts_days", place="from", remedy="Give days or months.")
    if (after - first).days > LONGEST_DAYS:
        raise UsageError(f"that is more than {LONGEST_DAYS} days.", code="range_too_long", place="to")
    return first, after - timedelta(days=1)


def panel(access: Access, place: str, first: date, last: date) -> Panel:
    """Read a place's meters over local days, both included, a month at a time."""
    out = Panel(first, last)
    at = first
    while at <= last:
        end = min((at.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1), last)
        _add(out, access.place_days(place, at, end), at)
        at = end + timedelta(days=1)
    return out


def _add(out: Panel, found: PlaceDays, first: date) -> None:
    """Add one month's days, all rows at once; only the month's sums go row by row."""
    month, days = first.month - 1, slice((first - out.first).days, (first - out.first).days + found.value.shape[1])
    keys, group = _grouped(zip(*(found.rows[name].to_pylist() for name in KEY), strict=True))
    shape = (len(keys), found.value.shape[1])
    due, gone, value = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.zeros(shape, np.int64)
    np.logical_or.at(due, group, found.due)
    np.logical_or.at(gone, group, found.due & np.isnan(found.estimated))
    np.add.at(value, group, np.asarray(found.value, np.int64))
    sums = (np.where(gone, 0, value), due & ~gone, gone, np.where(gone, value, 0))
    for key, whole, known, lost, partial in zip(keys, *(one.sum(axis=1).tolist() for one in sums), strict=True):
        line = out.lines.setdefault(key, Line())
        line.whole[month] += whole
        line.days[month] += known
        line.open[month] += lost
        line.partial[month] += partial
    used = np.flatnonzero([key[1] in USE for key in keys])
    places, at = _grouped(keys[number][0] for number in used)
    owed = np.zeros((len(places), shape[1]), np.bool_)
    np.logical_or.at(owed, at, due[used])
    for place, count in zip(places, owed.sum(axis=1).tolist(), strict=True):
        out.places[place] = out.places.get(place, 0) + count
    for carrier in sorted({(keys[number][2], keys[number][3]) for number in used}):
        mine = np.flatnonzero([key[1] in USE and (key[2], key[3]) == carrier for key in keys])
        rows = np.isin(group, mine)
        daily = out.daily.setdefault(carrier, _empty(out.days))
        daily.use[days] += value[mine].sum(axis=0)
        daily.expected[days] += found.expected_min[rows].sum(axis=0)
        daily.arrived[days] += found.arrived_min[rows].sum(axis=0)
        daily.estimated[days] += found.estimated_min[rows].sum(axis=0)


def _grouped(names: Iterable[Any]) -> tuple[list[Any], npt.NDArray[np.intp]]:
    """Give the distinct names in order of appearance, and the number of each."""
    known: dict[Any, int] = {}
    numbers = [known.setdefault(name, len(known)) for name in names]
    return list(known), np.array(numbers, np.intp)


def _empty(days: int) -> Daily:
    return Daily(np.zeros(days), *(np.zeros(days, np.int64) for _ in range(3)))


def filled(
    own: Panel, other: Panel, carrier: Carrier, signs: Mapping[str, int], *, renewable_only: bool = False
) -> Filled:
    """Sum a carrier's flows over a period with their signs, and fill in what was not heard from the other period."""
    heard, whole, open_days, never = 0, Fraction(0), 0, 0
    theirs = other.of(carrier, signs)
    for key, line in own.of(carrier, signs).items():
        if renewable_only and not key[RENEWABLE]:
            continue
        sign = signs[key[1]]
        said = sum(line.whole) + sum(line.partial)
        heard += sign * said
        whole += sign * said
        if not any(line.open):
            continue
        open_days += sum(line.open)
        means = _means(theirs.get(key), line)
        if means is None:
            never += 1
            continue
        for month in range(MONTHS):
            # what came of a day that is not whole stands inside its mean
            whole += sign * max(means[month] * line.open[month] - line.partial[month], Fraction(0))
    return Filled(Fraction(heard), whole, open_days, never)


def _means(other: Line | None, own: Line) -> list[Fraction] | None:
    """Give a mean day of each month: the other period's month, else all of it, else the own month, else all own."""
    lines = [one for one in (other, own) if one is not None and any(one.days)]
    if not lines:
        return None
    out: list[Fraction] = []
    for month in range(MONTHS):
        line = next((one for one in lines if one.days[month]), None)
        if line is not None and line is lines[0]:
            out.append(Fraction(line.whole[month], line.days[month]))
        else:
            out.append(Fraction(sum(lines[0].whole), sum(lines[0].days)))
    return out
