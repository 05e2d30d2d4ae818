"""Emissions: published cases exactly, what is not known said, and no heat counted twice."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.ledger.balance import balance
from quintet.ledger.calorific import calorific_for, calorific_values, parse_calorific, to_factor_unit
from quintet.ledger.emissions import Emission, emissions
from quintet.ledger.factors import factors, gwp_set, gwp_sets
from quintet.ledger.scopes import by_scope
from quintet.terms.catalogue import read_toml
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.unit import units

SEOUL = ZoneInfo("Asia/Seoul")
DAY = date(2023, 7, 1)
MWH = 1_000_000_000


def ghg(shared: Path, name: str) -> dict[str, Any]:
    cases = json.loads((shared / "vectors/ghg/cases.json").read_text(), parse_float=Decimal)
    return next(row for row in cases if row["id"] == name)


def emitted(flows: pa.Table, edges: list[datetime], metered: Any = frozenset(), **more: Any) -> list[Emission]:
    table = balance(flows, place="city", edges=edges, commodities=commodities(), boundaries_metered=metered)
    return emissions(table, tz=SEOUL, **more)


def test_published_case_ghg1(shared: Path, flows_of: Any, hours: Any) -> None:
    ghg1, edges = ghg(shared, "GHG-1"), hours(1)
    row = read_toml("quintet.ledger", "factors.toml")["factor"]["kr_electricity_2023"]
    own = {"factor": {"own": {**row, "co2e_kg": str(ghg1["ef"] * 1000)}}}
    flows = flows_of(edges, {"consumption": [ghg1["mwh"] * MWH]})
    (found,) = emitted(flows, edges, table=factors().with_rows(own), pinned={"electricity": "own"})
    assert found.kg_co2e == ghg1["expect_t"] * 1000
    assert found.basis == "pinned, 2023"


def test_published_case_ghg2(shared: Path, flows_of: Any, hours: Any) -> None:
    ghg2, edges = ghg(shared, "GHG-2"), hours(1, start=datetime(2015, 6, 1, tzinfo=UTC))
    shipped = factors()["kr_electricity_2014_2016_gases"].gases_kg
    assert shipped is not None
    assert shipped["co2"] == Fraction(ghg2["co2_t_per_mwh"]) * 1000
    assert (shipped["ch4"], shipped["n2o"]) == (Fraction(ghg2["ch4_kg_per_mwh"]), Fraction(ghg2["n2o_kg_per_mwh"]))
    flows = flows_of(edges, {"consumption": [MWH]})
    (found,) = emitted(flows, edges, purpose="public_target", gwp="SAR")
    assert found.kg_co2e is not None
    assert found.kg_co2e == Fraction("459.4106")
    assert round(found.kg_co2e / 1000, 5) == Fraction(ghg2["expect_tco2e_per_mwh"]), "published with five decimals"
    assert (found.gwp, found.certainty) == ("SAR", "M")


def test_published_case_ghg3(shared: Path, flows_of: Any, hours: Any) -> None:
    ghg3, edges = ghg(shared, "GHG-3"), hours(1)
    volume = ghg3["nm3"] * 1_000_000
    found = emitted(flows_of(edges, {"consumption": [volume]}, "gas", "volume"), edges)[0]
    expect = {name: Fraction(kg) for name, kg in ghg3["expect_kg"].items()}
    assert found.kg_co2e == expect.pop("co2e")
    assert found.gases_kg == expect
    assert (found.scope, found.gwp, found.factor, found.unit) == (1, "AR5", "ipcc_natural_gas_buildings", "m3")
    assert found.basis is not None
    assert "volume taken as at reference conditions" in found.basis


def test_published_case_ghg4(shared: Path, flows_of: Any, hours: Any) -> None:
    ghg4, edges = ghg(shared, "GHG-4"), hours(1, start=datetime(2021, 6, 1, tzinfo=UTC))
    gigajoules = units()["GJ"].ratio * ghg4["heat_GJ"]
    factor = factors()["kdhc_heat_2021_capital"]
    assert factor.gases_kg == {gas: Fraction(kg) for gas, kg in ghg4["ef_kg_per_TJ"].items()}
    exact = gigajoules / units()["TJ"].ratio * factor.kg_co2e(gwp_set("SAR"))
    assert exact == Fraction(ghg4["expect_kg_co2e"])
    flows = flows_of(edges, {"consumption": [round(gigajoules)]}, "heat")
    (found,) = emitted(flows, edges, gwp="SAR", pinned={"heat": factor.id})
    assert found.kg_co2e is not None
    assert abs(found.kg_co2e - exact) < Fraction(1, 10**6)
    assert (found.published_on, found.scope) == ("2022-03-21", 2)


def test_published_case_ghg5(shared: Path, flows_of: Any, hours: Any) -> None:
    series = ghg(shared, "GHG-5")["series"]
    for year, key in ((2015, "2014-16avg"), (2020, "2020-22avg"), (2021, "2021"), (2022, "2022"), (2023, "2023")):
        edges = hours(1, start=datetime(year, 6, 1, tzinfo=UTC))
        (found,) = emitted(flows_of(edges, {"consumption": [MWH]}), edges)
        assert found.kg_co2e == Fraction(series[key]) * 1000


def test_every_vector_factor_that_is_shipped_agrees(shared: Path) -> None:
    table = json.loads((shared / "vectors/ghg/factors.json").read_text(), parse_float=Decimal)
    for row in factors().rows.values():
        if row.supplier:
            name = row.supplier.removeprefix("KDHC, ").removesuffix(" region")
            assert row.gases_kg is not None
            assert list(row.gases_kg.values()) == [Fraction(kg) for kg in table["kdhc_2021_kg_per_TJ"][name]]
    for name, weights in table["gwp100"].items():
        for key, weight in weights.items():
            gas, _, kind = key.partition("_")
            shipped = [gwp_set(f"{name}_{kind}")] if kind else [row for row in gwp_sets().values() if name in row.id]
            assert {row.weights[gas.lower()] for row in shipped} == {Fraction(weight)}


def test_the_year_is_the_local_year_and_a_late_year_says_so(flows_of: Any, hours: Any) -> None:
    edges = hours(2, start=datetime(2022, 12, 31, 14, tzinfo=UTC))
    before, after = emitted(flows_of(edges, {"consumption": [MWH, MWH]}), edges)
    assert (before.factor, after.factor) == ("kr_electricity_2022", "kr_electricity_2023")
    edges = hours(1, start=datetime(2026, 6, 1, tzinfo=UTC))
    (late,) = emitted(flows_of(edges, {"consumption": [MWH]}), edges)
    assert (late.basis, late.published_on, late.gwp) == (
        "latest published 2023",
        "2025-12-17",
        "as published (unstated)",
    )


def test_only_import_counts_as_bought(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    flows = flows_of(edges, {"consumption": [3 * MWH], "local_generation*": [MWH]})
    (derived,) = emitted(flows, edges)
    assert (derived.amount, derived.derived, derived.kg_co2e) == (Decimal(2000), True, Fraction("834.6"))
    flows = flows_of(edges, {"consumption": [3 * MWH], "import": [4 * MWH]})
    (metered,) = emitted(flows, edges, {("electricity", "energy")})
    assert (metered.amount, metered.derived, metered.scope) == (Decimal(4000), False, 2)


def test_gas_metered_as_energy_is_gross(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    homes, plants = emitted(flows_of(edges, {"consumption": [MWH], "conversion_in": [MWH]}, "gas"), edges)
    net_tj = Fraction(36, 10_000) * Fraction(385, 427)
    assert homes.kg_co2e == net_tj * (56100 + 5 * 28 + Fraction(265, 10))
    assert plants.kg_co2e == net_tj * (56100 + 28 + Fraction(265, 10))
    assert homes.basis == "any year; metered as gross energy, net by kr_city_gas_2022"
    assert (homes.published_on, homes.source_id, plants.source_id) == ("2006", "gas_burnt", "gas_burnt_in_plants")


def test_heat_without_a_factor_is_not_estimated(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    (bought,) = emitted(flows_of(edges, {"consumption": [MWH]}, "heat"), edges)
    assert (bought.kg_co2e, bought.notation, bought.factor) == (None, "NE", None)
    assert bought.reason == "no factor for it (inventory)"
    assert bought.amount == Decimal(1000)


def test_heat_made_here_is_counted_once_at_the_plant(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    heat = flows_of(edges, {"consumption": [MWH], "conversion_out": [MWH]}, "heat")
    fuel = flows_of(edges, {"conversion_in": [2 * MWH]}, "gas")
    pinned = {"heat": "kdhc_heat_2021_gwangju_jeonnam"}
    rows = emitted(pa.concat_tables([heat, fuel]), edges, pinned=pinned)
    by_source = {row.source_id: row for row in rows}
    assert by_source["heat_bought"].kg_co2e == 0
    assert by_source["gas_burnt_in_plants"].kg_co2e
    (without,) = emitted(heat, edges)
    assert (without.kg_co2e, without.notation) == (0, "NO")


def test_nothing_was_bought_is_claimed_of_a_whole_period_only(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    (whole,) = emitted(flows_of(edges, {"import": [0]}, "heat"), edges)
    assert (whole.amount, whole.kg_co2e, whole.notation) == (0, 0, "NO")
    (part,) = emitted(flows_of(edges, {"import": [0]}, "heat", heard=0.05), edges)
    assert (part.amount, part.kg_co2e, part.notation) == (0, None, "NE")
    assert part.reason == "most of the amount is not known; no factor for it (inventory)"
    (most,) = emitted(flows_of(edges, {"import": [0]}, "heat", heard=0.95), edges)
    assert (most.notation, most.reason) == ("NE", "a part of the amount is not known; no factor for it (inventory)")
    (guessed,) = emitted(flows_of(edges, {"import": [0]}, "heat", estimated=1.0), edges)
    assert guessed.notation == "NE"
    (total,) = by_scope([part])
    assert (total.kg_co2e, total.not_estimated) == (0, 1)


def test_nothing_is_bought_where_no_channel_stands_however_little_arrived(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    made = flows_of(edges, {"consumption": [MWH], "conversion_out": [MWH]}, "heat", heard=0.05)
    (found,) = emitted(made, edges)
    assert (found.coverage, found.kg_co2e, found.notation) == (0.05, 0, "NO")


def test_a_volume_without_a_way_to_energy_is_not_estimated(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    row = read_toml("quintet.ledger", "factors.toml")["factor"]["kdhc_heat_2021_capital"]
    table = factors().with_rows({"factor": {"hot": {**row, "commodity": "hot_water"}}})
    flows = flows_of(edges, {"consumption": [1_000_000]}, "hot_water", "volume")
    (found,) = emitted(flows, edges, table=table, pinned={"hot_water": "hot"})
    assert (found.kg_co2e, found.notation, found.reason) == (None, "NE", "metered as volume, the factor is per TJ")
    flows = flows_of(edges, {"consumption": [1_000_000]}, "gas", "volume")
    assert emitted(flows, edges, calorific=[])[0].notation == "NE"


def test_a_missing_amount_has_no_number(flows_of: Any, hours: Any) -> None:
    edges = hours(2)
    rows = emitted(flows_of(edges, {"consumption": [None, MWH]}), edges)
    assert [row.kg_co2e is None for row in rows] == [True, False]
    assert (rows[0].notation, rows[0].reason, rows[0].coverage) == (
        "NE",
        "the amount is not known: a term of it is not known: consumption",
        0.0,
    )
    (total,) = by_scope(rows)
    assert (total.scope, total.kg_co2e, total.rows, total.missing) == (2, Fraction("417.3"), 2, 1)


def test_scopes_are_reported_apart(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    parts = [flows_of(edges, {"consumption": [MWH]}, carrier) for carrier in ("electricity", "gas", "heat")]
    direct, indirect = by_scope(emitted(pa.concat_tables(parts), edges))
    assert (direct.scope, indirect.scope, indirect.not_estimated) == (1, 2, 1)
    assert indirect.kg_co2e == Fraction("417.3")


def test_a_city_pins_only_what_fits(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    flows = flows_of(edges, {"consumption": [MWH]})
    with pytest.raises(UsageError, match="unknown factor nonesuch"):
        emitted(flows, edges, pinned={"electricity": "nonesuch"})
    with pytest.raises(UsageError, match="is not for electricity"):
        emitted(flows, edges, pinned={"electricity": "kdhc_heat_2021_capital"})
    with pytest.raises(UsageError, match="GWP set 'AR6' has several values for methane"):
        emitted(flows, edges, gwp="AR6")


def test_a_row_for_people_is_plain(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    row = emitted(flows_of(edges, {"consumption": [MWH]}, "gas"), edges)[0].for_people()
    assert row["kg_co2e"] == Decimal("182.635525")
    assert set(row["gases_kg"]) == {"co2", "ch4", "n2o"}
    assert all(isinstance(kg, Decimal) for kg in row["gases_kg"].values())


def test_calorific_values_are_dated() -> None:
    (row,) = calorific_values()
    assert (row.content["gross"], row.content["net"]) == (Fraction("42.7"), Fraction("38.5"))
    assert calorific_for("gas", DAY) == (row, "kr_city_gas_2022")
    early = calorific_for("gas", date(2018, 8, 2))
    assert early is not None
    assert early[1] == "kr_city_gas_2022, in force only from 2022-11-21"
    assert calorific_for("heat", DAY) is None
    table = read_toml("quintet.ledger", "calorific.toml")["calorific"]["kr_city_gas_2022"]
    later = {**table, "net": "38.0", "valid_from": "2024-01-01"}
    both = parse_calorific({"calorific": {"later": later, "first": table}})
    found = [calorific_for("gas", day, both) for day in (DAY, date(2024, 1, 1))]
    assert [one and one[1] for one in found] == ["first", "later"]


@pytest.mark.parametrize(
    "changes", [{"net": "43"}, {"net": 38.5}, {"source": ""}, {"published_on": "?"}, {"metered_energy": "?"}, {"x": 1}]
)
def test_a_bad_calorific_value_does_not_load(changes: dict[str, Any]) -> None:
    row = read_toml("quintet.ledger", "calorific.toml")["calorific"]["kr_city_gas_2022"]
    with pytest.raises(BadInput):
        parse_calorific({"calorific": {"x": {**row, **changes}}})


def test_a_factor_for_net_energy_without_a_calorific_value_converts_nothing() -> None:
    factor = factors()["ipcc_natural_gas_buildings"]
    assert to_factor_unit("energy", factor, DAY, []) is None


@given(
    st.lists(st.integers(0, 10**13), min_size=48, max_size=48),
    st.sampled_from([("gas", "volume"), ("gas", "energy"), ("electricity", "energy")]),
)
def test_hours_add_up_to_days_exactly(flows_of: Any, hours: Any, series: list[int], kind: tuple[str, str]) -> None:
    edges = hours(48, timedelta(hours=1))
    daily = flows_of(edges[::24], {"consumption": [sum(series[:24]), sum(series[24:])]}, *kind)
    by_hour = by_scope(emitted(flows_of(edges, {"consumption": series}, *kind), edges))
    by_day = by_scope(emitted(daily, edges[::24]))
    assert [row.kg_co2e for row in by_hour] == [row.kg_co2e for row in by_day]
