"""Inside `serve`: days that are over are closed by themselves and judged, a while after local midnight and at start.

One day at a time and in turn with everything else that writes: a command waits for one day at most, and so does the end
of the process. What goes wrong is said and tried again.
"""

from datetime import date

from quintet.registry import Registry
from quintet.store.closing import open_days
from quintet.terms.period import day_of_number

from .background import Background
from .run import Desk

SETTLING_US = 3_600_000_000
"""A day is closed this long after it ended: most late readings have come by then, and need no second closing."""
LOOK_S = 30.0
"""How often the clock is looked at; a machine that slept or whose clock was set is met at once."""
AGAIN_S = 900.0
"""After a failure the next attempt waits this long."""


class Interrupted(Exception):
    """Somebody else's turn, or the end."""


class Nightly(Background):
    """Closes days; its end waits for the day that is being closed."""

    def __init__(self, desk: Desk, *, look_s: float = LOOK_S, again_s: float = AGAIN_S) -> None:
        """Close days of the city on this desk, looking at the clock every `look_s` seconds."""
        super().__init__("nightly", "closing days", self._look, again_s=again_s)
        self._desk = desk
        self._look_s = look_s
        self._closed: date | None = None
        self._summed: Registry | None = None
        self._to_judge = False

    def _look(self) -> float:
        """Close what is due since the last look, sum and judge it; give the seconds until the next look."""
        city = self._desk.city()
        until = day_of_number(city.engine.day_of(city.now() - SETTLING_US))
        if until != self._closed:
            with city.engine.snapshot() as snapshot:
                days = [day_of_number(day + 1) for day in open_days(city.engine, snapshot)]
            for day_after in days:
                with self._desk.turns.spare(self.ending) as mine:
                    if mine and day_after <= until:
                        city.close_days(day_after)
                        self._to_judge = True
        while not self.ended and city.registry() is not self._summed:
            self._sum_anew()
        if self._to_judge:
            self._judge()
        self._closed = until
        return self._look_s

    def _judge(self) -> None:
        """Judge what was closed; a command that waits goes first, and this begins anew at the next look."""
        with self._desk.turns.spare(self.ending) as mine:
            try:
                if mine:
                    self._desk.city().judge_days(actor="nightly", progress=self._give_way)
                    self._to_judge = False
            except Interrupted:
                return

    def _sum_anew(self) -> None:
        """Sum closed days anew where the registry changed since, until somebody else wants to write."""
        city = self._desk.city()
        with self._desk.turns.spare(self.ending) as mine:
            registry = city.registry()
            try:
                if mine:
                    city.refresh_flows(self._give_way)
                    self._summed = registry
            except Interrupted:
                return

    def _give_way(self, _day: str) -> None:
        if self.ended or self._desk.turns.waiting:
            raise Interrupted
