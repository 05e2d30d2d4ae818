"""What thresholds must be to each other and to zero: a slip that a rule's function could not reckon with."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

from quintet.terms.errors import BadInput
from quintet.terms.unit import units

ABOVE_ZERO = frozenset(("p0", "t0", "dark", "kwh_m3_k"))
"""Thresholds that something is divided by."""
AT_MOST_ONE = frozenset(("power_factor", "share", "standby", "chance"))
"""Thresholds that are a part of a whole."""
IN_ORDER = {"V01": ("pass", "flag"), "V08": ("low", "high"), "V09": ("low", "high"), "W01": ("flag_hours", "hours")}
"""Thresholds of a rule of which the first is never above the second."""
NARROWED = ("roles", "commodities", "meter_classes")


class Threshold(Protocol):
    """What is asked of a threshold here: its name, its value, the words of its table, and for which channels it is."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def value(self) -> Fraction:
        """Its exact value."""
        ...

    @property
    def stated(self) -> str:
        """The number as the table says it."""
        ...

    @property
    def scope(self) -> object:
        """For which channels it is."""
        ...


def refuse_bounds(code: str, parameters: Sequence[Threshold], every: object) -> None:
    """Refuse a threshold that is out of bounds, naming its row; `every` is the scope of all channels."""
    for one in parameters:
        above = one.name in ABOVE_ZERO and one.value == 0
        if above or (one.name in AT_MOST_ONE and one.value > 1):
            problem = "must be above zero" if above else "is a part of a whole: at most 1"
            place = f"rule {code}, parameter {one.name}"
            raise BadInput(f"{one.stated} {problem}.", code="bad_rule", place=place, remedy="Mend the row's value.")
    low, high = IN_ORDER.get(code, ("", ""))
    for scope in {one.scope for one in parameters}:
        inside = [one for one in parameters if one.scope in (every, scope)]
        found = [[one for one in inside if one.name == name][-1:] for name in (low, high)]
        if all(found) and found[0][0].value > found[1][0].value:
            raise BadInput(
                f"{low} ({found[0][0].stated}) is above {high} ({found[1][0].stated}).",
                code="bad_rule",
                place=f"rule {code}, parameter {low}",
                remedy=f"Set {low} at most as high as {high}.",
            )


def refuse_twice(rows: Sequence[Mapping[str, Any]], place: str) -> None:
    """Refuse two rows of one list that set the same threshold for the same channels."""
    seen: set[tuple[object, ...]] = set()
    for row in rows:
        unit = units().get(row["unit"]) if isinstance(row.get("unit"), str) else None
        key = (
            row.get("name"),
            unit and unit.quantity,
            *(str(sorted(map(str, row.get(name, [])))) for name in NARROWED),
        )
        if key in seen:
            raise BadInput(
                "stands twice for the same channels.",
                code="bad_rule",
                place=f"{place}, parameter {row.get('name', '?')}",
                remedy="Leave one of the rows out.",
            )
        seen.add(key)
