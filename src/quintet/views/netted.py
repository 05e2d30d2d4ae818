"""A place's flows with what its books need beside them: the hours behind longer rows, plants whose fuel is silent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from quintet.access import Access, FlowsAnswer
from quintet.access.fineness import step_of
from quintet.access.flows import Amounts
from quintet.access.plants import plant_flows
from quintet.ledger.balance import balance, netted_by_hour
from quintet.ledger.inventory import Piece
from quintet.ledger.netting import FINE_MIN, Hours
from quintet.terms.commodity import Commodities
from quintet.terms.period import Resolution, Span


@dataclass(frozen=True, slots=True)
class Netted:
    """A place's flows in the periods asked for, and by the hour those of carriers that are netted by the hour."""

    flows: FlowsAnswer
    hours: Hours | None
    step_min: float = float("inf")
    """The step in minutes that an interval may be too long for."""

    def balance(self, commodities: Commodities) -> pa.Table:
        """Balance them: a BALANCE table."""
        flows = self.flows
        table = balance(
            flows.flows, place=flows.place, edges=flows.edges, commodities=commodities,
            boundaries_metered=flows.boundaries_metered, hours=self.hours,
        )  # fmt: skip
        return _too_fine(table, {key: minutes for key, minutes in flows.longest_min.items() if minutes > self.step_min})


def _too_fine(table: pa.Table, long: Mapping[tuple[str, str], int]) -> pa.Table:
    """Say of the rows of carriers with meters of longer intervals that their steps are too short for these."""
    reason, at = table["reason"], table.column_names.index("reason")
    for (commodity, quantity), minutes in long.items():
        words = f"there are meters that count in steps of {minutes} minutes: what they count is in no shorter one"
        mine = pc.and_(pc.equal(table["commodity"], commodity), pc.equal(table["quantity"], quantity))
        reason = pc.if_else(mine, pa.scalar(words), reason)
    return table.set_column(at, table.schema.field("reason"), reason) if long else table


def fine(resolution: Resolution) -> Resolution:
    """Give the step in which supply and use meet: an hour, or the one asked for where that is shorter."""
    step = step_of(resolution)
    return resolution if step is not None and step <= FINE_MIN else Resolution.HOUR


def read(
    access: Access, place: str, span: Span, resolution: Resolution, known_at: datetime | None = None,
    told: Resolution | None = None,
) -> Netted:  # fmt: skip
    """Read a place's flows for its books; `told` as in Access.flows. Raises NotFound for a place that is none."""
    flows = access.flows(place, span, resolution, known_at, told=told)
    step = step_of(resolution) or float("inf")
    commodities = (access if known_at is None else access.as_known(known_at)).registry().commodities
    wanted = netted_by_hour(flows.flows, commodities, flows.boundaries_metered)
    if not wanted or fine(resolution) == resolution:
        return Netted(flows, None, step)
    # as known at the moment of the first read: both are of one state
    hours = access.flows(place, span, Resolution.HOUR, known_at or flows.known_at, told=told or resolution)
    mine = pc.is_in(hours.flows["commodity"], value_set=pa.array(sorted(wanted)))
    return Netted(flows, Hours(hours.flows.filter(mine), hours.edges), step)


def piece_of(
    access: Access, place: str, span: Span, resolution: Resolution, told: Resolution
) -> tuple[Piece, FlowsAnswer]:
    """Read a piece of an inventory, told in a step; also give what was read."""
    found = read(access, place, span, resolution, told=told)
    unfed = {} if resolution == Resolution.HOUR and told != resolution else starved(access, place, span, resolution)
    flows = found.flows
    return Piece(flows.flows, flows.edges, flows.boundaries_metered, found.hours, unfed), flows


def starved(access: Access, place: str, span: Span, resolution: Resolution) -> Mapping[tuple[datetime, str, str], int]:
    """Give what plants made while not one of their inputs was heard: by period, commodity and quantity, sub-units.

    Renewable plants burn nothing; of those without any stated input the flows themselves tell.
    """
    burning = {plant.id for plant in access.registry().plants() if plant.inputs and not plant.renewable}
    if not burning:
        return {}
    found = plant_flows(access, place, span, resolution)
    fed: dict[str, list[bool]] = {}
    heard = found.sums.arrived_min + found.sums.estimated_min > 0
    value: Amounts = found.sums.value
    for at, entry in enumerate(found.entries):
        if entry.side == "in":
            before = fed.setdefault(entry.plant, [False] * heard.shape[1])
            fed[entry.plant] = [one or bool(more) for one, more in zip(before, heard[at].tolist(), strict=True)]
    out: dict[tuple[datetime, str, str], int] = {}
    for at, entry in enumerate(found.entries):
        if entry.side != "out" or entry.plant not in burning:
            continue
        inputs = fed.get(entry.plant) or [False] * heard.shape[1]
        for number, period in enumerate(found.period.tolist()):
            made = int(value[at, number]) if heard[at, number] and not inputs[number] else 0
            if made:
                key = (found.edges[period], entry.commodity, entry.quantity)
                out[key] = out.get(key, 0) + made
    return out
