"""What meters that were never heard came to: each is one like those that were, by its floor area where that is stated.

Nothing is known of such a meter but that it stands: the answer is as wide as meters differ, and beyond the largest that
was heard, for the largest of all may be the one that is silent.
"""

import numpy as np

from .likeness import CELLS_AT_ONCE, Method, bandwidth
from .meter_cells import Course, Floats, Mask, MeterCells, Rows

UNEVEN = 1.0
"""Log spread of meters, a factor e: from there on the largest tenth of a lognormal sum is most of what it varies by."""


def period_sums(meters: MeterCells, course: Course, method: Method) -> tuple[Floats, Rows]:
    """Give what meters came to in the period, and their rows: those that were measured for nearly all of it.

    What little is missing of one is taken at its own level.
    """
    mean = np.nan_to_num(course.mean)
    owed, heard = meters.due & meters.inside, meters.heard & meters.inside
    base, sure = owed @ mean, heard @ mean
    can = np.flatnonzero((sure >= method.share * base) & (sure > 0))
    value = np.where(heard, meters.value, 0.0).sum(axis=1)
    return value[can] * base[can] / sure[can], can


def unheard_rest(
    meters: MeterCells, rows: Rows, alike: Mask, tail: float, rng: np.random.Generator, method: Method
) -> tuple[Floats, Rows]:
    """Draw what meters `rows` came to [draws], of which too little was heard; `alike` stand at their level of places.

    Where like meters differ by more than UNEVEN a few of them are most of the sum. Whether one of those is silent
    nobody knows, and it may be with the chance k / (n + k), of k silent and n heard: nothing is said where that is more
    than `tail`, the chance in which a bound may fail.

    And name the rows of which nothing can be said: too few like them were measured, and no floor area is stated.
    """
    course = Course.of(meters)
    truth, can = period_sums(meters, course, method)
    mean = np.nan_to_num(course.mean)
    whole = float((meters.inside * mean).sum())
    part = np.minimum((meters.unknown[rows] @ mean) / whole, 1.0) if whole > 0 else np.zeros(len(rows))
    sized = np.isfinite(meters.size) & (meters.size > 0)
    per_size = can[sized[can] & (truth > 0)]
    by_size = sized[rows] & (len(per_size) >= method.least_donors)
    own = alike[can]
    out = np.zeros(method.draws)
    if by_size.any():
        value = dict(zip(can.tolist(), truth.tolist(), strict=True))
        kin = per_size[alike[per_size]]
        donors = kin if len(kin) >= method.least_donors else per_size
        each = np.array([value[one] for one in donors.tolist()]) / meters.size[donors]
        wider = spread_of(np.array([value[one] for one in kin.tolist()]) / meters.size[kin], each)
        out += _drawn(each, (part * meters.size[rows])[by_size], rng, method, wider)
    if (~by_size).any() and own.sum() >= method.least_donors and _even(truth[own], int((~by_size).sum()), tail):
        out += _drawn(truth[own], part[~by_size], rng, method)
        by_size[:] = True
    return out, rows[~by_size]


def _even(truth: Floats, silent: int, tail: float) -> bool:
    """Tell whether the largest of all is no question, or is hardly likely to be among the silent."""
    positive = truth[truth > 0]
    spread = float(np.log(positive).std(ddof=1)) if len(positive) > 1 else 0.0
    return spread <= UNEVEN or silent / (len(truth) + silent) <= tail


def spread_of(kin: Floats, each: Floats) -> tuple[float, float]:
    """Give by how much (log) few kin are off from all donors, and how much wider; as if one more had been seen."""
    if len(kin) == len(each) or not len(kin):
        return 0.0, 1.0 if len(kin) else float(np.sqrt(2.0))
    off = np.log(kin) - np.log(each).mean()
    size = float(np.log(each).std()) or 1.0
    count = len(kin)
    return float(off.sum() / (count + 1)), float(
        np.sqrt((1 + ((off / size) ** 2).sum()) / (1 + count) * (1 + 1 / count))
    )


def _drawn(
    truth: Floats, scale: Floats, rng: np.random.Generator, method: Method, kin: tuple[float, float] = (0.0, 1.0)
) -> Floats:
    """Draw the sum over meters, each one of the donors' `truth` times its own `scale`, or a little like it."""
    count, donors = len(scale), len(truth)
    positive = truth > 0
    logs = np.log(np.where(positive, truth, 1.0))
    spread = float(logs[positive].std(ddof=1)) if positive.sum() > 1 else 0.0
    middle = float(logs[positive].mean()) if positive.any() else 0.0
    logs = np.where(positive, middle + kin[0] + (logs - middle) * kin[1], 0.0)
    wide = bandwidth(donors) * spread * kin[1]
    weights = rng.exponential(size=(method.draws, donors))
    # one rising row for all draws, so that one search finds every donor
    running = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1) + np.arange(method.draws)[:, None]
    out = np.zeros(method.draws)
    step = max(CELLS_AT_ONCE // method.draws, 1)
    for low in range(0, count, step):
        part = scale[low : low + step]
        point = rng.random((method.draws, len(part))) + np.arange(method.draws)[:, None]
        found = np.searchsorted(running.ravel(), point.ravel()).reshape(point.shape)
        chosen = np.clip(found - donors * np.arange(method.draws)[:, None], 0, donors - 1)
        like = np.exp(logs[chosen] + wide * rng.standard_t(max(donors - 1, 2), chosen.shape) - wide**2 / 2)
        out += np.where(positive[chosen], like, truth[chosen]) @ part
    return out
