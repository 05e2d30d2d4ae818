"""What an analyst gets: released months, as known at their release, of places that fit the floor with all they hold.

It is what everybody may be told (`floor_month.py`), and at the same moment of knowledge: so nothing can be taken from
the one against the other, nor from what was known sooner against what was known later.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from quintet.registry import Registry
from quintet.store.engine import Engine
from quintet.terms.errors import Forbidden
from quintet.terms.period import Span, day_start, local_day

from .floor import floor
from .floor_month import MonthFloor, month_floor
from .roles import MONTH_MIN
from .sets import Asked

RELEASE = "ledger.open_release"
"""The kind of a record that a month was told to everybody; its key is the month, 2025-03."""
HOUR_MIN = 60
KEPT = 24
"""Months whose floor is remembered: a released one never changes."""
Asking = Callable[[datetime], AbstractContextManager[Asked]]
"""Reads the whole city as known at a moment."""


@dataclass(frozen=True, slots=True)
class Released:
    """The months of a span, by their first days, and the one moment as known at which all of them were released."""

    months: tuple[date, ...]
    known_at: datetime


def released(registry: Registry, place: str, span: Span, step_min: int) -> Released:
    """Find the release of a span; raises Forbidden for what none of the released months tells.

    Steps of a month are told of whole months, shorter ones of whole days, none shorter than an hour.
    """
    tz = registry.tz
    first, after = local_day(span.start, tz), local_day(span.end, tz)
    even = day_start(first, tz) == span.start and day_start(after, tz) == span.end and first < after
    if step_min < HOUR_MIN or not even or (step_min >= MONTH_MIN and (first.day, after.day) != (1, 1)):
        raise _refused(
            "not_whole_months", "is told by whole months, or by the hour or day within them.", place,
            "Ask from the first of a month to the first of another, or by day from one midnight to another.",
        )  # fmt: skip
    months = [first.replace(day=1)]
    while (following := (months[-1] + timedelta(days=31)).replace(day=1)) < after:
        months.append(following)
    told = registry.timelines(RELEASE)
    moments: set[str] = set()
    for month in months:
        body = next(iter(told.get(f"{month:%Y-%m}", ())), (0, None))[1]
        if body is None or body["floor"] != floor().digest:
            raise _refused(
                "not_released", f"{month:%Y-%m} has not been released.", place,
                "Ask for a month that was told: /api/v1/open-data/releases names them.", months=f"{month:%Y-%m}",
            )  # fmt: skip
        moments.add(body["known_at"])
    if len(moments) > 1:
        raise _refused(
            "several_releases", "holds months that were released at several moments.", place, "Ask month by month."
        )
    return Released(tuple(months), datetime.fromisoformat(moments.pop()))


class Floors:
    """Keeps the floor's say on released months: making one reads all meters of the city."""

    def __init__(self, most: int = KEPT) -> None:
        """Keep so many."""
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[int, date, datetime], tuple[Engine, MonthFloor]] = OrderedDict()

    def need(self, engine: Engine, of: Released, place: str, asking: Asking, *, fine: bool) -> None:
        """Raise Forbidden unless all that stands at a place is told in each of the months; `fine`: below a month."""
        for month in of.months:
            if place not in self._get(engine, month, of.known_at, asking).whole_books[fine]:
                raise below_floor(place)

    def _get(self, engine: Engine, month: date, known_at: datetime, asking: Asking) -> MonthFloor:
        key = (id(engine), month, known_at)
        with self._lock:
            held = self._held.get(key)
            if held is None:
                last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
                with asking(known_at) as asked:
                    held = self._held[key] = (engine, month_floor(asked, month, last))
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return held[1]


FLOORS = Floors()


def below_floor(place: str) -> Forbidden:
    """Say that a total is of too few."""
    return _refused(
        "below_floor", "holds too few customers, or too few beside those of the places below it.", place,
        "Ask for a larger place, or by the month.",
    )  # fmt: skip


def only_released(place: str) -> Forbidden:
    """Say that what is asked for is nothing that the floor was laid over."""
    return _refused(
        "only_released", "is told to you in released totals only.", place,
        "Ask for balances, self-sufficiency, emissions or open data of a released month.",
    )  # fmt: skip


def _refused(code: str, message: str, place: str, remedy: str, **said: object) -> Forbidden:
    return Forbidden(message, code=code, place=place, remedy=remedy, said=said)
