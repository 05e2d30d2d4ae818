"""The rhythm of days: workdays, Saturdays, Sundays and Korean holidays, and each interval's hour on the clock."""

from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.terms.catalogue import check_keys, read_toml

from .plan import CADENCE_MIN, Ints

DAY_TYPES = ("workday", "saturday", "sunday")


@cache
def _holidays() -> tuple[frozenset[str], frozenset[str]]:
    """Give the fixed holidays (MM-DD) and the dated ones (YYYY-MM-DD)."""
    table = read_toml("quintet.simulate", "holidays.toml")
    check_keys(table, required={"source", "date", "every_year", "years"}, optional=set(), place="holidays")
    dated = frozenset(f"{year}-{day}" for year, days in table["years"].items() for day in days)
    return frozenset(table["every_year"]), dated


def is_holiday(day: date) -> bool:
    """Say whether Korea keeps a public holiday on that day (Sundays not counted)."""
    fixed, dated = _holidays()
    return f"{day:%m-%d}" in fixed or day.isoformat() in dated


def day_type(day: date) -> int:
    """Give the index in DAY_TYPES: holidays keep Sunday's rhythm."""
    if day.weekday() == 6 or is_holiday(day):
        return 2
    return 1 if day.weekday() == 5 else 0


def clock_slots(starts_us: Ints, zone: ZoneInfo) -> npt.NDArray[np.intp]:
    """Give each interval's quarter hour on the local clock, 0..95; a repeated hour repeats its slots."""
    out = np.empty(len(starts_us), np.intp)
    for i, start in enumerate(starts_us.tolist()):
        local = datetime.fromtimestamp(start // 1_000_000, UTC).astimezone(zone)
        out[i] = (local.hour * 60 + local.minute) // CADENCE_MIN
    return out
