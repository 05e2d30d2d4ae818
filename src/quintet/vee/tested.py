"""An estimator that asks a channel's own past which of the others to believe.

The same hours of the days before a gap (for a gap of more than a day: of the weeks before it, its first week if it is
longer) are looked at as if they were missing too; each way of filling them, and each two of them half and half, is held
against what was measured there. What erred least fills the gap. So a plant that runs evenly gets a line and a dwelling
its like days, whatever both are.
"""

from copy import copy
from dataclasses import replace

import numpy as np

from quintet.terms.length import DAY_US

from .blends import like_day_level
from .block import Gaps, Ints, Mask
from .groups import Span, by_span, part_of
from .guess import Asked, Guess
from .lines import across
from .past import Past
from .scale import apportioned, rounded
from .shapes import flat, like_day, like_day_median

WAYS = (like_day_level, like_day_median, like_day, across, flat)
"""What is tested; of those that err alike the first counts."""
PAIRS = [(one, other) for one in range(len(WAYS)) for other in range(one + 1)]
TESTS = 6
"""So many times at most the gap's hours are looked for in the past."""
OLDEST_DAYS = 62
"""Nothing before is looked at: as far as like days reach, and a commit reads."""
WEEK = 7
ROOM = 2**43
"""Amounts from here on say nothing: the sum of so many errors would not fit 64 bits."""
NEVER = np.iinfo(np.int64).max


def self_tested(asked: Asked) -> Guess:
    """Fill each gap by what erred least in the same hours of the channel's days before.

    Says nothing of a gap where no such hours were measured, or no way has anything to say.
    """
    return by_span(asked, _tested)


def _tested(asked: Asked, span: Span) -> tuple[Ints, Ints, Mask]:
    """Fill a span: k rows of the same columns."""
    own = part_of(asked.gaps, span.place)
    value, said = _ways(asked.pasts, own, span.length)
    error, tests = _errors(asked, span, own)
    most = tests.max(axis=0)
    one, other = (np.array(places) for places in zip(*PAIRS, strict=True))
    fine = (tests == most) & (most > 0) & said[one] & said[other]
    # a mean of as many tests each: the sums compare
    best = np.argmin(np.where(fine, error, NEVER), axis=0)
    row = np.arange(len(span.rows))
    top = value[one[best], row] + value[other[best], row]
    return top, np.full((1, 1), 2, np.int64), np.broadcast_to(fine.any(axis=0)[:, None], top.shape)


def _errors(asked: Asked, span: Span, own: Gaps) -> tuple[Ints, Ints]:
    """Give for each pair of ways (by row) the sum of its errors, doubled, over the tests, and how many there were."""
    error, tests = np.zeros((2, len(PAIRS), len(span.rows)), np.int64)
    past = asked.pasts[0]
    block, rows = past.block, past.own[span.rows]
    per_day = DAY_US // block.cadence_us
    length = min(span.length, WEEK * per_day)
    own = replace(own, length=np.full(len(rows), length, np.int32))
    days = -(-length // per_day)
    step = 1 if days <= 1 else WEEK
    oldest = block.first_day + int(block.day_of[span.first]) - OLDEST_DAYS
    pasts = [since(past, oldest) for past in asked.pasts]
    for back in range(1, TESTS + 1):
        first = span.first - back * step * per_day
        if first < 0 or block.first_day + int(block.day_of[first]) < oldest:
            break
        columns = slice(first, first + length)
        truth = block.value[rows, columns]
        known = asked.settings.used[block.quality[rows, columns]].all(axis=1) & (np.abs(truth) < ROOM).all(axis=1)
        then = replace(own, first=np.full(len(rows), first, np.int32), total=truth.sum(axis=1))
        value, said = _ways(pasts, then, length)
        for place, (one, other) in enumerate(PAIRS):
            fine = known & said[one] & said[other]
            error[place][fine] += _error(value[one] + value[other], truth, then)[fine]
            tests[place] += fine
    return error, tests


def _ways(pasts: list[Past], gaps: Gaps, length: int) -> tuple[Ints, Mask]:
    """Ask every way for gaps of one length: values (ways x k x length), and which rows each fills (ways x k)."""
    value = np.zeros((len(WAYS), len(gaps), length), np.int64)
    said = np.zeros((len(WAYS), len(gaps)), np.bool_)
    for place, way in enumerate(WAYS):
        guess = way(Asked(pasts, gaps))
        found = rounded(guess).reshape(len(gaps), length)
        said[place] = guess.said.reshape(found.shape).all(axis=1) & (np.abs(found) < ROOM).all(axis=1)
        value[place] = np.where(said[place][:, None], found, 0)
    return value, said


def _error(doubled: Ints, truth: Ints, gaps: Gaps) -> Ints:
    """Sum the errors of values, all of it doubled; where a total would be known, as it would be met."""
    out = np.abs(doubled - 2 * truth).sum(axis=1)
    scaling = np.flatnonzero(gaps.has_total)
    if len(scaling):
        weights, own = doubled[scaling], truth[scaling]
        # what cannot be scaled would be spread evenly
        weights[(weights < 0).any(axis=1) | ~(weights > 0).any(axis=1)] = 1
        out[scaling] = 2 * np.abs(apportioned(own.sum(axis=1), weights) - own).sum(axis=1)
    return out


def since(past: Past, oldest: int) -> Past:
    """Give a past of which no like day is before a day."""
    out = copy(past)
    named = past.candidates
    out.candidates = lambda day, gap_day: [found for found in named(day, gap_day) if found >= oldest]
    return out
