"""What an estimator that asks others had to go by in a gap, or why it says nothing there: in figures and in words.

For a person who wants to know where an assigned estimate is from; the estimators themselves stand in others.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .alike import like_days
from .block import Block, Gaps, Ints, cells
from .groups import part_of, spans_of
from .guess import Asked, Known, Others, guessed
from .order import shipped_order
from .others import LEAST_SHARE, months_before, of_months
from .past import Past


@dataclass(frozen=True)
class Told:
    """One gap: whether all of it is `said`, the figures of the evidence that was there, and a sentence about it."""

    said: bool
    evidence: Mapping[str, Any]
    text_en: str


def told(name: str, block: Block, gaps: Gaps, others: Others, history: Block | None = None) -> list[Told]:
    """Tell of each gap what an estimator of reach "others" had to go by; arguments are those of `estimate_with`.

    Raises BadInput for an unknown estimator.
    """
    row = shipped_order().only(name).rows[name]
    pasts = [Past(past, like_days(), block.channels) for past in (block, history) if past is not None]
    out: list[Told] = []
    for place in range(len(gaps)):
        one = part_of(gaps, np.array([place]))
        asked = Asked(pasts, one, others)
        said = bool(guessed(row.estimator, asked).said.all())
        found = _evidence(name, asked)
        figures = ", ".join(f"{key.replace('_', ' ')} {_shown(value)}" for key, value in found.items())
        lead = f"{row.text_en}: " if said else "says nothing: "
        out.append(Told(said, found, lead + (figures or "there is nothing to go by") + "."))
    return out


def _shown(value: object) -> str:
    """Give a figure or a list of words as text."""
    return " ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _evidence(name: str, asked: Asked) -> dict[str, Any]:
    """Give the figures of the evidence for one gap."""
    others = asked.others or Others()
    at = cells(asked.gaps.row, asked.gaps.first, asked.gaps.length)
    count = asked.cells
    if name in _MONTHS:
        return _months(asked, _MONTHS[name])
    if name == "outage_zero":
        out = 0 if others.outage is None else int(others.outage[at].sum())
        return {"intervals_with_a_confirmed_outage": out, "of": count}
    if name == "parent_minus_siblings":
        found = {"intervals_of_the_meter_above": known_in(others.parent, at)}
        found["intervals_of_all_others_below"] = known_in(others.siblings, at)
        if others.parent is not None and others.siblings is not None:
            found["less_than_nothing_in"] = int((others.parent.value[at] < others.siblings.value[at]).sum())
        return {**found, "of": count}
    one = {"check_meter": others.check, "class_profile": others.profile, "same_block_homes": others.homes}.get(name)
    return {f"intervals_known_of_the_{name}": known_in(one, at), "of": count}


def known_in(one: Known | None, at: tuple[Ints, Ints]) -> int:
    """Count the cells that another meter knows."""
    return 0 if one is None else int(one.known[at].sum())


_MONTHS = {"last_three_months": (1, 2, 3), "same_month_last_year": (12,)}
"""The months that an estimator looks at: so many before the one in which the gap began."""


def _months(asked: Asked, back: tuple[int, ...]) -> dict[str, Any]:
    """Give the months looked at, and on how many of their days the gap's times of day were measured."""
    (span,) = spans_of(asked.gaps)
    block = asked.pasts[0].block
    begun = block.first_day + int(block.day_of[span.first])
    slots = np.unique(block.slot_of[span.first : span.first + span.length])
    months = [months_before(begun, one) for one in back]
    _, counted, days = of_months(asked, span.rows, frozenset(months), begun, int(slots.max()) + 1)
    return {
        "months": sorted(f"{year}-{month + 1:02}" for year, month in months),
        "days_measured_at_each_time_at_least": int(counted[0, slots].min()),
        "of_days": days,
        "needed": -(-days // LEAST_SHARE),
    }
