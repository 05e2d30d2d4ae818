"""Readings that leave a register's path and come back, told from a register that was set back.

Wherever a register falls, the fewest readings are dropped so that the rest never falls, at most N in a row (N =
`excursion_readings`); where that is not possible, or dearer than N readings, the register was set back: a rollback.
Two falls are looked at together when the readings that either may drop overlap, so what is decided at a reading depends
on N readings around the cluster of falls that it lies in. Of a cumulative register a setback is then looked at again
over a longer time (`long_excursion_readings`): where one single step explains it, it was no setback.
"""

import numpy as np

from .shapes import I64, Mask
from .thresholds import limits


def settle_falls(run: I64, value: I64, from_zero: Mask | None = None) -> tuple[Mask, Mask]:
    """Tell which readings to keep and before which of the kept ones the register was set back.

    `run` numbers the registers (a channel; a channel's day for one that resets daily), nondecreasing; `value` is what
    they read in time order. The first reading of a register stays, whereas its last ones may come back yet: up to N of
    them are dropped rather than believed. For counters that reset, `from_zero` marks rows whose register is known to
    have begun at 0: there a first reading may be astray as well, and what is low at the end has no more time to come
    back. Only clusters of falls are looped over.
    """
    keep = np.ones(len(value), np.bool_)
    fallen = np.zeros(len(value), np.bool_)
    falls = np.flatnonzero((run[1:] == run[:-1]) & (value[1:] < value[:-1]))
    most = limits().excursion_readings
    for first, last in _clusters(falls, run[falls], 2 * most + 1):
        begin = max(first - most, int(np.searchsorted(run, run[first], "left")))
        end = min(last + 1 + most, int(np.searchsorted(run, run[first], "right")) - 1)
        head = from_zero is not None and first - begin < most and bool(from_zero[begin])
        tail = from_zero is None and end - last - 1 < most
        kept, broken = _cheapest(value[begin : end + 1].tolist(), most, head, tail)
        keep[begin : end + 1] = False
        keep[[begin + one for one in kept]] = True
        fallen[[begin + one for one in broken]] = True
    if from_zero is None:
        for row in np.flatnonzero(fallen).tolist():
            _explain(row, run, value, keep, fallen)
    return keep, fallen


def _explain(row: int, run: I64, value: I64, keep: Mask, fallen: Mask) -> None:
    """Drop what lies between a setback and the single step, near before or after it, that nearly undoes it.

    A step up before it: the register was astray until it fell. A step up after it: it was astray from the fall on. A
    register that counted its way up there in several steps was used, and set back.
    """
    most = limits().long_excursion_readings
    low = max(row - most - 1, int(np.searchsorted(run, run[row], "left")))
    high = min(row + most + 1, int(np.searchsorted(run, run[row], "right")))
    before = low + np.flatnonzero(keep[low:row])
    after = row + np.flatnonzero(keep[row:high])
    fall = int(value[before[-1]] - value[row])
    if not _stands_out(value, before, after, fall):
        return
    under = np.flatnonzero(value[before] <= value[row])
    if len(under) and under[-1] + 1 < len(before):
        first = int(under[-1])
        if _is_step(value, before[first], before[first + 1], fall) and not fallen[before[first + 1] : row].any():
            keep[before[first + 1 :]] = False
            fallen[row] = False
            return
    back = np.flatnonzero(value[after] >= value[before[-1]])
    if len(back):
        last = int(back[0])
        if _is_step(value, after[last - 1], after[last], fall) and not fallen[row + 1 : after[last] + 1].any():
            keep[after[:last]] = False
            fallen[row] = False


def _stands_out(value: I64, before: I64, after: I64, fall: int) -> bool:
    """Tell whether a fall is far more than the register moves in a step near it; one that trembles by a litre is not.

    The largest two steps are left out: the one that may explain the fall, and one beside a dropped reading.
    """
    steps = np.concatenate([np.diff(value[before]), np.diff(value[after])])
    usual = np.sort(steps)[:-2].max(initial=0)
    return usual > 0 and fall >= limits().step_times * int(usual)


def _is_step(value: I64, here: int, there: int, fall: int) -> bool:
    """Tell whether the step between two readings alone makes up for a fall."""
    return int(value[there] - value[here]) * 100 >= limits().step_share_percent * fall


def _clusters(falls: I64, run: I64, reach: int) -> list[tuple[int, int]]:
    """Group falls (rows whose next row is lower) that lie within reach of each other in one register."""
    if not len(falls):
        return []
    cut = np.flatnonzero((np.diff(falls) > reach) | (run[1:] != run[:-1])) + 1
    firsts = falls[np.concatenate([[0], cut])].tolist()
    lasts = falls[np.concatenate([cut - 1, [len(falls) - 1]])].tolist()
    return list(zip(firsts, lasts, strict=True))


def _cheapest(value: list[int], most: int, open_head: bool, open_tail: bool) -> tuple[list[int], list[int]]:
    """Find the kept readings of a cluster and the ones at which the register was set back.

    A dropped reading costs 1, a setback most + 1; of equal costs the one that drops more zeros wins, then the one that
    drops fewer at an open end, then the one that drops the later readings. The first and last reading stay where that
    end is not open.
    """
    zero = [0, *np.cumsum([one == 0 for one in value]).tolist()]
    count = len(value)
    best: list[tuple[int, int]] = []
    came: list[int] = []
    for here in range(count):
        cost, source = (count * (most + 1), 0), -1
        if here == 0 or (open_head and here <= most):
            cost = (here, -zero[here])
        for before in range(max(0, here - 1 - most), here):
            falls = value[here] < value[before]
            if falls and before < here - 1:
                continue
            price = best[before][0] + here - before - 1 + (most + 1 if falls else 0)
            zeros = best[before][1] - (zero[here] - zero[before + 1])
            if (price, zeros) < cost:
                cost, source = (price, zeros), before
        best.append(cost)
        came.append(source)
    ends = range(max(0, count - 1 - most), count) if open_tail else [count - 1]
    tails = [(best[one][0] + count - 1 - one, best[one][1] - (zero[count] - zero[one + 1]), -one) for one in ends]
    here = -min(tails)[2]
    kept: list[int] = []
    broken: list[int] = []
    while here >= 0:
        kept.append(here)
        before = came[here]
        if before >= 0 and value[here] < value[before]:
            broken.append(here)
        here = before
    return kept, broken
