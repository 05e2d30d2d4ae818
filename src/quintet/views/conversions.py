"""Conversions as a person reads them: each plant's double entries, its efficiency and what it loses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.plants import PlantsAnswer, plant_flows
from quintet.ledger.city_rows import find_set
from quintet.ledger.conversions import Booked, ConversionRow, conversions, revisions
from quintet.ledger.dated import said_if_known
from quintet.ledger.networks import Side
from quintet.terms.errors import UsageError
from quintet.terms.period import Resolution, Span

from .asked import MOST_BALANCES, check_size
from .series import share

FINE_PLACES = 12
"""Decimal places of energy that is no whole number of sub-units."""
MOST_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Conversions:
    """Plants in periods, and what they rest on."""

    rows: list[dict[str, Any]]
    known_at: datetime
    rule_set: str


def conversions_of(
    access: Access, span: Span, resolution: Resolution, *, place: str, known_at: datetime | None
) -> Conversions:
    """Give the conversions of a place's plants. Raises NotFound for a place that is none, UsageError for too much."""
    check_size(span, resolution, MOST_BALANCES)
    registry = access.as_known(known_at).registry()
    calorific = find_set(registry.timelines).calorific
    within = revisions(registry.tz, calorific)
    found = plant_flows(access, place, span, resolution, within=within, known_at=known_at)
    if len(found.entries) * len(found.edges) > MOST_ROWS:
        raise UsageError(
            f"that is more than {MOST_ROWS:,} entries.",
            code="range_too_long",
            place="resolution",
            remedy="Ask for a shorter range, a coarser resolution or a smaller place.",
        )
    sums = found.sums
    rows = conversions(
        [Booked(*entry) for entry in found.entries],
        Side(sums.value, sums.expected_min, sums.arrived_min, sums.estimated_min),
        sums.unknown,
        starts=found.starts,
        period=found.period,
        edges=found.edges,
        tz=registry.tz,
        commodities=registry.commodities,
        calorific=calorific,
    )
    return Conversions([_row(row, found, registry.tz) for row in rows], found.known_at, found.rule_set)


def _row(row: ConversionRow, found: PlantsAnswer, tz: ZoneInfo) -> dict[str, Any]:
    plant = found.plants[row.plant]
    entries = [
        {
            "side": one.side,
            "commodity": one.commodity,
            "unit": one.unit,
            "amount": one.amount,
            "energy_kwh": said_if_known(one.energy_kwh, FINE_PLACES),
            "basis": one.basis,
            "coverage": None if one.coverage is None else share(one.coverage),
            "estimated_share": None if one.estimated_share is None else share(one.estimated_share),
        }
        for one in row.entries
    ]
    return {
        "start": row.start.astimezone(tz),
        "plant": row.plant,
        "kind": plant.kind,
        "place": plant.place,
        "inputs": [one for one in entries if one["side"] == "in"],
        "outputs": [one for one in entries if one["side"] == "out"],
        "energy_in_kwh": said_if_known(row.energy_in_kwh, FINE_PLACES),
        "energy_out_kwh": said_if_known(row.energy_out_kwh, FINE_PLACES),
        "efficiency": said_if_known(row.efficiency, FINE_PLACES),
        "lost_kwh": said_if_known(row.lost_kwh, FINE_PLACES),
        "reason": row.reason,
    }
