"""P01, S01, Z02: what no interval, or no such hour of the day, showed in the weeks before."""

import numpy as np

from .apportion import times_floor
from .beside import Beside
from .block import Ints, Mask, spans
from .checks import Settings, Slab, at_least
from .found import Found, unjudged
from .local_days import days_in_use, enough_before, hours_in_columns, hours_of, most_before, summed


def higher_than_ever(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """P01: intervals of a whole day above `ratio` times the highest of the `history` days before; equal passes.

    At least `fewest` days before must have been in use. Under `floor` (an hour) nothing is high.
    """
    del beside
    if not slab.days:
        return unjudged(len(slab.value))
    history = int(settings["history"])
    highest = summed(np.maximum, slab.value, slab.days)
    known = enough_before(days_in_use(slab), history) >= int(settings["fewest"])
    before = most_before(highest, history)
    known &= before > 0
    limit = np.maximum(times_floor(before, settings["ratio"]), at_least(settings["floor"], slab.cadence_us) - 1)
    over = np.zeros(slab.value.shape, np.bool_)
    for row, day in zip(*np.nonzero(known & (highest > limit)), strict=True):
        own = slice(*slab.days[day])
        over[row, own] = slab.value[row, own] > limit[row, day]
    return Found(spans(over), np.asarray(known.any(axis=1), np.bool_))


def around(hours: Ints) -> Ints:
    """Give the most of each hour (the last axis) and the two beside it: nobody is on time to the minute."""
    out = hours.copy()
    out[..., 1:] = np.maximum(out[..., 1:], hours[..., :-1])
    out[..., :-1] = np.maximum(out[..., :-1], hours[..., 1:])
    return out


def more_at_this_hour(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """S01: `hours` or more of a day above `ratio` times the most of that hour, and those beside it, in `history` days.

    An hour needs `fewest` days before it, and as many that were in use. Under `floor` nothing is much.
    """
    del beside
    found = hours_of(slab)
    if found is None:
        return unjudged(len(slab.value))
    value, whole = found
    history = int(settings["history"])
    known = whole & (enough_before(whole, history) >= int(settings["fewest"]))
    known &= (enough_before(days_in_use(slab), history) >= int(settings["fewest"]))[:, :, None]
    before = around(most_before(value, history))
    over = known & (value > times_floor(before, settings["ratio"])) & (value >= int(-(-settings["floor"] // 1)))
    days = over.sum(axis=2) >= int(settings["hours"])
    return Found(hours_in_columns(over & days[:, :, None], slab), np.asarray(known.any(axis=(1, 2)), np.bool_))


def zero_at_this_hour(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """Z02: `hours` or more in a row at zero of which none, nor one beside it, was at zero in the `history` days before.

    An hour needs `fewest` days before it.
    """
    del beside
    found = hours_of(slab)
    if found is None:
        return unjudged(len(slab.value))
    value, whole = found
    history = int(settings["history"])
    known = whole & (enough_before(whole, history) >= int(settings["fewest"]))
    zero = whole & (value == 0)
    usual = around(most_before(zero.astype(np.int64), history)) > 0
    odd: Mask = known & zero & ~usual
    rows, days, hours = odd.shape
    row, first, last = spans(odd.reshape(rows * days, hours), int(settings["hours"]))
    long = np.zeros((rows * days, hours), np.bool_)
    for at, low, high in zip(row.tolist(), first.tolist(), last.tolist(), strict=True):
        long[at, low : high + 1] = True
    return Found(hours_in_columns(long.reshape(odd.shape), slab), np.asarray(known.any(axis=(1, 2)), np.bool_))
