"""Estimation of missing intervals: by class of gap, in the order in force, scaled to the register where there is one.

Only measured values feed an estimate, as they came in; what is estimated here is never read again here.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities

from .alike import LikeDays, like_days
from .block import MISSING, Block, Bytes, Gaps, Ids, Ints, Mask, cells, ids_of, of_kind
from .groups import lots, part_of
from .guess import Asked, Guess, Known, Others, guessed
from .order import Choice, Order, Row, shipped_order
from .past import Past
from .scale import rounded, scaled
from .shapes import FROM_DAYS, of_days


def estimate(
    block: Block,
    gaps: Gaps,
    history: Block | None = None,
    alike: LikeDays | None = None,
    order: Order | None = None,
    subjects: Sequence[str] | None = None,
) -> tuple[Ints, Bytes]:
    """Fill gaps of a block.

    `history` holds earlier columns of the same cadence (channels matched by number); `alike` says which days are alike
    (by default the shipped table, without holidays), `order` which estimators are asked for which gap (by default that
    which ships), by the subject of each row (Order.subject). Gives values (int64, m x n) and qualities (uint8, m x n):
    the block's own, but at the gaps' cells the estimate with its method as quality; 0 and MISSING where nothing is or
    could be said. A gap with a total gets estimates that sum to it exactly, or none at all (one below zero only where
    the subject's amounts may be); without one each estimator of the order fills what those before it left.

    Raises BadInput when gaps overlap, leave the block or cover a measured value, when the cadences differ, and, naming
    it, when an estimator does not answer for the cells asked.
    """
    refuse_bad_gaps(block, gaps, history)
    value, quality = block.value * block.present, block.quality * block.present
    at = cells(gaps.row, gaps.first, gaps.length)
    value[at], quality[at] = 0, MISSING
    if not len(gaps):
        return value, quality
    settings, order = alike or like_days(), order or shipped_order()
    # what other rows hold nobody asks; most of a city's channels have no gap
    holed = rows_of(block, np.unique(gaps.row))
    pasts = [Past(past, settings, block.channels) for past in (holed, history) if past is not None]
    for choice, places in order.plan(gaps, block.cadence_us, subjects):
        own = part_of(gaps, places)
        for lot in lots(own):
            _fill(Asked(pasts, part_of(own, lot)), choice, value, quality)
    return value, quality


def estimate_with(
    block: Block,
    gaps: Gaps,
    others: Others,
    *,
    history: Block | None = None,
    alike: LikeDays | None = None,
    order: Order | None = None,
    subjects: Sequence[str] | None = None,
    stands: Bytes | None = None,
) -> tuple[Ints, Bytes]:
    """Fill gaps of a block by estimators that need more than its own newest readings; see others.py, and `estimate`.

    `stands` (uint8, m x n) is what stands in the gaps' cells now: only what the order puts before it is asked.
    """
    refuse_bad_gaps(block, gaps, history)
    value, quality = block.value * block.present, block.quality * block.present
    at = cells(gaps.row, gaps.first, gaps.length)
    value[at], quality[at] = 0, MISSING
    if not len(gaps):
        return value, quality
    now = np.zeros_like(quality) if stands is None else stands
    settings, order = alike or like_days(), order or shipped_order()
    pasts = [Past(past, settings, block.channels) for past in (block, history) if past is not None]
    for choice, places in order.plan(gaps, block.cadence_us, subjects):
        own = part_of(gaps, places)
        for lot in lots(own):
            _fill(Asked(pasts, part_of(own, lot), others), choice, value, quality, now)
    return value, quality


def rows_of(block: Block, rows: Ids) -> Block:
    """Give some rows of a block; all of them cost nothing."""
    if len(rows) == len(block.channels):
        return block
    own = {name: getattr(block, name)[rows] for name in ("channels", "value", "quality", "present")}
    return replace(block, **own)


def refuse_bad_gaps(block: Block, gaps: Gaps, history: Block | None) -> None:
    """Refuse gaps that are none: an estimate may never stand in the place of a measurement."""
    if history is not None and history.cadence_us != block.cadence_us:
        raise BadInput("history and block differ in cadence.", code="bad_block")
    inside = (gaps.row >= 0) & (gaps.row < len(block.channels)) & (gaps.first >= 0) & (gaps.length > 0)
    if not (inside & (gaps.first.astype(np.int64) + gaps.length <= len(block.day_of))).all():
        raise BadInput("a gap lies outside of its block.", code="bad_gap")
    at = cells(gaps.row, gaps.first, gaps.length)
    covered = np.zeros(block.value.shape, np.bool_)
    covered[at] = True
    if np.count_nonzero(covered) < len(at[0]):
        raise BadInput("two gaps overlap.", code="bad_gap")
    if (block.present[at] & of_kind("measured")[block.quality[at]]).any():
        raise BadInput("a gap covers a measured value.", code="bad_gap")


def _fill(asked: Asked, choice: Choice, value: Ints, quality: Bytes, stands: Bytes | None = None) -> None:
    """Ask the estimators of a choice one after another until nothing is left to say.

    Without `stands` those of reach "others" are passed over; with it only those are asked.
    """
    gaps = asked.gaps
    for names, scaling in ((choice.estimators, False), (choice.scaled, True)):
        left = part_of(gaps, gaps.has_total == scaling)
        for place, row in enumerate(names):
            if not len(left):
                break
            if (row.reach == "others") == (stands is None):
                continue
            if stands is not None:
                left = part_of(left, _worse(names[place:], stands, left))
            guess = guessed(row.estimator, Asked(asked.pasts, left, asked.others))
            label = qualities()[row.scaled if scaling else row.quality].id
            write = _write_scaled if scaling else _write_rounded
            left = part_of(left, ~write(guess, left, label, value, quality))


def _worse(rest: tuple[Row, ...], stands: Bytes, gaps: Gaps) -> Mask:
    """Mark the gaps in which nothing stands that comes before the first of the `rest` of an order."""
    later = ids_of([code for row in rest for code in (row.quality, row.scaled)])
    later[MISSING] = True
    at = cells(gaps.row, gaps.first, gaps.length)
    return np.logical_or.reduceat(later[stands[at]], np.cumsum(gaps.length) - gaps.length)


def _write_rounded(guess: Guess, gaps: Gaps, label: int, value: Ints, quality: Bytes) -> Mask:
    """Write what is said of cells that have nothing yet; gives the gaps that are full."""
    row, column = cells(gaps.row, gaps.first, gaps.length)
    fresh = guess.said & (quality[row, column] == MISSING)
    value[row[fresh], column[fresh]] = rounded(guess)[fresh]
    quality[row[fresh], column[fresh]] = label
    full = quality[row, column] != MISSING
    return np.logical_and.reduceat(full, np.cumsum(gaps.length) - gaps.length)


def _write_scaled(guess: Guess, gaps: Gaps, label: int, value: Ints, quality: Bytes) -> Mask:
    """Write gaps whose total could be shared by the shape; gives which."""
    shared, fine = scaled(guess, gaps)
    own = np.repeat(fine, gaps.length)
    row, column = cells(gaps.row, gaps.first, gaps.length)
    value[row[own], column[own]] = shared[own]
    quality[row[own], column[own]] = label
    return fine


def estimate_typed(block: Block, gaps: Gaps, name: str, lent: Ints, role: str = "") -> tuple[Ints, Bytes]:
    """Fill gaps of a block of one row by one estimator alone, with what is lent to it: d series as long as the row.

    An estimator that chooses days takes the series for the days it would have chosen, nearest first; one that asks
    other meters takes them for those: the parent first, then its other children. A total below zero is shared only in
    a `role` whose amounts may be (net, storage). Raises BadInput for an unknown estimator, or one to which nothing can
    be lent.
    """
    order = shipped_order().only(name)
    subjects = [order.subject("", role)]
    if not len(lent) and name != "outage_zero":
        own = order.rows[name].reach != "others"
        if own:
            return estimate(block, gaps, order=order, subjects=subjects)
        return estimate_with(block, gaps, Others(), order=order, subjects=subjects)
    if name not in FROM_DAYS:
        others = lent_others(name, lent, block.value.shape)
        return estimate_with(block, gaps, others, order=order, subjects=subjects)
    refuse_bad_gaps(block, gaps, None)
    value, quality = block.value * block.present, block.quality * block.present
    at = cells(gaps.row, gaps.first, gaps.length)
    value[at], quality[at] = 0, MISSING
    row = order.rows[name]
    for _, places in order.plan(gaps, block.cadence_us, subjects):
        _lend(part_of(gaps, places), row, lent, value, quality)
    return value, quality


def _lend(gaps: Gaps, row: Row, lent: Ints, value: Ints, quality: Bytes) -> None:
    """Fill gaps by an estimator that chooses days from days lent to it."""
    for write, label, scaling in ((_write_rounded, row.quality, False), (_write_scaled, row.scaled, True)):
        some = part_of(gaps, gaps.has_total == scaling)
        if len(some):
            _, column = cells(some.row, some.first, some.length)
            write(of_days(row.name, lent[:, column]), some, qualities()[label].id, value, quality)


def lent_others(name: str, lent: Ints, shape: tuple[int, int]) -> Others:
    """Give what is lent to an estimator as the meters that it asks."""
    sure = np.ones(shape, np.bool_)
    series = [Known(one[None, :], sure) for one in lent]
    made: dict[str, Callable[[], Others]] = {
        "outage_zero": lambda: Others(outage=sure),
        "check_meter": lambda: Others(check=series[0]),
        "parent_minus_siblings": lambda: Others(parent=series[0], siblings=Known(lent[1:].sum(axis=0)[None, :], sure)),
        "class_profile": lambda: Others(profile=series[0]),
        "same_block_homes": lambda: Others(homes=Known(lent.sum(axis=0)[None, :] // len(lent), sure)),
    }
    if name not in made:
        raise BadInput(f"nothing can be lent to {name}.", code="bad_refs", remedy="Leave the references out.")
    return made[name]()
