"""Scope 2 by what was contracted (market-based), beside the location-based figure: the two are never added.

The order, of the GHG Protocol's Scope 2 Guidance: contracts and certificates, then the residual mix where a factor of
it is loaded, then the factor of the location, and the answer says which. A contract's amount is spread over its days;
in a period it covers at most what was bought then, and what is left over is not carried over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from quintet.terms.period import day_start, local_day

from .emissions import Emission, Question, in_unit, rate_of
from .factors import Chosen
from .stated import Contract

SCOPE = 2
RESIDUAL = "residual_mix"
"""The purpose of a factor of what nobody has contracted."""
BY_RESIDUAL, BY_LOCATION, BY_CONTRACT = "residual mix", "location factor: no residual mix is loaded", "contracts only"


@dataclass(frozen=True, slots=True)
class Market:
    """One source's market-based figure in a period: what contracts cover, and by what rule the rest is counted."""

    start: datetime
    place: str
    commodity: str
    amount: Decimal | None
    unit: str
    covered: Decimal
    contracts: tuple[str, ...]
    rest_by: str
    factor: str | None
    kg_co2e: Fraction | None
    reason: str | None


def market_based(
    rows: Sequence[Emission], ends: Mapping[datetime, datetime], question: Question, contracts: Sequence[Contract]
) -> list[Market]:
    """Give the market-based figures of the rows of scope 2; `ends` gives the end of the period by its start."""
    return [_market(row, ends[row.start], question, contracts) for row in rows if row.scope == SCOPE]


def _market(row: Emission, end: datetime, question: Question, contracts: Sequence[Contract]) -> Market:
    """Take contracts off in order of id, and count the rest."""
    left = row.sub_units or Fraction(0)
    covered, kg, names = Fraction(0), Fraction(0), []
    for one in contracts:
        if (one.commodity, one.quantity) != (row.commodity, row.quantity) or left <= 0:
            continue
        part = min(left, one.sub_units * _overlap(one, row.start, end, question))
        if part > 0:
            factor = question.table[one.factor]
            rate = rate_of(Chosen(factor, one.id), question.gwp, row.quantity, one.start, question.calorific)
            kg += (rate.kg_co2e or Fraction(0)) * part
            left, covered = left - part, covered + part
            names.append(one.id)
    rest, by, factor_id = _rest(row, left, question)
    known = row.sub_units is not None and rest is not None
    return Market(
        row.start, row.place, row.commodity, row.amount, row.unit, in_unit(covered, row.unit) or Decimal(0),
        tuple(names), by, factor_id, kg + rest if known and rest is not None else None,
        None if known else row.reason or "the amount is not known",
    )  # fmt: skip


def _rest(row: Emission, left: Fraction, question: Question) -> tuple[Fraction | None, str, str | None]:
    """Count what no contract covers: kg, by what rule, and the factor."""
    if row.sub_units and left == 0:
        return Fraction(0), BY_CONTRACT, None
    day = local_day(row.start, question.tz)
    residual = question.table.factor_for(row.commodity, day, RESIDUAL, known_on=question.known_on)
    if residual is not None:
        rate = rate_of(residual, question.gwp, row.quantity, day, question.calorific)
        return None if rate.kg_co2e is None else rate.kg_co2e * left, BY_RESIDUAL, residual.factor.id
    if row.kg_co2e is None or not row.sub_units:
        return row.kg_co2e, BY_LOCATION, row.factor
    return row.kg_co2e * left / row.sub_units, BY_LOCATION, row.factor


def _overlap(one: Contract, start: datetime, end: datetime, question: Question) -> Fraction:
    """Give the share of a contract's time that a period is."""
    first, last = (_moment(day, question) for day in (one.start, one.end))
    shared = max(timedelta(0), min(last, end) - max(first, start))
    return Fraction(shared // timedelta(microseconds=1), (last - first) // timedelta(microseconds=1))


def _moment(day: date, question: Question) -> datetime:
    """Give the start of a local day."""
    return day_start(day, question.tz)
