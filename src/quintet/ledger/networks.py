"""The losses of networks: what each head showed, what was known below it, and the difference, or why there is none.

    loss = head - sum of what hangs below (places, usage points, child feeders by their heads)

in each period, in whole sub-units; for water the same is unaccounted-for water. It is what the wires and pipes lost,
what nobody meters, and what the meters are wrong by, together: a difference of meters cannot tell these apart. It is
given only where enough of the head and of all below is known, measured or estimated (terms/residual.py: the rule of
every residual), with the coverage of both; a negative one is shown.

A child feeder counts in its parent by its head alone, so the losses of parent and child add up to the parent's head
less all that is used below both, and nothing is counted twice.

In the balance of a place, known_loss is the sum over the networks inside it: their place and all that hangs on them
lie in it, and their head meter is none of its own supply or use. Of a network whose head is the place's import (or the
plant that feeds it), head less below is the place's closure error itself and stays there: a row that closes by
construction proves nothing. closure_error is what is left, never spread over the flows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.terms.commodity import Commodities
from quintet.terms.residual import GAP, least
from quintet.terms.tables import MOMENT, SUM

from .grid import Amounts, Mask, decimals

Minutes = npt.NDArray[np.int64]

LOSSES = pa.schema(
    [
        pa.field("start", MOMENT, nullable=False),
        pa.field("network", pa.string(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("parent", pa.string(), nullable=False),
        pa.field("place", pa.string(), nullable=False),
        pa.field("commodity", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        *[pa.field(name, SUM) for name in ("head", "below", "loss")],
        *[
            pa.field(name, pa.float64())
            for name in (
                "loss_share", "head_coverage", "below_coverage", "head_estimated_share", "below_estimated_share",
            )
        ],
        pa.field("reason", pa.string()),
    ]
)  # fmt: skip
"""One row a period and network: sub-units (null: not known), `loss_share` of the head, both sides' shares."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of networks [k, n]: sub-units, and channel-minutes expected, arrived and estimated."""

    value: Amounts
    expected_min: Minutes
    arrived_min: Minutes
    estimated_min: Minutes

    @property
    def heard(self) -> Minutes:
        """Minutes that are known, measured or estimated."""
        return self.arrived_min + self.estimated_min

    @property
    def enough(self) -> Mask:
        """Enough of what was expected is known for a loss to be told."""
        return least(GAP).holds(self.expected_min, self.heard)

    @property
    def whole(self) -> Mask:
        """All that was expected is known."""
        return self.heard >= self.expected_min


@dataclass(frozen=True, slots=True)
class Lost:
    """Networks over periods: what is said of each, both sides, and where a loss can be said at all.

    `facts` has id, level, parent, place, commodity, quantity and `unlike` of each; `standing`, `headed`, `hung`,
    `fits`, `begun` and `known` are [k, n].
    """

    facts: Sequence[Mapping[str, Any]]
    head: Side
    below: Side
    standing: Mask
    headed: Mask
    hung: Mask
    fits: Mask
    begun: Mask
    known: Mask


def losses(found: Lost, edges: Sequence[datetime], commodities: Commodities) -> pa.Table:
    """Give a LOSSES table: the periods in which each network stands, in order of network and time."""
    parts = [_rows(found, at, edges, commodities) for at in range(len(found.facts))]
    return pa.concat_tables(parts) if parts else LOSSES.empty_table()


def _rows(found: Lost, at: int, edges: Sequence[datetime], commodities: Commodities) -> pa.Table:
    """Give one network's rows."""
    facts, stands = found.facts[at], found.standing[at]
    count = int(stands.sum())
    head, below = (_cut(side, at, stands) for side in (found.head, found.below))
    known = found.known[at, stands]
    loss = head.value - below.value
    share = np.array(
        [float(lost / whole) if sure and whole > 0 else np.nan for lost, whole, sure in _each(loss, head.value, known)]
    )
    unit = commodities[facts["commodity"]].display_unit(facts["quantity"]).code if facts["quantity"] else ""
    said = {"network": facts["id"], "unit": unit, **{n: facts[n] for n in ("level", "parent", "place", "commodity")}}
    columns = {
        "start": pa.array([edge for edge, here in zip(edges[:-1], stands.tolist(), strict=True) if here], MOMENT),
        **{name: pa.repeat(word, count) for name, word in said.items()},
        "head": decimals(head.value, head.heard == 0),
        "below": decimals(below.value, below.heard == 0),
        "loss": decimals(loss, ~known),
        "loss_share": pa.array(share, mask=np.isnan(share)),
        **_shares("head", head),
        **_shares("below", below),
        "reason": pa.array(_reasons(found, at, stands, head, below), pa.string()),
    }
    return pa.table({name: columns[name] for name in LOSSES.names}).cast(LOSSES)


def _each(*columns: npt.NDArray[Any]) -> Any:
    return zip(*(column.tolist() for column in columns), strict=True)


def _cut(side: Side, at: int, stands: Mask) -> Side:
    return Side(
        *(column[at, stands] for column in (side.value, side.expected_min, side.arrived_min, side.estimated_min))
    )


def _shares(name: str, side: Side) -> dict[str, pa.Array]:
    expected, heard = side.expected_min, side.heard
    return {
        f"{name}_coverage": pa.array(np.minimum(side.arrived_min / np.maximum(expected, 1), 1), mask=expected == 0),
        f"{name}_estimated_share": pa.array(side.estimated_min / np.maximum(heard, 1), mask=heard == 0),
    }


def _reasons(found: Lost, at: int, stands: Mask, head: Side, below: Side) -> list[str | None]:
    """Say for each period why no loss can be said; None where it is."""
    unlike = bool(found.facts[at]["unlike"])
    checks = (
        (found.begun[at, stands], "it has not begun yet"),
        (found.headed[at, stands], "no head meter stands for all of it"),
        (found.hung[at, stands] | unlike, "nothing hangs on it"),
        (np.full(int(stands.sum()), not unlike), "something below is metered in another quantity than the head"),
        (found.fits[at, stands], "a meter of it counts in longer steps than that"),
        (head.enough, f"less than {float(least(GAP).share):.0%} of the head is known"),
        (below.enough, f"less than {float(least(GAP).share):.0%} of what hangs on it is known"),
    )
    out: list[str | None] = []
    for known, *fine in zip(found.known[at, stands].tolist(), *(mask.tolist() for mask, _ in checks), strict=True):
        out.append(None if known else next(words for (_, words), good in zip(checks, fine, strict=True) if not good))
    return out
