"""The measured series as one fictional city: its books against plain SQL, honest about what it has no meters for."""

import json
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from quintet.access import EVERYTHING, FlowsAnswer
from quintet.app.city import City
from quintet.ledger.balance import balance, rows_for_people
from quintet.ledger.emissions import Emission, emissions
from quintet.ledger.scopes import by_scope
from quintet.ledger.selfsufficiency import SelfSufficiency, selfsufficiency
from quintet.terms.period import Resolution, Span, to_us

Ask = Callable[..., list[tuple[Any, ...]]]
WINDOW = Span(datetime(2018, 8, 2, tzinfo=UTC), datetime(2019, 5, 17, tzinfo=UTC))
HOURS = 288 * 24
FOUR = {"electricity", "gas", "water", "heat"}
SILENT = {
    *("alicante_even/hh040-shower_hw", "alicante_even/hh052-shower_hw", "alicante_even/hh080-shower_hw"),
    *("alicante_even/hh086-shower_hw", "alicante_even/hh092-shower_hw", "cambridge_even/b102-electricity"),
    *("cambridge_even/b34-gas", "cambridge_even/b54-gas", "ucsd_a/BSB_BuildingPV-pv"),
}
"""Mapped meters that say nothing within the window."""


@pytest.fixture(scope="module")
def tell(measured: Path, plain: Path, mapped: Path, sql_of: Callable[..., Any]) -> Generator[Ask]:
    """Give SQL over the fictional city: `moved` is what was published, by the stamps it has there."""
    connection: duckdb.DuckDBPyConnection = sql_of(measured, plain / "published.parquet", mapped)
    connection.execute(f"""create view placed as select site || '/' || meter as name, commodity, shift_days
        from read_csv('{measured}/virtual_city_map.csv')""")
    connection.execute("""create table moved as
        select m.* exclude (rows), p.at_us + shift_days * 86400000000::bigint as moment_us, atto
        from published p join placed using (name) join meter m using (name)""")
    yield lambda query, parameters=(): connection.execute(query, list(parameters)).fetchall()
    connection.close()


@pytest.fixture(scope="module")
def monthly(virtual: City) -> FlowsAnswer:
    """Give the city's flows by month."""
    return virtual.access(EVERYTHING).flows("city", WINDOW, Resolution.MONTH)


@pytest.fixture(scope="module")
def hourly(virtual: City) -> FlowsAnswer:
    """Give the city's flows by hour."""
    return virtual.access(EVERYTHING).flows("city", WINDOW, Resolution.HOUR)


@pytest.fixture(scope="module")
def books(monthly: FlowsAnswer, virtual: City) -> list[dict[str, Any]]:
    """Give the balance by month as it is printed."""
    return rows_for_people(balanced(monthly, virtual))


def balanced(flows: FlowsAnswer, city: City) -> Any:
    return balance(
        flows.flows,
        place="city",
        edges=flows.edges,
        commodities=city.registry().commodities,
        boundaries_metered=flows.boundaries_metered,
    )


def published_by_month(tell: Ask, edges: list[datetime], where: str) -> list[int]:
    """Sum meters that report amounts or powers by month in plain SQL: differences of prefix sums rounded down."""
    prefixes = []
    for edge in edges:
        rows = tell(
            f"""select sum(atto * num // (den * 1000000000000000000::hugeint))::bigint from (
                select sum(atto) as atto, any_value(num) as num, any_value(den) as den from moved
                where moment_us < ? and {where} group by name)""",
            [to_us(edge)],
        )
        prefixes.append(int(rows[0][0]))
    return [after - before for before, after in pairwise(prefixes)]


def stated(flows: FlowsAnswer, commodity: str, flow: str, name: str, *, renewable: bool = False) -> list[int]:
    rows = [
        row for row in flows.flows.to_pylist()
        if (row["commodity"], row["flow"], row["renewable"]) == (commodity, flow, renewable)
    ]  # fmt: skip
    return [int(row[name] or 0) for row in sorted(rows, key=lambda row: row["start"])]


@pytest.mark.parametrize(
    ("commodity", "flow", "renewable", "where"),
    [
        ("electricity", "consumption", False, "commodity = 'electricity' and role = 'consumption'"),
        ("electricity", "local_generation", False, "commodity = 'electricity' and role = 'generation'"),
        ("electricity", "local_generation", True, "commodity = 'solar'"),
        ("gas", "consumption", False, "commodity = 'gas'"),
    ],
)
def test_each_month_is_the_plain_sum_of_the_mapped_meters(
    tell: Ask, monthly: FlowsAnswer, commodity: str, flow: str, renewable: bool, where: str
) -> None:
    said = stated(monthly, commodity, flow, "value", renewable=renewable)
    estimated = [
        int(
            tell(
                f"""select coalesce(sum(value), 0)::bigint from series s
                    join (select name from placed join meter m using (name) where m.{where}) using (name)
                    where kind = 'estimated' and start_us >= ? and start_us < ?""",
                [to_us(start), to_us(end)],
            )[0][0]
        )
        for start, end in pairwise(monthly.edges)
    ]
    measured = published_by_month(tell, monthly.edges, where)
    assert len(said) == 10
    assert [total - guess for total, guess in zip(said, estimated, strict=True)] == measured
    # What was estimated is little, and said in minutes.
    minutes = stated(monthly, commodity, flow, "estimated_min", renewable=renewable)
    assert all(some for guess, some in zip(estimated, minutes, strict=True) if guess)


@pytest.mark.parametrize(
    ("commodity", "flow", "renewable", "where"),
    [
        ("electricity", "consumption", False, "commodity = 'electricity' and role = 'consumption'"),
        ("electricity", "local_generation", True, "commodity = 'solar'"),
        ("gas", "consumption", False, "commodity = 'gas'"),
    ],
)
def test_coverage_is_an_independent_count_of_readings(
    tell: Ask, monthly: FlowsAnswer, commodity: str, flow: str, renewable: bool, where: str
) -> None:
    meters = tell(f"select count(*) from placed join meter m using (name) where m.{where}")[0][0]
    arrived = [
        int(
            tell(
                f"select coalesce(sum(cadence_min), 0) from moved where moment_us >= ? and moment_us < ? and {where}",
                [to_us(start), to_us(end)],
            )[0][0]
        )
        for start, end in pairwise(monthly.edges)
    ]
    length = [(to_us(end) - to_us(start)) // 60_000_000 for start, end in pairwise(monthly.edges)]
    assert stated(monthly, commodity, flow, "arrived_min", renewable=renewable) == arrived
    assert stated(monthly, commodity, flow, "expected_min", renewable=renewable) == [meters * one for one in length]


def test_the_balance_says_its_coverage(books: list[dict[str, Any]], monthly: FlowsAnswer) -> None:
    for row in books:
        mine = [
            one for one in monthly.flows.to_pylist()
            if (one["start"], one["commodity"]) == (row["start"], row["commodity"])
        ]  # fmt: skip
        expected = sum(one["expected_min"] for one in mine)
        arrived = sum(one["arrived_min"] for one in mine)
        assert row["coverage"] == (arrived / expected if expected else None)


def test_155_mapped_meters_cover_the_window_whole_and_nine_not_at_all(tell: Ask) -> None:
    """The readme's count, made again from the files; the city says the same of the 222 meters that it could take."""
    # The Alicante series end with the local day, 2019-05-17T22:00Z; the last readings come within its last hour.
    start, end = to_us(WINDOW.start), to_us(datetime(2019, 5, 17, 21, tzinfo=UTC))
    last = to_us(WINDOW.end)
    whole = tell(
        "select name from moved group by name having min(moment_us) <= ? and max(moment_us) >= ?", [start, end]
    )
    assert tell("select count(*) from placed") == [(224,)]
    assert len(whole) == 155
    silent = tell(
        """select name from placed where name not in (
            select name from moved where moment_us >= ? and moment_us < ?)""",
        [start, last],
    )
    assert {name for (name,) in silent} == SILENT
    # Two of the 224 are the heat meters without a unit: named in quarantine, so the city has 153 whole ones.
    heard = tell("select distinct name from series where start_us >= ? and start_us < ?", [start, last])
    refused = {
        f"{site}/{meter}"
        for site, meter in tell("select distinct site, meter from quarantine where code = 'unknown_unit'")
    }
    assert refused == {"ut_austin_a/GDC-heat", "ut_austin_a/JCD-heat"}
    assert {name for (name,) in tell("select name from placed")} - {name for (name,) in heard} == SILENT | refused
    spanning = tell(
        "select name from series group by name having min(start_us) <= ? and max(start_us) >= ?",
        [start, end - 3_600_000_000],
    )
    assert {name for (name,) in spanning} >= {name for (name,) in whole} - refused
    assert len({name for (name,) in spanning} & {name for (name,) in whole}) == 153


def test_what_has_no_meter_is_derived_and_nothing_closes_by_construction(
    books: list[dict[str, Any]], monthly: FlowsAnswer
) -> None:
    assert monthly.boundaries_metered == set()
    assert {row["commodity"] for row in books} == FOUR | {"hot_water"}
    for row in books:
        assert row["closure_error"] is None
        assert "import" in row["derived"]
    known = [row for row in books if row["commodity"] in FOUR and row["import"] is not None]
    assert {row["commodity"] for row in known} == FOUR
    silent = [row for row in books if row["commodity"] == "electricity" and row["start"].year == 2018]
    assert [row["import"] for row in silent] == [None] * 5, "a quarter of the meters' time is not known"
    for row in known:
        supply = row["import"] + row["local_generation"]
        assert supply == row["consumption"] + row["export"]
        assert row["import"] > 0


def test_the_fictional_city_over_its_whole_window(virtual: City, books: list[dict[str, Any]]) -> None:
    """The whole window at once is the sum of its months, carrier by carrier."""
    flows = virtual.access(EVERYTHING).flows("city", WINDOW, Resolution.DAY)
    days = rows_for_people(balanced(flows, virtual))
    for commodity in sorted(FOUR):
        for name in ("consumption", "local_generation"):
            by_day = sum((row[name] for row in days if row["commodity"] == commodity), Decimal(0))
            by_month = sum((row[name] for row in books if row["commodity"] == commodity), Decimal(0))
            assert by_day == by_month


def test_self_sufficiency_is_that_of_the_hours(tell: Ask, hourly: FlowsAnswer, virtual: City) -> None:
    found: dict[str, SelfSufficiency] = {
        one.id: one
        for one in selfsufficiency(
            hourly.flows,
            edges=hourly.edges,
            commodities=virtual.registry().commodities,
            boundaries_metered=hourly.boundaries_metered,
            interval="hour",
        )
    }
    solar, own, used, missing, hours = tell(
        """with hour as (
            select s.start_us // 3600000000 as hour,
                sum(case when m.commodity = 'solar' then value else 0 end)::hugeint as solar,
                sum(case when m.role = 'generation' then value else 0 end)::hugeint as own,
                sum(case when m.role = 'consumption' then value else 0 end)::hugeint as used
            from series s join meter m using (name)
            where m.commodity in ('electricity', 'solar') and start_us >= ? and start_us < ? group by 1)
        select sum(solar)::bigint, sum(own)::bigint, sum(used)::bigint,
            sum(greatest(used - own, 0))::bigint, count(*) from hour""",
        [WINDOW.start_us, WINDOW.end_us],
    )[0]
    assert hours == HOURS
    renewable, autarky = found["power_renewable"], found["interval_autarky"]
    assert renewable.value == Fraction(solar, used)
    assert autarky.value is not None
    assert autarky.value > 1 - Fraction(missing, used), "of the hours in which what is bought can be told"
    assert found["power_local"].value == Fraction(own, used)
    assert renewable.matched == HOURS > autarky.matched > 0
    assert (autarky.coverage or 0) <= autarky.matched / HOURS
    assert (renewable.derived, autarky.derived) == ((), ("import",))
    assert renewable.coverage is not None
    assert 0.8 < renewable.coverage < 0.9


def test_emissions_name_their_factor_or_why_there_is_none(monthly: FlowsAnswer, virtual: City) -> None:
    table = balanced(monthly, virtual)
    found: list[Emission] = emissions(table, tz=virtual.registry().tz)
    bought = [one for one in found if one.source_id == "electricity_bought"]
    assert len(bought) == 10
    assert 0 < sum(one.amount is None for one in bought) < 10
    for one in bought:
        assert one.factor is not None
        assert one.source
        assert one.published_on
        assert one.derived
        if one.amount is None:
            assert (one.kg_co2e, bool(one.reason)) == (None, True)
            continue
        # 0.4594 t CO2e a MWh, the mean of 2014-2016: the nearest year before, and it says so.
        assert one.kg_co2e == Fraction(str(one.amount)) * Fraction("0.4594")
        assert "2014-2016" in (one.basis or "")
    burnt = [one for one in found if one.source_id == "gas_burnt"]
    for one in burnt:
        # Net, a TJ: 56,100 kg CO2, 5 kg CH4, 0.1 kg N2O, by AR5 28 and 265; metered gross, of 42.7 MJ 38.5 are net.
        net_tj = Fraction(str(one.amount)) * Fraction("0.0000036") * Fraction("38.5") / Fraction("42.7")
        assert one.kg_co2e == net_tj * (56_100 + 5 * 28 + Fraction("26.5"))
        assert (one.scope, one.derived) == (1, False)
    heat = [one for one in found if one.commodity in ("heat", "hot_water") and one.notation != "NO"]
    assert {(one.kg_co2e, one.notation) for one in heat} == {(None, "NE")}
    assert sum(one.amount is None for one in heat) == 3, "hot water from March on: nothing was heard"
    totals = {total.scope: total for total in by_scope(found)}
    assert totals[2].kg_co2e == sum(one.kg_co2e for one in bought if one.kg_co2e is not None)
    assert totals[2].not_estimated == len({row.source_id for row in heat})


def test_hot_water_that_nobody_reported_is_not_zero(books: list[dict[str, Any]], monthly: FlowsAnswer) -> None:
    """The showers' loggers are silent from March on: missing is not zero, and it is not "nothing was bought"."""
    assert stated(monthly, "hot_water", "consumption", "arrived_min")[-3:] == [0, 0, 0]
    late = [row["consumption"] for row in books if row["commodity"] == "hot_water"][-3:]
    assert late == [None, None, None]


def test_rows_of_meters_outside_the_map_are_not_taken(tell: Ask, mapped: Path, measured: Path) -> None:
    """The map names what the city has; rows of other meters are set aside or skipped, and counted either way."""
    assert tell("select count(distinct name) from series where name not in (select name from placed)") == [(0,)]
    receipt = json.loads((mapped / "facts.json").read_text(encoding="utf-8"))["receipt"]
    taken, rows = tell(
        """select count(distinct (site, meter, ts_utc, value)), count(*) from read_parquet(?)
            where site || '/' || meter in (select name from placed) and unit <> 'source_unit'
                and ts_utc is not null and value is not null""",
        [str(measured / "readings.parquet")],
    )[0]
    assert receipt["accepted"] == taken
    assert receipt["duplicate"] == rows - taken
    others = {"latrobe/campus-gas", "burnaby_y2/house1-main"}
    refused = dict(
        tell("select site || '/' || meter, count(*) from quarantine where code = 'unregistered_meter' group by 1")
    )
    assert set(refused) <= others
    assert sum(refused.values()) + receipt["skipped"] in (0, 9_573 + 11_520)
