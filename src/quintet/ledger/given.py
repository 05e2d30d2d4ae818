"""Self-sufficiency of series that somebody states: laid out as a balance and answered by the ledger's own functions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import lcm

import pyarrow as pa

from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.tables import FLOWS
from quintet.terms.unit import Unit, units

from .dated import said
from .definitions import Definition, definitions
from .netting import FINE_MIN
from .selfsufficiency import FINE_PLACES, METHODS, SelfSufficiency, selfsufficiency

Series = Sequence[Fraction]
START = datetime(2000, 1, 1, tzinfo=UTC)
"""Stated series have no date; the balance wants edges that rise."""
LONGEST = 10**34
"""Sums of a balance hold 38 digits."""


@dataclass(frozen=True, slots=True)
class Given:
    """Energies per interval, exact, all in `unit` and of one length (a series that is not stated is None).

    `own` is all own generation, `own_renewable` its renewable (carbon-free) part: where it is not stated, all of it
    counts as renewable. `minutes` is the length of an interval, `interval` the word for it. `grid_share` is the
    carbon-free share of what the grid gives, 0 to 1.
    """

    unit: str
    minutes: int
    interval: str
    load: Series | None = None
    own: Series | None = None
    own_renewable: Series | None = None
    imported: Series | None = None
    exported: Series | None = None
    charged: Series | None = None
    discharged: Series | None = None
    grid_share: Series | None = None

    def series(self) -> dict[str, Series]:
        """Give what is stated, by the name of the option that states it."""
        every = {
            "--load": self.load, "--own": self.own, "--own-renewable": self.own_renewable, "--import": self.imported,
            "--export": self.exported, "--storage-charge": self.charged, "--storage-discharge": self.discharged,
            "--grid-share": self.grid_share,
        }  # fmt: skip
        return {name: values for name, values in every.items() if values is not None}


@dataclass(frozen=True, slots=True)
class Answered:
    """What the stated series allow: answers by definition, what each other one needs, and what was taken for granted.

    `closure` is the sum of supply less use where both sides are stated in full, None where a side follows from the
    rest.
    """

    answers: Mapping[str, SelfSufficiency]
    needs: Mapping[str, str]
    assumed: tuple[str, ...]
    closure: Fraction | None


def answer_given(given: Given) -> Answered:
    """Answer every definition that the stated series allow.

    Raises UsageError for series of different lengths and for amounts that are negative, BadInput where they contradict
    each other.
    """
    _check(given)
    needs = {code: need for code, row in definitions().items() if (need := _need(row, given))}
    wanted = [code for code in definitions() if code not in needs]
    if not wanted:
        return Answered({}, needs, (), None)
    whole, closure = _closed(given)
    ratio = units()[given.unit].ratio
    energies = [values for name, values in whole.series().items() if name != "--grid-share"]
    scale = lcm(1, *((value * ratio).denominator for values in energies for value in values))
    carriers = {(definitions()[code].commodity, definitions()[code].quantity) for code in wanted}
    count = len(next(iter(given.series().values())))
    edges = [START + timedelta(minutes=given.minutes * i) for i in range(count + 1)]
    found = selfsufficiency(
        _flows(whole, carriers, edges, ratio * scale),
        edges=edges,
        commodities=commodities(),
        boundaries_metered=carriers if whole.imported is not None else set(),
        interval=given.interval,
        only=wanted,
        grid_share=given.grid_share,
    )
    answers = {one.id: _scaled(one, scale, given) for one in found}
    return Answered(answers, needs, _assumed(given, answers), closure)


def _check(given: Given) -> None:
    """Refuse series of different lengths, negative amounts, shares beyond 1, and a part larger than its whole."""
    stated = given.series()
    lengths = {name: len(values) for name, values in stated.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {count}" for name, count in lengths.items())
        raise UsageError(
            f"the series differ in length: {listed}.",
            code="different_lengths",
            place=next(name for name, count in lengths.items() if count != next(iter(lengths.values()))),
            remedy="Give one number for each interval in every series.",
        )
    for name, values in stated.items():
        for place, value in enumerate(values, start=1):
            if value < 0 or (name == "--grid-share" and value > 1):
                words = "is below zero" if value < 0 else "is above 1"
                raise UsageError(f"{said(value)} {words}.", code="out_of_range", place=f"{name}, place {place}")
    if given.own is not None and given.own_renewable is not None:
        _refuse_where(given, lambda i: _at(given.own, i) < _at(given.own_renewable, i), "--own-renewable",
                      "the renewable part is larger than all own generation")  # fmt: skip


def _need(row: Definition, given: Given) -> str | None:
    """Say what a definition needs that is not stated; None where it can be answered."""
    asked = METHODS[row.method].needs
    has_own = given.own is not None or (row.renewable_only and given.own_renewable is not None)
    netted = given.minutes <= FINE_MIN and given.own is not None and given.load is not None
    sides = {
        "own": "" if has_own else "--own",
        "use": "" if given.load is not None else "--load",
        "imported": "" if given.imported is not None or _follows(given, given.exported) or netted else "--import",
        "exported": "" if given.exported is not None or _follows(given, given.imported) or netted else "--export",
    }
    missing = [sides[side] for side in asked if sides[side]]
    if row.method == "matched_of_used" and given.minutes > FINE_MIN:
        missing.append("intervals of an hour or less (--interval)")
    if set(missing) & {"--import", "--export"} and given.minutes <= FINE_MIN:
        missing[-1] += " (or --load and --own, from which it follows)"
    return " and ".join(missing) or None


def _follows(given: Given, other: Series | None) -> bool:
    """Tell whether one side of the boundary follows from the other one."""
    return other is not None and given.own is not None and given.load is not None


def _closed(given: Given) -> tuple[Given, Fraction | None]:
    """Complete the boundary where one side of it is stated; refuse what cannot be, and give what does not close."""
    if given.load is None or (given.imported is None and given.exported is None):
        return given, None
    rest = [
        _at(given.own, i) + _at(given.discharged, i) + _at(given.imported, i)
        - use - _at(given.charged, i) - _at(given.exported, i)
        for i, use in enumerate(given.load)
    ]  # fmt: skip
    if given.own is None:
        _refuse_where(given, lambda i: rest[i] > 0, "--import", "more is imported than used: say --own and --export")
        return given, None
    if given.imported is None:
        _refuse_where(given, lambda i: rest[i] > 0, "--export",
                      "own generation is larger than load and export: say --import too")  # fmt: skip
        return replace(given, imported=[-each for each in rest]), None
    _refuse_where(given, lambda i: rest[i] < 0, "--import", "more is used than own generation and import give")
    if given.exported is None:
        return replace(given, exported=rest), None
    return given, sum(rest, Fraction(0))


def _at(series: Series | None, i: int) -> Fraction:
    """Give an interval's value; 0 where the series is not stated."""
    return Fraction(0) if series is None else series[i]


def _refuse_where(given: Given, wrong: Callable[[int], bool], option: str, words: str) -> None:
    """Refuse at the first interval where something is wrong."""
    for i in range(len(next(iter(given.series().values())))):
        if wrong(i):
            raise BadInput(
                f"{words}.", code="contradiction", place=f"{option}, place {i + 1}", remedy="Mend the series."
            )


def _flows(given: Given, carriers: set[tuple[str, str]], edges: list[datetime], ratio: Fraction) -> pa.Table:
    """Lay the series out as flows of each carrier; `ratio` makes them whole numbers."""
    rest = None
    if given.own is not None and given.own_renewable is not None:
        rest = [whole - part for whole, part in zip(given.own, given.own_renewable, strict=True)]
    parts = [
        ("consumption", False, given.load),
        ("local_generation", True, given.own if given.own_renewable is None else given.own_renewable),
        ("local_generation", False, rest),
        ("import", False, given.imported),
        ("export", False, given.exported),
        ("storage_charge", False, given.charged),
        ("storage_discharge", False, given.discharged),
    ]
    rows = [
        {
            "start": start, "commodity": commodity, "quantity": quantity, "flow": flow, "renewable": renewable,
            "value": Decimal(_whole(value * ratio)), "expected_min": given.minutes, "arrived_min": given.minutes,
            "estimated_min": 0,
        }
        for commodity, quantity in sorted(carriers)
        for flow, renewable, series in parts
        if series is not None
        for start, value in zip(edges[:-1], series, strict=True)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=FLOWS)


def _whole(value: Fraction) -> int:
    """Give a number that the scale made whole, or refuse one that no sum holds."""
    if value.denominator != 1 or abs(value) > LONGEST:
        raise BadInput("a number has too many digits.", code="too_fine", remedy="Give at most 15 digits.")
    return value.numerator


def _scaled(one: SelfSufficiency, scale: int, given: Given) -> SelfSufficiency:
    """Take the scale out of the sums, and name as derived what was not stated."""
    sums = [None if part is None else _unscaled(part, scale) for part in (one.numerator, one.denominator)]
    asked = METHODS[definitions()[one.id].method].needs
    sides = (("import", "imported", given.imported), ("export", "exported", given.exported))
    derived = tuple(name for name, side, series in sides if side in asked and series is None)
    return replace(one, numerator=sums[0], denominator=sums[1], derived=derived)


def _unscaled(amount: Decimal, scale: int) -> Decimal:
    """Divide a sum by the scale, to the twelfth decimal."""
    return said(Fraction(amount) / scale, FINE_PLACES)


def _assumed(given: Given, answers: Mapping[str, SelfSufficiency]) -> tuple[str, ...]:
    """Say what was taken for granted."""
    out: list[str] = []
    if given.own is not None and given.own_renewable is None:
        out.append("own generation counts as renewable and carbon-free: --own-renewable was not stated")
    if given.grid_share is None and given.load is not None:
        out.append("the grid's carbon-free share is left out: --grid-share was not stated")
    for name, side in (("import", "load less own generation"), ("export", "own generation less load")):
        if any(name in one.derived for one in answers.values()):
            out.append(f"{name} was not stated: it follows from the rest, interval by interval ({side})")
    return tuple(out)


def unit_of(name: str) -> Unit:
    """Find a unit that measures what the definitions are about; raises UsageError for another."""
    unit = units().get(name)
    quantities = {row.quantity for row in definitions().values()}
    if unit is None or unit.rate or unit.quantity not in quantities:
        fitting = ", ".join(each for each in units() if not units()[each].rate and units()[each].quantity in quantities)
        raise UsageError(
            f"there is no unit {name!r} of energy.", code="wrong_unit", place="--unit", remedy=f"There are {fitting}."
        )
    return unit
