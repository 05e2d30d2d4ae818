"""Emission factors, warming potentials and calorific values: dated, sourced data, and the dated choice among them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import CERTAINTIES, check_keys, read_toml
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.tables import FLOW_NAMES
from quintet.terms.unit import units

from .dated import latest_day, number

GASES = ("co2", "ch4", "n2o")
HEATING_VALUES = ("gross", "net")
FIRST_YEAR, LAST_YEAR = 1900, 2200
"""An activity outside of these is a slip."""

FACTOR_KEYS = {"commodity", "unit", "activity", "published_on", "scope", "purposes", "gwp", "source", "certainty"}
FACTOR_EXTRAS = {
    "co2e_kg", "co2_kg", "ch4_kg", "n2o_kg", "heating_value", "end_use", "uses", "supplier", "branches", "note",
}  # fmt: skip
SOURCE_EXTRAS = {"end_use", "lost_scope", "made_here", "at_plant", "optional"}


@dataclass(frozen=True, slots=True)
class Gwp:
    """One set of warming potentials over 100 years: kg CO2e per kg of each gas."""

    id: str
    weights: Mapping[str, Fraction]
    published_on: str
    source: str


@dataclass(frozen=True, slots=True)
class Factor:
    """One emission factor: kg per `unit` of the commodity, as `co2e_kg` or as `gases_kg` (then the other is None).

    `first_year` and `last_year` bound the activity it describes (None: any year). `gwp` names the set behind `co2e_kg`.
    `branches` and `uses` are the names by which a question asks for a supplier's branch and a use of the fuel.
    """

    id: str
    commodity: str
    unit: str
    co2e_kg: Fraction | None
    gases_kg: Mapping[str, Fraction] | None
    first_year: int | None
    last_year: int | None
    published_on: str
    scope: int
    purposes: tuple[str, ...]
    gwp: str
    source: str
    certainty: str
    heating_value: str | None = None
    end_use: str | None = None
    supplier: str | None = None
    note: str = ""
    uses: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()

    @property
    def years(self) -> str:
        """Say the years of activity."""
        if self.first_year is None:
            return "any year"
        return f"{self.first_year}" if self.first_year == self.last_year else f"{self.first_year}-{self.last_year}"

    def covers(self, year: int) -> bool:
        """Tell whether the activity of a year is what it describes."""
        return _span(self)[0] <= year <= _span(self)[1]

    def kg_co2e(self, gwp: Gwp) -> Fraction:
        """Give kg CO2e per unit: as published, or the gases weighed with the set."""
        if self.gases_kg is None:
            return self.co2e_kg or Fraction(0)
        return sum((self.gases_kg[gas] * gwp.weights[gas] for gas in GASES), Fraction(0))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A factor and on what ground it was chosen, as "activity year 2023" or "latest published 2023"."""

    factor: Factor
    basis: str


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of emission: the flows of a commodity that count, their scope and who burns it.

    `lost_scope`: the part of what is bought that the network here loses is told apart under that scope. `made_here`:
    the flows that count beside them where energy made here is counted at its users; `at_plant`: fuel that is then
    counted there. `optional`: without a channel of its flows it is not spoken of.
    """

    id: str
    commodity: str
    scope: int
    flows: tuple[str, ...]
    end_use: str | None
    lost_scope: int | None = None
    made_here: tuple[str, ...] = ()
    at_plant: bool = False
    optional: bool = False


class Factors:
    """The table of factors and of emission sources."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        """Build from parsed TOML: `[factor.X]` and `[source.Y]` rows; one without date or source does not load."""
        self.rows = {code: _factor(code, row) for code, row in table.get("factor", {}).items()}
        self.sources = {code: _source(code, row) for code, row in table.get("source", {}).items()}

    def __getitem__(self, code: str) -> Factor:
        """Find a factor that must exist."""
        row = self.rows.get(code)
        if row is None:
            known = ", ".join(self.rows)
            raise UsageError(f"unknown factor {code}.", code="unknown_factor", remedy=f"Known: {known}.")
        return row

    def with_rows(self, table: Mapping[str, Any]) -> "Factors":
        """Give this table with a city's own rows added or replaced."""
        more = Factors(table)
        out = Factors({})
        out.rows, out.sources = {**self.rows, **more.rows}, {**self.sources, **more.sources}
        return out

    def factor_for(
        self,
        commodity: str,
        day: date,
        purpose: str = "inventory",
        *,
        end_use: str | None = None,
        known_on: date | None = None,
    ) -> Chosen | None:
        """Choose by activity year; None where no factor fits, and never one of a supplier that nobody named.

        A factor of the year itself comes before a mean over several years, then the later publication. A year after the
        last uses the latest, a year in a gap the one before it, a year before the first the earliest; `basis` says so.
        With `known_on`, only factors published by that day count.
        """
        rows = [
            row
            for row in self.rows.values()
            if row.commodity == commodity
            and purpose in row.purposes
            and row.supplier is None
            and row.end_use == end_use
            and (known_on is None or latest_day(row.published_on) <= known_on)
        ]
        return by_year(rows, day.year)


def by_year(rows: list[Factor], year: int) -> Chosen | None:
    """Choose among rows that fit in all but the year; `Factors.factor_for` says how."""
    covering = [(row, _span(row)) for row in rows if row.covers(year)]
    if covering:
        row, (first, last) = max(covering, key=lambda each: (each[1][0] - each[1][1], latest_day(each[0].published_on)))
        if row.first_year is None:
            return Chosen(row, "any year")
        return Chosen(row, f"activity year {year}" if first == last else f"mean of {row.years}")
    before = [row for row in rows if _span(row)[1] < year]
    if before:
        row = max(before, key=lambda each: (_span(each)[1], _span(each)[0], latest_day(each.published_on)))
        after = len(before) < len(rows)
        return Chosen(row, f"{'nearest before' if after else 'latest published'} {row.years}")
    if rows:
        row = min(rows, key=_span)
        return Chosen(row, f"earliest published {row.years}")
    return None


def _span(row: Factor) -> tuple[int, int]:
    """Give the years of activity; any year is the widest span."""
    return (row.first_year or 0, row.last_year or 9999)


def _factor(code: str, row: Mapping[str, Any]) -> Factor:
    """Build one factor; refuses unknown keys, a missing date or source, and inexact numbers."""
    place = f"factor {code}"
    check_keys(dict(row), required=FACTOR_KEYS, optional=FACTOR_EXTRAS, place=place)
    latest_day(row["published_on"], place)
    gases = {gas: number(row[f"{gas}_kg"], place) for gas in GASES if f"{gas}_kg" in row}
    whole = number(row["co2e_kg"], place) if "co2e_kg" in row else None
    weighed = whole is not None
    problems = {
        "needs a source": not str(row["source"]).strip(),
        "needs either co2e_kg or all of co2_kg, ch4_kg and n2o_kg": len(gases) != (0 if weighed else len(GASES)),
        "names an unknown gwp set": row["gwp"] not in ({*gwp_sets(), "unstated"} if weighed else {"none"}),
        "has an unknown certainty mark": row["certainty"] not in CERTAINTIES,
        "has a scope other than 1, 2 or 3": row["scope"] not in (1, 2, 3),
        "has an unknown heating value": row.get("heating_value", "net") not in HEATING_VALUES,
        "is for no known unit": units().get(row["unit"]) is None,
        "is for no purpose, which wants a list": not (isinstance(row["purposes"], list) and row["purposes"]),
        "has branches of no supplier": "branches" in row and "supplier" not in row,
    }
    _refuse(problems, place)
    first, last = _activity(row["activity"], place)
    extras = {name: row[name] for name in ("heating_value", "end_use", "supplier", "note") if name in row}
    extras |= {name: tuple(row[name]) for name in ("uses", "branches") if name in row}
    return Factor(
        code, row["commodity"], row["unit"], whole, None if weighed else gases, first, last, row["published_on"],
        row["scope"], tuple(row["purposes"]), row["gwp"], row["source"], row["certainty"], **extras,
    )  # fmt: skip


def _activity(value: Any, place: str) -> tuple[int | None, int | None]:
    """Read the years of activity."""
    if value == "any":
        return None, None
    if isinstance(value, list) and len(value) == 2 and all(isinstance(year, int) for year in value):
        first, last = value
        if FIRST_YEAR <= first <= last <= LAST_YEAR:
            return first, last
    raise BadInput('activity is neither [first year, last year] nor "any".', code="bad_row", place=place)


def _source(code: str, row: Mapping[str, Any]) -> Source:
    """Build one kind of emission."""
    place = f"source {code}"
    check_keys(dict(row), required={"commodity", "scope", "flows"}, optional=SOURCE_EXTRAS, place=place)
    made = tuple(row.get("made_here", ()))
    problems = {
        "names a flow that no balance has": not {*row["flows"], *made} <= set(FLOW_NAMES),
        "has a scope other than 1, 2 or 3": not {row["scope"], row.get("lost_scope", 3)} <= {1, 2, 3},
    }
    _refuse(problems, place)
    return Source(
        code, row["commodity"], row["scope"], tuple(row["flows"]), row.get("end_use"), row.get("lost_scope"), made,
        row.get("at_plant", False), row.get("optional", False),
    )  # fmt: skip


def _refuse(problems: Mapping[str, bool], place: str) -> None:
    """Raise for the problems that are there."""
    found = [problem for problem, there in problems.items() if there]
    if found:
        raise BadInput(f"{'; '.join(found)}.", code="bad_row", place=place)


@cache
def factors() -> Factors:
    """Give the shipped factors."""
    return Factors(read_toml("quintet.ledger", "factors.toml"))


@cache
def gwp_sets() -> Mapping[str, Gwp]:
    """Give the shipped sets of warming potentials, by id."""
    return parse_gwp(read_toml("quintet.ledger", "gwp.toml"))


def parse_gwp(table: Mapping[str, Any]) -> dict[str, Gwp]:
    """Build sets of warming potentials from parsed TOML; one without date does not load."""
    out: dict[str, Gwp] = {}
    for code, row in table["gwp"].items():
        place = f"gwp {code}"
        check_keys(row, required={*GASES, "published_on", "source", "certainty"}, optional=set(), place=place)
        latest_day(row["published_on"], place)
        weights = {gas: number(row[gas], place) for gas in GASES}
        problems = {
            "needs a source": not str(row["source"]).strip(),
            "has an unknown certainty mark": row["certainty"] not in CERTAINTIES,
        }
        _refuse(problems, place)
        out[code] = Gwp(code, weights, row["published_on"], row["source"])
    return out


def plain_name(name: str) -> str:
    """Give a name as it is compared: its letters and digits, whatever the case, so that AR6-fossil fits AR6_fossil."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def gwp_set(name: str, sets: Mapping[str, Gwp] | None = None) -> Gwp:
    """Find a set of warming potentials; "AR6" alone is refused, for it has several values for methane."""
    table = gwp_sets() if sets is None else sets
    found = {plain_name(code): row for code, row in table.items()}.get(plain_name(name))
    if found is None:
        meant = [code for code in table if plain_name(name) and plain_name(code).startswith(plain_name(name))]
        known = ", ".join(meant or table)
        words = f"GWP set {name!r} has several values for methane." if meant else f"unknown GWP set {name!r}."
        raise UsageError(words, code="unknown_gwp", place="--gwp", remedy=f"Name one of {known}.")
    return found
