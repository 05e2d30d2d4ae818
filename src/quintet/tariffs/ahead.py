"""Use of days to come, from the days behind: by degree days where temperatures are known, else by like days.

Also what follows from such a forecast: the day by whose end a limit is passed, and the range of a sum of utilities.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from .by_degrees import Degrees, by_degrees
from .days_ahead import EIGHT_TENTHS, Ahead, Mask, Past, Values, limits
from .like_days import by_like_days

__all__ = ["EIGHT_TENTHS", "Ahead", "Degrees", "Past", "ahead_of", "day_passed", "limits", "together"]


def ahead_of(value: Values, sure: Mask, rest: Mask, rest_ahead: Mask, degrees: Degrees | None = None) -> Ahead | None:
    """Forecast the days ahead (True: a day of rest) from the days behind; None where too few of those are known."""
    if int(sure.sum()) < limits()["days_behind"]:
        return None
    behind = Past(value, sure, rest)
    found = None if degrees is None else by_degrees(behind, rest_ahead, degrees)
    return found or by_like_days(behind, rest_ahead)


def day_passed(ahead: Ahead, first: date, used: float, limit: float) -> date | None:
    """Give the day from `first`, the first one ahead, by whose end more than a limit is used; None: not within them.

    `used` is that of the days before `first`; both are in sub-units.
    """
    beyond = np.flatnonzero(used + np.cumsum(np.array(ahead.by_day)) > limit)
    return first + timedelta(days=int(beyond[0])) if len(beyond) else None


def together(ends: Sequence[tuple[float, Ahead]]) -> float:
    """Give how far the sum of several utilities' amounts reaches to one end of its range.

    `ends` says of each how far its own amount does (0 or more, in one unit, such as won), all on one side and of the
    same days of one place. The weather moves utilities together, each by its own slopes; what is a home's own is taken
    as independent. Of a forecast that does not know what of its range is weather, the reach is added in full.
    """
    added, own, weather = 0.0, 0.0, np.zeros(1)
    for off, ahead in ends:
        pull = None if ahead.pull is None else np.array(ahead.pull)
        variance = 0.0 if pull is None else ahead.own + float(pull @ pull)
        if pull is None or variance == 0:
            added += off
            continue
        own += off**2 * ahead.own / variance
        weather = weather + off / np.sqrt(variance) * pull
    return added + float(np.sqrt(own + weather @ weather))
