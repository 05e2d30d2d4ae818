"""How much of an amount was heard: the channel-minutes of the flows that it is made of, and of no others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quintet.terms.tables import FLOW_INDEX, FLOW_NAMES

from .tables import MINUTES


@dataclass(frozen=True, slots=True)
class Heard:
    """Channel-minutes: expected, and of these arrived and estimated."""

    expected_min: int = 0
    arrived_min: int = 0
    estimated_min: int = 0

    def __add__(self, other: "Heard") -> "Heard":
        """Add two."""
        return Heard(
            self.expected_min + other.expected_min,
            self.arrived_min + other.arrived_min,
            self.estimated_min + other.estimated_min,
        )

    @property
    def coverage(self) -> float | None:
        """Give the share of the expected time that arrived, at most 1; None where nothing is expected."""
        return min(self.arrived_min / self.expected_min, 1.0) if self.expected_min else None

    @property
    def estimated_share(self) -> float | None:
        """Give the estimated share of what is known; None where nothing is."""
        known = self.arrived_min + self.estimated_min
        return self.estimated_min / known if known else None

    @property
    def known(self) -> float:
        """Give the share that arrived or was estimated; 1 where nothing is expected."""
        return min((self.arrived_min + self.estimated_min) / self.expected_min, 1.0) if self.expected_min else 1.0

    @property
    def whole(self) -> bool:
        """Tell whether all that was expected is known."""
        return self.arrived_min + self.estimated_min >= self.expected_min


def heard(row: Mapping[str, Any], flows: Iterable[str]) -> Heard | None:
    """Give the minutes behind some flows of a BALANCE row; None where the table tells no minutes.

    What is derived rests on every flow of the row: it is heard as the one that is known least.
    """
    minutes = row.get(MINUTES)
    if minutes is None:
        return None
    names = set(flows)
    derived = not names.isdisjoint(row["derived"])
    terms = [_term(minutes, name) for name in (FLOW_NAMES if derived else sorted(names))]
    return least(terms) if derived else sum(terms, Heard())


def least(every: Sequence[Heard]) -> Heard:
    """Give the one that is known least."""
    owed = (one for one in every if one.expected_min)
    return min(owed, key=lambda one: (one.known, -one.estimated_min), default=Heard())


def _term(minutes: Sequence[int], name: str) -> Heard:
    """Give one flow's minutes: what is in the row's amounts."""
    expected, arrived, estimated, known = minutes[4 * FLOW_INDEX[name] : 4 * FLOW_INDEX[name] + 4]
    if not expected:
        return Heard(0, arrived, estimated)
    in_it = min(arrived, known)
    return Heard(expected, in_it, min(estimated, known - in_it))


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a sum can be trusted: coverage of what was heard least in it, and the share of what is estimated most."""

    coverage: float | None
    estimated_share: float | None


def trust_of(every: Iterable[Heard]) -> Trust:
    """Give the trust in a sum of amounts: no large number of meters hides that one other is silent."""
    held = [one for one in every if one.expected_min or one.arrived_min or one.estimated_min]
    coverages = [one.coverage for one in held if one.coverage is not None]
    shares = [one.estimated_share for one in held if one.estimated_share is not None]
    return Trust(min(coverages, default=None), max(shares, default=None))
