"""Many bills at once that differ in use (and one stated size) only: the same exact amounts as `compute`, by columns.

Fractions are slow and a city's bills many. Each charge is linear within a block, so that a group's amounts are whole
numerators over one denominator; 64-bit integers carry them where they surely fit, Python's own beyond. That both ways
say the same is proved by tests/tariffs/test_many.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from quintet.terms.amount import ROOM

from .bill import COMMON, COMMON_WON, NAMES, RELIEFS, ROUNDING, Bill, compute
from .card_rows import Charge, Levy
from .cards import Cards, cards
from .charges import METHODS
from .exact import ZERO
from .periods import Part
from .request import Asked, in_card_unit

Whole = npt.NDArray[Any]
"""Whole numbers: int64, or Python's own (dtype object) where they may not fit."""
SIZED = "by_option"
"""The method of a charge that multiplies a stated size: the one fact that may differ within a group."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Exact amounts of many bills: whole numerators over one denominator."""

    num: Whole
    den: int

    def at(self, row: int) -> Fraction:
        """Give one bill's amount."""
        return Fraction(int(self.num[row]), self.den)


@dataclass(frozen=True, slots=True)
class ManyLine:
    """One item of many bills; `won` is None where a fact is missing, and `lacks` names it."""

    item: str
    name_en: str
    name_ko: str
    won: Amounts | None
    lacks: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Many:
    """A group of bills; `pattern` is one of them, with no use: its parts, cards and levies are those of all.

    `unpriced` marks uses above the last published block: they have no bill, whatever the columns hold there.
    """

    pattern: Bill
    use: Amounts
    lines: tuple[ManyLine, ...]
    subtotal: Amounts
    total: Whole
    unpriced: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Group:
    """The bills' uses as whole `num` times `unit` (of the card, for one household and month), and their sizes."""

    num: npt.NDArray[np.int64]
    unit: Fraction
    sizes: Mapping[str, Amounts]
    options: Mapping[str, Fraction]


def _times(numbers: Whole, factor: int) -> Whole:
    """Multiply exactly."""
    if factor == 1:
        return numbers
    if numbers.dtype == object:
        return numbers * factor
    most = int(np.abs(numbers).max(initial=0))
    return numbers * factor if most * abs(factor) < ROOM else numbers.astype(object) * factor


def _plus(one: Whole, other: Whole) -> Whole:
    """Add exactly."""
    if one.dtype != object and other.dtype != object:
        if int(np.abs(one).max(initial=0)) + int(np.abs(other).max(initial=0)) < ROOM:
            return one + other
        one = one.astype(object)
    return one + other


def _sum(parts: Sequence[Amounts], count: int) -> Amounts:
    """Add up exactly over the least common denominator."""
    den = lcm(*(part.den for part in parts)) if parts else 1
    num: Whole = np.zeros(count, np.int64)
    for part in parts:
        num = _plus(num, _times(part.num, den // part.den))
    return Amounts(num, den)


def _scaled(one: Amounts, by: Fraction) -> Amounts:
    return Amounts(_times(one.num, by.numerator), one.den * by.denominator)


def _rounded(one: Amounts, how: str, to: int) -> Amounts:
    """Round as a card says (see exact.ROUNDINGS)."""
    if how == "none":
        return one
    unit = one.den * to
    if how == "floor":
        return Amounts(_times(_divided(one.num, unit), to), 1)
    return Amounts(_times(_divided(_plus(_times(one.num, 2), np.full(len(one.num), unit)), 2 * unit), to), 1)


def _divided(numbers: Whole, by: int) -> Whole:
    """Divide by a whole number, downwards."""
    return numbers.astype(object) // by if by >= ROOM and numbers.dtype != object else numbers // by


def compute_many(
    asked: Asked, use: Sequence[int], sizes: Mapping[str, Amounts] | None = None, table: Cards | None = None
) -> Many:
    """Compute the bills of `use`, whole amounts of 0 or more in units of `asked.use`, one household each.

    `asked` says all else; `sizes` gives options that differ (the facts that a charge multiplies). Raises as `compute`
    does for what holds of the whole group.
    """
    table = cards() if table is None else table
    sizes = {} if sizes is None else sizes
    each = replace(asked, options={**asked.options, **dict.fromkeys(sizes, ZERO)})
    pattern = compute(each.with_use(ZERO), table)
    parts = pattern.parts
    in_unit = in_card_unit(asked, pattern.unit, by_heat=parts[-1].card.volume_by_heat)
    numbers = np.asarray(use, np.int64)
    group = _Group(numbers, in_unit / (pattern.months * asked.households), sizes, asked.options)
    per_part, unpriced = _items(pattern, group)
    lines: list[ManyLine] = []
    for line in pattern.lines:
        if line.lacks:
            lines.append(ManyLine(line.item, line.name_en, line.name_ko, None, line.lacks))
        elif line.item in per_part:
            of, exact = per_part[line.item]
            won = _rounded(_sum([one for _, one in exact], len(numbers)), of.rounding, of.to)
            lines.append(ManyLine(line.item, line.name_en, line.name_ko, won))
    lines += _relieved(pattern, lines, len(numbers))
    subtotal = _sum([line.won for line in lines if line.won is not None], len(numbers))
    lines += _shares(pattern, per_part, subtotal)
    return _ended(pattern, Amounts(numbers, 1), in_unit, lines, subtotal, unpriced)


def _ended(
    pattern: Bill, numbers: Amounts, unit: Fraction, lines: list[ManyLine], subtotal: Amounts,
    unpriced: npt.NDArray[np.bool_],
) -> Many:  # fmt: skip
    """Round the totals, and add what is added after tax."""
    last, count = pattern.parts[-1].card, len(numbers.num)
    exact = _sum([line.won for line in lines if line.won is not None], count)
    total = _rounded(exact, last.total_rounding, last.total_to)
    cut = _sum([total, _scaled(exact, Fraction(-1))], count)
    if bool(np.any(cut.num != 0)):
        lines.append(ManyLine(ROUNDING, *NAMES[ROUNDING], cut))
    common = pattern.asked.options.get(COMMON_WON)
    if common is not None:
        share = Amounts(np.full(count, common.numerator, object), common.denominator)
        lines.append(ManyLine(COMMON, *NAMES[COMMON], share))
        total = _sum([total, share], count)
    if pattern.fee is not None:
        fee, least = pattern.fee, pattern.fee.least(pattern.months) / unit
        paid = np.where(numbers.num >= -(-least.numerator // least.denominator), int(fee.of_months(pattern.months)), 0)
        lines.append(ManyLine(fee.id, fee.name_en, fee.name_ko, Amounts(paid, 1)))
        total = _sum([total, Amounts(paid, 1)], count)
    whole = total.num if total.den == 1 else _divided(total.num, total.den)
    return Many(pattern, _scaled(numbers, unit), tuple(lines), subtotal, whole, unpriced)


def _items(
    pattern: Bill, group: _Group
) -> tuple[dict[str, tuple[Charge | Levy, list[tuple[Part, Amounts]]]], npt.NDArray[np.bool_]]:
    """Give each item's exact amounts part by part, charges first, then what is levied per unit."""
    out: dict[str, tuple[Charge | Levy, list[tuple[Part, Amounts]]]] = {}
    unpriced = np.zeros(len(group.num), np.bool_)
    customers = pattern.months * pattern.asked.households

    def add(of: Charge | Levy, part: Part, cost: Amounts) -> None:
        share = Fraction(part.days, pattern.asked.days) * customers
        held = out.get(of.item, (of, []))[1]
        out[of.item] = (of, [*held, (part, _scaled(cost, share))])

    for part in pattern.parts:
        for charge in part.charges:
            if charge.may_lack and charge.option not in group.options and charge.option not in group.sizes:
                continue
            cost, above = _cost(charge, group)
            unpriced |= above
            add(charge, part, cost)
    for part in pattern.parts:
        for levy in part.levies:
            if levy.method == "per_unit":
                add(levy, part, _line(group, [], [ZERO], [levy.rate]))
    return out, unpriced


def _cost(charge: Charge, group: _Group) -> tuple[Amounts, npt.NDArray[np.bool_]]:
    """Give what a charge costs each bill for one household and month, and where no price is known."""
    none = np.zeros(len(group.num), np.bool_)
    if charge.method == SIZED and charge.option in group.sizes:
        return _scaled(group.sizes[charge.option], charge.values[0]), none
    if charge.method == "step":
        return _line(group, charge.limits, charge.values, [ZERO] * len(charge.values)), none
    if charge.method == "blocks":
        flat, rates = [ZERO], list(charge.values)
        for limit, (before, after) in zip(charge.limits, pairwise(rates), strict=False):
            flat.append(flat[-1] + limit * (before - after))
        limits = charge.limits[: len(rates) - 1]
        above = none if len(rates) > len(charge.limits) else group.num > charge.limits[-1] // group.unit
        return _line(group, limits, flat, rates), above
    one, two = (METHODS[charge.method](charge, Fraction(amount), group.options).won for amount in (0, 1))
    return _line(group, [], [one], [two - one]), none


def _line(group: _Group, limits: Sequence[Fraction], flat: Sequence[Fraction], rates: Sequence[Fraction]) -> Amounts:
    """Give flat[k] + rates[k] x use, k being the first block whose limit the use does not exceed."""
    per = [rate * group.unit for rate in rates]
    den = lcm(*(one.denominator for one in (*flat, *per)))
    fixed, slope = ([int(one * den) for one in row] for row in (flat, per))
    if not limits:
        kind = np.int64 if abs(fixed[0]) < ROOM else object
        return Amounts(_plus(_times(group.num, slope[0]), np.full(len(group.num), fixed[0], kind)), den)
    block = np.searchsorted(np.array([int(limit // group.unit) for limit in limits], np.int64), group.num, side="left")
    most = int(np.abs(group.num).max(initial=0))
    kind = np.int64 if max(map(abs, fixed)) + max(map(abs, slope)) * max(most, 1) < ROOM else object
    chosen = (np.array(row, kind)[block] for row in (fixed, slope))
    first, rate = chosen
    return Amounts(first + rate * group.num.astype(kind), den)


def _relieved(pattern: Bill, lines: Sequence[ManyLine], count: int) -> list[ManyLine]:
    """Take the reduction off: as `Relief.won`, whose smallest of several is the smallest of each cut down."""
    if not pattern.reliefs:
        return []
    relief = pattern.reliefs[0]
    charges = _sum([line.won for line in lines if line.won is not None], count)
    bounds = [_rounded(charges, "floor", 1).num.astype(object)]
    if relief.share is not None:
        bounds.append(_rounded(_scaled(charges, relief.share), "floor", 1).num.astype(object))
    if relief.most is not None:
        asked = pattern.asked
        huge = Fraction(10**15)
        whole = replace(relief, share=None).won(huge, asked.start, asked.end, pattern.months)
        bounds.append(np.full(count, int(whole), object))
    won = bounds[0]
    for bound in bounds[1:]:
        won = np.minimum(won, bound)
    return [ManyLine(RELIEFS[0], relief.name_en, relief.name_ko, Amounts(-won, 1))]


def _shares(
    pattern: Bill, items: Mapping[str, tuple[Charge | Levy, list[tuple[Part, Amounts]]]], subtotal: Amounts
) -> list[ManyLine]:
    """Levy the shares of the subtotal; with several parts each part's rate is on its share of the exact sum."""
    rates: dict[str, list[tuple[Levy, Part]]] = {}
    for part in pattern.parts:
        for levy in part.levies:
            if levy.method == "share":
                rates.setdefault(levy.item, []).append((levy, part))
    out: list[ManyLine] = []
    for rows in rates.values():
        last = rows[-1][0]
        even = len({levy.rate for levy, _ in rows}) == 1 and len(rows) == len(pattern.parts)
        exact = _scaled(subtotal, last.rate) if even else _by_parts(rows, items, subtotal)
        out.append(ManyLine(last.item, last.name_en, last.name_ko, _rounded(exact, last.rounding, last.to)))
    return out


def mixed(pattern: Bill) -> bool:
    """Tell whether bills are computed one by one: a levy that is not rounded changes within, or two reductions."""
    if len(pattern.reliefs) > 1:
        return True
    held: dict[str, set[Fraction]] = {}
    for part in pattern.parts:
        for levy in part.levies:
            if levy.method == "share" and levy.rounding == "none":
                held.setdefault(levy.item, set()).add(levy.rate)
    return any(len(rates) > 1 for rates in held.values())


def _by_parts(
    rows: Sequence[tuple[Levy, Part]],
    items: Mapping[str, tuple[Charge | Levy, list[tuple[Part, Amounts]]]],
    subtotal: Amounts,
) -> Amounts:
    """Give subtotal x sum(exact of part x rate of part) / sum(exact), bill by bill; rounded down to a millionth won.

    The quotient's denominator differs from bill to bill: it is cut far below what any rounding of a levy can see, and
    only where it is no whole millionth, so that what lies on a border stays there.
    """
    count = len(subtotal.num)
    every = [(part, one) for _, parts in items.values() for part, one in parts]
    whole = _sum([one for _, one in every], count)
    of_rate = {part.start: levy.rate for levy, part in rows}
    levied = _sum([_scaled(one, of_rate[part.start]) for part, one in every if part.start in of_rate], count)
    top = subtotal.num.astype(object) * levied.num.astype(object) * (whole.den * MILLIONTHS)
    below = np.where(whole.num == 0, 1, whole.num.astype(object) * (levied.den * subtotal.den))
    return Amounts(top // below, MILLIONTHS)


MILLIONTHS = 10**6
