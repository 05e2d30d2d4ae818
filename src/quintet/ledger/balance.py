"""The balance: supply against use per carrier, place and period. What no meter gives is derived, and says so."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import numpy as np
import pyarrow as pa

from quintet.terms.commodity import Commodities
from quintet.terms.tables import FLOW_NAMES, MOMENT
from quintet.terms.unit import units

from .grid import FLOW_INDEX, Amounts, Carrier, Mask, carriers, decimals
from .tables import BALANCE, CLOSURE

SOURCES = ("local_generation", "conversion_out", "storage_discharge")
MADE_HERE = ("local_generation", "conversion_out")
USES = ("conversion_in", "storage_charge", "export", "consumption", "known_loss")
IMPORT, EXPORT = FLOW_INDEX["import"], FLOW_INDEX["export"]


@dataclass(frozen=True, slots=True)
class Balanced:
    """One carrier's balance over n periods: [9, n] sub-units, what is not known, closure error, what is derived."""

    carrier: Carrier
    value: Amounts
    unknown: Mask
    closure: Amounts
    closure_unknown: Mask
    import_derived: Mask
    export_derived: Mask

    def derived(self) -> pa.Array:
        """Name the derived flows of each period (of many places: place by place)."""
        return named([self.import_derived, self.export_derived], ("import", "export"))

    def absent(self) -> pa.Array:
        """Name the flows of each period that are 0 because no channel stands and nothing was derived."""
        gone = self.unknown.copy()
        for i, name in enumerate(FLOW_NAMES):
            gone[i] |= self.carrier.standing(name)
        gone[IMPORT] |= self.import_derived
        gone[EXPORT] |= self.export_derived
        return named(list(~gone), FLOW_NAMES)


def named(masks: Sequence[Mask], names: Sequence[str]) -> pa.Array:
    """Give for each place of some masks of one shape the list of the names whose mask is true there."""
    code = np.zeros(masks[0].size, np.int64)
    for bit, mask in enumerate(masks):
        code |= mask.reshape(-1).astype(np.int64) << bit
    distinct, position = np.unique(code, return_inverse=True)
    lists = [[name for bit, name in enumerate(names) if one >> bit & 1] for one in distinct.tolist()]
    return pa.array(lists, pa.list_(pa.string())).take(pa.array(position.reshape(-1)))


def balance(
    flows: pa.Table,
    *,
    place: str,
    edges: Sequence[datetime],
    commodities: Commodities,
    boundaries_metered: AbstractSet[tuple[str, str]],
) -> pa.Table:
    """Balance one place's flows (a FLOWS table) over the periods edges[i] .. edges[i + 1]; gives a BALANCE table.

    One row per period and (commodity, quantity) that has any channel, also where nothing arrived; commodities that are
    never balanced are left out. See `balance_carrier` for what is derived. Raises BadInput for an unknown commodity or
    flow, UsageError where flows and edges do not fit.
    """
    tables = [
        balance_table(one, [place], edges, commodities[one.carrier.commodity].display_unit(one.carrier.quantity).code)
        for one in balanced_carriers(flows, edges, commodities, boundaries_metered)
    ]
    if not tables:
        return BALANCE.empty_table()
    order = [(name, "ascending") for name in ("start", "commodity", "quantity")]
    return pa.concat_tables(tables).sort_by(order)


def balanced_carriers(
    flows: pa.Table,
    edges: Sequence[datetime],
    commodities: Commodities,
    boundaries_metered: AbstractSet[tuple[str, str]],
) -> list[Balanced]:
    """Balance every carrier of a FLOWS table that is balanced at all, in the order of their names."""
    return [
        balance_carrier(
            one,
            import_metered=(one.commodity, one.quantity) in boundaries_metered,
            crosses=commodities[one.commodity].crosses,
        )
        for one in carriers(flows, edges)
        if commodities[one.commodity].balanced
    ]


def balance_carrier(carrier: Carrier, *, import_metered: bool | Mask, crosses: bool = True) -> Balanced:
    """Close one carrier's books, or say that they cannot be closed; `import_metered` is [places] for many places.

    Import metered: closure_error = import + local_generation + conversion_out + storage_discharge - (consumption +
    conversion_in + storage_charge + export + known_loss), null as soon as one of them is missing.

    Import not metered: it is derived as what the other flows leave open, and closure_error is null: such a row closes
    by construction, which proves nothing. Where the rest is in surplus and no export meter stands, the surplus is
    derived as export and import is 0. Where an export meter does stand, a surplus contradicts it: import then stays
    null (but named in `derived`), for a negative import would be an invention. A derived value is null when a term is
    missing; then the export of a place with sources of its own is not known either.

    Neither is derived of a carrier whose network ends inside (`crosses` False), in the periods in which something makes
    it here: what the plants give and nobody takes is not sold but lost on the way. Import and export are then 0 (no
    channel stands; an export meter that does stand counts) and closure_error = supply - use is what the network lost.
    Where nothing makes it here it comes from somewhere, and import is derived as above.

    Derived import and export are net within a period: over time import - export adds up, their split does not.
    """
    supply, supply_gone = carrier.total(SOURCES)
    use, use_gone = carrier.total(USES)
    gone = supply_gone | use_gone
    value, unknown = carrier.value.copy(), carrier.missing.copy()
    has_import, has_export = carrier.having("import"), carrier.having("export")
    metered = np.asarray(import_metered)[..., None] | has_import
    inside = np.zeros_like(gone) if crosses else carrier.standing(*MADE_HERE)
    net = use - supply
    surplus = np.asarray(net < 0, dtype=np.bool_) & ~gone & ~inside
    unsure = gone & ~inside & carrier.having(*SOURCES)
    value[IMPORT] = np.where(metered, value[IMPORT], np.where(gone | surplus | inside, 0, net))
    unknown[IMPORT] = np.where(metered, unknown[IMPORT] | ~has_import, (gone & ~inside) | (surplus & has_export))
    value[EXPORT] = np.where(metered | has_export, value[EXPORT], np.where(surplus, -net, 0))
    unknown[EXPORT] = np.where(metered | has_export, unknown[EXPORT], unsure)
    closure = np.where(metered, value[IMPORT] + supply - use, supply - use)
    closure_gone = np.where(metered, gone | unknown[IMPORT], gone | ~inside)
    import_derived = ~metered & ~inside
    export_derived = ~metered & ~has_export & (surplus | unsure)
    return Balanced(carrier, value, unknown, closure, closure_gone, import_derived, export_derived)


def rows_for_people(table: pa.Table, tz: tzinfo | None = None) -> list[dict[str, Any]]:
    """Give a BALANCE table as the rows that the command line prints: exact decimals in the unit that `unit` names.

    `start` is an aware datetime, on the clock `tz` where one is given.
    """
    out: list[dict[str, Any]] = []
    for row in table.to_pylist():
        unit = units()[row["unit"]]
        start = row["start"] if tz is None else row["start"].astimezone(tz)
        said: dict[str, Any] = {
            "start": start, "place": row["place"], "commodity": row["commodity"], "unit": row["unit"],
        }  # fmt: skip
        for name in (*FLOW_NAMES, CLOSURE):
            said[name] = None if row[name] is None else unit.to_decimal(int(row[name]))
        said |= {name: row[name] for name in ("derived", "coverage", "estimated_share")}
        out.append(said)
    return out


def balance_table(one: Balanced, places: Sequence[str], edges: Sequence[datetime], unit: str) -> pa.Table:
    """Give one carrier's rows of one place, or of many: place by place in their order, each in order of time."""
    count = len(edges) - 1
    carrier = one.carrier
    expected, arrived, estimated = (
        column.sum(axis=0).reshape(-1) for column in (carrier.expected_min, carrier.arrived_min, carrier.estimated_min)
    )
    known = arrived + estimated
    size = len(places) * count
    columns = {
        "start": pa.array(list(edges[:-1]), MOMENT).take(pa.array(np.tile(np.arange(count), len(places)))),
        "place": pa.array(places, pa.string()).take(pa.array(np.repeat(np.arange(len(places)), count))),
        "commodity": pa.repeat(carrier.commodity, size),
        "quantity": pa.repeat(carrier.quantity, size),
        "unit": pa.repeat(unit, size),
        **{name: decimals(one.value[i].reshape(-1), one.unknown[i].reshape(-1)) for i, name in enumerate(FLOW_NAMES)},
        CLOSURE: decimals(one.closure.reshape(-1), one.closure_unknown.reshape(-1)),
        "derived": one.derived(),
        "absent": one.absent(),
        "coverage": pa.array(arrived / np.maximum(expected, 1), mask=expected == 0),
        "estimated_share": pa.array(estimated / np.maximum(known, 1), mask=known == 0),
    }
    return pa.table(columns, schema=BALANCE)
