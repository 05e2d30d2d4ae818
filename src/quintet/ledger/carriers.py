"""Carriers as energy: what one sub-unit of a metered quantity holds, and its primary factor; data rows, no branches."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from quintet.terms.catalogue import CERTAINTIES, check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.period import day_start
from quintet.terms.unit import units

from .balance import Balanced
from .calorific import Calorific, calorific_for
from .dated import latest_day, number
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
    what a volume became energy. `later` gives other contents, each with the interval from which on it holds.
    """

    balanced: Balanced
    content: Fraction | None
    primary: Fraction | None
    by: str | None
    later: tuple[tuple[int, Fraction | None], ...] = ()

    def stretches(self) -> list[tuple[slice, Fraction | None]]:
        """Give the intervals of each content."""
        firsts = [(0, self.content), *self.later, (self.balanced.value.shape[1], None)]
        return [(slice(at, end), content) for (at, content), (end, _) in pairwise(firsts)]


def cuts_of(edges: Sequence[datetime], tz: ZoneInfo, calorific: Sequence[Calorific]) -> list[tuple[int, date]]:
    """Give the intervals with which a calorific value begins to hold, after the first: their places, and the days."""
    days = sorted({row.valid_from for row in calorific})
    found = [(bisect_left(edges, day_start(day, tz), hi=len(edges) - 1), day) for day in days]
    return [(at, day) for at, day in found if 0 < at < len(edges) - 1]


def energy_books(
    balanced: Sequence[Balanced],
    day: date,
    calorific: list[Calorific] | None = None,
    cuts: Sequence[tuple[int, date]] = (),
) -> list[EnergyBook]:
    """Give the balances of the carriers of energy; one that counts as energy and has no row keeps `primary` None.

    `day` is that of the first interval, `cuts` those with which another calorific value begins to hold.
    """
    data = carriers_data()
    out: list[EnergyBook] = []
    for one in balanced:
        carrier = one.carrier
        weighed = data.primary.get(carrier.commodity)
        if weighed is None and carrier.quantity != ENERGY:
            continue
        content, by = energy_of(carrier.commodity, carrier.quantity, day, data, calorific)
        told = [by] if by else []
        later: list[tuple[int, Fraction | None]] = []
        for at, cut in cuts:
            after, words = energy_of(carrier.commodity, carrier.quantity, cut, data, calorific)
            if words not in (None, *told):
                later.append((at, after))
                told.append(words)
        factor = None if weighed is None else primary().factors[weighed]
        out.append(EnergyBook(one, content, factor, "; then ".join(told) or None, tuple(later)))
    return out


def energy_of(
    commodity: str, quantity: str, day: date, data: Carriers, calorific: list[Calorific] | None
) -> tuple[Fraction | None, str | None]:
    """Give the energy in one sub-unit: as it is, by the calorific value (as metered energy), or by a content."""
    if quantity == ENERGY:
        return Fraction(1), None
    found = content_of(commodity, quantity, day, data, calorific)
    return (None, None) if found is None else (found[0], f"{commodity}: {found[1]}")


def content_of(
    commodity: str, quantity: str, day: date, data: Carriers, calorific: list[Calorific] | None
) -> tuple[Fraction, str] | None:
    """Give the energy in one sub-unit of a volume, and by what; None where no way leads to it."""
    found = calorific_for(commodity, day, calorific)
    if found is not None and units()[found[0].volume_unit].quantity == quantity:
        value, words = found
        ratio = units()[value.energy_unit].ratio / units()[value.volume_unit].ratio
        return value.content[value.metered_energy] * ratio, f"{value.metered_energy} energy by {words}"
    for row in data.contents:
        if (row.commodity, row.quantity) == (commodity, quantity):
            return row.per_sub_unit, f"energy by {row.id}"
    return None
