"""Flows laid out as arrays: one value per flow and period, with what is absent, what is missing and what arrived."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.amount import ROOM
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.period import to_us
from quintet.terms.tables import FLOW_INDEX, FLOW_NAMES, SUM

Amounts = npt.NDArray[Any]
"""Exact integers in sub-units: int64 while every sum of a row fits, Python integers (dtype object) beyond."""
Mask = npt.NDArray[np.bool_]
Minutes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Carrier:
    """The flows of one commodity and quantity over n periods; arrays are [9 flows of FLOW_NAMES, n periods].

    `value` means nothing where `missing`; `renewable` is its part from renewable plants. `missing`: a channel stands
    there but nothing is known. `stands` [9]: a channel of the flow stands in some period. Of many places at once the
    arrays are [9, places, n], and `stands` is [9, places].
    """

    commodity: str
    quantity: str
    value: Amounts
    renewable: Amounts
    missing: Mask
    stands: Mask
    expected_min: Minutes
    arrived_min: Minutes
    estimated_min: Minutes

    def total(self, flows: Iterable[str]) -> tuple[Amounts, Mask]:
        """Sum flows per period, sub-units [n], and tell [n] where one of them is missing."""
        rows = [FLOW_INDEX[name] for name in flows]
        return self.value[rows].sum(axis=0), np.any(self.missing[rows], axis=0)

    def has(self, *flows: str) -> bool:
        """Tell whether a channel of any of these flows stands here."""
        return any(bool(self.stands[FLOW_INDEX[name]]) for name in flows)

    def having(self, *flows: str) -> Mask:
        """Tell where a channel of any of these flows stands in some period: [1], or [places, 1] of many places."""
        return np.any(self.stands[[FLOW_INDEX[name] for name in flows]], axis=0)[..., None]

    def standing(self, *flows: str) -> Mask:
        """Tell [n] in which periods a channel of any of these flows stands here."""
        rows = [FLOW_INDEX[name] for name in flows]
        minutes = self.expected_min[rows] + self.arrived_min[rows] + self.estimated_min[rows]
        return np.any((minutes > 0) | self.missing[rows], axis=0)


def carriers(flows: pa.Table, edges: Sequence[datetime], starts: Minutes | None = None) -> list[Carrier]:
    """Lay out a FLOWS table over the periods edges[i] .. edges[i + 1]; carriers in the order of their names.

    `starts` are the edges as `moments_of` gives them, where that was done already.

    A null value is missing; 0 with no minutes expected or heard says that no channel stands in that period. A flow
    that has a row in some period and none in another is missing in the other: never silently 0.
    Raises UsageError for periods that do not fit the edges and BadInput for a flow that no balance has.
    """
    count = len(edges) - 1
    keys, key_of = _codes(flows, "commodity", "quantity")
    period = _periods(flows, moments_of(edges) if starts is None else starts)
    flow_of = _flow_codes(flows)
    cell = (key_of * len(FLOW_NAMES) + flow_of) * count + period
    shape = (len(keys), len(FLOW_NAMES), count)
    size = len(keys) * len(FLOW_NAMES) * count
    rows = np.bincount(cell, minlength=size).reshape(shape)
    amounts, null = integers(flows["value"], terms=len(FLOW_NAMES) * int(rows.max(initial=1)))
    expected = _minutes(flows, "expected_min")
    arrived, estimated = _minutes(flows, "arrived_min"), _minutes(flows, "estimated_min")
    green = np.asarray(flows["renewable"].to_numpy(), dtype=np.bool_)
    standing = null | (expected > 0) | (arrived + estimated > 0)
    stands = np.bincount(cell[standing], minlength=size).reshape(shape).sum(axis=2) > 0
    missing = np.bincount(cell[null], minlength=size).reshape(shape) > 0
    missing |= stands[:, :, None] & (rows == 0)
    value = _scatter(amounts, cell, shape)
    renewable = _scatter(np.where(green, amounts, 0), cell, shape)
    minutes = [_scatter(column, cell, shape) for column in (expected, arrived, estimated)]
    order = sorted(range(len(keys)), key=lambda i: keys[i])
    return [
        Carrier(*keys[i], value[i], renewable[i], missing[i], stands[i], *(column[i] for column in minutes))
        for i in order
    ]


def integers(column: pa.ChunkedArray, *, terms: int) -> tuple[Amounts, Mask]:
    """Give a decimal column as exact integers (0 where null) and the mask of nulls.

    int64 where sums of `terms` values surely fit, else Python integers.
    """
    null = np.asarray(pc.is_null(column).to_numpy(), dtype=np.bool_)
    try:
        filled = np.asarray(pc.fill_null(column.cast(pa.int64()), 0).to_numpy(), dtype=np.int64)
    except pa.ArrowInvalid:
        return np.array([int(value or 0) for value in column.to_pylist()], dtype=object), null
    widest = max(int(filled.max(initial=0)), -int(filled.min(initial=0)))
    return (filled if widest * terms < ROOM else filled.astype(object)), null


def decimals(amounts: Amounts, null: Mask) -> pa.Array:
    """Give exact integers as an Arrow decimal column, null where the mask says."""
    if amounts.dtype == object:
        return pa.array([None if gone else int(a) for a, gone in zip(amounts, null, strict=True)], SUM)
    # the words of a 128-bit number, low first, as Arrow lays decimals out: a cast takes ten times as long
    words = np.empty((len(amounts), 2), "<i8")
    words[:, 0], words[:, 1] = amounts, amounts >> 63
    valid = pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.Array.from_buffers(SUM, len(amounts), [valid, pa.py_buffer(words)])


def _scatter(values: npt.NDArray[Any], cell: Minutes, shape: tuple[int, int, int]) -> npt.NDArray[Any]:
    """Add values up into their cells."""
    out: npt.NDArray[Any] = np.zeros(shape, dtype=values.dtype)
    np.add.at(out.reshape(-1), cell, values)
    return out


def _minutes(flows: pa.Table, name: str) -> Minutes:
    """Give a column of minutes."""
    return np.asarray(flows[name].to_numpy(), dtype=np.int64)


def _codes(flows: pa.Table, first: str, second: str) -> tuple[list[tuple[str, str]], Minutes]:
    """Give the distinct pairs of two text columns and each row's position among them."""
    left, right = (flows[name].combine_chunks().dictionary_encode() for name in (first, second))
    names = (left.dictionary.to_pylist(), right.dictionary.to_pylist())
    code = np.asarray(left.indices.to_numpy(), np.int64) * max(len(names[1]), 1) + np.asarray(
        right.indices.to_numpy(), np.int64
    )
    distinct, position = np.unique(code, return_inverse=True)
    pairs = [(str(names[0][i // len(names[1])]), str(names[1][i % len(names[1])])) for i in distinct.tolist()]
    return pairs, np.asarray(position, np.int64)


def _flow_codes(flows: pa.Table) -> Minutes:
    """Give each row's position in FLOW_NAMES."""
    column = flows["flow"].combine_chunks().dictionary_encode()
    names = [str(name) for name in column.dictionary.to_pylist()]
    for name in names:
        if name not in FLOW_INDEX:
            raise BadInput(
                f"{name!r} is no flow of a balance.", code="unknown_flow", remedy=f"Flows: {', '.join(FLOW_NAMES)}."
            )
    lookup = np.array([FLOW_INDEX[name] for name in names], np.int64)
    return lookup[np.asarray(column.indices.to_numpy(), np.int64)]


def moments_of(edges: Sequence[datetime]) -> Minutes:
    """Give the edges of periods in microseconds since 1970; raises UsageError where they do not rise."""
    for edge in edges:
        if edge.tzinfo is None:
            to_us(edge)  # raises
    # seconds as a float tell microseconds exactly until the year 2255; a year by hour has 8,760
    starts = np.rint(np.array([edge.timestamp() for edge in edges]) * 1e6).astype(np.int64)
    if len(starts) < 2 or (np.diff(starts) <= 0).any():
        raise UsageError("periods need edges that rise.", code="empty_range")
    return starts


def _periods(flows: pa.Table, starts: Minutes) -> Minutes:
    """Give each row's period."""
    at = np.asarray(flows["start"].cast(pa.int64()).to_numpy(), np.int64)
    period = np.searchsorted(starts[:-1], at, side="right") - 1
    if ((period < 0) | (starts[np.maximum(period, 0)] != at)).any():
        raise UsageError(
            "a flow starts where no period does.", code="wrong_period", remedy="Ask for both at one resolution."
        )
    return period
