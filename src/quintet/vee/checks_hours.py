"""P01, S01, Z02: what no interval, or no such hour of the day, showed in the weeks before.

Days that a rule doubts itself do not widen its bound, for `hold` days: each day of a fault that goes on is named.
"""

from collections.abc import Callable

import numpy as np

from .apportion import times_floor
from .beside import Beside
from .block import Ints, Mask, spans
from .checks import Settings, Slab, at_least
from .found import Found, unjudged
from .local_days import days_in_use, enough_before, free_before, hours_in_columns, hours_of, most_before, summed


def higher_than_ever(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """P01: intervals of a whole day above `ratio` times the highest of the `history` days before; equal passes.

    At least `fewest` days before must have been in use. Under `floor` (an hour) nothing is high. A day doubted counts
    from `hold` days on.
    """
    del beside
    if not slab.days:
        return unjudged(len(slab.value))
    history, hold = int(settings["history"]), int(settings["hold"])
    highest, used = summed(np.maximum, slab.value, slab.days), days_in_use(slab)

    def bound(before: Ints, count: Ints) -> tuple[Mask, Ints]:
        known = (count >= int(settings["fewest"])) & (before > 0)
        least = at_least(settings["floor"], slab.cadence_us) - 1
        return known, np.maximum(times_floor(before, settings["ratio"]), least)

    known, limit = bound(most_before(highest, history), enough_before(used, history))
    doubted = known & (highest > limit)
    judged = np.asarray(known.any(axis=1), np.bool_)
    # rows in which no day is doubted have nothing to hold out
    rows = np.flatnonzero(doubted.any(axis=1))
    high, use, odd, bounds = highest[rows], used[rows], np.zeros_like(doubted[rows]), limit[rows]
    for day in range(len(slab.days)):
        past, free = free_before(odd, day, history, hold)
        most = np.where(free, high[:, past], 0).max(axis=1, initial=0)
        sure, bounds[:, day] = bound(most, (free & use[:, past]).sum(axis=1))
        odd[:, day] = sure & (high[:, day] > bounds[:, day])
    over = np.zeros(slab.value.shape, np.bool_)
    for row, day in zip(*np.nonzero(odd), strict=True):
        own = slice(*slab.days[day])
        over[rows[row], own] = slab.value[rows[row], own] > bounds[row, day]
    return Found(spans(over), judged)


def around(hours: Ints) -> Ints:
    """Give the most of each hour (the last axis) and the two beside it: nobody is on time to the minute."""
    out = hours.copy()
    out[..., 1:] = np.maximum(out[..., 1:], hours[..., :-1])
    out[..., :-1] = np.maximum(out[..., :-1], hours[..., 1:])
    return out


def more_at_this_hour(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """S01: `hours` or more of a day above `ratio` times the most of that hour, and those beside it, in `history` days.

    An hour needs `fewest` days before it, and as many that were in use. Under `floor` nothing is much. A day doubted
    counts from `hold` days on.
    """
    del beside
    found = hours_of(slab)
    if found is None:
        return unjudged(len(slab.value))
    value, whole = found
    used, floor = days_in_use(slab), int(-(-settings["floor"] // 1))

    def over(now: Ints, most: Ints) -> Mask:
        much: Mask = (now > times_floor(around(most), settings["ratio"])) & (now >= floor)
        return much

    def enough(much: Mask) -> Mask:
        return much & (much.sum(axis=-1) >= int(settings["hours"]))[..., None]

    return _by_hour(slab, (value, whole, used), settings, over, enough)


def zero_at_this_hour(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """Z02: `hours` or more in a row at zero of which none, nor one beside it, was at zero in the `history` days before.

    An hour needs `fewest` days before it. A day doubted counts from `hold` days on.
    """
    del beside
    found = hours_of(slab)
    if found is None:
        return unjudged(len(slab.value))
    value, whole = found
    zero = (whole & (value == 0)).astype(np.int64)

    def over(now: Ints, most: Ints) -> Mask:
        never: Mask = (now > 0) & (around(most) == 0)
        return never

    def enough(odd: Mask) -> Mask:
        row, first, last = spans(odd.reshape(-1, odd.shape[-1]), int(settings["hours"]))
        long = np.zeros((odd.size // odd.shape[-1], odd.shape[-1]), np.bool_)
        for at, low, high in zip(row.tolist(), first.tolist(), last.tolist(), strict=True):
            long[at, low : high + 1] = True
        return long.reshape(odd.shape)

    return _by_hour(slab, (zero, whole, None), settings, over, enough)


def _by_hour(
    slab: Slab,
    hours: tuple[Ints, Mask, Mask | None],
    settings: Settings,
    over: Callable[[Ints, Ints], Mask],
    enough: Callable[[Mask], Mask],
) -> Found:
    """Hold the hours of each day against the most of the days before, as far as those are not doubted themselves.

    `hours` are values, whether each was measured whole (both k x days x 24), and days in use where that counts; `over`
    says of values and the most before (... x 24) which hours are odd, `enough` leaves of these what makes a day odd.
    """
    value, whole, used = hours
    history, fewest, hold = (int(settings[name]) for name in ("history", "fewest", "hold"))
    known = whole & (enough_before(whole, history) >= fewest)
    if used is not None:
        known &= (enough_before(used, history) >= fewest)[:, :, None]
    judged = np.asarray(known.any(axis=(1, 2)), np.bool_)
    odd = enough(known & over(value, most_before(value, history)))
    # rows in which no day is doubted have nothing to hold out
    rows = np.flatnonzero(odd.any(axis=(1, 2)))
    now, sure, own = value[rows], whole[rows], np.zeros_like(odd[rows])
    use = np.ones(sure.shape[:2], np.bool_) if used is None else used[rows]
    for day in range(len(slab.days)):
        past, free = free_before(np.logical_or.reduce(own, axis=2), day, history, hold)
        most = np.where(free[:, :, None], now[:, past], 0).max(axis=1, initial=0)
        some = sure[:, day] & ((free[:, :, None] & sure[:, past]).sum(axis=1) >= fewest)
        some &= ((free & use[:, past]).sum(axis=1) >= (fewest if used is not None else 0))[:, None]
        own[:, day] = enough(some & over(now[:, day], most))
    odd[rows] = own
    return Found(hours_in_columns(odd, slab), judged)
