"""The losses of networks as a person reads them: a row a period and network, exact, with both sides' coverage."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from quintet.access import Access
from quintet.access.losses import NetworksAnswer, network_losses
from quintet.access.sets import SetSums
from quintet.ledger.networks import LOSSES, Lost, Side, losses
from quintet.terms.commodity import Commodities
from quintet.terms.period import Resolution, Span
from quintet.terms.unit import units

from .asked import MOST_BALANCES, check_size

AMOUNTS = ("head", "below", "loss")


@dataclass(frozen=True, slots=True)
class Losses:
    """A LOSSES table, and what it rests on."""

    table: pa.Table
    known_at: datetime
    rule_set: str

    def rows(self, tz: ZoneInfo) -> list[dict[str, Any]]:
        """Give the rows in the unit that each names: exact decimals, times on a clock."""
        out: list[dict[str, Any]] = []
        for row in self.table.to_pylist():
            unit = units().get(row["unit"])
            said = {
                name: None if row[name] is None or unit is None else unit.to_decimal(int(row[name])) for name in AMOUNTS
            }
            out.append({**row, **said, "start": row["start"].astimezone(tz)})
        return out


def losses_of(
    access: Access, span: Span, resolution: Resolution, *, place: str, network: str, known_at: datetime | None
) -> Losses:
    """Give the losses of a place's networks, or of one. Raises NotFound for none such, UsageError for too much."""
    check_size(span, resolution, MOST_BALANCES)
    found = network_losses(access, span, resolution, place=place, network=network, known_at=known_at)
    table = LOSSES.empty_table() if found.sums is None else _table(found, access.registry().commodities)
    return Losses(table, found.known_at, found.rule_set)


def _table(found: NetworksAnswer, commodities: Commodities) -> pa.Table:
    sums = found.sums
    assert sums is not None
    facts = [
        {name: getattr(one, name) for name in ("id", "level", "parent", "place", "commodity", "quantity", "unlike")}
        for one in sums.networks
    ]
    lost = Lost(
        facts,
        _side(sums.head),
        _side(sums.below),
        sums.standing_us > 0,
        sums.headed,
        sums.hung,
        sums.fits,
        sums.begun,
        sums.known,
    )
    return losses(lost, found.edges, commodities)


def _side(sums: SetSums) -> Side:
    return Side(sums.value, sums.expected_min, sums.arrived_min, sums.estimated_min)
