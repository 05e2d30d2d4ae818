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

from .balance import Book, balance_carrier, balance_table
from .grid import Carrier, Mask
from .netting import Split
from .tables import BALANCE

ADD_UP = (
    "local_generation", "conversion_in", "conversion_out", "storage_discharge", "storage_charge", "consumption",
)  # fmt: skip
"""The columns of a balance that add up over places."""


@dataclass(frozen=True, slots=True)
class TreeCarrier:
    """One carrier of p places: its flows [9, p, n], where the boundary is metered [p], and where it is at all [p].

    `split` holds what is netted by the hour, where the periods are longer.
    """

    carrier: Carrier
    import_metered: Mask
    there: Mask
    split: Split | None = None


def tree_balance(
    carriers: Sequence[TreeCarrier], *, places: Sequence[str], edges: Sequence[datetime], commodities: Commodities
) -> pa.Table:
    """Balance many places; gives BALANCE, in the order of the places, then of time, then of carriers.

    A place has rows of the carriers that are there, as `balance` gives them for that place alone.
    """
    books: list[Book] = []
    for one in carriers:
        commodity = commodities[one.carrier.commodity]
        if not commodity.balanced or not one.there.any():
            continue
        where = np.flatnonzero(one.there)
        part = one.carrier if len(where) == len(one.there) else _at(one.carrier, where)
        split = None if one.split is None else one.split.at(where)
        balanced = balance_carrier(
            part, import_metered=one.import_metered[where], crosses=commodity.crosses, split=split
        )
        books.append(Book(balanced, where, commodity.display_unit(part.quantity).code))
    return balance_table(books, places, edges) if books else BALANCE.empty_table()


def _at(carrier: Carrier, where: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Carrier:
    """Give a carrier of some of its places."""
    names = ("value", "renewable", "missing", "stands", "expected_min", "arrived_min", "estimated_min")
    columns = (np.take(getattr(carrier, name), where, axis=1) for name in names)
    return Carrier(carrier.commodity, carrier.quantity, *columns)
