"""Somebody who asks for sums, one after the other as the answers suggest, to guess what one home used or who was away.

He is given more than he would have: whatever of a place and a span is answered at all, he is told the exact use of
those homes on those days, as known at the moment that the answer names. He knows which homes are where, what homes use
on average and how much that varies, and when which readings came late.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tests.open_city import START

from quintet.terms.errors import QuintetError

from .guessing_city import DAYS, JULY, SIZES, Truth

PLACES = ("city", *sorted({place.partition("/")[0] for place in SIZES}), *SIZES)
STEPS = ("month", "day", "hour")
Matrix = npt.NDArray[np.float64]


class Ask(NamedTuple):
    """One question: by which way, of which place, from which day until which, in which step, as known when."""

    way: str
    place: str
    first: int
    last: int
    step: str
    known: int | None


class Cell(NamedTuple):
    """What an answer is worth: the sum of some homes over some days, with or without what came late."""

    place: str
    first: int
    last: int
    whole: bool


Way = Callable[[Ask], datetime | None]
"""Asks; gives the moment as known at which any number was told (None: as known at the release), or raises."""


@dataclass
class Attacker:
    """Asks, and learns which kinds of questions are answered with something new."""

    ways: dict[str, Way]
    random: Random
    told_at: datetime
    late_homes: npt.NDArray[np.bool_]
    asked: set[Ask] = field(default_factory=set)
    cells: dict[Cell, Ask] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    worth: Counter[tuple[str, str]] = field(default_factory=Counter)

    def go(self, questions: int) -> None:
        """Ask so many different questions."""
        while len(self.asked) < questions:
            ask = self._next()
            if ask in self.asked:
                continue
            self.asked.add(ask)
            try:
                known_at = self.ways[ask.way](ask)
            except QuintetError as error:
                self.refused[error.code] += 1
                self.worth[ask.way, ask.step] -= 1
                continue
            self.answered[ask.way] += 1
            whole = known_at is not None and known_at > self.told_at
            for cell in cells_of(ask, whole=whole):
                if cell not in self.cells:
                    self.cells[cell] = ask
                    self.worth[ask.way, ask.step] += 20

    def _next(self) -> Ask:
        """Change what was answered with something new, or try something else, mostly of a kind that paid."""
        random = self.random
        if self.cells and random.random() < 0.6:
            ask = random.choice(list(self.cells.values())[-50:])
            return self._changed(ask)
        kinds = [(way, step) for way in self.ways for step in STEPS]
        weights = [max(self.worth[kind], 1) ** 0.5 for kind in kinds]
        way, step = random.choices(kinds, weights)[0]
        first, last = self._span()
        return Ask(way, random.choice(PLACES), first, last, step, self._moment())

    def _changed(self, ask: Ask) -> Ask:
        """Change one thing: a neighbour, the place above, a day more or less, another moment, step or way."""
        random = self.random
        change = random.randrange(6)
        if change == 0:
            return ask._replace(place=random.choice(PLACES))
        if change == 1:
            return ask._replace(last=min(max(ask.last + random.choice((-1, 1)), ask.first + 1), DAYS))
        if change == 2:
            return ask._replace(first=max(min(ask.first + random.choice((-1, 1)), ask.last - 1), 0))
        if change == 3:
            return ask._replace(known=self._moment())
        if change == 4:
            return ask._replace(step=random.choice(STEPS))
        return ask._replace(way=random.choice(list(self.ways)))

    def _span(self) -> tuple[int, int]:
        months = ((0, JULY), (JULY, DAYS), (0, DAYS))
        if self.random.random() < 0.4:
            return self.random.choice(months)
        first = self.random.randrange(DAYS)
        return first, min(first + self.random.choice((1, 1, 2, 7, 30)), DAYS)

    def _moment(self) -> int | None:
        return self.random.choice((None, None, *range(36, 72)))


def cells_of(ask: Ask, *, whole: bool) -> list[Cell]:
    """Give what an answer tells: its periods; an hour is credited as the day that it lies in."""
    if ask.step == "month":
        edges = sorted({ask.first, ask.last, *(edge for edge in (JULY,) if ask.first < edge < ask.last)})
    else:
        edges = list(range(ask.first, ask.last + 1))
    return [Cell(ask.place, first, last, whole) for first, last in pairwise(edges)]


@dataclass(frozen=True)
class Gain:
    """How much more often than half a guess was right, over how many, and by building."""

    all: float
    count: int
    by: dict[str, float]

    def __str__(self) -> str:
        worst = max(self.by, key=lambda place: self.by[place])
        return f"{self.all:.1%} of {self.count}, worst {self.by[worst]:.1%} in {worst} of {SIZES[worst]} homes"


class Guesser:
    """Makes the best guess of sums: the mean of what homes may have used, given all sums (all linear, all normal)."""

    def __init__(self, what: Truth, cells: Sequence[Cell]) -> None:
        self._truth = what
        self._cells = list(cells)

    def known(self, first: int, last: int) -> tuple[Matrix, Matrix]:
        """Give all sums over a span of days, as rows of homes and their amounts."""
        what = self._truth
        rows, sums = list[Matrix](), list[float]()
        for place in PLACES:
            inside = what.within(place)
            for whole in (False, True):
                parts = [one for one in self._cells if one.place == place and one.whole == whole]
                if not covers({(one.first, one.last) for one in parts}, first, last):
                    continue
                counted = inside[:, None] & (whole | ~what.late[:, first:last])
                days = counted.sum(axis=1) / (last - first)
                rows.append(days)
                sums.append(float((what.use[:, first:last] * counted).sum()))
        return np.array(rows).reshape(-1, len(what.homes)), np.array(sums)

    def exposed(self, first: int, last: int) -> int:
        """Give the size of the smallest group whose sum over a span follows from what is known; 0: none does."""
        rows, _ = self.known(first, last)
        if not len(rows):
            return 0
        signs, which = np.unique(rows.round(6), axis=1, return_inverse=True)
        found = [0]
        for group in range(signs.shape[1]):
            inside = (which.reshape(-1) == group).astype(float)
            best, *_ = np.linalg.lstsq(rows.T, inside, rcond=None)
            if inside.sum() and signs[:, group].any() and np.allclose(rows.T @ best, inside, atol=1e-6):
                found.append(int(inside.sum()))
        return min(found[1:], default=0)

    def guess(self, first: int, last: int, mean: Matrix, spread: Matrix) -> Matrix:
        """Give by how much each home is guessed to have used more than is usual of it."""
        rows, sums = self.known(first, last)
        if not len(rows):
            return np.zeros(len(mean))
        cover = rows * spread**2 @ rows.T
        return spread**2 * (rows.T @ np.linalg.lstsq(cover, sums - rows @ mean, rcond=1e-9)[0])


def covers(parts: set[tuple[int, int]], first: int, last: int) -> bool:
    """Tell whether some of the spans lie end to end from a day until another."""
    reached, more = {first}, True
    while more:
        news = {end for start, end in parts if start in reached and end <= last} - reached
        reached |= news
        more = bool(news)
    return last in reached


def month_gain(what: Truth, cells: Sequence[Cell], random: Random) -> Gain:
    """Guess of each home and month whether it used more than the median of all."""
    guesser, right = Guesser(what, cells), np.zeros((len(what.homes), 2))
    for month, (first, last) in enumerate(((0, JULY), (JULY, DAYS))):
        use = what.use[:, first:last].sum(axis=1)
        more = guesser.guess(first, last, np.full(len(use), use.mean()), np.full(len(use), use.std()))
        coin = np.array([random.random() < 0.5 for _ in use])
        right[:, month] = np.where(np.isclose(more, 0), coin, more > 0) == (use > np.median(use))
    return _gain(what, right.mean(axis=1), right.size)


def away_gain(what: Truth, cells: Sequence[Cell], random: Random) -> Gain:
    """Guess of days whether a home was away: of as many days on which it was as of such on which it was not."""
    guesser, right = Guesser(what, cells), [list[bool]() for _ in what.homes]
    usual = np.concatenate([np.repeat(np.median(what.use[:, part], axis=1)[:, None], JULY, 1) for part in HALVES], 1)
    for day in range(DAYS):
        share = 1 - what.away[:, day].mean() * 0.92
        mean = np.full(len(what.homes), usual[:, day].mean() * share)
        more = guesser.guess(day, day + 1, mean, np.full(len(mean), what.use[:, day].std()))
        gone = np.flatnonzero(what.away[:, day]).tolist()
        there = random.sample(np.flatnonzero(~what.away[:, day]).tolist(), len(gone))
        for home in gone + there:
            said = random.random() < 0.5 if np.isclose(more[home], 0) else bool(more[home] < 0)
            right[home].append(said == bool(what.away[home, day]))
    scored = np.array([np.mean(one) if one else np.nan for one in right])
    return _gain(what, scored, sum(map(len, right)))


HALVES = (slice(0, JULY), slice(JULY, DAYS))


def _gain(what: Truth, right: Matrix, count: int) -> Gain:
    by = {place: float(np.nanmean(right[what.within(place)])) - 0.5 for place in SIZES}
    return Gain(float(np.nanmean(right)) - 0.5, count, by)


def mean_of(gains: Sequence[Gain]) -> Gain:
    """Average over cities."""
    by = {place: float(np.mean([one.by[place] for one in gains])) for place in SIZES}
    return Gain(float(np.mean([one.all for one in gains])), sum(one.count for one in gains), by)


def day_text(day: int) -> str:
    return f"{START + timedelta(days=day, hours=9):%Y-%m-%d}"


def said(answer: Any) -> datetime | None:
    """Give as known when an answer was made, if it tells any amount; raises where it tells none."""
    rows = answer.rows
    if not any(getattr(row, "consumption", None) is not None for row in rows):
        raise QuintetError("tells nothing.", code="told_nothing")
    return answer.known_at
