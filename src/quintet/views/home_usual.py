"""What is usual at a home: the median of like days of the last weeks up to the same hour, of trusted readings only.

A day is like today when both are working days, or both days of rest (Saturday, Sunday, public holiday). It counts up to
an hour only where every interval before it was measured and is not doubted: an estimate of today must not be compared
with an estimate of then. Days of 23 or 25 hours are left out.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.access import Access
from quintet.terms.holidays import holidays_of
from quintet.terms.length import DAY_MIN
from quintet.terms.period import Span, day_start
from quintet.terms.quality import qualities
from quintet.terms.unit import Unit

from .home_limits import home_limits
from .home_services import EDITED, TRUSTED, Service

WORKING, REST = "working_day", "day_of_rest"
SATURDAY = 5
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
TRUSTED_IDS = pa.array([qualities()[code].id for code in sorted({*TRUSTED, EDITED})], pa.uint8())


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual course of one utility over a local day of a kind: only what is asked for, as it is kept of many homes.

    `medians` [n] is the median use from midnight to the end of each of the day's periods, `counts` [n] of how many
    trusted days, `by_hour` [24] the median of each hour (nothing of utilities read less often); sub-units.
    """

    minutes: int
    unit: Unit
    medians: Ints
    counts: npt.NDArray[np.uint8]
    by_hour: Ints

    @classmethod
    def of(cls, minutes: int, unit: Unit, days: Ints, sure: Mask) -> "Usual":
        """Take medians: `days` [d, n] is use by period, sub-units; `sure` [d, n]: all until there is known."""
        steps = 60 // minutes if minutes <= 60 else 0
        hours = np.zeros(0, np.int64)
        if steps:
            summed = days.reshape(len(days), DAY_MIN // 60, steps).sum(axis=2)
            hours = _medians(summed, sure[:, steps - 1 :: steps])
        so_far = _medians(days.cumsum(axis=1), sure)
        return cls(minutes, unit, so_far, sure.sum(axis=0).astype(np.uint8), hours)

    def until(self, minutes: int) -> tuple[Decimal | None, int]:
        """Give the median use from midnight to so many minutes, and of how many days; None where they are too few."""
        count = min(minutes // self.minutes, len(self.counts))
        if count == 0:
            return None, 0
        return self._said(self.medians[count - 1], self.counts[count - 1]), int(self.counts[count - 1])

    @property
    def hours(self) -> list[Decimal | None]:
        """The median use of each of 24 hours; of utilities read less often nothing."""
        steps = 60 // self.minutes if self.minutes <= 60 else 0
        if not steps:
            return [None] * (DAY_MIN // 60)
        ends = self.counts[steps - 1 :: steps]
        return [self._said(value, count) for value, count in zip(self.by_hour, ends, strict=True)]

    def _said(self, median: np.int64, count: np.uint8) -> Decimal | None:
        return self.unit.to_decimal(int(median)) if count >= home_limits()["usual_days_needed"] else None


def _medians(sums: Ints, sure: Mask) -> Ints:
    """Give the median [n] of the days [d, n] that are sure, rounded towards zero; 0 where none is."""
    count = sure.sum(axis=0)
    if not len(sums):
        return np.zeros(sums.shape[1], np.int64)
    ordered = np.sort(np.where(sure, sums, np.iinfo(np.int64).max), axis=0)
    at, columns = np.maximum(count, 1), np.arange(sums.shape[1])
    low, high = ordered[(at - 1) // 2, columns], ordered[at // 2, columns]
    middle = np.where(at % 2 == 1, low, (low.astype(np.float64) + np.where(at % 2 == 1, low, high)) / 2)
    return np.where(count > 0, middle, 0).astype(np.int64)


def kind_of(day: date, tz: ZoneInfo) -> str:
    """Say whether a day is a working day or one of rest, by the calendar of the city's clock."""
    return REST if day.weekday() >= SATURDAY or day in holidays_of(tz.key) else WORKING


def usual_of(access: Access, service: Service, today: date, tz: ZoneInfo, since: date | None = None) -> Usual:
    """Read the days before today that are like it; none before `since`."""
    kind = kind_of(today, tz)
    back = [today - timedelta(days=at) for at in range(home_limits()["usual_days_back"], 0, -1)]
    seen = [day for day in back if since is None or day >= since]
    periods = DAY_MIN // service.minutes
    if not seen:
        none = np.zeros((0, periods), np.int64), np.zeros((0, periods), np.bool_)
        return Usual.of(service.minutes, service.unit, *none)
    starts = np.array([day_start(day, tz).timestamp() for day in [*seen, today]])
    use, sure = _read(access, service, Span(day_start(seen[0], tz), day_start(today, tz)))
    first = np.concatenate([[0], np.cumsum(np.rint(np.diff(starts) / (60 * service.minutes)).astype(int))])
    like = [at for at, day in enumerate(seen) if kind_of(day, tz) == kind and first[at + 1] - first[at] == periods]
    days = np.array([use[first[at] : first[at + 1]] for at in like], np.int64).reshape(len(like), periods)
    known = np.array([sure[first[at] : first[at + 1]] for at in like], np.bool_).reshape(len(like), periods)
    return Usual.of(service.minutes, service.unit, days, np.logical_and.accumulate(known, axis=1))


def _read(access: Access, service: Service, span: Span) -> tuple[Ints, Mask]:
    """Give use and trust of every interval of a span, the channels added up."""
    total: Ints | None = None
    sure: Mask | None = None
    expected: Mask | None = None
    for name in service.channels:
        series = access.series(name, span, service.resolution)
        value = pc.fill_null(series["value"].cast(pa.int64()), 0).to_numpy()
        due = pc.is_valid(series["coverage"]).to_numpy(zero_copy_only=False)
        fine = pc.and_(pc.equal(series["coverage"], 1.0), pc.equal(series["estimated_share"], 0.0))
        fine = pc.fill_null(pc.and_(fine, pc.is_in(series["quality"], value_set=TRUSTED_IDS)), fill_value=False)
        trusted = fine.to_numpy(zero_copy_only=False) | ~due
        total = value if total is None else total + value
        sure = trusted if sure is None else sure & trusted
        expected = due if expected is None else expected | due
    assert total is not None
    assert sure is not None
    assert expected is not None
    return total, sure & expected
