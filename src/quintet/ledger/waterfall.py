"""Why definitions of self-sufficiency differ: one changed assumption a step, exact to the last digit.

Each definition is summed over the intervals in which its own terms are known. So a step has two parts: what the changed
assumption does within the intervals that both know, and what the other intervals do. Both together are the difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from .carriers import EnergyBook
from .definitions import Definition, StepDefinition, TotalDefinition, definitions, steps, totals, variants
from .grid import Amounts
from .renewable_plants import Intake
from .selfsufficiency import Measured, measure, shares_of
from .whole import measure_total


@dataclass(frozen=True, slots=True)
class End:
    """How far one end of a step can be trusted, as SelfSufficiency says it."""

    coverage: float | None
    estimated_share: float | None
    matched: int
    intervals: int


@dataclass(frozen=True, slots=True)
class Waterstep:
    """One step: the ratios before and after (None: `reason`), and the parts of their difference, which add up exactly.

    `by_assumption` holds within the intervals that both know, `by_intervals` is what the others do.
    """

    step: StepDefinition
    before: Fraction | None
    after: Fraction | None
    by_assumption: Fraction | None
    by_intervals: Fraction | None
    reason: str | None
    heard_before: "End | None" = None
    heard_after: "End | None" = None


def names_of(code: str) -> tuple[str, str]:
    """Give the English and the Korean name of a definition or of a step between two."""
    row = _every()[code]
    return row.name_en, row.name_ko


def _every() -> Mapping[str, Definition | TotalDefinition]:
    """Give every definition and step between definitions, by id."""
    of_one, of_all = variants()
    return {**definitions(), **totals(), **of_one, **of_all}


def waterfall(
    books: Sequence[EnergyBook], grid_share: Sequence[Fraction] | None = None, intakes: Sequence[Intake] = ()
) -> list[Waterstep]:
    """Give the steps between all definitions for one place's books, in the order of the table."""
    shares: Amounts = np.array([0] if grid_share is None else grid_share, np.int64 if grid_share is None else object)
    every = _every()
    found = {
        code: _measured(every[code], books, shares, intakes) for step in steps() for code in (step.before, step.after)
    }
    ends = {code: None if isinstance(one, str) else _end(one) for code, one in found.items()}
    return [
        replace(
            _step(step, found[step.before], found[step.after]),
            heard_before=ends[step.before], heard_after=ends[step.after],
        )
        for step in steps()
    ]  # fmt: skip


def _end(one: Measured) -> End:
    matched = ~one.gone
    return End(*shares_of(one.parts, matched), int(matched.sum()), len(matched))


def _measured(
    row: Definition | TotalDefinition, books: Sequence[EnergyBook], shares: Amounts, intakes: Sequence[Intake]
) -> Measured | str:
    """Lay out one definition."""
    if isinstance(row, TotalDefinition):
        return measure_total(row, books, intakes)
    for book in books:
        carrier = book.balanced.carrier
        if (carrier.commodity, carrier.quantity) == (row.commodity, row.quantity):
            return measure(row, book.balanced, shares)
    return f"no {row.commodity} is metered as {row.quantity} here"


def _step(step: StepDefinition, before: Measured | str, after: Measured | str) -> Waterstep:
    """Take one step apart."""
    said = [one if isinstance(one, str) else one.refusal for one in (before, after)]
    reason = next((one for one in said if one), None)
    first, last = (None if isinstance(one, str) else one.value(~one.gone) for one in (before, after))
    if isinstance(before, str) or isinstance(after, str) or first is None or last is None:
        words = reason or "the sum to divide by is not above zero, or nothing is known"
        return Waterstep(step, first, last, None, None, words)
    both = ~before.gone & ~after.gone
    early, late = before.value(both), after.value(both)
    if early is None or late is None:
        return Waterstep(step, first, last, None, None, "the two know no interval in common")
    return Waterstep(step, first, last, late - early, (early - first) + (last - late), None)
