"""What weeks are judged with beside their readings: the rules, and what the registry and the events say by then.

A week is judged again when its basis changes. What is said of times after it changes nothing for it.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np

from quintet.store.engine import Snapshot
from quintet.store.runs import said_of_events, said_of_occupancy, said_of_registry

from .vee_units import Unit, moment


class Bases:
    """Names the bases of weeks, as a snapshot has it."""

    def __init__(self, snapshot: Snapshot, rules: str, tz: ZoneInfo) -> None:
        """Read what was said; `rules` names the rules."""
        self._tz, self._rules = tz, rules
        self._registry = said_of_registry(snapshot)
        self._events = np.array(said_of_events(snapshot), np.int64).reshape(-1, 3)
        self._occupancy = np.array(said_of_occupancy(snapshot), np.int64).reshape(-1, 2)

    def of(self, unit: Unit) -> str:
        """Name a week's basis: how far it is over stands last."""
        low, high = moment(unit.before[0], self._tz), moment(unit.until, self._tz)
        said = self._events[(self._events[:, 0] < high) & (self._events[:, 1] > low), 2]
        lived = self._occupancy[self._occupancy[:, 0] < high, 1]
        parts = (self._registry, int(said.max(initial=0)), int(lived.max(initial=0)), unit.until)
        return ".".join((self._rules, *map(str, parts)))

    def all(self, units: Sequence[Unit]) -> list[str]:
        """Name the bases of some weeks."""
        return [self.of(unit) for unit in units]


def judged_until(basis: str) -> int:
    """Give the day before which a week was judged, by its basis."""
    return int(basis.rsplit(".", 1)[1])
