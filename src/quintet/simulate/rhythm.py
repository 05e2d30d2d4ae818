"""The rhythm of days: workdays, Saturdays, Sundays and Korean holidays, and each interval's hour on the clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.terms.holidays import holidays_of

from .plan import CADENCE_MIN, Ints

DAY_TYPES = ("workday", "saturday", "sunday")
KOREA = "Asia/Seoul"
"""The simulated city keeps Korea's holidays, whatever its clock."""


def is_holiday(day: date) -> bool:
    """Say whether Korea keeps a public holiday on that day (Sundays not counted)."""
    return day in holidays_of(KOREA)


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
