"""Self-sufficiency over all carriers, from the books: final energy, and primary energy as buildings count it.

An interval in which any carrier's term is missing is left out of both sums: a missing meter never raises the ratio.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from quintet.terms.unit import units

from .carriers import EnergyBook
from .definitions import TotalDefinition, totals
from .grid import FLOW_INDEX, Amounts
from .selfsufficiency import Measured, SelfSufficiency, answer_of, refused
from .totals import primary

PRIMARY = "primary"
CREDIT_NEEDS = "plants that make renewable energy count what they take in as use, not as a loss of what they make"


@dataclass(frozen=True, slots=True)
class Parts:
    """One carrier's part of a definition, per interval in sub-units."""

    own: Amounts
    use: Amounts


def measure_total(definition: TotalDefinition, books: Sequence[EnergyBook]) -> Measured | str:
    """Lay out one definition over all carriers, or say which carrier has no way to energy, or no factor."""
    if not any(book.balanced.carrier.has(*definition.use) for book in books):
        return "no use of energy is metered here"
    above: list[tuple[Fraction, Amounts]] = []
    below: list[tuple[Fraction, Amounts]] = []
    parts = [(book.balanced, _rows(definition)) for book in books]
    for book in books:
        carrier = book.balanced.carrier
        if not carrier.has(*definition.own, *definition.use):
            continue
        if book.content is None:
            return f"{carrier.commodity} is metered as {carrier.quantity}, and no way leads from it to energy"
        if definition.weights == PRIMARY and book.primary is None:
            return f"there is no primary factor of {carrier.commodity}"
        weight = book.content * (book.primary or 1) if definition.weights == PRIMARY else book.content
        one = _parts(definition, book)
        above.append((weight, one.own))
        below.append((weight, one.use))
    gone = np.any([one.carrier.missing[rows].any(axis=0) for one, rows in parts], axis=0)
    return Measured(tuple(above), tuple(below), gone, (), tuple(parts))


def _rows(definition: TotalDefinition) -> list[int]:
    """Give the rows of FLOW_NAMES that a definition rests on."""
    names = {*definition.own, *definition.use, *definition.credited}
    return [row for name, row in FLOW_INDEX.items() if name in names]


def _parts(definition: TotalDefinition, book: EnergyBook) -> Parts:
    """Sum one carrier's flows: the renewable part of what is own; use less what plants made of a fuel that counts."""
    carrier = book.balanced.carrier
    own, use, credited = (
        [FLOW_INDEX[name] for name in names] for names in (definition.own, definition.use, definition.credited)
    )
    made = (carrier.value[credited] - carrier.renewable[credited]).sum(axis=0)
    return Parts(carrier.renewable[own].sum(axis=0), carrier.value[use].sum(axis=0) - made)


def whole_answers(books: Sequence[EnergyBook], interval: str, count: int) -> list[SelfSufficiency]:
    """Answer every definition over all carriers, in the order of the table."""
    out: list[SelfSufficiency] = []
    for definition in totals().values():
        found = measure_total(definition, books)
        if isinstance(found, str):
            out.append(refused(definition, found, definition.unit, interval, count))
            continue
        one = answer_of(definition, found, units()[definition.unit], interval, _assumed(definition, books))
        out.append(replace(one, grade=_grade(definition, one.value)))
    return out


def _grade(definition: TotalDefinition, value: Fraction | None) -> int | None:
    """Give the grade of the certification, where the definition weighs as it does."""
    if value is None or definition.weights != PRIMARY:
        return None
    return next((i for i, least in enumerate(primary().grades, start=1) if value >= least), None)


def _assumed(definition: TotalDefinition, books: Sequence[EnergyBook]) -> tuple[str, ...]:
    """Say by what volumes became energy, and how plants are counted."""
    out = [book.by for book in books if book.by and book.balanced.carrier.has(*definition.own, *definition.use)]
    if definition.credited and any(book.balanced.carrier.has(*definition.credited) for book in books):
        out.append(CREDIT_NEEDS)
    return tuple(out)
