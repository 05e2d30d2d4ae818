"""The back-test: sound stretches are hidden, each estimator fills them alone, and what it got wrong is counted.

Which stretches are hidden follows from a seed and the data alone; nothing else is drawn by lot.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.terms.length import DAY_US
from quintet.terms.period import HOUR_US

from .alike import LikeDays, like_days_in
from .block import MISSING, Block, Gaps, Ints, Mask, cells
from .estimation import estimate
from .order import Order

HISTORY_DAYS = 64
"""What stands before a hidden stretch: as much as a commit looks back for like days."""
AFTER_DAYS = 2
SOUND_SHARE = 0.5
"""So much of the four weeks before a stretch must be measured: else no estimator is asked what it could know."""
SOUND_DAYS = 28
MOST_ROWS = 3
"""Stretches hidden at one moment: more would weigh one day's weather too much."""
MOMENTS = 2
"""So many moments are drawn for each stretch that is wanted: at some, no channel is sound."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Hidden:
    """k stretches hidden at one moment: the block without them, their gaps, what was there, each channel's level.

    `alike` says which days are alike there.
    """

    block: Block
    gaps: Gaps
    truth: Ints
    level: Floats
    alike: LikeDays


@dataclass(frozen=True)
class Errors:
    """What an order did with s stretches: sum of |error|, of error and of |truth| over the cells, 0 where not `full`.

    All of it is in parts of the `level`: what the channel uses on average in so long a time, or the stretch's own sum
    where that is higher (sub-units). So a campus counts no more than a dwelling, a peak no more than an ordinary day,
    and a channel of minutes no more than one of hours; no error is cut short. `worst` is the 90th percentile of the
    absolute errors of a stretch's cells, as if all were that wrong.
    """

    wrong: Floats
    bias: Floats
    size: Floats
    worst: Floats
    full: Mask
    level: Floats


def hide(block: Block, hours: int, tz: ZoneInfo, *, seed: int, most: int) -> Iterator[Hidden]:
    """Hide sound stretches of a block until there are `most`, at moments drawn by seed."""
    alike = like_days_in(tz.key)
    length = max(int(hours * HOUR_US // block.cadence_us), 1)
    dice = np.random.default_rng([seed, hours, block.cadence_us // 1_000_000, len(block.channels)])
    before, after = HISTORY_DAYS * DAY_US // block.cadence_us, AFTER_DAYS * DAY_US // block.cadence_us
    usual = SOUND_DAYS * DAY_US // block.cadence_us
    last = len(block.day_of) - length - 1
    if hours * HOUR_US < block.cadence_us or last <= usual:
        return
    level = np.abs(block.value).sum(axis=1, where=block.present) / np.maximum(block.present.sum(axis=1), 1)
    found = 0
    for _ in range(MOMENTS * most):
        start = int(dice.integers(usual, last))
        fine = sound_rows(block, start, length, int(usual), alike)
        rows = np.sort(dice.permutation(fine)[: min(MOST_ROWS, most - found)])
        if len(rows):
            found += len(rows)
            yield _hidden(block, level, rows, start, length, (int(before), int(after)), tz, alike)
        if found >= most:
            return


def sound_rows(block: Block, start: int, length: int, usual: int, alike: LikeDays) -> Ints:
    """Find the rows in which a stretch and its two neighbours are sound, and half of the four weeks before measured."""
    own = slice(start - 1, start + length + 1)
    fine = np.flatnonzero((block.present[:, own] & alike.used[block.quality[:, own]]).all(axis=1))
    known = alike.used[block.quality[fine, start - usual : start]].mean(axis=1)
    return fine[known >= SOUND_SHARE]


def _hidden(
    block: Block,
    level: Floats,
    rows: Ints,
    start: int,
    length: int,
    around: tuple[int, int],
    tz: ZoneInfo,
    alike: LikeDays,
) -> Hidden:
    """Cut a stretch's surroundings out of a block, and hide it."""
    first, end = max(start - around[0], 0), min(start + length + around[1], len(block.day_of))
    value, quality = block.value[rows, first:end].copy(), block.quality[rows, first:end].copy()
    present = block.present[rows, first:end].copy()
    at = start - first
    truth = value[:, at : at + length].copy()
    present[:, at : at + length], value[:, at : at + length], quality[:, at : at + length] = False, 0, MISSING
    count = len(rows)
    gaps = Gaps(
        np.arange(count, dtype=np.int32),
        np.full(count, at, np.int32),
        np.full(count, length, np.int32),
        truth.sum(axis=1),
        np.zeros(count, np.bool_),
    )
    arrays = (value, quality, present)
    cut = Block.of(block.start_us + first * block.cadence_us, block.cadence_us, block.channels[rows], arrays, tz)
    return Hidden(cut, gaps, truth, np.maximum(level[rows], 1.0), alike)


def errors(hidden: Hidden, order: Order, subject: str, *, total: bool) -> Errors:
    """Let an order fill what is hidden, with or without the register's difference; gives its errors by stretch."""
    gaps = replace(hidden.gaps, has_total=np.full(len(hidden.gaps), total))
    value, quality = estimate(
        hidden.block, gaps, alike=hidden.alike, order=order, subjects=[subject] * len(hidden.truth)
    )
    at = cells(gaps.row, gaps.first, gaps.length)
    full = (quality[at].reshape(hidden.truth.shape) != MISSING).all(axis=1)
    level = np.maximum(hidden.level, np.abs(hidden.truth).mean(axis=1))[:, None]
    off = (value[at].reshape(hidden.truth.shape) - hidden.truth) / level
    wrong, size = np.abs(off), np.abs(hidden.truth) / level
    worst = np.quantile(wrong, 0.9, axis=1)
    wrong, bias, size = wrong.mean(axis=1), off.mean(axis=1), size.mean(axis=1)
    wrong, bias, size, worst = (np.where(full, column, 0.0) for column in (wrong, bias, size, worst))
    return Errors(wrong, bias, size, worst, full, level[:, 0] * hidden.truth.shape[1])
