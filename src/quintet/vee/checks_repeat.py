"""R01: the readings of a day, or of hours, sent once more a day or a week later."""

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

    Counted are values that are not zero and differ from the one before them. Of those in the `history` before, a share
    recurred; that all of a run recur by chance must be rarer than `chance`, and the run longer than `ratio` times the
    longest one before. A run needs `fewest` days before it.
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
    same = np.zeros(slab.value.shape, np.bool_)
    same[:, lag:] = (slab.value[:, lag:] == slab.value[:, :-lag]) & slab.judged[:, lag:] & slab.judged[:, :-lag]
    told, again = _counts(telling), _counts(telling & same)
    row, first, last = spans(same, 2)
    length = again[row, last + 1] - again[row, first]
    fewest, history = int(settings["fewest"]) * each, int(settings["history"]) * each
    keep = np.zeros(len(row), np.bool_)
    edges = np.searchsorted(row, np.arange(len(slab.value) + 1))
    chance = settings["chance"]
    # the rarest that anything can be after so many days: what is shorter cannot be unlikely enough
    least = max(chance.denominator.bit_length() // max(int(history).bit_length(), 1), 2)
    for at in np.flatnonzero((length >= least) & (first >= fewest)).tolist():
        own, start, held = int(row[at]), int(first[at]), int(length[at])
        since = max(start - history, 0)
        before = slice(int(edges[own]), at)
        longest = int(length[before][last[before] >= since].max(initial=0))
        recurred = int(again[own, start] - again[own, since]) + 1
        count = int(told[own, start] - told[own, since]) + 2
        rare = recurred**held * chance.denominator < count**held * chance.numerator
        keep[at] = rare and held > settings["ratio"] * longest
    return row[keep], first[keep], last[keep]


def _counts(mask: Mask) -> Ints:
    """Count the marked columns before each, and all of them last."""
    return np.cumsum(np.pad(mask, ((0, 0), (1, 0))), axis=1, dtype=np.int64)
