"""Conversions as double entries: what went into a plant, what came out of it, and what is lost on the way.

    efficiency = energy out / energy in        lost = energy in - energy out

exactly, in energy: a fuel by volume counts by the calorific value in force on the day (the city's own, where it states
one), in the kind of energy that its meters show (city gas: gross), and hot water by the content that ships, which the
basis names: as in self-sufficiency. A carrier that is no energy (water) counts none. A heat pump's
efficiency is its coefficient of performance, and what it loses is negative: the heat that it takes from outside has no
meter. Both are given only where every interval of every entry is known, measured or estimated. The amounts of the
entries are those of the balance's conversion_in and conversion_out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np

from quintet.terms.amount import Ints
from quintet.terms.commodity import Commodities
from quintet.terms.period import day_start, local_day
from quintet.terms.unit import units

from .calorific import Calorific, calorific_for
from .carriers import carriers_data, content_of
from .grid import Mask
from .networks import Side

ENERGY = "energy"
ENERGY_UNIT = "kWh"


@dataclass(frozen=True, slots=True)
class Booked:
    """One side of a plant's books in one carrier: which plant, "in" or "out", commodity and quantity."""

    plant: str
    side: str
    commodity: str
    quantity: str


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry in one period: its amount in `unit` (None: not known), its energy in kWh (None: nobody can say)."""

    side: str
    commodity: str
    unit: str
    amount: Decimal | None
    energy_kwh: Fraction | None
    basis: str
    coverage: float | None
    estimated_share: float | None


@dataclass(frozen=True, slots=True)
class ConversionRow:
    """One plant in one period: its entries, the energy of both sides, their ratio and difference, or why not."""

    start: datetime
    plant: str
    entries: tuple[EntryRow, ...]
    energy_in_kwh: Fraction | None
    energy_out_kwh: Fraction | None
    efficiency: Fraction | None
    lost_kwh: Fraction | None
    reason: str | None


def revisions(tz: ZoneInfo, calorific: Sequence[Calorific]) -> list[datetime]:
    """Give the moments at which a calorific value begins to hold: a period that holds one is summed in two parts."""
    return sorted({day_start(row.valid_from, tz) for row in calorific})


def kwh_of(
    commodity: str, quantity: str, day: date, commodities: Commodities, calorific: list[Calorific] | None = None
) -> tuple[Fraction | None, str]:
    """Give the energy (kWh) in a sub-unit of a metered quantity on a day, None where nobody can say, and the basis."""
    unit, data = units()[ENERGY_UNIT].ratio, carriers_data()
    if quantity == ENERGY:
        found = calorific_for(commodity, day, calorific)
        return 1 / unit, f"metered as {found[0].metered_energy} energy" if found else "metered as energy"
    content = content_of(commodity, quantity, day, data, calorific)
    if content is not None:
        volume = calorific_for(commodity, day, calorific) is not None
        return content[0] / unit, f"volume taken as at reference conditions, {content[1]}" if volume else content[1]
    if ENERGY not in commodities[commodity].measures:
        return Fraction(0), "carries no energy"
    return None, f"metered as {quantity}: its energy is not known"


def conversions(
    entries: Sequence[Booked],
    sums: Side,
    unknown: Mask,
    *,
    starts: Sequence[datetime],
    period: Ints,
    edges: Sequence[datetime],
    tz: ZoneInfo,
    commodities: Commodities,
    calorific: list[Calorific] | None = None,
) -> list[ConversionRow]:
    """Book each plant in each period, in order of plant and time, where any of its entries stands.

    `sums` and `unknown` are [entries, parts]; a part lies in the period of its number, and no calorific value (None:
    those that ship) changes within it.
    """
    by_plant: dict[str, list[int]] = {}
    for at, entry in enumerate(entries):
        by_plant.setdefault(entry.plant, []).append(at)
    days = [local_day(start, tz) for start in starts]
    rates: dict[tuple[str, str, date], tuple[Fraction | None, str]] = {}
    for entry in entries:
        for day in set(days):
            key = (entry.commodity, entry.quantity, day)
            if key not in rates:
                rates[key] = kwh_of(*key, commodities, calorific)
    out: list[ConversionRow] = []
    for plant, members in sorted(by_plant.items()):
        ordered = sorted(members, key=lambda at: (entries[at].side, entries[at].commodity))
        for number in range(len(edges) - 1):
            parts = np.flatnonzero(period == number).tolist()
            rows = [_entry(entries[at], at, parts, sums, unknown, days, rates, commodities) for at in ordered]
            out.append(_booked(plant, edges[number], [row for row, _ in rows], all(whole for _, whole in rows)))
    return out


def _entry(
    entry: Booked,
    at: int,
    parts: list[int],
    sums: Side,
    unknown: Mask,
    days: Sequence[date],
    rates: Mapping[tuple[str, str, date], tuple[Fraction | None, str]],
    commodities: Commodities,
) -> tuple[EntryRow, bool]:
    """Book one entry of one period, and tell whether all of it is known."""
    unit = commodities[entry.commodity].display_unit(entry.quantity)
    expected, arrived, estimated = (
        int(column[at, parts].sum()) for column in (sums.expected_min, sums.arrived_min, sums.estimated_min)
    )
    known = [part for part in parts if not unknown[at, part]]
    amount = sum(int(sums.value[at, part]) for part in known) if known else None
    rated = [(part, *rates[entry.commodity, entry.quantity, days[part]]) for part in known]
    energy: Fraction | None = Fraction(0) if known else None
    for part, rate, _ in rated:
        energy = None if rate is None or energy is None else energy + rate * int(sums.value[at, part])
    row = EntryRow(
        entry.side,
        entry.commodity,
        unit.code,
        None if amount is None else unit.to_decimal(amount),
        energy,
        "; then ".join(dict.fromkeys(words for _, _, words in rated)),
        min(arrived / expected, 1.0) if expected else None,
        estimated / (arrived + estimated) if arrived + estimated else None,
    )
    return row, bool(sums.whole[at, parts].all()) and len(known) == len(parts)


def _booked(plant: str, start: datetime, rows: list[EntryRow], whole: bool) -> ConversionRow:
    """Set a plant's sides against each other."""
    sides = {side: [row.energy_kwh for row in rows if row.side == side] for side in ("in", "out")}
    taken, given = (
        None if None in each else sum((e for e in each if e is not None), Fraction(0)) for each in sides.values()
    )
    unsaid = next((row for row in rows if row.energy_kwh is None and row.amount is not None), None)
    reason = None
    if not whole:
        reason = "not every entry is known in every interval"
    elif unsaid is not None:
        reason = f"{unsaid.commodity} is {unsaid.basis}"
    elif not sides["out"]:
        reason = "no output is metered"
    elif taken is None or taken <= 0:
        reason = "nothing went in"
    if reason or taken is None or given is None:
        return ConversionRow(start, plant, tuple(rows), taken, given, None, None, reason)
    return ConversionRow(start, plant, tuple(rows), taken, given, given / taken, taken - given, None)
