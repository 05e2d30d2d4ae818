"""`quintet report compare`: several cities side by side by the same definitions, each number with its coverage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from quintet.ledger.dated import said
from quintet.terms.errors import UsageError

from .answer import Answer, Progress, document_of
from .cells import plain, rows_of
from .report_build import reported
from .report_bundle import exact
from .requests import ReportFigures

WHOLE, USE = "city", "consumption"
SCOPES = (1, 2)
FIRST_COLUMNS = ["measure", "unit"]
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """One city's answer to one measure; null with the reason where it has none, or none to be compared."""

    value: Decimal | None
    coverage: Decimal | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One row: what is compared, in which unit, and each city's answer."""

    name: str
    unit: str
    values: list[Value]


def compare(
    cities: Sequence[Path], start: str, end: str, level: float, known_at: str | None, progress: Progress
) -> Answer:
    """Ask each city for the same span and set the answers side by side; raises UsageError for less than two."""
    if len(set(cities)) < len(cities) or len(cities) < 2:
        raise UsageError("wants two cities or more, each once.", code="few_cities", remedy="Name their folders.")
    asked = ReportFigures(start, end, WHOLE, level, known_at)
    found = [reported(city, asked, progress) for city in cities]
    figures = [exact(bytes(one.figures)) for one in found]
    names = _names(figures, cities)
    rows = list(measures(figures))
    columns = [*FIRST_COLUMNS, *(part for name in names for part in (name, f"{name} coverage")), "reason"]
    cells: list[dict[str, Any]] = []
    for row in rows:
        cell: dict[str, Any] = {"measure": row.name, "unit": row.unit}
        for name, one in zip(names, row.values, strict=True):
            cell |= {name: one.value, f"{name} coverage": one.coverage}
        why = [f"{name}: {one.reason}" for name, one in zip(names, row.values, strict=True) if one.reason]
        cells.append({**cell, "reason": "; ".join(why) or None})
    document = {
        "from": start, "to": end, "cities": [_city(*one) for one in zip(names, cities, figures, strict=True)],
        "rows": [_document(row, names) for row in rows],
    }  # fmt: skip
    notes = _notes([exact(bytes(one.basis)) for one in found])
    return Answer(
        columns, rows_of(columns, cells), document_of(plain(document)), numbers=columns[2:-1], notes=notes,
        title=f"{start} .. {end}; value 1 of a share means 100 %",
    )  # fmt: skip


def _names(figures: Sequence[Figures], cities: Sequence[Path]) -> list[str]:
    """Name the cities, by their folder too where two have one name."""
    names = [str(one["city_en"]) for one in figures]
    return [
        name if names.count(name) == 1 else f"{name} ({city.name})" for name, city in zip(names, cities, strict=True)
    ]


def _city(name: str, folder: Path, figures: Figures) -> Figures:
    """Say what a city is and what its numbers are divided by."""
    return {"name": name, "folder": str(folder), "known_at": figures["known_at"], "facts": figures["facts"]}


def _document(row: Measure, names: Sequence[str]) -> Figures:
    values = [
        {"city": name, "value": one.value, "coverage": one.coverage, "reason": one.reason}
        for name, one in zip(names, row.values, strict=True)
    ]
    return {"measure": row.name, "unit": row.unit, "values": values}


def _notes(bases: Sequence[Figures]) -> list[str]:
    """Warn where cities are judged by different rules or factors."""
    out: list[str] = []
    if len({one["rule_set"] for one in bases}) > 1:
        out.append("The cities are judged by different rules: coverage and estimates may differ by that.")
    if len({one["factor_set"]["digest"] for one in bases}) > 1:
        out.append("The cities have factors of their own: emissions differ by that too.")
    return out


def measures(figures: Sequence[Figures]) -> Iterator[Measure]:
    """Give every measure: use by carrier, shares by definition, emissions; then per head, m2 and degree day."""
    for carrier, unit in sorted({(one["commodity"], one["unit"]) for city in figures for one in city["totals"]}):
        yield from _with_shares(f"{carrier} {USE}", unit, [_use(city, carrier, unit) for city in figures], figures)
    ids = dict.fromkeys(one["id"] for city in figures for one in city["self_sufficiency"]["definitions"])
    for name in ids:
        yield Measure(name, "1", [_share(city, name) for city in figures])
    gwps = {city["emissions"]["gwp"] for city in figures}
    refusal = f"gases are weighed differently: {', '.join(sorted(gwps))}" if len(gwps) > 1 else None
    emitted = [Value(None, None, refusal) if refusal else _emitted(city) for city in figures]
    yield from _with_shares("emissions scope 1 and 2", "kg CO2e", emitted, figures, weather=False)


def _with_shares(
    name: str, unit: str, values: list[Value], figures: Sequence[Figures], *, weather: bool = True
) -> Iterator[Measure]:
    """Give a measure, and what it is per head, per m2 and per heating degree day."""
    yield Measure(name, unit, values)
    by = [("head", "residents"), ("m2", "floor_area_m2"), *([("degree day", "heating_degree_days")] if weather else [])]
    for word, fact in by:
        shared = [_divided(one, city["facts"], fact) for one, city in zip(values, figures, strict=True)]
        yield Measure(f"{name} per {word}", f"{unit}/{word}", shared)


def _divided(one: Value, facts: Figures, fact: str) -> Value:
    """Divide a value by a fact of its city; null where that is not stated or not measured."""
    by = facts[fact]
    if one.value is None:
        return one
    if not by:
        why = facts["no_degree_days"] if fact == "heating_degree_days" and by is None else None
        return Value(None, one.coverage, why or f"{fact} is not stated")
    return Value(said(Fraction(one.value) / Fraction(by)), one.coverage)


def _use(city: Figures, carrier: str, unit: str) -> Value:
    """Give what a city used of a carrier; a sum that lacks a month is none."""
    rows = [row for row in city["balance"] if (row["commodity"], row["unit"]) == (carrier, unit)]
    total = next(
        (
            one for one in city["totals"]
            if (one["commodity"], one["unit"], one["flow"]) == (carrier, unit, USE)
        ),
        None,
    )  # fmt: skip
    if total is None:
        return Value(None, None, f"no {carrier} is metered in {unit}")
    if total["total"] is None:
        return Value(None, None, f"known in {total['months_known']} of {total['months']} months only")
    flow = next(
        (
            one for one in city["certainty_whole"]["rows"]
            if (one["commodity"], one["unit"], one["flow"]) == (carrier, unit, USE)
        ),
        None,
    )  # fmt: skip
    if flow is None:
        derived = any(USE in row["derived"] for row in rows)
        return Value(None, None, "use is derived, not metered" if derived else "use is not metered")
    return Value(Decimal(total["total"]), _decimal(flow["coverage"]))


def _share(city: Figures, name: str) -> Value:
    """Give a city's answer to a definition."""
    one = next((one for one in city["self_sufficiency"]["definitions"] if one["id"] == name), None)
    if one is None:
        return Value(None, None, "not answered")
    return Value(_decimal(one["value"]), _decimal(one["coverage"]), one["reason"] if one["value"] is None else None)


def _emitted(city: Figures) -> Value:
    """Give a city's emissions of scope 1 and 2; refused where a source has no number, for it would look cleaner."""
    scopes = [one for one in city["emissions"]["scopes"] if one["scope"] in SCOPES]
    without = sum(one["without_number"] for one in scopes)
    if without:
        return Value(None, None, f"{without} sources have no number")
    coverages = [Decimal(one["coverage"]) for one in city["emissions"]["rows"] if one["coverage"] is not None]
    return Value(sum((Decimal(one["kg_co2e"]) for one in scopes), Decimal(0)), min(coverages, default=None))


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
