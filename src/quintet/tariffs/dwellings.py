"""The bills of many dwellings from what their meters counted: grouped by contract and days, each with what it lacks.

What is not known is said: a silent meter has no amount, and no zero; a part that is missing makes a bill that cannot be
issued. Amounts are exact (see `many`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import NotFound, QuintetError, UsageError
from quintet.terms.premise_use import PremiseUse

from .agreements import Agreement
from .bill import ROUNDING, Bill, compute
from .card_rows import Card, Levy
from .cards import Cards
from .exact import decimal_of
from .many import Amounts, Many, compute_many, mixed
from .periods import limits
from .request import Asked

AREA = "area_m2"
LEAST_GROUP = 4
"""Fewer bills alike are computed one by one: a group costs two bills to set up."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a bill is not there or not whole, in two languages."""

    code: str
    en: str
    ko: str
    remedy_en: str
    remedy_ko: str
    blocks: bool
    none: bool


@cache
def reasons() -> Mapping[str, Reason]:
    """Give the reasons by code."""
    rows = read_toml("quintet.tariffs", "reasons.toml")["reason"]
    for code, row in rows.items():
        needed = {"en", "ko", "remedy_en", "remedy_ko", "blocks", "none"}
        check_keys(row, required=needed, optional=set(), place=f"reason {code}")
    return {code: Reason(code, **row) for code, row in rows.items()}


class ItemWon(NamedTuple):
    """One item of a dwelling's bill; `won` is None where a fact is missing, and `lacks` names it."""

    item: str
    name_en: str
    name_ko: str
    won: Fraction | None
    lacks: str


@dataclass(frozen=True, slots=True)
class Reckoned:
    """One dwelling's bill of one utility; `total` is None where there is no amount, and `why` says why.

    `why` holds codes of `reasons`; `detail` is what a refusal said. It is row `row` of a group (`many`), or `alone`.
    """

    metered: PremiseUse
    agreement: Agreement | None
    why: tuple[str, ...]
    detail: str
    total: int | None
    many: Many | None
    row: int
    alone: Bill | None

    @property
    def issuable(self) -> bool:
        """Whether nothing stands against issuing it."""
        return self.total is not None and not (self.why and any(reasons()[code].blocks for code in self.why))

    @property
    def pattern(self) -> Bill | None:
        """Give a bill of the same parts, cards and levies; its use may be another."""
        return self.alone if self.many is None else self.many.pattern

    @property
    def use(self) -> Fraction | None:
        """Give the use in the card's unit."""
        if self.many is not None:
            return self.many.use.at(self.row)
        return None if self.alone is None else self.alone.use

    @property
    def subtotal(self) -> Fraction | None:
        """Give what stands before tax and fund."""
        if self.many is not None:
            return self.many.subtotal.at(self.row)
        return None if self.alone is None else self.alone.subtotal

    @property
    def lines(self) -> list[ItemWon]:
        """Give the items."""
        if self.many is not None:
            rows = [
                ItemWon(line.item, line.name_en, line.name_ko, None if line.won is None else line.won.at(self.row),
                        line.lacks)
                for line in self.many.lines
            ]  # fmt: skip
            return [row for row in rows if row.won != 0 or row.item != ROUNDING]
        if self.alone is None:
            return []
        return [ItemWon(one.item, one.name_en, one.name_ko, one.won, one.lacks) for one in self.alone.lines]

    @property
    def said(self) -> list[tuple[str, str, str, Decimal | None, str]]:
        """Give the items with their won as decimals: of a group all at once, for fractions are slow."""
        if self.many is None:
            return [(*line[:3], None if line.won is None else decimal_of(line.won), line.lacks) for line in self.lines]
        columns, row = decimals(self.many), self.row
        return [
            (line.item, line.name_en, line.name_ko, None if won is None else won[row], line.lacks)
            for line, won in zip(self.many.lines, columns, strict=True)
            if won is None or won[row] or line.item != ROUNDING
        ]

    @property
    def rows(self) -> tuple[Card | Levy, ...]:
        """Give the cards and levies behind it."""
        return () if self.pattern is None else (*self.pattern.cards, *self.pattern.levies)


@lru_cache(maxsize=64)
def decimals(many: Many) -> list[list[Decimal] | None]:
    """Give the lines of a group as decimals."""
    out: list[list[Decimal] | None] = []
    for line in many.lines:
        if line.won is None:
            out.append(None)
            continue
        numbers, den = line.won.num.tolist(), line.won.den
        out.append([Decimal(one) if den == 1 else decimal_of(Fraction(one, den)) for one in numbers])
    return out


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The bills of a place's dwellings for the local days [first, end), what was known, and by which rules and cards.

    Readings are due up to `until`.
    """

    place: str
    first: date
    end: date
    rows: Sequence[Reckoned]
    known_at: datetime
    until: datetime
    rule_set: str
    table: Cards

    @property
    def month(self) -> int:
        """Give the month as a number, 202510."""
        return self.first.year * 100 + self.first.month


@dataclass(frozen=True, slots=True)
class Rates:
    """What bills are reckoned by: the cards, whether the last known may be carried on, areas, and sub-units."""

    table: Cards
    provisional: bool
    areas_m2: Mapping[str, float]
    sub_units: Mapping[str, str]


def asked_of(metered: PremiseUse, agreement: Agreement, rates: Rates) -> Asked:
    """Say what bill is asked for, one sub-unit of use; the dwelling's own area where none is stated."""
    options = dict(agreement.options)
    return Asked(
        metered.commodity, Fraction(1), rates.sub_units[metered.quantity], metered.first, metered.end,
        agreement.contract, agreement.city, agreement.branch, 1, options, agreement.relief, rates.provisional,
    )  # fmt: skip


def reckon(
    rows: Iterable[tuple[PremiseUse, Agreement | None]], rates: Rates, until: date | None = None
) -> list[Reckoned]:
    """Reckon bills, in the order given; `until` is the first local day that is not over (None: all are)."""
    out: list[Reckoned | None] = []
    groups: dict[tuple[object, ...], list[tuple[int, PremiseUse, Agreement, tuple[str, ...]]]] = {}
    for number, (metered, agreement) in enumerate(rows):
        why = _standing(metered, agreement, until)
        if agreement is None or (why and any(reasons()[code].none for code in why)):
            out.append(Reckoned(metered, agreement, why, "", None, None, 0, None))
            continue
        out.append(None)
        key = (metered.commodity, metered.quantity, metered.first, metered.end, agreement.key)
        groups.setdefault(key, []).append((number, metered, agreement, why))
    for members in groups.values():
        for number, one in _group(members, rates):
            out[number] = one
    return [one for one in out if one is not None]


def _standing(metered: PremiseUse, agreement: Agreement | None, until: date | None) -> tuple[str, ...]:
    """Say what of the meters' counts stands against a bill."""
    why: list[str] = []
    known = metered.arrived_min + metered.estimated_min
    if agreement is None:
        why.append("not_agreed")
    if known == 0:
        why.append("silent" if metered.expected_min else "not_due")
    under_way = until is not None and metered.end > until
    late = limits()["late_min"] * len(metered.channels) if under_way else 0
    if 0 < known < metered.expected_min - late:
        why.append("gaps")
    if metered.value < 0:
        why.append("negative")
    if under_way:
        why.append("so_far")
    return tuple(why)


def _group(
    members: Sequence[tuple[int, PremiseUse, Agreement, tuple[str, ...]]], rates: Rates
) -> Iterable[tuple[int, Reckoned]]:
    """Reckon bills that are alike but for use and area."""
    _, first, agreement, _ = members[0]
    asked = asked_of(first, agreement, rates)
    try:
        table, takes_area = rates.table, _takes_area(asked, rates.table)
        if len(members) >= LEAST_GROUP and not mixed(_pattern(asked, table, takes_area)):
            return _at_once(members, asked, rates, takes_area)
    except QuintetError as error:
        code = _code(error)
        said = f"{error.message} {error.remedy}".strip()
        return [
            (number, Reckoned(metered, agreement, (*why, code), said, None, None, 0, None))
            for number, metered, agreement, why in members
        ]
    return [_alone(one, rates, takes_area) for one in members]


def _code(error: QuintetError) -> str:
    """Say which reason a refusal is."""
    return error.code if isinstance(error, NotFound) and error.code in reasons() else "not_possible"


def _pattern(asked: Asked, table: Cards, takes_area: bool) -> Bill:
    none = asked.with_use(Fraction(0))
    return compute(replace(none, options={**asked.options, AREA: Fraction(0)}) if takes_area else none, table)


def _takes_area(asked: Asked, table: Cards) -> bool:
    """Tell whether a card reads the area and none is stated: the dwelling's own is taken then."""
    if AREA in asked.options:
        return False
    pattern = compute(asked.with_use(Fraction(0)), table)
    return any(charge.option == AREA for part in pattern.parts for charge in part.charges)


def _area(metered: PremiseUse, rates: Rates) -> Fraction | None:
    known = rates.areas_m2.get(metered.place)
    return None if known is None else Fraction(str(known))


def _at_once(
    members: Sequence[tuple[int, PremiseUse, Agreement, tuple[str, ...]]], asked: Asked, rates: Rates, takes_area: bool
) -> Iterable[tuple[int, Reckoned]]:
    """Reckon a group by columns; dwellings whose area nobody stated apart."""
    out: list[tuple[int, Reckoned]] = []
    known, unknown = list(members), list(members[:0])
    sizes: dict[str, Amounts] = {}
    if takes_area:
        areas = [_area(metered, rates) for _, metered, _, _ in members]
        known = [one for one, area in zip(members, areas, strict=True) if area is not None]
        unknown = [one for one, area in zip(members, areas, strict=True) if area is None]
        held = [area for area in areas if area is not None]
        den = int(np.lcm.reduce([area.denominator for area in held])) if held else 1
        sizes = {AREA: Amounts(np.array([int(area * den) for area in held], np.int64), den)}
    for part, given in ((known, sizes), (unknown, {})):
        if not part:
            continue
        many = compute_many(asked, [metered.value for _, metered, _, _ in part], given, rates.table)
        totals = many.total.tolist()
        more = (*(("lacks",) if many.pattern.lacks else ()), *(("provisional",) if many.pattern.beyond else ()))
        for row, (number, metered, agreement, why) in enumerate(part):
            if many.unpriced[row]:
                out.append((number, Reckoned(metered, agreement, (*why, "no_price"), "", None, None, 0, None)))
            else:
                out.append((number, Reckoned(metered, agreement, (*why, *more), "", int(totals[row]), many, row, None)))
    return out


def _alone(
    member: tuple[int, PremiseUse, Agreement, tuple[str, ...]], rates: Rates, takes_area: bool
) -> tuple[int, Reckoned]:
    """Reckon one bill by itself."""
    number, metered, agreement, why = member
    asked = asked_of(metered, agreement, rates).with_use(Fraction(metered.value))
    area = _area(metered, rates) if takes_area else None
    if area is not None:
        asked = replace(asked, options={**asked.options, AREA: area})
    try:
        bill = compute(asked, rates.table)
    except (NotFound, UsageError) as error:
        said = f"{error.message} {error.remedy}".strip()
        return number, Reckoned(metered, agreement, (*why, _code(error)), said, None, None, 0, None)
    more = (*(("lacks",) if bill.lacks else ()), *(("provisional",) if bill.beyond else ()))
    return number, Reckoned(metered, agreement, (*why, *more), "", int(bill.total), None, 0, bill)
