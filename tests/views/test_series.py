"""Thinning keeps peaks and gaps; totals are exact; every cadence finds its resolution."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.terms.period import Resolution
from quintet.views.answers import Interval
from quintet.views.series import KEPT, own_resolution, thinned, total_of

START = datetime(2025, 1, 1, tzinfo=UTC)
VALUES = st.lists(st.none() | st.integers(-(10**9), 10**9), max_size=300)


def rows_of(values: list[int | None]) -> list[Interval]:
    return [
        Interval(START + timedelta(minutes=15 * at), None if value is None else Decimal(value), "kWh", None, None, None)
        for at, value in enumerate(values)
    ]


@given(VALUES, st.integers(KEPT, 400))
def test_thinning_keeps_order_and_size_and_changes_no_row(values: list[int | None], most: int) -> None:
    rows = rows_of(values)
    kept = thinned(rows, most)
    assert len(kept) <= max(most, 0)
    assert [row for row in rows if row in kept] == kept
    assert kept == rows or len(rows) > most


@given(VALUES, st.integers(KEPT, 60))
def test_thinning_keeps_the_extremes_and_that_something_is_missing(values: list[int | None], most: int) -> None:
    kept = [row.value for row in thinned(rows_of(values), most)]
    known = [Decimal(value) for value in values if value is not None]
    if known:
        numbers = [value for value in kept if value is not None]
        assert (min(numbers), max(numbers)) == (min(known), max(known))
    assert (None in kept) == (None in values)


@given(VALUES)
def test_a_total_is_exact_and_null_where_nothing_is_known(values: list[int | None]) -> None:
    known = [value for value in values if value is not None]
    assert total_of(rows_of(values)) == (Decimal(sum(known)) if known else None)


@pytest.mark.parametrize(
    ("cadence", "resolution"),
    [
        (1, Resolution.QUARTER),
        (15, Resolution.QUARTER),
        (30, Resolution.HALF),
        (60, Resolution.HOUR),
        (120, Resolution.DAY),
        (1440, Resolution.DAY),
    ],
)
def test_a_cadence_finds_its_resolution(cadence: int, resolution: Resolution) -> None:
    assert own_resolution(cadence) is resolution
