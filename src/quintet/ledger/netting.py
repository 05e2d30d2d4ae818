"""Import and export that follow from the rest, netted hour by hour and summed to the rows that were asked for.

What is bought in one hour is not paid by what is left over in another. So where a place makes some of its own and no
meter stands at its boundary, its rows of a day or a month are the sums of its hours, and no resolution gives another
answer. Rows shorter than an hour are netted as they are. An hour in which a term is not known (see terms/residual.py)
is in neither sum, and counts as unknown.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .grid import Amounts, Carrier, Mask, Minutes

Order = npt.NDArray[np.intp]
FINE_MIN = 60
"""Longest interval, in minutes, in which what is made and what is used may be said to meet."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A place's flows (FLOWS) hour by hour over the span of its rows, of the carriers that are netted."""

    flows: pa.Table
    edges: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class Split:
    """Derived import and export, summed from hours where `here`: sub-units [(places,) n]; known minutes are [9, n].

    `known_min` counts the hours that are in the sums. Where `unread` the hours were not read, and neither is known.
    """

    here: Mask
    imported: Amounts
    exported: Amounts
    export_derived: Mask
    known_min: Minutes
    unread: Mask

    def at(self, places: Order) -> "Split":
        """Give some of many places."""
        return Split(
            self.here[places], self.imported[places], self.exported[places], self.export_derived[places],
            self.known_min[:, places], self.unread[places],
        )  # fmt: skip


def split_of(
    fine: Carrier, value: tuple[Amounts, Amounts], unknown: Mask, derived: Mask, first: Sequence[int]
) -> Split:
    """Sum hours to rows; `first` gives the first hour of each row, `value` import and export by the hour."""
    known = np.where(unknown, 0, np.minimum(fine.arrived_min + fine.estimated_min, fine.expected_min))
    imported, exported = (np.add.reduceat(np.where(unknown, 0, one), first, axis=-1) for one in value)
    sold = np.logical_or.reduceat(derived & ~unknown, first, axis=-1)
    here = np.ones(len(first), np.bool_)
    return Split(here, imported, exported, sold, np.add.reduceat(known, first, axis=-1), ~here)


def first_hours(edges: Sequence[datetime], hours: Sequence[datetime]) -> list[int]:
    """Give for each row the place of its first hour; the hours begin and end with the rows."""
    return [bisect_left(hours, edge) for edge in edges[:-1]]


def many(splits: Mapping[int, Split], unread: Sequence[int], carrier: Carrier) -> Split:
    """Lay the splits of some of many places (by their number) out for all of them; `unread` would need one."""
    shape = carrier.value.shape[1:]
    known, kind = np.minimum(carrier.arrived_min + carrier.estimated_min, carrier.expected_min), carrier.value.dtype
    here, sold, left = (np.zeros(shape, np.bool_) for _ in range(3))
    out = Split(here, np.zeros(shape, kind), np.zeros(shape, kind), sold, known, left)
    out.unread[list(unread)] = True
    for place, one in splits.items():
        out.here[place] = True
        out.imported[place], out.exported[place] = one.imported, one.exported
        out.export_derived[place] = one.export_derived
        out.known_min[:, place] = one.known_min
    return out
