"""What the ledger's tests share: flows written as short rows."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from quintet.terms.tables import FLOWS

START = datetime(2023, 6, 30, 15, tzinfo=UTC)
FlowsOf = Callable[..., pa.Table]
EdgesOf = Callable[..., list[datetime]]


@pytest.fixture(scope="session")
def hours() -> EdgesOf:
    """Give `hours(n)`: the edges of n hours from midnight in Seoul on 2023-07-01; `step` for other lengths."""

    def build(count: int, step: timedelta = timedelta(hours=1), start: datetime = START) -> list[datetime]:
        return [start + i * step for i in range(count + 1)]

    return build


@pytest.fixture(scope="session")
def flows_of() -> FlowsOf:
    """Give `flows_of(edges, {flow: values})`: a FLOWS table of one carrier.

    A value None is metered but nothing arrived; "absent" leaves the row out; a flow named with a trailing `*` is
    renewable. `estimated` is a share of the expected minutes where a value is there, `heard` of what is then left.
    """

    def build(
        edges: Sequence[datetime],
        values: dict[str, Sequence[Any]],
        commodity: str = "electricity",
        quantity: str = "energy",
        estimated: float = 0.0,
        expected_min: int = 60,
        heard: float = 1.0,
    ) -> pa.Table:
        rows: list[dict[str, Any]] = []
        for name, series in values.items():
            for start, value in zip(edges[:-1], series, strict=True):
                if value == "absent":
                    continue
                guessed = 0 if value is None else round(expected_min * estimated)
                rows.append(
                    {
                        "start": start,
                        "commodity": commodity,
                        "quantity": quantity,
                        "flow": name.rstrip("*"),
                        "renewable": name.endswith("*"),
                        "value": value,
                        "expected_min": expected_min,
                        "arrived_min": 0 if value is None else round((expected_min - guessed) * heard),
                        "estimated_min": guessed,
                    }
                )
        return pa.Table.from_pylist(rows, schema=FLOWS)

    return build
