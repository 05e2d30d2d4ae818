"""The balance: closure where it is metered, derivation where it is not, and nothing that closes by construction."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.ledger.balance import SOURCES, USES, balance, rows_for_people
from quintet.ledger.tables import BALANCE
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.tables import FLOW_NAMES, FLOWS

POWER = {("electricity", "energy")}


def rows_of(
    flows: pa.Table, edges: list[datetime], metered: set[tuple[str, str]] | None = None
) -> list[dict[str, Any]]:
    table = balance(flows, place="city", edges=edges, commodities=commodities(), boundaries_metered=metered or set())
    assert table.schema == BALANCE
    return table.to_pylist()


def test_metered_import_gives_a_closure_error(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    parts = {"import": [100], "local_generation*": [20], "storage_discharge": [5], "consumption": [90], "export": [30]}
    (row,) = rows_of(flows_of(edges, parts), edges, POWER)
    assert row["closure_error"] == 100 + 20 + 5 - 90 - 30
    assert (row["derived"], row["conversion_in"], row["known_loss"]) == ([], 0, 0)
    assert (row["unit"], row["place"], row["coverage"], row["estimated_share"]) == ("kWh", "city", 1.0, 0.0)


@pytest.mark.parametrize("gone", ["import", "local_generation", "consumption"])
def test_a_missing_term_leaves_the_closure_unknown(flows_of: Any, hours: Any, gone: str) -> None:
    edges = hours(1)
    parts: dict[str, list[Any]] = {"import": [100], "local_generation": [20], "consumption": [120]}
    (row,) = rows_of(flows_of(edges, {**parts, gone: [None]}), edges, POWER)
    assert row["closure_error"] is None
    assert row[gone] is None
    assert row["coverage"] == pytest.approx(2 / 3)


def test_import_that_nobody_meters_is_derived_and_never_closes(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    parts = {"local_generation": [20], "consumption": [90], "conversion_in": [7], "known_loss": [3]}
    (row,) = rows_of(flows_of(edges, parts), edges)
    assert (row["import"], row["derived"], row["closure_error"], row["export"]) == (80, ["import"], None, 0)


def test_a_surplus_without_an_export_meter_is_derived_as_export(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    (row,) = rows_of(flows_of(edges, {"local_generation": [90], "consumption": [20]}), edges)
    assert (row["import"], row["export"]) == (0, 70)
    assert (row["derived"], row["closure_error"]) == (["import", "export"], None)


def test_a_surplus_that_contradicts_an_export_meter_invents_no_negative_import(flows_of: Any, hours: Any) -> None:
    edges = hours(2)
    parts = {"local_generation": [90, 90], "consumption": [20, 20], "export": [60, 80]}
    first, second = rows_of(flows_of(edges, parts), edges)
    assert (first["import"], first["export"], first["closure_error"]) == (None, 60, None)
    assert (second["import"], second["derived"]) == (10, ["import"])


def test_a_missing_term_makes_derived_values_missing(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    (row,) = rows_of(flows_of(edges, {"local_generation": [None], "consumption": [20]}), edges)
    assert (row["import"], row["export"], row["closure_error"]) == (None, None, None)
    assert row["derived"] == ["import", "export"]
    (row,) = rows_of(flows_of(edges, {"consumption": [None]}), edges)
    assert (row["import"], row["export"], row["derived"]) == (None, 0, ["import"])


@pytest.mark.parametrize("source", ["conversion_out", "local_generation"])
def test_what_a_plant_inside_makes_and_nobody_uses_is_lost_and_not_exported(
    flows_of: Any, hours: Any, source: str
) -> None:
    edges, parts = hours(2), {source: [100, 90], "consumption": [93, 95]}
    first, second = rows_of(flows_of(edges, parts, "heat"), edges)
    for row in (first, second):
        assert (row["import"], row["export"], row["derived"]) == (0, 0, [])
        assert row["absent"] == [name for name in FLOW_NAMES if name not in parts]
    assert (first["closure_error"], second["closure_error"]) == (7, -5)
    first, _ = rows_of(flows_of(edges, parts), edges)
    assert (first["import"], first["export"], first["closure_error"]) == (0, 7, None), "electricity does cross"
    assert first["derived"] == ["import", "export"]


def test_a_carrier_that_does_not_cross_is_bought_where_nobody_makes_it(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    (row,) = rows_of(flows_of(edges, {"consumption": [93], "known_loss": [3]}, "heat"), edges)
    assert (row["import"], row["export"], row["closure_error"], row["derived"]) == (96, 0, None, ["import"])


def test_the_loss_of_a_network_inside_is_unknown_where_a_term_is(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    (row,) = rows_of(flows_of(edges, {"conversion_out": [None], "consumption": [93]}, "heat"), edges)
    assert (row["import"], row["export"], row["derived"]) == (0, 0, [])
    assert (row["conversion_out"], row["closure_error"]) == (None, None)


def test_a_boundary_meter_of_a_carrier_that_does_not_cross_counts(flows_of: Any, hours: Any) -> None:
    edges, made = hours(1), {"conversion_out": [100], "consumption": [93]}
    (row,) = rows_of(flows_of(edges, {**made, "export": [4]}, "heat"), edges)
    assert (row["import"], row["export"], row["closure_error"], row["derived"]) == (0, 4, 3, [])
    (row,) = rows_of(flows_of(edges, {**made, "export": [None]}, "heat"), edges)
    assert (row["import"], row["export"], row["closure_error"], row["derived"]) == (0, None, None, [])
    (row,) = rows_of(flows_of(edges, made, "heat"), edges, {("heat", "energy")})
    assert (row["import"], row["closure_error"], row["derived"]) == (None, None, [])


def test_heat_is_bought_until_the_plant_stands(flows_of: Any, hours: Any) -> None:
    edges = hours(2)
    unborn = flows_of(edges[:2], {"conversion_out": [0]}, "heat", expected_min=0)
    flows = [unborn, flows_of(edges[1:], {"conversion_out": [9]}, "heat")]
    first, second = rows_of(pa.concat_tables([*flows, flows_of(edges, {"consumption": [5, 6]}, "heat")]), edges)
    assert (first["import"], first["closure_error"], first["derived"]) == (5, None, ["import"])
    assert (second["import"], second["closure_error"], second["derived"]) == (0, 3, [])


def test_periods_without_data_have_their_rows(flows_of: Any, hours: Any) -> None:
    edges = hours(3)
    flows = flows_of(edges, {"import": [1, None, 3], "consumption": [1, None, "absent"]})
    full, empty, partial = rows_of(flows, edges, POWER)
    assert full["closure_error"] == 0
    assert (empty["coverage"], empty["consumption"], empty["estimated_share"]) == (0.0, None, None)
    assert (partial["import"], partial["consumption"], partial["closure_error"]) == (3, None, None)


def test_an_import_channel_of_the_registry_without_rows_is_missing_not_zero(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    (row,) = rows_of(flows_of(edges, {"consumption": [5]}), edges, POWER)
    assert (row["import"], row["derived"], row["closure_error"]) == (None, [], None)


def test_a_channel_that_does_not_stand_yet_is_zero(flows_of: Any, hours: Any) -> None:
    edges = hours(2)
    late = flows_of(edges[1:], {"local_generation": [4]})
    unborn = flows_of(edges[:2], {"local_generation": [0]}, expected_min=0)
    flows = pa.concat_tables([flows_of(edges, {"consumption": [5, 6]}), late, unborn])
    first, second = rows_of(flows, edges)
    assert (first["local_generation"], first["import"], first["coverage"]) == (0, 5, 1.0)
    assert (second["local_generation"], second["import"]) == (4, 2)


def test_a_commodity_added_as_a_row_is_balanced_and_an_unbalanced_one_is_not(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    cooling = commodities().with_rows(
        {"commodity": {"cooling": {"name_en": "cooling", "name_ko": "냉방", "measures": {"energy": "kWh"}}}}
    )
    flows = pa.concat_tables(
        [
            flows_of(edges, {"consumption": [2]}, "cooling"),
            flows_of(edges, {"consumption": [3]}, "electricity_reactive", "reactive_energy"),
        ]
    )
    table = balance(flows, place="city", edges=edges, commodities=cooling, boundaries_metered=set())
    assert table["commodity"].to_pylist() == ["cooling"]
    with pytest.raises(BadInput, match="unknown commodity cooling"):
        rows_of(flows, edges)


def test_no_flows_no_rows(hours: Any) -> None:
    assert rows_of(FLOWS.empty_table(), hours(2)) == []


def test_what_does_not_fit_is_refused(flows_of: Any, hours: Any) -> None:
    edges = hours(2)
    with pytest.raises(BadInput, match="'storage' is no flow"):
        rows_of(flows_of(edges, {"storage": [1, 2]}), edges)
    flows = flows_of(edges, {"consumption": [1, 2]})
    with pytest.raises(UsageError, match="where no period does"):
        rows_of(flows, hours(2, timedelta(minutes=30)))
    with pytest.raises(UsageError, match="edges that rise"):
        rows_of(flows, edges[:1])


def test_sums_beyond_64_bits_stay_exact(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    big = 2**62 + 1
    (row,) = rows_of(
        flows_of(edges, {"import": [9 * big], "consumption": [big], "storage_charge": [-big]}), edges, POWER
    )
    assert row["closure_error"] == 9 * big
    (row,) = rows_of(flows_of(edges, {"consumption": [big], "known_loss": [big], "conversion_in": [big]}), edges)
    assert row["import"] == 3 * big


def test_rows_for_people_are_the_contract(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    flows = flows_of(edges, {"import": [1_500_001], "consumption": [1_500_000]}, estimated=0.5)
    table = balance(flows, place="city", edges=edges, commodities=commodities(), boundaries_metered=POWER)
    (row,) = rows_for_people(table, ZoneInfo("Asia/Seoul"))
    assert list(row) == [
        "start", "place", "commodity", "unit", *FLOW_NAMES, "closure_error", "derived", "coverage", "estimated_share",
        "least_known", "reason",
    ]  # fmt: skip
    assert (row["import"], row["closure_error"], row["unit"]) == (Decimal("1.500001"), Decimal("0.000001"), "kWh")
    assert (row["start"].isoformat(), row["coverage"], row["estimated_share"]) == (
        "2023-07-01T00:00:00+09:00",
        0.5,
        0.5,
    )


values = st.lists(st.integers(-(10**12), 10**12) | st.none(), min_size=4, max_size=4)
flow_sets = st.dictionaries(st.sampled_from(FLOW_NAMES), values, min_size=1)


@given(flow_sets, st.booleans())
def test_the_closure_is_the_identity_or_unknown(flows_of: Any, hours: Any, parts: Any, metered: bool) -> None:
    edges = hours(4)
    for row in rows_of(flows_of(edges, parts), edges, POWER if metered else set()):
        known = all(row[name] is not None for name in FLOW_NAMES)
        if metered or "import" in parts:
            assert "import" not in row["derived"]
            assert (row["closure_error"] is None) == (not known)
            if known:
                supply = row["import"] + sum(row[name] for name in SOURCES)
                assert row["closure_error"] == supply - sum(row[name] for name in USES)
        else:
            assert row["closure_error"] is None
            assert "import" in row["derived"]
            assert row["import"] is None or row["import"] >= 0


@given(
    st.dictionaries(st.sampled_from(FLOW_NAMES), st.lists(st.integers(0, 10**15), min_size=48, max_size=48), min_size=1)
)
def test_hours_add_up_to_days(flows_of: Any, hours: Any, parts: dict[str, list[int]]) -> None:
    edges = hours(48)
    daily = {name: [sum(series[:24]), sum(series[24:])] for name, series in parts.items()}
    by_hour = rows_of(flows_of(edges, parts), edges, POWER if "import" in parts else set())
    by_day = rows_of(flows_of(edges[::24], daily), edges[::24], POWER if "import" in parts else set())
    metered = (set(FLOW_NAMES) - {"import", "export"}) | ({"closure_error", *parts} if "import" in parts else set())
    for i, day in enumerate(by_day):
        mine = by_hour[24 * i : 24 * i + 24]
        for name in metered:
            assert day[name] == sum(row[name] for row in mine)
        if all(row["import"] is not None for row in [day, *mine]):
            assert day["import"] - day["export"] == sum(row["import"] - row["export"] for row in mine)


def calls_during(work: Callable[[], pa.Table]) -> tuple[int, pa.Table]:
    """Count the calls of functions, Python's and C's, that work makes."""
    calls = 0

    def counted(_frame: object, event: str, _given: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        table = work()
    finally:
        sys.setprofile(before)
    return calls, table


def test_a_month_of_hours_costs_no_more_steps_than_three_days(flows_of: Any, hours: Any) -> None:
    """Not a timed test: steps are counted, so that a loop per row cannot creep in."""
    kinds = [
        ("electricity", "energy"),
        ("gas", "volume"),
        ("water", "volume"),
        ("heat", "energy"),
        ("hot_water", "volume"),
    ]

    def balanced(count: int) -> tuple[int, pa.Table]:
        edges = hours(count, start=datetime(2023, 5, 31, 15, tzinfo=UTC))
        parts = {name: list(range(count)) for name in FLOW_NAMES}
        flows = pa.concat_tables([flows_of(edges, parts, *kind) for kind in kinds])
        metered = set(kinds)
        return calls_during(
            lambda: balance(flows, place="city", edges=edges, commodities=commodities(), boundaries_metered=metered)
        )

    balanced(1)  # what is made once is made here
    few, _ = balanced(72)
    many, table = balanced(720)
    assert few > 100, "they are counted"
    assert many - few < 4 * (720 - 72) * 5, "a few steps for each row's moments, none for its sums"
    assert table.num_rows == 720 * 5
    assert table["start"].to_pylist() == sorted(table["start"].to_pylist())
