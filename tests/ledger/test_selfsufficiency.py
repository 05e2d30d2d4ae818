"""Self-sufficiency: published cases, and what a missing meter may never do."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.ledger.definitions import definitions, parse_definitions
from quintet.ledger.selfsufficiency import METHODS, SelfSufficiency, selfsufficiency
from quintet.terms.catalogue import read_toml
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError

POWER = {("electricity", "energy")}
KWH = 1_000_000


def answers(flows: Any, edges: Any, *, metered: bool = False, only: Any = None) -> dict[str, SelfSufficiency]:
    found = selfsufficiency(
        flows,
        edges=edges,
        commodities=commodities(),
        boundaries_metered=POWER if metered else set(),
        interval="hour",
        only=only,
    )
    return {one.id: one for one in found}


def case(shared: Path, name: str) -> dict[str, Any]:
    cases = json.loads((shared / "vectors/self_sufficiency/cases.json").read_text(), parse_float=Decimal)
    return next(row for row in cases if row["id"] == name)


def test_published_case_ss1(shared: Path, flows_of: Any, hours: Any) -> None:
    ss1, edges = case(shared, "SS-1"), hours(1)
    flows = flows_of(edges, {"local_generation*": [ss1["pv"]], "consumption": [ss1["demand"]]})
    found = answers(flows, edges)
    assert found["interval_autarky"].value == Fraction(ss1["expect"]["self_sufficiency"])
    assert found["self_consumption"].value == Fraction(ss1["expect"]["self_consumption"])
    assert found["self_consumption"].derived == ("export",)


def test_published_case_ss2(shared: Path, flows_of: Any, hours: Any) -> None:
    ss2, edges = case(shared, "SS-2"), hours(2)
    by_night = ss2["demand"] - ss2["self_consumed"]
    flows = flows_of(
        edges,
        {
            "local_generation*": [ss2["pv"], 0],
            "consumption": [ss2["self_consumed"], by_night],
            "export": [ss2["export"], 0],
            "import": [0, by_night],
        },
    )
    found = answers(flows, edges, metered=True)
    assert found["interval_autarky"].value == Fraction(ss2["expect"]["self_sufficiency"])
    assert found["energy_offset"].value == Fraction(ss2["expect"]["energy_offset"])
    assert found["interval_autarky"].derived == ()


def test_published_case_cfe1(shared: Path, flows_of: Any, hours: Any) -> None:
    cfe = case(shared, "CFE-1")
    edges = hours(len(cfe["load"]))
    found = answers(flows_of(edges, {"local_generation*": cfe["cfe"], "consumption": cfe["load"]}), edges)
    assert found["cfe_hourly"].value == Fraction(cfe["expect"]["hourly"])
    assert found["power_renewable"].value == Fraction(cfe["expect"]["annual"])
    assert found["interval_autarky"].value == Fraction(1, 2)


def test_only_renewable_plants_count_as_renewable(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    flows = flows_of(edges, {"local_generation*": [2 * KWH], "conversion_out": [3 * KWH], "consumption": [10 * KWH]})
    found = answers(flows, edges)
    assert (found["power_renewable"].value, found["power_local"].value) == (Fraction(1, 5), Fraction(1, 2))
    assert (found["power_renewable"].numerator, found["power_renewable"].denominator) == (Decimal(2), Decimal(10))
    assert (found["power_renewable"].unit, found["power_renewable"].interval) == ("kWh", "hour")


def test_a_ratio_is_of_sums_and_more_than_one_is_possible(flows_of: Any, hours: Any) -> None:
    edges = hours(2)
    found = answers(flows_of(edges, {"local_generation*": [50, 1], "consumption": [1, 9]}), edges)
    assert found["power_renewable"].value == Fraction(51, 10)
    assert found["interval_autarky"].value == Fraction(2, 10)


def test_unmatched_intervals_leave_both_sums_and_lower_the_coverage(flows_of: Any, hours: Any) -> None:
    edges = hours(4)
    parts = {"local_generation*": [5, 5, None, 5], "consumption": [10, None, 10, 10]}
    one = answers(flows_of(edges, parts, estimated=0.5), edges)["power_renewable"]
    assert (one.value, one.matched, one.intervals) == (Fraction(1, 2), 2, 4)
    assert (one.coverage, one.estimated_share) == (0.25, 0.5)
    one = answers(flows_of(edges, {**parts, "consumption": [10, "absent", 10, 10]}), edges)["power_renewable"]
    assert (one.matched, one.coverage) == (2, 0.5)


def test_an_import_that_is_not_known_leaves_its_interval_out(flows_of: Any, hours: Any) -> None:
    edges = hours(2)
    contradicted = flows_of(edges, {"local_generation*": [9, 0], "consumption": [2, 8], "export": [1, 0]})
    one = answers(contradicted, edges)["interval_autarky"]
    assert (one.value, one.matched, one.coverage, one.derived) == (Fraction(0), 1, 0.5, ("import",))
    one = answers(flows_of(edges, {"consumption": [2, 8]}), edges, metered=True)["interval_autarky"]
    assert (one.value, one.matched, one.derived) == (None, 0, ())


def test_a_derived_import_rests_on_every_flow(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    use = flows_of(edges, {"consumption": [10]})
    half_heard = flows_of(edges, {"local_generation": [4]}, estimated=0.5)
    one = answers(pa.concat_tables([use, half_heard]), edges)["interval_autarky"]
    assert (one.value, one.coverage, one.estimated_share) == (Fraction(4, 10), 0.75, 0.25)
    imported = flows_of(edges, {"import": [6]})
    one = answers(pa.concat_tables([use, half_heard, imported]), edges, metered=True)["interval_autarky"]
    assert (one.value, one.coverage, one.estimated_share) == (Fraction(4, 10), 1.0, 0.0)


def test_a_value_that_cannot_be_computed_says_why(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    nothing = answers(flows_of(edges, {"consumption": [3]}, "water", "volume"), edges)
    assert {one.reason for one in nothing.values()} == {"no electricity is metered as energy here"}
    no_use = answers(flows_of(edges, {"local_generation*": [3]}), edges)
    assert (no_use["power_renewable"].value, no_use["power_renewable"].reason) == (None, "no use is metered here")
    idle = answers(flows_of(edges, {"consumption": [0]}), edges)["interval_autarky"]
    assert (idle.value, idle.reason) == (None, "the sum to divide by is not above zero")
    dark = answers(flows_of(edges, {"consumption": [None]}), edges)["interval_autarky"]
    assert (dark.value, dark.coverage, dark.numerator) == (None, 0.0, None)
    assert dark.reason == "in no interval is everything known that it needs"


def test_an_answer_for_people_is_a_plain_row(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    flows = flows_of(edges, {"consumption": [3 * KWH], "local_generation*": [KWH]})
    row = answers(flows, edges)["power_renewable"].for_people()
    assert (row["id"], row["value"], row["coverage"], row["derived"]) == (
        "power_renewable",
        Decimal("0.333333"),
        1.0,
        [],
    )
    assert row["name_ko"]
    assert row["explanation_en"]


def test_definitions_are_chosen_and_known(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    flows = flows_of(edges, {"consumption": [3]})
    assert list(answers(flows, edges, only=["interval_autarky"])) == ["interval_autarky"]
    with pytest.raises(UsageError, match="unknown definition autarchy"):
        answers(flows, edges, only=["autarchy"])


def test_every_shipped_definition_has_a_method_and_a_commodity() -> None:
    assert {"power_renewable", "interval_autarky"} <= definitions().keys()
    for row in definitions().values():
        assert row.method in METHODS
        assert commodities()[row.commodity].display_unit(row.quantity)


def test_a_bad_definition_does_not_load() -> None:
    table = read_toml("quintet.ledger", "definitions.toml")
    row = table["definition"]["power_local"]
    for change in ({"surprise": 1}, {"own": ["generated"]}, {"certainty": "sure"}):
        with pytest.raises(BadInput):
            parse_definitions({"definition": {"x": {**row, **change}}})
    with pytest.raises(BadInput, match="lacks source"):
        parse_definitions({"definition": {"x": {key: row[key] for key in row if key != "source"}}})


amounts = st.lists(st.integers(0, 10**9), min_size=6, max_size=6)


@given(
    st.fixed_dictionaries({"local_generation*": amounts, "consumption": amounts}),
    st.dictionaries(st.sampled_from(["import", "export", "conversion_in", "conversion_out"]), amounts),
    st.data(),
)
def test_a_missing_meter_never_raises_a_ratio_silently(
    flows_of: Any, hours: Any, base: dict[str, list[int]], more: dict[str, list[int]], data: st.DataObject
) -> None:
    edges, parts = hours(6), {**base, **more}
    before = answers(flows_of(edges, parts), edges, metered="import" in parts)
    victim = data.draw(st.sampled_from(sorted(parts)))
    at = data.draw(st.integers(0, 5))
    how = data.draw(st.sampled_from([None, "absent"]))
    broken = {**parts, victim: [how if i == at else value for i, value in enumerate(parts[victim])]}
    after = answers(flows_of(edges, broken), edges, metered="import" in parts)
    for code, was in before.items():
        now = after[code]
        changed = now.value != was.value or now.numerator != was.numerator
        if changed and was.coverage:
            assert now.coverage is not None
            assert now.coverage < was.coverage


@given(amounts, amounts)
def test_hourly_matching_never_exceeds_the_annual_ratio(flows_of: Any, hours: Any, own: Any, use: Any) -> None:
    edges = hours(6)
    found = answers(flows_of(edges, {"local_generation*": own, "consumption": use}), edges)
    if sum(use):
        hourly, annual = found["cfe_hourly"].value, found["power_renewable"].value
        assert hourly is not None
        assert annual is not None
        assert hourly <= min(annual, 1)
        assert hourly == found["interval_autarky"].value
