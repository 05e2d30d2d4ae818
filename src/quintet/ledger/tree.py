"""The balance of every place of a tree at once: the same formulas as for one place, over arrays of all of them.

Rows add up over places: local_generation, conversion_in, conversion_out, storage_discharge, storage_charge and
consumption of a place are the sums of those of the places directly below it and of what stands at the place itself.
Over time the same columns add up, known_loss and closure_error too, wherever all rows are known. Import and export
cross each place's own boundary, so a child's say nothing of its parent's; known_loss of a parent may hold networks
that lie between its children; closure_error belongs to the boundary at which it was found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from quintet.terms.commodity import Commodities

from .balance import balance_carrier, balance_table
from .grid import Carrier, Mask
from .tables import BALANCE

ADD_UP = (
    "local_generation", "conversion_in", "conversion_out", "storage_discharge", "storage_charge", "consumption",
)  # fmt: skip
"""The columns of a balance that add up over places."""


@dataclass(frozen=True, slots=True)
class TreeCarrier:
    """One carrier of p places: its flows [9, p, n], where the boundary is metered [p], and where it is at all [p]."""

    carrier: Carrier
    import_metered: Mask
    there: Mask


def tree_balance(
    carriers: Sequence[TreeCarrier], *, places: Sequence[str], edges: Sequence[datetime], commodities: Commodities
) -> pa.Table:
    """Balance many places; gives BALANCE, in the order of the places, then of time, then of carriers.

    A place has rows of the carriers that are there, as `balance` gives them for that place alone.
    """
    tables: list[pa.Table] = []
    orders: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    count = len(edges) - 1
    held = [one for one in carriers if commodities[one.carrier.commodity].balanced and one.there.any()]
    for number, one in enumerate(held):
        where = np.flatnonzero(one.there)
        commodity = commodities[one.carrier.commodity]
        part = _at(one.carrier, where)
        balanced = balance_carrier(part, import_metered=one.import_metered[where], crosses=commodity.crosses)
        unit = commodity.display_unit(part.quantity).code
        tables.append(balance_table(balanced, [places[at] for at in where.tolist()], edges, unit))
        cells = where[:, None] * count + np.arange(count)
        orders.append((cells * len(held) + number).reshape(-1))
    if not tables:
        return BALANCE.empty_table()
    return pa.concat_tables(tables).take(pa.array(np.argsort(np.concatenate(orders), kind="stable")))


def _at(carrier: Carrier, where: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Carrier:
    """Give a carrier of some of its places."""
    names = ("value", "renewable", "missing", "stands", "expected_min", "arrived_min", "estimated_min")
    return Carrier(carrier.commodity, carrier.quantity, *(getattr(carrier, name)[:, where] for name in names))
