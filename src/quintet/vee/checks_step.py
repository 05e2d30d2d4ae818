"""Q01, Q02: a meter counts in steps; what was scaled, shifted or made up behind it falls off them.

A step shows in single amounts; or, where a register's readings were shared over intervals by time, in what was used
from one rest to the next: there the register stood on a whole number. And where a logger gives the mean of whole watts
read every minute, amounts are sixtieths of a watt-hour.
"""

import math
from fractions import Fraction

import numpy as np

from .beside import Beside
from .block import Ints, Mask
from .checks import Settings, Slab
from .found import Found
from .local_days import Days, enough_before, in_columns, summed, sums_before

LONG_DAYS = 3
"""Few amounts a day say little; those of some days in a row say more."""
MINUTES = 60
WHOLE = 1000
"""Sub-units in a watt-hour, and in a litre."""
LARGEST = np.iinfo(np.int64).max


def other_step(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """Q01: days whose amounts are no whole numbers of the step that the meter counted in, or of a coarser one only.

    A meter counts in steps: pulses of 10 Wh, litres. A day's step is the greatest common divisor of its amounts and
    those of the two days before it; the meter's is the one that most days of the `history` before had, at least
    `fewest` of them, each with `values` amounts that are not zero. Steps under `least` are no steps but rounding. A day
    is off it when at least `share` of its amounts are (a reading that was missed halves two of them). Where single
    amounts have no step, those between rests are looked at in the same way. A day, or three, of `many` amounts or more
    are coarser when chance alone, by the share of the amounts before that are whole numbers of that coarser step, would
    do it less often than `chance`.
    """
    del beside
    hit, judged = _off_step(slab.value, slab.days, settings)
    rest = np.flatnonzero(~judged)
    if len(rest) and slab.days:
        whole = between_rests(slab.value[rest], slab.judged[rest])
        hit[rest], judged[rest] = _off_step(whole, slab.days, settings)
    return Found(in_columns(hit, slab.days), judged)


def _off_step(value: Ints, days: Days, settings: Settings) -> tuple[Mask, Mask]:
    """Mark the days (k x days) that are off their row's step or coarser, and the rows that have one."""
    history, fewest, share = int(settings["history"]), int(settings["fewest"]), settings["share"]
    step, amounts = day_steps(value, days)
    some, held = together(step, amounts)
    known = held >= int(settings["values"])
    hit, judged = np.zeros(step.shape, np.bool_), np.zeros(len(step), np.bool_)
    for d in range(fewest, step.shape[1]):
        past = slice(max(d - history, 0), d)
        usual, sure = _usual(some[:, past], known[:, past], fewest)
        sure &= usual >= int(settings["least"])
        judged |= sure
        sure &= amounts[:, d] > 0
        off = (value[:, slice(*days[d])] % np.maximum(usual, 1)[:, None] != 0).sum(axis=1)
        hit[:, d] |= sure & (off > 0) & (off * share.denominator >= amounts[:, d] * share.numerator)
        for span in (1, LONG_DAYS):
            own = slice(max(d + 1 - span, 0), d + 1)
            joint, size = np.gcd.reduce(step[:, own], axis=1), amounts[:, own].sum(axis=1)
            coarse = sure & (joint > usual) & (size >= int(settings["many"])) & (joint % np.maximum(usual, 1) == 0)
            before = slice(days[past.start][0], days[own.start][0])
            for row in np.flatnonzero(coarse).tolist():
                hit[row, own] |= _unlikely(value[row, before], int(joint[row]), int(size[row]), settings)
    return hit, judged


def _usual(step: Ints, known: Mask, fewest: int) -> tuple[Ints, Mask]:
    """Give the step that most of the known days have, and whether most do, `fewest` of them at least."""
    count = known.sum(axis=1)
    ordered = np.sort(np.where(known, step, LARGEST), axis=1)
    usual = ordered[np.arange(len(step)), np.maximum(count - 1, 0) // 2]
    same = ((step == usual[:, None]) & known).sum(axis=1)
    return usual, (same >= fewest) & (2 * same > count)


def _unlikely(before: Ints, step: int, held: int, settings: Settings) -> bool:
    """Tell whether so many amounts are whole numbers of a step less often than by `chance`, judged by those before."""
    used = before[before != 0]
    fits, count = int((used % step == 0).sum()) + 1, len(used) + 2
    chance = settings["chance"]
    return fits**held * chance.denominator < count**held * chance.numerator


def between_rests(value: Ints, judged: Mask) -> Ints:
    """Give what was used from one rest to the next, in the interval that ends it: all else is zero.

    What is not known whole is left out: where an interval is missing, or no rest comes before or after.
    """
    idle = (value == 0) & judged
    ends = ~idle & np.pad(idle[:, 1:], ((0, 0), (0, 1)))
    place = np.maximum.accumulate(np.where(idle, np.arange(value.shape[1]), -1), axis=1)
    total, missing = np.cumsum(value, axis=1), np.cumsum(~judged, axis=1)
    since = np.maximum(place, 0)
    ends &= (place >= 0) & (missing == np.take_along_axis(missing, since, axis=1))
    return np.where(ends, total - np.take_along_axis(total, since, axis=1), 0)


def other_fraction(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """Q02: days of too few whole, or sixtieths of, watt-hours (or litres), where most amounts are such.

    A logger that reads whole watts every minute and gives the mean of an hour, or of a quarter, gives sixtieths; not
    all are, for minutes that it missed leave others. Whole ones may be off by a sub-unit of rounding. Of `history` days
    before, `fewest` at least and `values` amounts or more, more than half must be such; a day fails where its share is
    under that of each of them, and chance by their share gives so few less often than `chance`.
    """
    del beside
    hit, judged = np.zeros((len(slab.value), len(slab.days)), np.bool_), np.zeros(len(slab.value), np.bool_)
    used = slab.value != 0
    count = summed(np.add, used.astype(np.int64), slab.days)
    for parts in (1, MINUTES):
        fit = summed(np.add, (used & fits_parts(slab.value, parts)).astype(np.int64), slab.days)
        more, known = _too_few(fit, count, settings)
        hit |= more
        judged |= known
    return Found(in_columns(hit, slab.days), judged)


def _too_few(fit: Ints, count: Ints, settings: Settings) -> tuple[Mask, Mask]:
    """Mark the days (k x days) of which too few amounts fit, and the rows of which so much can be said."""
    history = int(settings["history"])
    fits, counts = sums_before(fit, history), sums_before(count, history)
    known = enough_before(count > 0, history) >= int(settings["fewest"])
    known &= (counts >= int(settings["values"])) & (2 * fits > counts) & (count > 0)
    hit = np.zeros(known.shape, np.bool_)
    for row, day in zip(*np.nonzero(known & (2 * fit * counts < fits * count)), strict=True):
        before = slice(max(day - history, 0), day)
        less = fit[row, day] * count[row, before] < fit[row, before] * count[row, day]
        odds = (int(fits[row, day]), int(counts[row, day]) + 2)
        if (less | (count[row, before] == 0)).all():
            hit[row, day] = _few(int(fit[row, day]), int(count[row, day]), odds, settings["chance"])
    return hit, np.asarray(known.any(axis=1), np.bool_)


def _few(fit: int, count: int, odds: tuple[int, int], chance: Fraction) -> bool:
    """Tell whether at most `fit` of `count` draws come less often than by `chance`, each with odds of a in b."""
    yes, no = odds[0], odds[1] - odds[0]
    ways = sum(math.comb(count, k) * yes**k * no ** (count - k) for k in range(fit + 1))
    return ways * chance.denominator < odds[1] ** count * chance.numerator


def fits_parts(value: Ints, parts: int) -> Mask:
    """Mark amounts that are whole parts of a watt-hour (of a litre) but for the rounding to a sub-unit."""
    over = value * parts % WHOLE
    return np.minimum(over, WHOLE - over) <= max(parts // 2, 1)


def together(step: Ints, amounts: Ints) -> tuple[Ints, Ints]:
    """Put each day (k x days) together with the LONG_DAYS - 1 before it: their common step, and their amounts."""
    joint, size = step.copy(), amounts.copy()
    for back in range(1, LONG_DAYS):
        joint[:, back:] = np.gcd(joint[:, back:], step[:, :-back])
        size[:, back:] += amounts[:, :-back]
    return joint, size


def day_steps(value: Ints, days: Days) -> tuple[Ints, Ints]:
    """Give the greatest common divisor of each whole day's amounts (k x days), and how many of them are not zero."""
    return summed(np.gcd, np.abs(value), days), summed(np.add, (value != 0).astype(np.int64), days)
