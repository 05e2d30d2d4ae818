"""Self-sufficiency over totals of all carriers: primary energy as zero-energy buildings count it, and final energy."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import CERTAINTIES, check_keys, read_toml
from quintet.terms.errors import BadInput

from .dated import latest_day, number

Totals = Mapping[str, Fraction]
"""Energy by carrier, all in one unit."""

KEYS = {"factor", "source", "published_on", "certainty"}


@dataclass(frozen=True, slots=True)
class Share:
    """A ratio of two totals, exact (1 means 100 %); `value` is None where the sum to divide by is not above zero."""

    value: Fraction | None
    numerator: Fraction
    denominator: Fraction
    grade: int | None = None


@dataclass(frozen=True, slots=True)
class Primary:
    """Primary energy in one unit of delivered energy, by carrier, and the ratios from which each grade holds."""

    factors: Totals
    grades: tuple[Fraction, ...]


def parse_primary(table: Mapping[str, Any]) -> Primary:
    """Build from parsed TOML; a factor without date or source does not load, and grades fall."""
    out: dict[str, Fraction] = {}
    for carrier, row in table["factor"].items():
        place = f"factor {carrier}"
        check_keys(row, required=KEYS, optional=set(), place=place)
        latest_day(row["published_on"], place)
        if not str(row["source"]).strip() or row["certainty"] not in CERTAINTIES:
            raise BadInput("wants a source and a certainty mark.", code="bad_row", place=place)
        out[carrier] = number(row["factor"], place)
    check_keys(table["grades"], required={"from", "source", "certainty"}, optional=set(), place="grades")
    grades = tuple(number(text, "grades") for text in table["grades"]["from"])
    if sorted(grades, reverse=True) != list(grades):
        raise BadInput("grades fall from the best to the last.", code="bad_row", place="grades")
    return Primary(out, grades)


@cache
def primary() -> Primary:
    """Give the shipped primary factors and grades."""
    return parse_primary(read_toml("quintet.ledger", "primary.toml"))


def in_primary(totals: Totals, place: str) -> Fraction:
    """Weigh energy by carrier with its primary factor; raises BadInput for a carrier that has none."""
    known = primary().factors
    strange = sorted(totals.keys() - known.keys())
    if strange:
        raise BadInput(
            f"there is no primary factor of {', '.join(strange)}.",
            code="unknown_carrier",
            place=place,
            remedy=f"There are {', '.join(known)}.",
        )
    return sum((known[carrier] * energy for carrier, energy in totals.items()), Fraction(0))


def zeb_primary(demand_primary: Fraction, produced_primary: Fraction) -> Share:
    """Give primary energy produced / (demand + produced), and the grade; both are primary energy in one unit.

    Produced is the renewable output less the energy to make it, times the primary factor. The formula of the Korean
    zero-energy building certification.
    """
    consumed = demand_primary + produced_primary
    if consumed <= 0:
        return Share(None, produced_primary, consumed)
    value = produced_primary / consumed
    grade = next((i for i, least in enumerate(primary().grades, start=1) if value >= least), None)
    return Share(value, produced_primary, consumed, grade)


def final_energy(renewable: Fraction, used: Fraction) -> Share:
    """Give local renewable final energy / all final energy, both in one unit, as toe."""
    return Share(renewable / used if used > 0 else None, renewable, used)
