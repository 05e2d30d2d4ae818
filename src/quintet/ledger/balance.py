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
    import_derived: bool
    export_derived: Mask

    def derived(self) -> list[list[str]]:
        """Name the derived flows of each period."""
        first = ["import"] if self.import_derived else []
        return [[*first, "export"] if out else first for out in self.export_derived.tolist()]


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
        _table(one, place, edges, commodities[one.carrier.commodity].display_unit(one.carrier.quantity).code)
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
        balance_carrier(one, import_metered=(one.commodity, one.quantity) in boundaries_metered)
        for one in carriers(flows, edges)
        if commodities[one.commodity].balanced
    ]


def balance_carrier(carrier: Carrier, *, import_metered: bool) -> Balanced:
    """Close one carrier's books, or say that they cannot be closed.

    Import metered: closure_error = import + local_generation + conversion_out + storage_discharge - (consumption +
    conversion_in + storage_charge + export + known_loss), null as soon as one of them is missing.

    Import not metered: it is derived as what the other flows leave open, and closure_error is null: such a row closes
    by construction, which proves nothing. Where the rest is in surplus and no export meter stands, the surplus is
    derived as export and import is 0. Where an export meter does stand, a surplus contradicts it: import then stays
    null (but named in `derived`), for a negative import would be an invention. A derived value is null when a term is
    missing; then the export of a place with sources of its own is not known either.

    Derived import and export are net within a period: over time import - export adds up, their split does not.
    """
    supply, supply_gone = carrier.total(SOURCES)
    use, use_gone = carrier.total(USES)
    gone = supply_gone | use_gone
    value, unknown = carrier.value.copy(), carrier.missing.copy()
    nowhere = np.zeros_like(gone)
    if import_metered or carrier.has("import"):
        if not carrier.has("import"):
            unknown[IMPORT] = True
        return Balanced(carrier, value, unknown, value[IMPORT] + supply - use, gone | unknown[IMPORT], False, nowhere)
    net = use - supply
    surplus = np.asarray(net < 0, dtype=np.bool_) & ~gone
    value[IMPORT] = np.where(gone | surplus, 0, net)
    unknown[IMPORT] = gone
    export_derived = nowhere
    if carrier.has("export"):
        unknown[IMPORT] = gone | surplus
    else:
        unsure = gone if carrier.has(*SOURCES) else nowhere
        value[EXPORT] = np.where(surplus, -net, 0)
        unknown[EXPORT] = unsure
        export_derived = surplus | unsure
    return Balanced(carrier, value, unknown, np.zeros_like(net), ~nowhere, True, export_derived)


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


def _table(one: Balanced, place: str, edges: Sequence[datetime], unit: str) -> pa.Table:
    """Give one carrier's rows."""
    count = len(edges) - 1
    carrier = one.carrier
    expected, arrived = carrier.expected_min.sum(axis=0), carrier.arrived_min.sum(axis=0)
    estimated = carrier.estimated_min.sum(axis=0)
    known = arrived + estimated
    columns = {
        "start": pa.array(list(edges[:-1]), MOMENT),
        "place": pa.repeat(place, count),
        "commodity": pa.repeat(carrier.commodity, count),
        "quantity": pa.repeat(carrier.quantity, count),
        "unit": pa.repeat(unit, count),
        **{name: decimals(one.value[i], one.unknown[i]) for i, name in enumerate(FLOW_NAMES)},
        CLOSURE: decimals(one.closure, one.closure_unknown),
        "derived": pa.array(one.derived(), pa.list_(pa.string())),
        "coverage": pa.array(arrived / np.maximum(expected, 1), mask=expected == 0),
        "estimated_share": pa.array(estimated / np.maximum(known, 1), mask=known == 0),
    }
    return pa.table(columns, schema=BALANCE)
