"""The balance: supply against use per carrier, place and period. What no meter gives is derived, and says so."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.terms.commodity import Commodities
from quintet.terms.residual import FLOW, GAP, least
from quintet.terms.tables import FLOW_INDEX, FLOW_NAMES, MOMENT
from quintet.terms.unit import units

from .grid import Amounts, Carrier, Mask, Minutes, carriers, decimals
from .netting import Hours, Split, first_hours, split_of
from .tables import BALANCE, CLOSURE, MINUTES

SOURCES = ("local_generation", "conversion_out", "storage_discharge")
MADE_HERE = ("local_generation", "conversion_out")
USES = ("conversion_in", "storage_charge", "export", "consumption", "known_loss")
IMPORT, EXPORT = FLOW_INDEX["import"], FLOW_INDEX["export"]
DERIVABLE = ("import", "export")
Codes = npt.NDArray[np.int16]
Order = npt.NDArray[np.int64]
TERM, SURPLUS, NEGATIVE = (
    "a term of it is not known",
    "more is made here than is used and sent out: the meters contradict each other",
    "a boundary meter shows less than nothing: what goes in and what goes out want a meter each",
)
UNREAD = "it is netted by the hour, and so many places are not: ask for this place alone, or by the hour"
"""Why a residual, or what it rests on, is not told."""
SHORT = "what is made here shows less than nothing: a meter counts what its plant takes in, or is turned round"
"""Said beside a row that is told: it holds what its meters show."""


@dataclass(frozen=True, slots=True)
class Balanced:
    """One carrier's balance over n periods: [9, n] sub-units, what is not known, closure error, what is derived.

    `known_min` [9, n] are the minutes of each term that are known and in it; `why` the place of the reason in REASONS.
    """

    carrier: Carrier
    value: Amounts
    unknown: Mask
    closure: Amounts
    closure_unknown: Mask
    import_derived: Mask
    export_derived: Mask
    known_min: Minutes
    why: Codes

    def least_known(self) -> npt.NDArray[np.float64]:
        """Give the known share of the term that is known least; NaN where nothing is expected of any."""
        expected, known = self.carrier.expected_min, self.known_min
        out = np.where(np.any(expected > 0, axis=0), 1.0, np.nan)
        part = np.any(known < expected, axis=0)
        due = expected[:, part]
        out[part] = np.min(np.where(due > 0, known[:, part] / np.maximum(due, 1), 1.0), axis=0, initial=1.0)
        return out

    def derived(self) -> Codes:
        """Mark the flows of each period that are derived, by the bits of DERIVABLE (of many places: place by place)."""
        return marked([self.import_derived, self.export_derived])

    def absent(self) -> Codes:
        """Mark the flows of each period that are 0 because no channel stands and nothing was derived, by FLOW_NAMES."""
        gone = self.unknown.copy()
        for i, name in enumerate(FLOW_NAMES):
            gone[i] |= self.carrier.standing(name)
        gone[IMPORT] |= self.import_derived
        gone[EXPORT] |= self.export_derived
        return marked(list(~gone))


def marked(masks: Sequence[Mask]) -> Codes:
    """Give for each place of some masks of one shape a number: the bits of the masks that are true there."""
    code = np.zeros(masks[0].size, np.int16)
    for bit, mask in enumerate(masks):
        code |= mask.reshape(-1).astype(np.int16) << bit
    return code


def named(codes: Codes, names: tuple[str, ...]) -> pa.Array:
    """Give for each number the list of the names whose bit it has."""
    return lists_of(names).take(pa.array(codes))


@cache
def lists_of(names: tuple[str, ...]) -> pa.Array:
    """Give the list of names of every number that their bits can make."""
    lists = [[name for bit, name in enumerate(names) if one >> bit & 1] for one in range(2 ** len(names))]
    return pa.array(lists, pa.list_(pa.string()))


def balance(
    flows: pa.Table,
    *,
    place: str,
    edges: Sequence[datetime],
    commodities: Commodities,
    boundaries_metered: AbstractSet[tuple[str, str]],
    hours: Hours | None = None,
    minutes: bool = False,
) -> pa.Table:
    """Balance one place's flows (a FLOWS table) over the periods edges[i] .. edges[i + 1]; gives a BALANCE table.

    One row per period and (commodity, quantity) that has any channel, also where nothing arrived; commodities that are
    never balanced are left out. See `balance_carrier` for what is derived; `hours` are the same flows by the hour, of
    the carriers that `netted_by_hour` names. `minutes` adds the column MINUTES. Raises BadInput for an unknown
    commodity or flow, UsageError where flows and edges do not fit.
    """
    found = balanced_carriers(flows, edges, commodities, boundaries_metered, hours)
    books = [
        Book(one, np.zeros(1, np.int64), commodities[one.carrier.commodity].display_unit(one.carrier.quantity).code)
        for one in found
    ]
    table = balance_table(books, [place], edges) if books else BALANCE.empty_table()
    return table if not minutes else table.append_column(MINUTES, minutes_column(books))


def balanced_carriers(
    flows: pa.Table,
    edges: Sequence[datetime],
    commodities: Commodities,
    boundaries_metered: AbstractSet[tuple[str, str]],
    hours: Hours | None = None,
) -> list[Balanced]:
    """Balance every carrier of a FLOWS table that is balanced at all, in the order of their names."""
    fine = {} if hours is None else {(one.commodity, one.quantity): one for one in carriers(hours.flows, hours.edges)}
    first = [] if hours is None else first_hours(edges, hours.edges)
    out: list[Balanced] = []
    for one in carriers(flows, edges):
        if commodities[one.commodity].balanced:
            key = (one.commodity, one.quantity)
            split = by_hour(fine[key], first) if key in fine and key not in boundaries_metered else None
            crosses = commodities[one.commodity].crosses
            out.append(balance_carrier(one, import_metered=key in boundaries_metered, crosses=crosses, split=split))
    return out


def by_hour(fine: Carrier, first: Sequence[int]) -> Split:
    """Net a carrier whose boundary has no import meter hour by hour, and sum to rows that begin with some hours."""
    found = balance_carrier(fine, import_metered=False)
    unknown = found.unknown[IMPORT] | found.unknown[EXPORT]
    return split_of(fine, (found.value[IMPORT], found.value[EXPORT]), unknown, found.export_derived, first)


def netted_by_hour(
    flows: pa.Table, commodities: Commodities, boundaries_metered: AbstractSet[tuple[str, str]]
) -> set[str]:
    """Name the commodities whose derived import and export rows longer than an hour have to be summed from hours.

    They have sources of their own, cross the boundary, and no import meter stands there.
    """
    keys = flows.group_by(["commodity", "quantity", "flow"]).aggregate([]).to_pylist()
    return {
        row["commodity"]
        for row in keys
        if row["flow"] in SOURCES
        and (row["commodity"], row["quantity"]) not in boundaries_metered
        and commodities[row["commodity"]].balanced
        and commodities[row["commodity"]].crosses
    }


def balance_carrier(
    carrier: Carrier, *, import_metered: bool | Mask, crosses: bool = True, split: Split | None = None
) -> Balanced:
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

    Of a carrier with sources of its own a term counts as missing, too, where less of its time is known than
    terms/residual.py wants: what is not known of it would be in the residual. Without sources the import is what is
    used, as far as that was heard. Derived import and export are net within the hour: `split` holds, where the periods
    are longer, the sums of the hours that can be told; where none can, they are null. A boundary meter that shows less
    than nothing is not known.
    """
    supply, supply_gone = carrier.total(SOURCES)
    use, use_gone = carrier.total(USES)
    value, unknown = carrier.value.copy(), carrier.missing.copy()
    has_import, has_export = carrier.having("import"), carrier.having("export")
    metered = np.asarray(import_metered)[..., None] | has_import
    inside = np.zeros_like(supply_gone) if crosses else carrier.standing(*MADE_HERE)
    below = ((value[IMPORT] < 0) & has_import) | ((value[EXPORT] < 0) & has_export)
    unknown[IMPORT] |= (value[IMPORT] < 0) & has_import
    unknown[EXPORT] |= (value[EXPORT] < 0) & has_export
    heard = np.minimum(carrier.arrived_min + carrier.estimated_min, carrier.expected_min)
    here = np.zeros_like(inside) if split is None else np.broadcast_to(split.here, inside.shape) & ~metered & ~inside
    known = heard if split is None else np.where(here, split.known_min, heard)
    missing = supply_gone | use_gone | unknown[EXPORT]
    unread = np.zeros_like(inside) if split is None else split.unread & ~metered & ~inside
    # a sum of hours holds those that are told, each by the bound; without sources the rest is what is used, as heard
    few = lacking(FLOW, carrier.expected_min, known) & carrier.having(*SOURCES)
    few = np.where(here, (known.sum(axis=0) == 0) & (carrier.expected_min.sum(axis=0) > 0), few)
    gone = missing | few | unread
    net = use - supply
    surplus = np.asarray(net < 0, dtype=np.bool_) & ~gone & ~inside & ~here
    unsure = gone & ~inside & carrier.having(*SOURCES)
    bought, sold = np.where(gone | surplus | inside, 0, net), np.where(surplus, -net, 0)
    sells = surplus
    if split is not None:
        pairs = ((split.imported, bought), (split.exported, sold))
        bought, sold = (np.where(here & ~gone, summed, own) for summed, own in pairs)
        sells = surplus | (here & ~gone & split.export_derived)
    value[IMPORT] = np.where(metered, value[IMPORT], bought)
    unknown[IMPORT] = np.where(metered, unknown[IMPORT] | ~has_import, (gone & ~inside) | (surplus & has_export))
    value[EXPORT] = np.where(metered | has_export, value[EXPORT], sold)
    unknown[EXPORT] = np.where(metered | has_export, unknown[EXPORT], unsure)
    closure = np.where(metered, value[IMPORT] + supply - use, supply - use)
    poor = lacking(GAP, carrier.expected_min, heard)
    lost = missing | np.where(metered, unknown[IMPORT], ~inside)
    short = np.any(carrier.value[[FLOW_INDEX[name] for name in SOURCES]] < 0, axis=0)
    why = np.select(
        [unread, below, missing | (metered & unknown[IMPORT]), few & ~metered & ~inside,
         surplus & has_export & ~metered, poor & (metered | inside), short],
        [6, 4, 1, 2, 3, 5, 7], 0,
    )  # fmt: skip
    # which terms are not known is told by their bits
    terms = marked(list(carrier.missing)).reshape(why.shape)
    why = np.where(why == 1, len(BASE_REASONS) + terms, why)
    return Balanced(
        carrier, value, unknown, closure, lost | poor, ~metered & ~inside, ~metered & ~has_export & (sells | unsure),
        known if split is None else np.where(gone, heard, known), why.astype(np.int16),
    )  # fmt: skip


def lacking(kind: str, expected: Minutes, known: Minutes) -> Mask:
    """Tell in which periods too little of some term is known for a residual of a kind; minutes are [9, (places,) n]."""
    out = np.any(known < expected, axis=0)
    out[out] = ~np.all(least(kind).holds(expected[:, out], known[:, out]), axis=0)
    return out


BASE_REASONS = (None, TERM, least(FLOW).words, SURPLUS, NEGATIVE, least(GAP).words, UNREAD, SHORT)
"""Reasons by their number in Balanced.why; behind them stands TERM for every choice of terms that are not known."""


@cache
def reasons() -> pa.Array:
    """Give the reasons by their number in Balanced.why; the first is none."""
    named = [" ".join(names) for names in lists_of(FLOW_NAMES).to_pylist()]
    return pa.array([*BASE_REASONS, *(f"{TERM}: {names}" if names else TERM for names in named)], pa.string())


def minutes_column(books: Sequence["Book"]) -> pa.Array:
    """Give for each row the minutes expected, arrived, estimated and known of each flow: 36 numbers, flow by flow."""
    kinds, count = len(books), books[0].balanced.value.shape[1] if books else 0
    cells = np.empty((count, kinds, len(FLOW_NAMES), 4), np.int64)
    for at, one in enumerate(books):
        carrier = one.balanced.carrier
        columns = (carrier.expected_min, carrier.arrived_min, carrier.estimated_min, one.balanced.known_min)
        for place, column in enumerate(columns):
            cells[:, at, :, place] = column.T
    return pa.FixedSizeListArray.from_arrays(pa.array(cells.reshape(-1)), 4 * len(FLOW_NAMES))


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
        said |= {name: row[name] for name in ("derived", "coverage", "estimated_share", "least_known", "reason")}
        out.append(said)
    return out


@dataclass(frozen=True, slots=True)
class Book:
    """One carrier's balance of some of the places of a table: which (by their number), and the unit it is said in."""

    balanced: Balanced
    where: Order
    unit: str


def balance_table(books: Sequence[Book], places: Sequence[str], edges: Sequence[datetime]) -> pa.Table:
    """Give the rows of some places: in their order, each in order of time, then of the carriers (BALANCE)."""
    count, kinds = len(edges) - 1, len(books)
    carriers = [one.balanced.carrier for one in books]
    cell = np.concatenate([(one.where[:, None] * count + np.arange(count)).reshape(-1) for one in books])
    kind = np.repeat(np.arange(kinds), [len(one.where) * count for one in books])
    order = np.argsort(cell * kinds + kind, kind="stable") if kinds > 1 else np.arange(len(cell))
    cell, kind = cell[order], pa.array(kind[order])

    def laid(columns: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.concatenate([column.reshape(-1) for column in columns])[order]

    expected, arrived, estimated = (
        laid(getattr(one, name).sum(axis=0) for one in carriers)
        for name in ("expected_min", "arrived_min", "estimated_min")
    )
    known = arrived + estimated
    kept = [one.balanced for one in books]
    columns = {
        "start": pa.array(list(edges[:-1]), MOMENT).take(pa.array(cell % count)),
        "place": pa.array(places, pa.string()).take(pa.array(cell // count)),
        "commodity": pa.array([one.commodity for one in carriers], pa.string()).take(kind),
        "quantity": pa.array([one.quantity for one in carriers], pa.string()).take(kind),
        "unit": pa.array([one.unit for one in books], pa.string()).take(kind),
        **{
            name: decimals(laid(one.value[i] for one in kept), laid(one.unknown[i] for one in kept))
            for i, name in enumerate(FLOW_NAMES)
        },
        CLOSURE: decimals(laid(one.closure for one in kept), laid(one.closure_unknown for one in kept)),
        "derived": named(laid(one.derived() for one in kept), DERIVABLE),
        "absent": named(laid(one.absent() for one in kept), FLOW_NAMES),
        "coverage": pa.array(np.minimum(arrived / np.maximum(expected, 1), 1), mask=expected == 0),
        "estimated_share": pa.array(estimated / np.maximum(known, 1), mask=known == 0),
        "least_known": pa.array(share := laid(one.least_known() for one in kept), mask=np.isnan(share)),
        "reason": reasons().take(pa.array(laid(one.why for one in kept))),
    }
    return pa.table(columns, schema=BALANCE)
