"""Somebody who asks for sums, one after the other as the answers suggest, to guess what one home used or who was away.

He is given more than he would have: whatever of a place and a span is answered at all, he is told the exact use of
those homes on those days, as known at the moment that the answer names. Self-sufficiency, which is matched by the hour,
is worth the sum of every single day; greenhouse gases are worth the span's sum and the one weighed by days' factors.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from tests.open_city import START

from quintet.terms.errors import QuintetError

from .guessing_city import DAYS, JULY, SIZES

PLACES = ("city", *sorted({place.partition("/")[0] for place in SIZES}), *SIZES)
STEPS = ("month", "day", "hour")
WEIGHED, MATCHED = frozenset(("emissions", "open emissions")), frozenset(("self-sufficiency",))
"""The ways that weigh a span's parts, and those that match it hour by hour."""


class Ask(NamedTuple):
    """One question: by which way, of which place, from which day until which, in which step, as known when."""

    way: str
    place: str
    first: int
    last: int
    step: str
    known: int | None


class Cell(NamedTuple):
    """What an answer is worth: the sum of some homes over some days, with or without what came late.

    `weighed`: each day by its factor.
    """

    place: str
    first: int
    last: int
    whole: bool
    weighed: bool = False


Way = Callable[[Ask], datetime | None]
"""Asks; gives the moment as known at which any number was told (None: as known at the release), or raises."""


@dataclass
class Attacker:
    """Asks, and learns which kinds of questions are answered with something new."""

    ways: dict[str, Way]
    random: Random
    told_at: datetime
    plan: list[Ask] = field(default_factory=list)
    """What he asks first, the last of it first."""
    asked: set[Ask] = field(default_factory=set)
    cells: dict[Cell, Ask] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    worth: Counter[tuple[str, str]] = field(default_factory=Counter)

    def go(self, questions: int) -> None:
        """Ask so many different questions."""
        while len(self.asked) < questions:
            ask = self.plan.pop() if self.plan else self._next()
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
            news = [cell for cell in cells_of(ask, whole=whole) if cell not in self.cells]
            self.cells.update(dict.fromkeys(news, ask))
            self.worth[ask.way, ask.step] += 20 * len(news) or -1

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
    if ask.step == "month" and ask.way not in MATCHED:
        edges = sorted({ask.first, ask.last, *(edge for edge in (JULY,) if ask.first < edge < ask.last)})
    else:
        edges = list(range(ask.first, ask.last + 1))
    kinds = (False, True) if ask.way in WEIGHED else (False,)
    return [Cell(ask.place, first, last, whole, weighed) for first, last in pairwise(edges) for weighed in kinds]


def day_text(day: int) -> str:
    return f"{START + timedelta(days=day, hours=9):%Y-%m-%d}"


def said(answer: Any) -> datetime | None:
    """Give as known when an answer was made, if it tells any amount; raises where it tells none."""
    amounts = [getattr(row, name, None) for row in answer.rows for name in ("consumption", "kg_co2e")]
    if all(one is None for one in amounts):
        raise QuintetError("tells nothing.", code="told_nothing")
    return answer.known_at
