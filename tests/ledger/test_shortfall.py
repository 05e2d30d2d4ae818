"""What a row says of its terms: which is not known; that a generator shows less than nothing, and is no share then."""

from typing import Any

import pytest

from quintet.ledger.balance import SHORT, balance
from quintet.ledger.selfsufficiency import SelfSufficiency, selfsufficiency
from quintet.terms.commodity import commodities

KWH = 1_000_000


def answers(flows: Any, edges: Any) -> dict[str, SelfSufficiency]:
    found = selfsufficiency(
        flows, edges=edges, commodities=commodities(), boundaries_metered=set(), interval="hour"
    )  # fmt: skip
    return {one.id: one for one in found}


def test_a_meter_turned_round_makes_no_share_below_zero(flows_of: Any, hours: Any) -> None:
    edges = hours(2)
    flows = flows_of(edges, {"local_generation*": [-3 * KWH, -3 * KWH], "consumption": [165 * KWH, 165 * KWH]})
    found = answers(flows, edges)
    for name in ("power_renewable", "power_local", "cfe_hourly"):
        assert (found[name].value, found[name].reason) == (None, SHORT), name
    rows = balance(
        flows, place="city", edges=edges, commodities=commodities(), boundaries_metered=set()
    ).to_pylist()  # fmt: skip
    assert {row["reason"] for row in rows} == {SHORT}
    assert {row["import"] for row in rows} == {168 * KWH}, "the row holds what the meters show, and says so"


def test_what_plants_take_in_by_night_is_told_and_meets_no_use(flows_of: Any, hours: Any) -> None:
    edges = hours(2)
    flows = flows_of(edges, {"local_generation*": [-1 * KWH, 5 * KWH], "consumption": [4 * KWH, 4 * KWH]})
    found = answers(flows, edges)
    assert found["power_renewable"].value == pytest.approx(0.5), "4 of 8 kWh: what was taken in is taken off"
    assert "in 1 intervals less than nothing was made here" in found["power_renewable"].assumed[0]
    assert found["cfe_hourly"].value == pytest.approx(0.5), "4 of 8 kWh: the night meets nothing, and takes nothing off"
    flows = flows_of(edges, {"local_generation*": [0, 5 * KWH], "consumption": [4 * KWH, 4 * KWH]})
    assert answers(flows, edges)["power_renewable"].assumed == ()


def test_a_row_names_the_terms_that_are_not_known(flows_of: Any, hours: Any) -> None:
    """One roof that is silent leaves the import open: whoever reads that has to know which meter to look for."""
    edges = hours(2)
    flows = flows_of(edges, {"local_generation*": [None, 5 * KWH], "storage_charge": [None, 0], "consumption": [9, 9]})
    rows = balance(
        flows, place="city", edges=edges, commodities=commodities(), boundaries_metered=set()
    ).to_pylist()  # fmt: skip
    assert rows[0]["reason"] == "a term of it is not known: local_generation storage_charge"
    assert (rows[0]["import"], rows[1]["reason"]) == (None, None)
