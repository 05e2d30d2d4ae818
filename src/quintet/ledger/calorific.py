"""Energy and volume of a fuel: dated calorific values, and the exact way from a metered amount to a factor's unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import CERTAINTIES, check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.unit import units

from .dated import latest_day, number
from .factors import HEATING_VALUES, Factor, plain_name

KEYS = {
    "commodity", "energy_unit", "volume_unit", "gross", "net", "metered_energy", "valid_from", "published_on", "source",
    "certainty",
}  # fmt: skip
EXTRAS = {"note", "reference_units"}


@dataclass(frozen=True, slots=True)
class Calorific:
    """Energy in a volume of fuel: `energy_unit` per `volume_unit`, by heating value ("gross", "net").

    `reference_units` are the names of `volume_unit` where the volume is said to be at reference conditions.
    """

    id: str
    commodity: str
    energy_unit: str
    volume_unit: str
    content: Mapping[str, Fraction]
    metered_energy: str
    valid_from: date
    published_on: str
    source: str
    certainty: str
    note: str
    reference_units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversion:
    """The way from a metered amount to a factor's unit: units for one sub-unit, and the words that say how.

    `basis` is empty where only units change.
    """

    per_sub_unit: Fraction
    basis: str


def parse_calorific(table: Mapping[str, Any]) -> list[Calorific]:
    """Build the calorific values from parsed TOML, the earliest first; one without date or source does not load."""
    out: list[Calorific] = []
    for code, row in table["calorific"].items():
        place = f"calorific {code}"
        check_keys(row, required=KEYS, optional=EXTRAS, place=place)
        latest_day(row["published_on"], place)
        content = {kind: number(row[kind], place) for kind in HEATING_VALUES}
        fine = content["gross"] >= content["net"] > 0 and row["metered_energy"] in HEATING_VALUES
        if not (fine and str(row["source"]).strip() and row["certainty"] in CERTAINTIES):
            raise BadInput("wants gross >= net > 0, a source and a certainty mark.", code="bad_row", place=place)
        out.append(
            Calorific(
                code, row["commodity"], row["energy_unit"], row["volume_unit"], content, row["metered_energy"],
                latest_day(row["valid_from"], place), row["published_on"], row["source"], row["certainty"],
                row.get("note", ""), tuple(row.get("reference_units", ())),
            )
        )  # fmt: skip
    return sorted(out, key=lambda row: row.valid_from)


@cache
def calorific_values() -> list[Calorific]:
    """Give the shipped calorific values, the earliest first."""
    return parse_calorific(read_toml("quintet.ledger", "calorific.toml"))


@cache
def heating_words() -> Mapping[str, str]:
    """Give the heating value that a word means, by its letters and digits."""
    rows = read_toml("quintet.ledger", "calorific.toml")["heating_value"]
    check_keys(rows, required=set(HEATING_VALUES), optional=set(), place="heating_value")
    return {plain_name(word): kind for kind, words in rows.items() for word in words}


def calorific_for(commodity: str, day: date, table: list[Calorific] | None = None) -> tuple[Calorific, str] | None:
    """Choose the value in force on a day and say which; before the first one, the first, and that it is later."""
    rows = [row for row in (calorific_values() if table is None else table) if row.commodity == commodity]
    held = [row for row in rows if row.valid_from <= day]
    if held:
        return held[-1], held[-1].id
    return (rows[0], f"{rows[0].id}, in force only from {rows[0].valid_from.isoformat()}") if rows else None


def to_factor_unit(
    quantity: str, factor: Factor, day: date, table: list[Calorific] | None = None, stated: str | None = None
) -> Conversion | None:
    """Find the exact way from sub-units of a metered quantity to the factor's unit; None where no way leads there.

    Energy to energy of another heating value: x content[wanted] / content[metered]. Volume to energy: x
    content[wanted]; a metered volume is taken as one at reference conditions, and `basis` says so. `stated` is the
    heating value of the energy where somebody says it; else it is what a meter of the fuel shows.
    """
    unit = units()[factor.unit]
    if unit.quantity == quantity and factor.heating_value is None:
        return Conversion(1 / unit.ratio, "")
    wanted = factor.heating_value
    if unit.quantity == quantity and stated is not None and stated == wanted:
        return Conversion(1 / unit.ratio, f"{stated} energy as stated")
    found = calorific_for(factor.commodity, day, table)
    if found is None or wanted is None:
        return None
    value, words = found
    if unit.quantity == quantity and stated is not None:
        share = value.content[wanted] / value.content[stated]
        return Conversion(share / unit.ratio, f"{stated} energy as stated, {wanted} by {words}")
    if unit.quantity == quantity:
        share = value.content[wanted] / value.content[value.metered_energy]
        return Conversion(share / unit.ratio, f"metered as {value.metered_energy} energy, {wanted} by {words}")
    volume, energy = units()[value.volume_unit], units()[value.energy_unit]
    if volume.quantity != quantity or energy.quantity != unit.quantity:
        return None
    rate = value.content[wanted] / volume.ratio * energy.ratio / unit.ratio
    return Conversion(rate, f"volume taken as at reference conditions, {wanted} energy by {words}")
