"""Books drawn many times: what follows from flows that are not wholly known, computed anew for each draw of them.

A derived import, a closure error, a ratio and an emission are functions of the flows: their interval is that of the
function over the draws, so what cancels cancels, and what adds up adds up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.tables import FLOW_INDEX, FLOW_NAMES, FLOWS, SUM

from .balance import Balanced, balance_carrier
from .grid import Carrier
from .meter_cells import Floats, Mask

AT_ONCE = 64
"""Periods whose draws are held in memory at one time: 9 flows x 1000 draws x 64 x 8 bytes is 37 MB."""
Key = tuple[str, str, str]
"""Commodity, quantity, flow."""


@dataclass(frozen=True, slots=True)
class Above:
    """What a flow is above what is known of it in a period: draws [d], also of its renewable part, or why not."""

    whole: Floats | None
    renewable: Floats | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of a carrier's rows: [2, 9, n] of the flows and [2, n] of the closure error, NaN where none can be."""

    flows: Floats
    closure: Floats


def bounds(
    one: Balanced, above: Mapping[str, Sequence[Above | None]], level: float, *, import_metered: bool, crosses: bool
) -> Bounds:
    """Give the bounds of a carrier's balance from draws of its flows, by flow and period (None: known)."""
    count = one.value.shape[1]
    flows, closure = np.full((2, len(FLOW_NAMES), count), np.nan), np.full((2, count), np.nan)
    tails = [(1 - level) / 2, (1 + level) / 2]
    for low in range(0, count, AT_ONCE):
        part = slice(low, min(low + AT_ONCE, count))
        many = _drawn(one.carrier, above, part)
        found = balance_carrier(many, import_metered=np.full(many.value.shape[1], import_metered), crosses=crosses)
        value = np.where(found.unknown, np.nan, found.value.astype(np.float64))
        flows[:, :, part] = np.quantile(value, tails, axis=1)
        error = np.where(found.closure_unknown, np.nan, found.closure.astype(np.float64))
        closure[:, part] = np.quantile(error, tails, axis=0)
    return Bounds(flows, closure)


def _drawn(carrier: Carrier, above: Mapping[str, Sequence[Above | None]], part: slice) -> Carrier:
    """Give a carrier's periods once for each draw, as if each draw were a place."""
    sizes = [len(one.whole) for row in above.values() for one in row[part] if one is not None and one.whole is not None]
    draws = max(sizes, default=1)
    value, renewable = (
        np.repeat(one[:, None, part].astype(np.float64), draws, axis=1) for one in (carrier.value, carrier.renewable)
    )
    missing = np.repeat(carrier.missing[:, None, part], draws, axis=1)
    for name, row in above.items():
        at = FLOW_INDEX[name]
        for number, one in enumerate(row[part]):
            if one is None:
                continue
            missing[at, :, number] = one.whole is None
            if one.whole is not None:
                value[at, :, number] += one.whole
            if one.renewable is not None:
                renewable[at, :, number] += one.renewable
    expected, arrived, estimated = (
        np.repeat(column[:, None, part], draws, axis=1)
        for column in (carrier.expected_min, carrier.arrived_min, carrier.estimated_min)
    )
    told = [name for name, row in above.items() if any(one is not None for one in row[part])]
    rows = [FLOW_INDEX[name] for name in told]
    # what is drawn is known in each draw
    arrived[rows] = np.maximum(arrived[rows], expected[rows] - estimated[rows])
    stands = np.repeat(carrier.stands[:, None], draws, axis=1)
    return Carrier(carrier.commodity, carrier.quantity, value, renewable, missing, stands, expected, arrived, estimated)


@dataclass(frozen=True)
class DrawnFlows:
    """A FLOWS table of which some flows are not wholly known, and draws of what they are above it.

    `above` has for each of the `stretches` of periods the draws of each flow; within a stretch they are shared out
    where something is missing, at the pace of what was heard.
    """

    flows: pa.Table
    stretches: Sequence[tuple[datetime, datetime]]
    above: Sequence[Mapping[Key, Above | None]]

    def shares(self) -> "Shared":
        """Lay out which row gets which share of which draw."""
        start = np.array([one.timestamp() for one in self.flows["start"].to_pylist()])
        keys = list(zip(*(self.flows[name].to_pylist() for name in ("commodity", "quantity", "flow")), strict=True))
        green = np.asarray(self.flows["renewable"].to_numpy(zero_copy_only=False), np.bool_)
        null = np.asarray(pc.is_null(self.flows["value"]).to_numpy(zero_copy_only=False), np.bool_)
        value = np.array([float(one or 0) for one in self.flows["value"].to_pylist()])
        expected, arrived, estimated = (
            self.flows[name].to_numpy().astype(np.float64) for name in ("expected_min", "arrived_min", "estimated_min")
        )
        known = arrived + estimated
        rate = np.divide(np.abs(value), known, out=np.zeros(len(value)), where=known > 0)
        lacks = np.maximum(expected - known, 0)
        groups: dict[tuple[Key, bool], list[int]] = {}
        for at, key in enumerate(keys):
            groups.setdefault((key, bool(green[at])), []).append(at)
        weight = np.zeros(len(value))
        parts: list[tuple[np.ndarray[Any, Any], Floats]] = []
        lost = np.zeros(len(value), np.bool_)
        for (low, high), above in zip(self.stretches, self.above, strict=True):
            inside = (start >= low.timestamp()) & (start < high.timestamp())
            for (key, renewable), members in groups.items():
                one = above.get(key)
                rows = np.array([at for at in members if inside[at]], np.intp)
                if one is None or not len(rows):
                    continue
                draws = _of(one, renewable=renewable, both=(key, not renewable) in groups)
                if draws is None:
                    lost[rows] |= one.whole is None
                    continue
                weight[rows] = _weights(rate[rows], lacks[rows], estimated[rows], np.abs(value[rows]))
                parts.append((rows, draws))
        return Shared(self.flows, value, null, weight, parts, lost)


def _of(one: Above, *, renewable: bool, both: bool) -> Floats | None:
    """Give the draws of a flow's renewable part, or of the rest of it (all, where the flow has no other part)."""
    if one.whole is None:
        return None
    green = one.renewable
    if not both:
        return one.whole
    if renewable:
        return green
    return one.whole if green is None else one.whole - green


def _weights(rate: Floats, lacks: Floats, estimated: Floats, value: Floats) -> Floats:
    """Share out by the minutes that are missing at the pace of what was heard; else by what is estimated, or by all."""
    usual = float(rate[rate > 0].mean()) if (rate > 0).any() else 1.0
    for weight in (lacks * np.where(rate > 0, rate, usual), value * (estimated > 0), value, np.ones(len(rate))):
        if weight.sum() > 0:
            return weight / weight.sum()
    return np.zeros(len(rate))


@dataclass(frozen=True)
class Shared:
    """Rows of FLOWS with the draws that are shared out among them; `lost` rows cannot be told at all."""

    flows: pa.Table
    value: Floats
    null: Mask
    weight: Floats
    parts: Sequence[tuple[npt.NDArray[np.intp], Floats]]
    lost: Mask

    @property
    def exact(self) -> bool:
        """Tell whether all is known: then every draw is the same."""
        return not self.lost.any() and not any(draws.any() for _, draws in self.parts)

    def table(self, draw: int) -> pa.Table:
        """Give the FLOWS table of one draw, in whole sub-units."""
        value, null = self.value.copy(), self.null.copy()
        for rows, draws in self.parts:
            value[rows] += draws[draw] * self.weight[rows]
            null[rows] &= self.weight[rows] == 0
        null |= self.lost
        column = pa.array(
            [None if gone else Decimal(round(one)) for one, gone in zip(value.tolist(), null.tolist(), strict=True)],
            SUM,
        )
        at = self.flows.column_names.index
        heard = self.flows["arrived_min"].to_numpy()
        owed = self.flows["expected_min"].to_numpy() - self.flows["estimated_min"].to_numpy()
        minutes = pa.array(np.where(self.lost, heard, np.maximum(heard, owed)), pa.int64())
        out = self.flows.set_column(at("value"), FLOWS.field("value"), column)
        return out.set_column(at("arrived_min"), FLOWS.field("arrived_min"), minutes)


def quantiles(values: Sequence[float | None], level: float) -> tuple[float, float] | None:
    """Give the bounds that draws show; None where one of them has no value."""
    if not values or any(one is None for one in values):
        return None
    low, high = np.quantile(np.array(values, np.float64), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
