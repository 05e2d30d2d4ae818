"""R01: the readings of a day, or of hours, sent once more a day or a week later."""

import math
from fractions import Fraction

import numpy as np

from quintet.terms.period import HOUR_US

from .beside import Beside
from .block import Ints, Mask, spans
from .checks import Settings, Slab
from .found import Found, Spans, joined, unjudged
from .local_days import DAY_HOURS

LAGS = (1, 7)
"""Days after which readings are looked for again."""


def repeated(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """R01: values in a row that are those of a day, or of a week, before, more of them than chance allows.

    Counted are values that are not zero, differ from the one before them and can be compared: both moments were
    measured. What is compared in the `history` before a run must come to `fewest` days. That all of a run recur by
    chance must be rarer than `chance` in a whole day of this channel, and the run longer than `ratio` times the longest
    one before. One value recurs as often as any did in the history, as often as it was there, or as one of the steps
    that the run spans: whichever is most.
    """
    del beside
    each = DAY_HOURS * HOUR_US // slab.cadence_us
    if HOUR_US % slab.cadence_us or slab.value.shape[1] <= int(settings["fewest"]) * each:
        return unjudged(len(slab.value))
    telling = slab.judged & (slab.value != 0)
    telling[:, 1:] &= slab.value[:, 1:] != slab.value[:, :-1]
    parts = [_again(slab, telling, days * each, each, settings) for days in LAGS]
    return Found(joined(parts), np.ones(len(slab.value), np.bool_))


def _again(slab: Slab, telling: Mask, lag: int, each: int, settings: Settings) -> Spans:
    """Find the runs that recur after a lag."""
    both, same = np.zeros(slab.value.shape, np.bool_), np.zeros(slab.value.shape, np.bool_)
    both[:, lag:] = slab.judged[:, lag:] & slab.judged[:, :-lag]
    same[:, lag:] = (slab.value[:, lag:] == slab.value[:, :-lag]) & both[:, lag:]
    telling = telling & both
    known, told, again = _counts(both), _counts(telling), _counts(telling & same)
    row, first, last = spans(same, 2)
    length = again[row, last + 1] - again[row, first]
    since = np.maximum(first - int(settings["history"]) * each, 0)
    maybe = known[row, first] - known[row, since] >= int(settings["fewest"]) * each
    recurred, count = again[row, first] - again[row, since] + 1, told[row, first] - told[row, since] + 2
    # a day has as many places where a run may begin, for each lag
    chance = settings["chance"] / (each * len(LAGS))
    # a first look at what is anywhere near rare; the verdict is exact
    maybe &= length * np.log(count / recurred) > math.log(1 / chance) - 1
    keep, edges = np.zeros(len(row), np.bool_), np.searchsorted(row, np.arange(len(slab.value) + 1))
    for at in np.flatnonzero(maybe).tolist():
        own, start = int(row[at]), int(first[at])
        before = slice(int(edges[own]), at)
        longest = int(length[before][last[before] >= since[at]].max(initial=0))
        if length[at] > settings["ratio"] * longest:
            past, run = slice(int(since[at]), start), slice(start, int(last[at]) + 1)
            values = slab.value[own, run][telling[own, run]]
            keep[at] = _rare(values, slab.value[own, past][telling[own, past]], int(recurred[at]), chance)
    return row[keep], first[keep], last[keep]


def _rare(values: Ints, before: Ints, recurred: int, chance: Fraction) -> bool:
    """Tell whether values recur by chance less often than by `chance`; `recurred` - 1 of those before them did.

    What counts in coarse steps, or hardly moves, recurs by itself: of the steps between a run's least and most, each
    is as likely.
    """
    count = len(before) + 2
    step = int(np.gcd.reduce(np.concatenate([values, before])))
    steps = (int(values.max()) - int(values.min())) // step + 1
    ways = 1
    for value, times in zip(*np.unique(values, return_counts=True), strict=True):
        ways *= max(recurred, int((before == value).sum()) + 1, -(-count // steps)) ** int(times)
    return ways * chance.denominator < count ** len(values) * chance.numerator


def _counts(mask: Mask) -> Ints:
    """Count the marked columns before each, and all of them last."""
    return np.cumsum(np.pad(mask, ((0, 0), (1, 0))), axis=1, dtype=np.int64)
