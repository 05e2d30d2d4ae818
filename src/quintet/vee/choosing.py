"""Choosing an order of estimators by a back-test.

What counts is the share of absolute error in use over all stretches together, sum|e| / sum|x|, each channel in parts of
its own level (backtest.Errors). What is asked first in the order in force stays first unless it errs more than the best
by over one standard error (Breiman, Friedman, Olshen and Stone 1984, "one-SE rule", on paired differences): a lucky
draw changes nothing.

All hidden stretches choose; what half of them would choose is reported on the other half, and the other way round: so
the figures are of stretches that had no say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from zoneinfo import ZoneInfo

import numpy as np

from .alike import like_days
from .backtest import Errors, Hidden, errors, hide
from .block import Block, Mask
from .order import GapClass, Order, Row

PEERS = ("straight", "last_week")
"""What any order must beat where a straight line is no longer the rule."""
LEAST_STRETCHES = 30
"""With fewer in each half the order that ships stays: chance would choose."""
LEAST_SHARE = 0.5
"""An estimator that fills fewer of them is only asked after the others."""
MOST_OF_ONE = 80
"""Stretches hidden of one channel, on average: more would ask the same days again."""
LISTED = 4
"""Estimators of the channel's own readings in a chosen order: the best, and what stands in where it says nothing."""


@dataclass(frozen=True, slots=True)
class Score:
    """What one estimator did: sum|e| / sum|x|, sum e / sum|x| and the mean 90th percentile of |e| over mean |x|.

    Each channel counts by its own level, in `pooled` by its amounts. `filled` is the share of stretches that it filled;
    it is scored on those that all fill that fill more than half. None where there are none, or nothing was used there.
    """

    estimator: str
    stretches: int
    error: float | None
    pooled: float | None
    bias: float | None
    p90: float | None
    filled: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """The order for one subject (Order.subject) and class of gaps, without or with a register's difference.

    `scores` are those of each estimator; `error`, `before` and `peers` those of the chosen order (each stretch filled
    by what the other half chose), of the one in force before and of the peers, over the same. `estimators` is empty
    where too little was sound.
    """

    subject: str
    code: str
    hours: int
    total: bool
    scores: tuple[Score, ...]
    estimators: tuple[str, ...]
    stretches: int
    error: Score | None
    before: Score | None
    peers: tuple[Score, ...]

    @property
    def beats(self) -> bool | None:
        """Tell whether the chosen order errs less than every peer; None where that was not measured."""
        own = self.error.error if self.error else None
        if own is None:
            return None
        return all(peer.error is None or own < peer.error for peer in self.peers)


def choose(blocks: Sequence[Block], subject: str, tz: ZoneInfo, order: Order, *, seed: int, most: int) -> list[Chosen]:
    """Back-test every estimator of a channel's own readings on the blocks of one subject, class by class."""
    out: list[Chosen] = []
    rows = sum(len(block.channels) for block in blocks)
    most = min(most, MOST_OF_ONE * rows)
    for one in order.classes:
        hidden = [
            each
            for block in blocks
            for each in hide(block, one.tested_hours, tz, seed=seed, most=max(most * len(block.channels) // rows, 4))
        ]
        out += [_chosen(hidden, subject, one, order, total=total) for total in (False, True) if hidden]
    return out


def _chosen(hidden: list[Hidden], subject: str, one: GapClass, order: Order, *, total: bool) -> Chosen:
    """Choose for one class; what each half of the moments would choose is reported on the other half."""
    asked = [row.name for row in order.rows.values() if row.reach != "others" and _fits(row, one)]
    found = {name: _over(hidden, order.only(name), subject, total=total) for name in asked}
    half = np.concatenate([np.full(len(each.truth), place % 2 == 0) for place, each in enumerate(hidden)])
    scores = scored(found)
    count = int(min(half.sum(), (~half).sum()))
    before = [row.name for row in _own(order, subject, one, total=total)]
    names = ranked(found, order, before, np.ones(len(half), np.bool_), total=total)
    halves = [ranked(found, order, before, mine, total=total) for mine in (~half, half)]
    if count < LEAST_STRETCHES or not all((names, before, *halves)):
        return Chosen(subject, one.code, one.tested_hours, total, scores, (), count, None, None, ())
    crossed = [chain(found, chosen) for chosen in halves]
    compared = {
        "chosen": mixed(half, *crossed),
        "before": chain(found, before),
        **{peer: chain(found, [peer, "register_spread"] if total else [peer]) for peer in PEERS},
    }
    after = {score.estimator: score for score in scored(compared)}
    peers = tuple(after[name] for name in PEERS)
    return Chosen(
        subject, one.code, one.tested_hours, total, scores, names, count, after["chosen"], after["before"], peers
    )


def ranked(
    found: dict[str, Errors], order: Order, before: Sequence[str], over: Mask, *, total: bool
) -> tuple[str, ...]:
    """List the estimators that may be chosen, by what they did over some stretches; `before` is what is asked now.

    One that fills few of them comes after the others; a total is spread evenly where nothing else can be said. None is
    where nothing could be scored.
    """
    if total:  # what a shape cannot share is spread evenly: that counts for it too
        found = {name: chain(found, [name, "register_spread"]) for name in found}
    seen = {name: picked(one, over) for name, one in found.items()}
    scores = scored(seen)
    good = [s for s in scores if s.error is not None and order.rows[s.estimator].reach == "own"]
    names = [s.estimator for s in sorted(good, key=lambda s: s.filled < LEAST_SHARE)]
    if not names or (total and "register_spread" not in names):
        return ()
    kept = next((name for name in before if name in names and seen[name].full.mean() >= LEAST_SHARE), None)
    if kept is not None and not worse(seen[kept], seen[names[0]]):
        names = [kept, *(name for name in names if name != kept)]
    if total:
        names = [name for name in names if name != "flat"]  # it shares a total as `register_spread` does
        return (*names[: names.index("register_spread")][: LISTED - 1], "register_spread")
    return tuple(names[:LISTED])


def worse(one: Errors, best: Errors) -> bool:
    """Tell whether one errs more than the best by over one standard error of their difference, stretch by stretch."""
    both = one.full & best.full
    more = (one.wrong - best.wrong)[both]
    if len(more) < 2:
        return True
    return bool(more.mean() > more.std(ddof=1) / np.sqrt(len(more)))


def picked(one: Errors, over: Mask) -> Errors:
    """Give the errors of some stretches."""
    return Errors(*(getattr(one, f.name)[over] for f in fields(Errors)))


def mixed(first: Mask, one: Errors, other: Errors) -> Errors:
    """Give the errors of one where `first`, else of another."""
    return Errors(*(np.where(first, getattr(one, f.name), getattr(other, f.name)) for f in fields(Errors)))


def chain(found: dict[str, Errors], names: Sequence[str]) -> Errors:
    """Give the errors of an order: on each stretch those of the first estimator that fills it."""
    out = found[names[-1]]
    for name in reversed(names[:-1]):
        out = mixed(found[name].full, found[name], out)
    return out


def _fits(row: Row, one: GapClass) -> bool:
    """Tell whether an estimator is worth asking in a class: `linear` says nothing of more than two hours."""
    return row.name != "linear" or one.tested_hours <= like_days().line_hours


def _own(order: Order, subject: str, one: GapClass, *, total: bool) -> list[Row]:
    """Give the estimators of the order in force that need the channel's own readings alone."""
    choice = order.choice(subject, one.code)
    return [row for row in (choice.scaled if total else choice.estimators) if row.reach == "own"]


def _over(hidden: Sequence[Hidden], order: Order, subject: str, *, total: bool) -> Errors:
    """Give an order's errors over all stretches."""
    parts = [errors(each, order, subject, total=total) for each in hidden]
    return Errors(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Errors)))


def scored(found: dict[str, Errors]) -> tuple[Score, ...]:
    """Score estimators over the stretches that all of them fill that fill more than half; the best first."""
    usual = [one.full for one in found.values() if len(one.full) and one.full.mean() > LEAST_SHARE]
    common: Mask = np.logical_and.reduce(usual) if usual else np.zeros(0, np.bool_)
    scores = [_score(name, one, common & one.full if len(common) else one.full) for name, one in found.items()]
    return tuple(sorted(scores, key=lambda one: (one.error is None, one.error or 0.0, one.estimator)))


def _score(name: str, one: Errors, over: Mask) -> Score:
    """Score one estimator over some stretches."""
    count, size = int(over.sum()), float(one.size[over].sum())
    filled = float(one.full.mean()) if len(one.full) else 0.0
    if not count or not size:
        return Score(name, count, None, None, None, None, filled)
    wrong, bias, level = one.wrong[over], one.bias[over], one.level[over]
    pooled = float((wrong * level).sum() / (one.size[over] * level).sum())
    worst = float(one.worst[over].mean() / (size / count)) if size else None
    return Score(name, count, float(wrong.sum()) / size, pooled, float(bias.sum()) / size, worst, filled)
