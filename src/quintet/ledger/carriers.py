"""Carriers as energy: what one sub-unit of a metered quantity holds, and its primary factor; data rows, no branches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.unit import units

from .balance import Balanced
from .calorific import Calorific, calorific_for
from .dated import latest_day, number
from .definitions import CERTAINTIES
from .totals import primary

CONTENT_KEYS = {"commodity", "energy_unit", "volume_unit", "content", "published_on", "source", "certainty"}
ENERGY = "energy"


@dataclass(frozen=True, slots=True)
class Content:
    """Energy in a volume of a commodity: `per_sub_unit` sub-units of energy in one sub-unit of `quantity`."""

    id: str
    commodity: str
    quantity: str
    per_sub_unit: Fraction


@dataclass(frozen=True, slots=True)
class Carriers:
    """Which commodities are energy, the primary carrier of each, and contents of volumes."""

    primary: Mapping[str, str]
    contents: tuple[Content, ...]


def parse_carriers(table: Mapping[str, Any]) -> Carriers:
    """Build from parsed TOML; a content without date or source does not load."""
    weighed: dict[str, str] = {}
    for code, row in table.get("carrier", {}).items():
        check_keys(row, required={"primary"}, optional=set(), place=f"carrier {code}")
        if row["primary"] not in primary().factors:
            raise BadInput(f"there is no primary factor {row['primary']}.", code="bad_row", place=f"carrier {code}")
        weighed[code] = row["primary"]
    return Carriers(weighed, tuple(_content(code, row) for code, row in table.get("content", {}).items()))


def _content(code: str, row: Mapping[str, Any]) -> Content:
    """Build one content."""
    place = f"content {code}"
    check_keys(dict(row), required=CONTENT_KEYS, optional=set(), place=place)
    latest_day(row["published_on"], place)
    energy, volume = units()[row["energy_unit"]], units()[row["volume_unit"]]
    if energy.quantity != ENERGY or not str(row["source"]).strip() or row["certainty"] not in CERTAINTIES:
        raise BadInput("wants a unit of energy, a source and a certainty mark.", code="bad_row", place=place)
    return Content(code, row["commodity"], volume.quantity, number(row["content"], place) * energy.ratio / volume.ratio)


@cache
def carriers_data() -> Carriers:
    """Give the shipped rows."""
    return parse_carriers(read_toml("quintet.ledger", "carriers.toml"))


@dataclass(frozen=True, slots=True)
class EnergyBook:
    """One carrier's balance with its energy.

    `content`: energy sub-units of one metered sub-unit (None: no way), `primary` its factor, `by` the words that say by
    what a volume became energy.
    """

    balanced: Balanced
    content: Fraction | None
    primary: Fraction | None
    by: str | None


def energy_books(balanced: Sequence[Balanced], day: date, calorific: list[Calorific] | None = None) -> list[EnergyBook]:
    """Give the balances of the carriers of energy; one that counts as energy and has no row keeps `primary` None."""
    data = carriers_data()
    out: list[EnergyBook] = []
    for one in balanced:
        carrier = one.carrier
        weighed = data.primary.get(carrier.commodity)
        if weighed is None and carrier.quantity != ENERGY:
            continue
        content, by = energy_of(carrier.commodity, carrier.quantity, day, data, calorific)
        out.append(EnergyBook(one, content, None if weighed is None else primary().factors[weighed], by))
    return out


def energy_of(
    commodity: str, quantity: str, day: date, data: Carriers, calorific: list[Calorific] | None
) -> tuple[Fraction | None, str | None]:
    """Give the energy in one sub-unit: as it is, by the calorific value (as metered energy), or by a content."""
    if quantity == ENERGY:
        return Fraction(1), None
    found = calorific_for(commodity, day, calorific)
    if found is not None and units()[found[0].volume_unit].quantity == quantity:
        value, words = found
        ratio = units()[value.energy_unit].ratio / units()[value.volume_unit].ratio
        return value.content[value.metered_energy] * ratio, f"{commodity}: {value.metered_energy} energy by {words}"
    for row in data.contents:
        if (row.commodity, row.quantity) == (commodity, quantity):
            return row.per_sub_unit, f"{commodity}: energy by {row.id}"
    return None, None
