"""Greenhouse gases of a balance: every row names its factor, date and source, or says why there is no number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from quintet.terms.errors import UsageError
from quintet.terms.period import local_day
from quintet.terms.unit import units

from .calorific import Calorific, to_factor_unit
from .counting import COUNTED_AT, LOSS, PLANT, USERS, Counted, counted
from .dated import said
from .factors import Chosen, Factor, Factors, Gwp, Source, factors, gwp_set
from .heard import Heard, heard, least

NOT_ESTIMATED, NOT_OCCURRING, ELSEWHERE = "NE", "NO", "IE"
"""Notation keys of the GPC."""
AMOUNT_PLACES = 9
USED, LOST, AT_PLANT, UNFUELLED, LEAK, UPSTREAM = "used", "lost", "plant", "unfuelled", "leak", "upstream"
"""What part of an inventory a row is: what users take or the network loses of it, fuel of plants, what leaks, and what
is emitted upstream of the city (water)."""

MOST = 0.5
"""Below this coverage most is unknown: a word, nothing is computed with it."""


@dataclass(frozen=True, slots=True)
class Emission:
    """What one source emitted in one period.

    `amount` is what was burnt or bought, in `unit` (None: not known). `kg_co2e` is exact, or None: then `notation` is
    "NE" (no factor, or an amount that follows from what is not known) or None (the meter is missing) and `reason` says
    why. `coverage` and `estimated_share` are of the flows of its own source, whose minutes `heard` holds. "NO" (nothing
    was burnt or bought) is claimed only where no channel stands or the whole period was measured: what nobody heard of
    may have happened. `gases_kg` is empty where the factor was published as CO2e. `gwp` names the set that weighed it.
    `derived`: the amount rests on no meter of its own. "IE": it is counted in another row. `sub_units` is the amount,
    exactly. `made_here`: energy made inside is in it; `part`: which part of the inventory it is.
    """

    start: datetime
    place: str
    commodity: str
    source_id: str
    scope: int
    amount: Decimal | None
    unit: str
    kg_co2e: Fraction | None
    gases_kg: Mapping[str, Fraction]
    factor: str | None
    source: str | None
    published_on: str | None
    certainty: str | None
    basis: str | None
    gwp: str | None
    notation: str | None
    reason: str | None
    derived: bool
    coverage: float | None
    estimated_share: float | None
    quantity: str = ""
    sub_units: Fraction | None = None
    made_here: bool = False
    part: str = USED
    heard: Heard = field(default_factory=Heard)

    def for_people(self) -> dict[str, Any]:
        """Give the row as it is printed: kg as decimals to the milligram, the rest as it stands."""
        row: dict[str, Any] = {name: getattr(self, name) for name in _said_names()}
        row["kg_co2e"] = None if self.kg_co2e is None else said(self.kg_co2e)
        row["gases_kg"] = {gas: said(kg) for gas, kg in self.gases_kg.items()}
        return row


@cache
def _said_names() -> tuple[str, ...]:
    """Name what is printed of a row; the rest is for computing with it."""
    own = ("quantity", "sub_units", "made_here", "part", "heard")
    return tuple(one.name for one in fields(Emission) if one.name not in own)


@dataclass(frozen=True, slots=True)
class Question:
    """How emissions are asked: the set of weights, the purpose, what a city pinned, and the data that answer."""

    tz: ZoneInfo
    gwp: Gwp
    purpose: str = "inventory"
    pinned: Mapping[str, str] = field(default_factory=dict)
    table: Factors = field(default_factory=factors)
    calorific: list[Calorific] | None = None
    known_on: date | None = None
    supplies: Mapping[str, Sequence[tuple[date, str]]] = field(default_factory=dict)
    count_at: str = PLANT

    def choose(self, source: Source, day: date) -> Chosen | None:
        """Choose the factor of a source on a day: the one that is pinned or was supplied, else by the activity year."""
        since, named = self._supplied(source, day)
        if named is not None and since is not None:
            factor = self.table[named]
            return Chosen(factor, f"supplied since {since.isoformat()}, activity {factor.years}")
        code = self.pinned.get(source.commodity)
        if code is None:
            return self.table.factor_for(
                source.commodity, day, self.purpose, end_use=source.end_use, known_on=self.known_on
            )
        factor = self.table[code]
        if factor.commodity != source.commodity:
            raise UsageError(f"factor {code} is not for {source.commodity}.", code="wrong_factor")
        return Chosen(factor, f"pinned, {factor.years}")

    def _supplied(self, source: Source, day: date) -> tuple[date | None, str | None]:
        """Give since when which factor is of what a city buys of a commodity; nothing where nobody said so."""
        if source.end_use is not None or source.commodity in self.pinned:
            return None, None
        said = [row for row in self.supplies.get(source.commodity, ()) if row[0] <= day]
        return max(said) if said else (None, None)

    def rate(self, source: Source, quantity: str, day: date) -> "Rate":
        """Find what one sub-unit of a source's metered quantity emits on a day."""
        chosen = self.choose(source, day)
        if chosen is None:
            return Rate(None, None, {}, None, None, f"no factor for it ({self.purpose})")
        return rate_of(chosen, self.gwp, quantity, day, self.calorific)


@dataclass(frozen=True, slots=True)
class Rate:
    """What one sub-unit emits, in kg; `kg_co2e` is None where there is no factor or no way to its unit (`reason`)."""

    factor: Factor | None
    kg_co2e: Fraction | None
    gases_kg: Mapping[str, Fraction]
    basis: str | None
    gwp: str | None
    reason: str | None


def rate_of(
    chosen: Chosen,
    gwp: Gwp,
    quantity: str,
    day: date,
    calorific: list[Calorific] | None = None,
    stated: str | None = None,
) -> Rate:
    """Find what one sub-unit of a quantity emits by a chosen factor; `stated` is the heating value of stated energy."""
    factor = chosen.factor
    way = to_factor_unit(quantity, factor, day, calorific, stated)
    if way is None:
        reason = f"metered as {quantity}, the factor is per {factor.unit}"
        return Rate(factor, None, {}, chosen.basis, None, reason)
    gases = {gas: kg * way.per_sub_unit for gas, kg in (factor.gases_kg or {}).items()}
    return Rate(
        factor=factor,
        kg_co2e=factor.kg_co2e(gwp) * way.per_sub_unit,
        gases_kg=gases,
        basis=f"{chosen.basis}; {way.basis}" if way.basis else chosen.basis,
        gwp=gwp.id if gases else f"as published ({factor.gwp})",
        reason=None,
    )


Unfuelled = Mapping[tuple[datetime, str, str], int]
"""By period, commodity and quantity: sub-units made here by plants, not renewable, whose fuel no meter shows."""


def emissions(
    balance: pa.Table,
    *,
    tz: ZoneInfo,
    gwp: str = "AR5",
    purpose: str = "inventory",
    pinned: Mapping[str, str] | None = None,
    table: Factors | None = None,
    calorific: list[Calorific] | None = None,
    known_on: date | None = None,
) -> list[Emission]:
    """Give the emissions of a BALANCE table: one row per period and source, in the order of the table.

    `tz` is the city's clock (a period belongs to the local year of its start); `pinned` names a factor by commodity, as
    a heat supplier's own; `table` and `calorific` replace the shipped data. Scope 1 is what burns here, scope 2 what is
    bought, location-based (market.py has the other), scope 3 water and what the network here loses of what is bought.
    Heat made here is never counted a second time at its users. Nothing is netted by exports. Raises UsageError for an
    unknown set of weights or factor.
    """
    question = Question(tz, gwp_set(gwp), purpose, pinned or {}, table or factors(), calorific, known_on)
    return emitted(balance, question)


def emitted(
    balance: pa.Table, question: Question, unfuelled: Unfuelled | None = None, starved: Unfuelled | None = None
) -> list[Emission]:
    """Answer a question about a BALANCE table; `emissions` says how.

    `unfuelled` is what plants without a metered input made, `starved` what others made while no input was heard.
    """
    for code in question.pinned.values():
        question.table[code]
    if question.count_at not in COUNTED_AT:
        raise UsageError(
            f"energy made here is not counted at {question.count_at!r}.", code="bad_choice", place="--count-at",
            remedy=f"There are {', '.join(COUNTED_AT)}.",
        )  # fmt: skip
    by_commodity: dict[str, list[Source]] = {}
    for source in question.table.sources.values():
        by_commodity.setdefault(source.commodity, []).append(source)
    memory: dict[tuple[str, str, date], Rate] = {}
    out: list[Emission] = []
    for row in balance.to_pylist():
        unfed, starving = (
            (each or {}).get((row["start"], row["commodity"], row["quantity"]), 0) for each in (unfuelled, starved)
        )
        for source in by_commodity.get(row["commodity"], ()):
            if source.optional and set(source.flows) <= set(row["absent"]):
                continue
            key = (source.id, row["quantity"], local_day(row["start"], question.tz))
            if key not in memory:
                memory[key] = question.rate(source, *key[1:])
            out += _rows(row, source, memory[key], question.count_at, unfed, starving)
    return out


def _rows(
    row: Mapping[str, Any], source: Source, rate: Rate, count_at: str, unfuelled: int, starved: int
) -> list[Emission]:
    """Answer for one source in one period: what was used, what the network lost of it, and what nobody can count."""
    found = counted(row, source, count_at, unfuelled)
    if source.at_plant and count_at == USERS:
        whole = _emission(row, source, rate, found.used, found)
        reason = "what is made of it here is counted at its users"
        return [replace(whole, kg_co2e=None, gases_kg={}, notation=ELSEWHERE, reason=reason)]
    out = [_emission(row, source, rate, found.used, found)]
    if source.lost_scope is not None and LOSS not in row["absent"]:
        lost = replace(source, id=f"{source.id}_lost", scope=source.lost_scope)
        one = _emission(row, lost, rate, found.lost, found, UPSTREAM if source.scope == 3 else LOST)
        if found.lost is None and found.used is not None:
            one = replace(one, notation=ELSEWHERE, reason="it is not known, and stays in what was bought")
        out.append(one)
    if (unfuelled or starved) and source.made_here and count_at == PLANT:
        flows = (*(("local_generation",) if unfuelled else ()), *(("conversion_out",) if starved else ()))
        unfed = replace(source, id=f"{source.id}_unfuelled", scope=1, flows=flows)
        reason = "made here by plants whose fuel no meter shows: what they burn is not counted"
        nothing = Rate(None, None, {}, None, None, reason)
        out.append(_emission(row, unfed, nothing, Fraction(unfuelled + starved), found, UNFUELLED))
    return out


def _emission(
    row: Mapping[str, Any],
    source: Source,
    rate: Rate,
    amount: Fraction | None,
    found: Counted,
    part: str = USED,
) -> Emission:
    """Write one row: a number, or why there is none."""
    minutes, coverage, estimated = _heard(row, source, part, amount)
    derived = not set(source.flows).isdisjoint(row["derived"])
    kg, gases, notation, reason = rate.kg_co2e, rate.gases_kg, None, rate.reason
    if kg is None:
        notation = NOT_ESTIMATED
        if amount == 0 and (coverage is None or coverage >= 1 or set(source.flows) <= set(row["absent"])):
            kg, notation, reason = Fraction(0), NOT_OCCURRING, "nothing was burnt or bought"
        elif amount == 0:
            unheard = "most" if coverage is not None and coverage < MOST else "a part"
            reason = f"{unheard} of the amount is not known; {reason}"
        elif amount is None:
            reason = f"{_unknown(row)}; {reason}"
    elif amount is None:
        kg, gases, notation, reason = None, {}, NOT_ESTIMATED if derived else None, _unknown(row)
    else:
        kg, gases = kg * amount, {gas: each * amount for gas, each in gases.items()}
    factor = rate.factor
    return Emission(
        start=row["start"], place=row["place"], commodity=row["commodity"], source_id=source.id, scope=source.scope,
        amount=in_unit(amount, row["unit"]), unit=row["unit"], kg_co2e=kg,
        gases_kg=gases, factor=factor and factor.id, source=factor and factor.source,
        published_on=factor and factor.published_on, certainty=factor and factor.certainty, basis=rate.basis,
        gwp=rate.gwp, notation=notation, reason=reason, derived=derived,
        coverage=coverage, estimated_share=estimated, quantity=row["quantity"], sub_units=amount,
        made_here=found.made_here, part=_part(source, part), heard=minutes,
    )  # fmt: skip


def _unknown(row: Mapping[str, Any]) -> str:
    """Say that an amount is not known, and why where the balance says so."""
    return f"the amount is not known: {row['reason']}" if row.get("reason") else "the amount is not known"


def _heard(
    row: Mapping[str, Any], source: Source, part: str, amount: Fraction | None
) -> tuple[Heard, float | None, float | None]:
    """Give the minutes behind a row's amount (none of them known where it is not), coverage and estimated share.

    A table that tells no minutes gives those of the whole row.
    """
    found = heard(row, source.flows)
    if found is None:
        return Heard(), row["coverage"], row["estimated_share"]
    if part == LOST:
        found = least([found, heard(row, (LOSS,)) or Heard()])
    if amount is None:
        found = Heard(found.expected_min)
    return found, found.coverage, found.estimated_share


def _part(source: Source, part: str) -> str:
    """Say which part of an inventory a source's row is."""
    if source.at_plant:
        return AT_PLANT
    if source.optional:
        return LEAK
    return UPSTREAM if source.scope == 3 and part == USED else part


def in_unit(amount: Fraction | None, unit: str) -> Decimal | None:
    """Say sub-units in a unit: exactly where they are whole, else to the ninth decimal."""
    if amount is None:
        return None
    row = units()[unit]
    return row.to_decimal(amount.numerator) if amount.denominator == 1 else said(amount / row.ratio, AMOUNT_PLACES)


def lacks(row: Emission) -> bool:
    """Tell whether a row has no number because its amount is not known, and not for want of a factor."""
    return row.kg_co2e is None and row.amount is None and (row.notation is None or row.factor is not None)
