"""Derived import and export are the sums of hours, and a residual is told only where enough of its terms is known."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.ledger.balance import SOURCES, UNREAD, balance, by_hour, netted_by_hour
from quintet.ledger.grid import carriers
from quintet.ledger.netting import Hours, many
from quintet.ledger.selfsufficiency import selfsufficiency
from quintet.ledger.tree import TreeCarrier, tree_balance
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput
from quintet.terms.residual import FLOW, GAP, least, parse_residuals
from quintet.terms.tables import FLOWS

amounts = st.lists(st.integers(0, 10**9), min_size=6, max_size=6)


def coarse(flows: pa.Table, edges: list[Any]) -> pa.Table:
    """Add hours up to rows, as a store does: null where nothing at all is known."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in flows.to_pylist():
        start = max(edge for edge in edges[:-1] if edge <= row["start"])
        key = (start, row["flow"], row["renewable"])
        held = rows.setdefault(
            key, {**row, "start": start, "value": None, "expected_min": 0, "arrived_min": 0, "estimated_min": 0}
        )
        if row["value"] is not None:
            held["value"] = (held["value"] or 0) + row["value"]
        for name in ("expected_min", "arrived_min", "estimated_min"):
            held[name] += row[name]
    return pa.Table.from_pylist(list(rows.values()), schema=FLOWS)


def balanced(flows: pa.Table, edges: list[Any], hours: Hours | None = None) -> list[dict[str, Any]]:
    return balance(
        flows, place="d1", edges=edges, commodities=commodities(), boundaries_metered=set(), hours=hours
    ).to_pylist()  # fmt: skip


@given(amounts, amounts, st.sampled_from(SOURCES))
def test_rows_are_the_sums_of_their_hours(flows_of: Any, hours: Any, made: Any, used: Any, source: str) -> None:
    fine, edges = hours(6), hours(2, timedelta(hours=3))
    flows = flows_of(fine, {source: made, "consumption": used})
    assert netted_by_hour(flows, commodities(), set()) == {"electricity"}
    assert netted_by_hour(flows, commodities(), {("electricity", "energy")}) == set()
    each = balanced(flows, fine)
    rows = balanced(coarse(flows, edges), edges, Hours(flows, fine))
    for number, row in enumerate(rows):
        mine = each[3 * number : 3 * number + 3]
        for flow in ("import", "export"):
            assert row[flow] == sum(one[flow] for one in mine)
        assert row["import"] - row["export"] == row["consumption"] - row[source]
        assert ("export" in row["derived"]) == any("export" in one["derived"] for one in mine)
        assert (row["closure_error"], row["least_known"], row["reason"]) == (None, 1.0, None)


def test_an_hour_that_is_not_known_is_in_neither_sum_and_counts_as_unknown(flows_of: Any, hours: Any) -> None:
    fine, edges = hours(40), hours(1, timedelta(hours=40))
    used: list[int | None] = [10] * 40
    made = [15, 5] * 20
    told = flows_of(fine, {"local_generation": made, "consumption": [None, *used[1:]]})
    (row,) = balanced(coarse(told, edges), edges, Hours(told, fine))
    assert (row["import"], row["export"], row["least_known"]) == (20 * 5, 19 * 5, 39 / 40)
    lost = flows_of(fine, {"local_generation": made, "consumption": [None] * 3 + used[3:]})
    (row,) = balanced(coarse(lost, edges), edges, Hours(lost, fine))
    assert (row["import"], row["export"], row["least_known"]) == (19 * 5, 18 * 5, 37 / 40)
    assert row["reason"] is None
    silent = flows_of(fine, {"local_generation": made, "consumption": [None] * 40})
    (row,) = balanced(coarse(silent, edges), edges, Hours(silent, fine))
    assert (row["import"], row["export"]) == (None, None)
    assert row["reason"] is not None


def test_without_sources_the_import_is_what_is_used_as_far_as_it_was_heard(flows_of: Any, hours: Any) -> None:
    fine, edges = hours(40), hours(1, timedelta(hours=40))
    told = flows_of(fine, {"consumption": [None] * 9 + [10] * 31})
    (row,) = balanced(coarse(told, edges), edges, None)
    hourly = balanced(told, fine)
    assert row["import"] == sum(one["import"] or 0 for one in hourly) == 310
    assert row["least_known"] == 31 / 40


def test_a_closure_error_wants_more_than_an_import(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    for heard, told in ((0.98, False), (0.99, True)):
        parts = [
            flows_of(edges, {"import": [100]}, expected_min=6000),
            flows_of(edges, {"consumption": [97]}, expected_min=6000, heard=heard),
        ]
        table = balance(
            pa.concat_tables(parts), place="city", edges=edges, commodities=commodities(),
            boundaries_metered={("electricity", "energy")},
        )  # fmt: skip
        (row,) = table.to_pylist()
        assert (row["closure_error"] is not None) == told
        assert row["reason"] == (None if told else least(GAP).words)
        assert row["least_known"] == heard
    (row,) = balanced(flows_of(edges, {"consumption": [97]}, expected_min=6000, heard=0.98), edges)
    assert row["import"] == 97


def test_of_many_places_each_has_its_own_hours_and_the_rest_say_that_they_were_not_read(
    flows_of: Any, hours: Any
) -> None:
    fine, edges = hours(2), hours(1, timedelta(hours=2))
    flows = flows_of(fine, {"local_generation": [9, 0], "consumption": [4, 4]})
    (hour,), (row,) = carriers(flows, fine), carriers(coarse(flows, edges), edges)
    both = type(row)(
        row.commodity, row.quantity,
        *(np.repeat(getattr(row, name)[:, None], 2, axis=1) for name in (
            "value", "renewable", "missing", "stands", "expected_min", "arrived_min", "estimated_min"
        )),
    )  # fmt: skip
    here = np.ones(2, np.bool_)
    split = many({0: by_hour(hour, [0])}, [1], both)
    table = tree_balance(
        [TreeCarrier(both, ~here, here, split)], places=["a", "b"], edges=edges, commodities=commodities()
    )
    first, second = table.to_pylist()
    assert (first["import"], first["export"]) == (4, 5)
    assert (second["import"], second["export"], second["reason"]) == (None, None, UNREAD)


def test_what_meets_within_an_hour_is_not_answered_by_the_day(flows_of: Any, hours: Any) -> None:
    edges = hours(2, timedelta(days=1))
    flows = flows_of(edges, {"local_generation*": [9, 9], "consumption": [10, 10]}, expected_min=1440)
    found = {
        one.id: one
        for one in selfsufficiency(
            flows, edges=edges, commodities=commodities(), boundaries_metered=set(), interval="day"
        )
    }
    for name in ("cfe_hourly", "interval_autarky", "self_consumption"):
        assert found[name].value is None
        assert "within 60 minutes" in str(found[name].reason)
    assert found["power_local"].value == pytest.approx(0.9)


@pytest.mark.parametrize(
    "change",
    [{"share": "0"}, {"share": "1.01"}, {"reason": " "}, {"reasons": "two"}],
)
def test_a_bound_wants_a_share_and_a_reason(change: dict[str, str]) -> None:
    row = {"share": "0.9", "reason": "so"}
    assert parse_residuals({"least": {FLOW: row, GAP: row}})[FLOW].share == Fraction(9, 10)
    with pytest.raises(BadInput):
        parse_residuals({"least": {FLOW: {**row, **change}, GAP: row}})
