"""Scope 2 by what was contracted (market-based), beside the location-based figure: the two are never added.

The order, of the GHG Protocol's Scope 2 Guidance: contracts and certificates, then the residual mix where a factor of
it is loaded, then the factor of the location, and the answer says which. A contract belongs to a place. Its amount is
spread over its days, and claims are matched by the local year, as certificates are: of a year they cover at most what
was bought in it (in what of it is asked for), each row by its amount, whatever the length of the rows. What is left
over is not carried over.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
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
    rows: Sequence[Emission],
    ends: Mapping[datetime, datetime],
    question: Question,
    contracts: Sequence[Contract],
    above: AbstractSet[str] = frozenset(),
) -> list[Market]:
    """Give the market-based figures of the rows of scope 2; `ends` gives the end of the period by its start.

    `contracts` are those of the place; the ones of the places `above` it are named, and not shared out.
    """
    mine = [one for one in contracts if one.place not in above]
    others = tuple(one for one in contracts if one.place in above)
    bought = [row for row in rows if row.scope == SCOPE]
    years: dict[tuple[str, str, int], list[Emission]] = {}
    for row in bought:
        years.setdefault((row.commodity, row.quantity, _year(row, question)), []).append(row)
    claims = {key: _claims(key, each, ends, question, mine) for key, each in years.items()}
    return [_market(row, claims[row.commodity, row.quantity, _year(row, question)], question, others) for row in bought]


def _year(row: Emission, question: Question) -> int:
    """Give the year in which a row's claims are matched."""
    return local_day(row.start, question.tz).year


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a contract covers of all that is bought in a year: its share, and kg of one sub-unit (None: `reason`)."""

    id: str
    share: Fraction
    kg: Fraction | None
    reason: str | None


def _claims(
    key: tuple[str, str, int],
    rows: Sequence[Emission],
    ends: Mapping[datetime, datetime],
    question: Question,
    contracts: Sequence[Contract],
) -> list[_Claim]:
    """Match a year's contracts, in order of id, with what was bought in it: never more than that."""
    whole = sum((row.sub_units for row in rows if row.sub_units is not None), Fraction(0))
    periods = sorted({row.start for row in rows})
    left, out = whole, list[_Claim]()
    for one in contracts:
        if (one.commodity, one.quantity) != key[:2] or left <= 0:
            continue
        part = min(left, one.sub_units * sum(_overlap(one, start, ends[start], question) for start in periods))
        if part > 0:
            factor = question.table[one.factor]
            rate = rate_of(Chosen(factor, one.id), question.gwp, one.quantity, one.start, question.calorific)
            out.append(_Claim(one.id, part / whole, rate.kg_co2e, rate.reason))
            left -= part
    return out


def _market(row: Emission, claims: Sequence[_Claim], question: Question, others: Sequence[Contract]) -> Market:
    """Take a row's share of the year's claims off, and count the rest."""
    amount = row.sub_units or Fraction(0)
    held = [one for one in claims if amount > 0]
    covered = amount * sum((one.share for one in held), Fraction(0))
    rest, by, factor_id = _rest(row, amount - covered, question)
    uncounted = next((f"contract {one.id}: {one.reason}" for one in held if one.kg is None), None)
    kg = sum((one.kg * one.share * amount for one in held if one.kg is not None), Fraction(0))
    known = row.sub_units is not None and rest is not None and uncounted is None
    shared = f"; not shared out to this place: {', '.join(one.id for one in others)}" if others else ""
    return Market(
        row.start, row.place, row.commodity, row.amount, row.unit, in_unit(covered, row.unit) or Decimal(0),
        tuple(one.id for one in held), by + shared, factor_id, kg + rest if known and rest is not None else None,
        None if known else uncounted or row.reason or "the amount is not known",
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
