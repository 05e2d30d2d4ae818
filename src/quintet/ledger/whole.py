"""Self-sufficiency over all carriers, from the books: final energy, and primary energy as buildings count it.

An interval in which any carrier's term is missing is left out of both sums: a missing meter never raises the ratio.
What a renewable plant takes in (a heat pump's electricity) is taken off what it makes, by the factor of what it makes:
produced = (output - energy to make it) x factor. It counts as demand where it was taken in, and is not in the output.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from quintet.terms.tables import FLOW_INDEX
from quintet.terms.unit import units

from .balance import Balanced
from .carriers import EnergyBook
from .definitions import TotalDefinition, totals
from .grid import Amounts, Mask
from .renewable_plants import Intake
from .selfsufficiency import Measured, SelfSufficiency, answer_of, refused
from .shortfall import shortfall
from .totals import primary

PRIMARY = "primary"
NET_OF_INTAKE = "what renewable plants took in is taken off what they made, by the factor of what they made: "
GROSS_OF_INTAKE = "what renewable plants made counts whole, though they took in energy to make it: "
EVENTS_ALONE = "reported by events alone, so nobody owes a value: an interval without one counts as nothing used"


@dataclass(frozen=True, slots=True)
class Parts:
    """One carrier's part of a definition, per interval in sub-units."""

    own: Amounts
    use: Amounts


def measure_total(
    definition: TotalDefinition, books: Sequence[EnergyBook], intakes: Sequence[Intake] = ()
) -> Measured | str:
    """Lay out one definition over all carriers, or say which carrier has no way to energy, or no factor.

    `intakes` are what renewable plants took in, where there are any that take in energy.
    """
    if not any(book.balanced.carrier.has(*definition.use) for book in books):
        return "no use of energy is metered here"
    above: list[tuple[Fraction, Amounts]] = []
    below: list[tuple[Fraction, Amounts]] = []
    made: list[tuple[str, Amounts]] = []
    parts = [(book.balanced, _rows(definition)) for book in books]
    for book in books:
        carrier = book.balanced.carrier
        if not carrier.has(*definition.own, *definition.use):
            continue
        one, stretches = _parts(definition, book), book.stretches()
        made.append((carrier.commodity, one.own))
        for at, content in stretches:
            if content is None:
                return f"{carrier.commodity} is metered as {carrier.quantity}, and no way leads from it to energy"
            if definition.weights == PRIMARY and book.primary is None:
                return f"there is no primary factor of {carrier.commodity}"
            weight = content * (book.primary or 1) if definition.weights == PRIMARY else content
            above.append((weight, one.own if len(stretches) == 1 else _within(one.own, at)))
            below.append((weight, one.use if len(stretches) == 1 else _within(one.use, at)))
    gone = np.any([(one.carrier.missing[rows] & _owing(one, rows)).any(axis=0) for one, rows in parts], axis=0)
    for one in intakes if definition.credited else ():
        if one.weight is None:
            return one.reason
        above.append((-one.weight, one.amounts))
        below.append((-one.weight, one.amounts))
        gone |= one.gone
    short = [shortfall(own, gone, f"{name}: ") for name, own in made]
    refusal = next((one.refusal for one in short if one.refusal), None)
    assumed = tuple(words for one in short for words in one.assumed)
    return Measured(tuple(above), tuple(below), gone, (), tuple(parts), assumed, refusal)


def _within(amounts: Amounts, at: slice) -> Amounts:
    """Give amounts of some intervals alone: 0 in all others."""
    out = np.zeros_like(amounts)
    out[at] = amounts[at]
    return out


def _owing(one: Balanced, rows: list[int]) -> Mask:
    """Tell [rows, 1] of which flows a meter owes values in some interval: of one by events alone none is missing."""
    return np.any(one.carrier.expected_min[rows] > 0, axis=1, keepdims=True)


def _by_events(one: Balanced, rows: list[int]) -> str | None:
    """Say of a carrier that is reported by events alone in how many intervals there was none; None of another."""
    silent = np.any(one.carrier.missing[rows] & ~_owing(one, rows), axis=0)
    count = int(np.count_nonzero(silent))
    return f"{one.carrier.commodity}: {EVENTS_ALONE} ({count} of {one.value.shape[1]})" if count else None


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


def whole_answers(
    books: Sequence[EnergyBook], interval: str, count: int, intakes: Sequence[Intake] = ()
) -> list[SelfSufficiency]:
    """Answer every definition over all carriers, in the order of the table."""
    out: list[SelfSufficiency] = []
    for definition in totals().values():
        found = measure_total(definition, books, intakes)
        if isinstance(found, str):
            out.append(refused(definition, found, definition.unit, interval, count))
            continue
        one = answer_of(definition, found, units()[definition.unit], interval, _assumed(definition, books, intakes))
        out.append(replace(one, grade=_grade(definition, one.value)))
    return out


def _grade(definition: TotalDefinition, value: Fraction | None) -> int | None:
    """Give the grade of the certification, where the definition weighs as it does."""
    if value is None or definition.weights != PRIMARY:
        return None
    return next((i for i, least in enumerate(primary().grades, start=1) if value >= least), None)


def _assumed(definition: TotalDefinition, books: Sequence[EnergyBook], intakes: Sequence[Intake]) -> tuple[str, ...]:
    """Say by what volumes became energy, and how renewable plants that take in energy are counted."""
    out = [book.by for book in books if book.by and book.balanced.carrier.has(*definition.own, *definition.use)]
    out += [words for book in books if (words := _by_events(book.balanced, _rows(definition)))]
    plants = ", ".join(sorted({one.plant for one in intakes}))
    if plants:
        out.append(f"{NET_OF_INTAKE}{plants}" if definition.credited else f"{GROSS_OF_INTAKE}{plants}")
    return tuple(out)
