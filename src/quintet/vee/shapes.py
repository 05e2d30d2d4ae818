"""E3, E6 and their kin: what a channel's own past says of a gap: like days, the week before, its mean."""

from collections.abc import Callable

import numpy as np

from quintet.terms.length import DAY_US

from .alike import like_days
from .block import Ids, Ints, Mask
from .groups import Span, by_span, days_of
from .guess import Asked, Guess

Middle = Callable[[Ints, Ints], tuple[Ints, Ints]]
"""What stands between some days: of a stack of them and how many each row has, top and bottom."""
WEEK = 7
WEEKS_BACK = 8
"""How far back a week before is looked for where the nearer ones have gaps themselves."""
RECENT_DAYS = 7
MOST_MEDIAN = 7


def like_day(asked: Asked) -> Guess:
    """Take the mean of the nearest valid like days, day by day; a day with fewer than `fewest` says nothing."""
    return by_span(asked, _means)


def like_day_median(asked: Asked) -> Guess:
    """Take the median of the nearest valid like days, twice as many as for a mean and one more."""
    return by_span(asked, _medians)


def last_week(asked: Asked) -> Guess:
    """Take what was measured at the same place of the same weekday in the nearest week before that has it."""
    return by_span(asked, _weeks)


def flat(asked: Asked) -> Guess:
    """Take the mean of the measured values of the RECENT_DAYS before each gap; a total is simply spread evenly."""
    guess = by_span(asked, _recent)
    even = register_spread(asked)
    return Guess(np.where(even.said, even.top, guess.top), np.where(even.said, 1, guess.bottom), guess.said | even.said)


def register_spread(asked: Asked) -> Guess:
    """Say the same of every cell of a gap that has a total, and nothing without one."""
    gaps = asked.gaps
    one = np.where(gaps.has_total & (gaps.total < 0), -1, 1)
    return Guess(np.repeat(one, gaps.length), np.ones(asked.cells, np.int64), np.repeat(gaps.has_total, gaps.length))


def stacked(asked: Asked, rows: Ints, days: list[int], slots: Ids, most: int) -> tuple[Ints, Ints]:
    """Collect the first valid like days, at most `most`, of k rows: amounts (most x k x n, zeros behind), how many."""
    stack = np.zeros((most, len(rows), len(slots)), np.int64)
    count = np.zeros(len(rows), np.int64)
    for day in days:
        wanting = np.flatnonzero(count < most)
        if not len(wanting):
            break
        for past in asked.pasts:
            found = past.day_at(rows[wanting], day, slots) if len(wanting) else None
            if found is not None:
                fine, value = found
                own = wanting[fine]
                stack[count[own], own] = value
                count[own] += 1
                wanting = wanting[~fine]
    return stack, count


def mean_of(stack: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Give the mean of the first `count` of each row's days as fractions: top (k x n) and bottom (k x 1)."""
    return stack.sum(axis=0), np.maximum(count, 1)[:, None]


def median_of(stack: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Give the median of the first `count` of each row's days as fractions: top (k x n) and bottom (k x 1), 1 or 2."""
    ranked = stack.copy()
    ranked[np.arange(len(stack))[:, None] >= count] = np.iinfo(np.int64).max
    ranked.sort(axis=0)
    row = np.arange(stack.shape[1])
    lower, upper = np.maximum(count - 1, 0) // 2, count // 2
    upper = np.where(count > 0, np.minimum(upper, np.maximum(count - 1, 0)), 0)
    low, high = ranked[lower, row], ranked[upper, row]
    odd = (lower == upper)[:, None]
    return np.where(odd, low, low + high), np.where(odd, 1, 2)


def trimmed_of(stack: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Give the mean of the first `count` of each row's days without the highest and the lowest, from three days on."""
    inside = (np.arange(len(stack))[:, None] < count)[:, :, None]
    ends = np.iinfo(np.int64)
    lowest, highest = np.where(inside, stack, ends.max).min(axis=0), np.where(inside, stack, ends.min).max(axis=0)
    trimmed = (count >= 3)[:, None]
    return stack.sum(axis=0) - np.where(trimmed, lowest + highest, 0), np.maximum(count - 2 * trimmed[:, 0], 1)[:, None]


def _day_by_day(asked: Asked, span: Span, most: int, middle: Middle) -> tuple[Ints, Ints, Mask]:
    """Fill a span from like days, local day by local day."""
    shape = (len(span.rows), span.length)
    top, bottom, said = np.zeros(shape, np.int64), np.ones(shape, np.int64), np.zeros(shape, np.bool_)
    past = asked.pasts[0]
    begun = past.block.first_day + int(past.block.day_of[span.first])
    for start, end, day, slots in days_of(asked, span.first, span.length):
        stack, count = stacked(asked, span.rows, past.candidates(day, begun), slots, most)
        top[:, start:end], bottom[:, start:end] = middle(stack, count)
        said[:, start:end] = (count >= asked.settings.fewest)[:, None]
    return top, bottom, said


def _means(asked: Asked, span: Span) -> tuple[Ints, Ints, Mask]:
    return _day_by_day(asked, span, asked.settings.most, mean_of)


def _medians(asked: Asked, span: Span) -> tuple[Ints, Ints, Mask]:
    return _day_by_day(asked, span, MOST_MEDIAN, median_of)


def _weeks(asked: Asked, span: Span) -> tuple[Ints, Ints, Mask]:
    """Fill a span from the nearest week before it, local day by local day."""
    top = np.zeros((len(span.rows), span.length), np.int64)
    said = np.zeros(top.shape, np.bool_)
    block = asked.pasts[0].block
    begun = block.first_day + int(block.day_of[span.first])
    for start, end, day, slots in days_of(asked, span.first, span.length):
        last = day - WEEK * ((day - begun) // WEEK + 1)
        for before in range(last, last - WEEK * WEEKS_BACK, -WEEK):
            wanting = np.flatnonzero(~said[:, start])
            for past in asked.pasts:
                found = past.day_at(span.rows[wanting], before, slots, whole=False) if len(wanting) else None
                if found is not None:
                    own = wanting[found[0]]
                    top[own, start:end], said[own, start:end] = found[1], True
                    wanting = wanting[~found[0]]
    return top, np.ones((1, 1), np.int64), said


def _recent(asked: Asked, span: Span) -> tuple[Ints, Ints, Mask]:
    """Fill a span with the mean of the values just before it."""
    total, count = np.zeros(len(span.rows), np.int64), np.zeros(len(span.rows), np.int64)
    block = asked.pasts[0].block
    begin_us = block.start_us + span.first * block.cadence_us
    for past in asked.pasts:
        own = past.own[span.rows]
        last = min((begin_us - past.block.start_us) // block.cadence_us, len(past.block.day_of))
        first = max((begin_us - RECENT_DAYS * DAY_US - past.block.start_us) // block.cadence_us, 0)
        if last > first and len(past.block.channels):
            fine = (own >= 0)[:, None] & asked.settings.used[past.block.quality[own, first:last]]
            total += (past.block.value[own, first:last] * fine).sum(axis=1)
            count += fine.sum(axis=1)
    shape = (len(span.rows), span.length)
    said = np.broadcast_to((count > 0)[:, None], shape)
    return np.broadcast_to(total[:, None], shape), np.broadcast_to(np.maximum(count, 1)[:, None], shape), said


FROM_DAYS: dict[str, tuple[int, Middle]] = {
    "like_day": (like_days().most, mean_of),
    "like_day_median": (MOST_MEDIAN, median_of),
    "last_week": (1, mean_of),
}
"""Estimators that make their guess from some days: of how many, and how."""


def of_days(name: str, days: Ints) -> Guess:
    """Guess from days that somebody else chose (d x c, nearest first), as the estimator of that name does."""
    most, middle = FROM_DAYS[name]
    stack = days[:most, None, :]
    top, bottom = middle(stack, np.array([len(stack)], np.int64))
    shape = (days.shape[1],)
    return Guess(top[0], np.broadcast_to(bottom[0], shape), np.ones(shape, np.bool_))
