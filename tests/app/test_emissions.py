"""Greenhouse gases of a city: from its readings and its own dated rows; what is published stays, and why it differs."""

import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from quintet.app import requests
from quintet.app.answer import Answer, no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.registry import rewire
from quintet.store.audit import entries
from quintet.terms.catalogue import read_toml_file
from quintet.terms.errors import BadInput, NotFound, UsageError

from .ledger_city import HOURS, PLANT, START, made, send

SPAN: dict[str, Any] = {"start": "2022-03-28", "end": "2022-03-31", "resolution": "month", "place": "city"}
OWN = """
[emissions]
gwp = "AR5"
by = "energy office"
why = "as last year"

[factor.boilers]
commodity = "heat"
unit = "MWh"
co2e_kg = "200"
activity = "any"
published_on = "2022-03-01"
scope = 2
purposes = ["inventory"]
gwp = "AR5"
supplier = "the boilers"
source = "the plant's report"
certainty = "S"

[factor.burner]
commodity = "heat"
unit = "MWh"
co2e_kg = "500"
activity = "any"
published_on = "2022-03-29"
scope = 2
purposes = ["inventory"]
gwp = "AR5"
supplier = "the burner"
source = "the plant's report"
certainty = "S"

[[supply]]
commodity = "heat"
factor = "boilers"
valid_from = 2015-12-01
published_on = "2022-03-01"
source = "the plant's report"

[[supply]]
commodity = "heat"
factor = "burner"
valid_from = 2022-03-29
published_on = "2022-03-29"
source = "the plant's report"
"""
BRANCH = """
[[supply]]
commodity = "heat"
factor = "kdhc_heat_2021_gwangju_jeonnam"
valid_from = 2015-12-01
published_on = "2022-03-21"
source = "the supplier's notice"
"""
MIX = """
[factor.kdhc_heat_2021_gwangju_jeonnam]
commodity = "heat"
unit = "TJ"
co2_kg = "40000"
ch4_kg = "4.4617"
n2o_kg = "0.5625"
activity = [2021, 2021]
published_on = "2022-12-01"
scope = 2
supplier = "KDHC, Gwangju-Jeonnam"
branches = ["Gwangju-Jeonnam"]
purposes = ["inventory"]
gwp = "none"
source = "the supplier's correction: less waste was burnt"
certainty = "S"

[[supply]]
commodity = "heat"
factor = "kdhc_heat_2021_gimhae"
valid_from = 2022-03-30
published_on = "2022-12-01"
source = "the supplier's notice: another branch feeds the city"
"""
GRID = """
[factor.kr_electricity_2022]
commodity = "electricity"
unit = "MWh"
co2e_kg = "441.2"
activity = [2022, 2022]
published_on = "2026-12-17"
scope = 2
purposes = ["inventory"]
gwp = "unstated"
source = "a revision"
certainty = "S"
"""
GAS = """
[calorific.kr_city_gas_2022]
commodity = "gas"
energy_unit = "MJ"
volume_unit = "m3"
gross = "42.7"
net = "38.0"
metered_energy = "gross"
valid_from = "2022-11-21"
published_on = "2026"
source = "a revision"
certainty = "S"
"""
Make = Callable[..., City]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Give a maker of the small city, closed at the end."""
    cities: list[City] = []
    numbers = count()

    def make(**how: Any) -> City:
        cities.append(made(tmp_path / f"city-{next(numbers)}", **how))
        return cities[-1]

    yield make
    for city in cities:
        city.close()


def ask(city: City, request: Any) -> Any:
    return answer(city, request).read()


def answer(city: City, request: Any) -> Answer:
    return answer_request(city, request, no_progress)


def restated(city: City, more: str) -> None:
    """Edit city.toml and have it taken, as an open does."""
    path = city.folder / "city.toml"
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    city.now.now += timedelta(hours=1)
    city.take_settings(read_toml_file(path), path)


def test_a_citys_own_rows_count_from_their_day_on(make: Make) -> None:
    found = ask(make(ledger=OWN), requests.Emissions(**SPAN, count_at="users"))
    heat = [row for row in found["rows"] if row["commodity"] == "heat"]
    assert [(row["start"][:10], row["factor"], row["kg_co2e"]) for row in heat] == [
        ("2022-03-28", "boilers", 384.0),
        ("2022-03-29", "burner", 1920.0),
    ]
    assert (found["gwp"], found["factor_set"]["name"], found["count_at"]) == ("AR5", "current", "users")
    scopes = {row["scope"]: row for row in found["scopes"]}
    assert scopes[2]["market_kg_co2e"] == scopes[2]["kg_co2e"]
    assert found["direct_kg_co2e"] + found["indirect_kg_co2e"] == pytest.approx(
        sum(row["kg_co2e"] for row in found["rows"] if row["kg_co2e"] is not None)
    )


def test_a_city_file_without_date_or_source_does_not_load_and_names_the_row(make: Make) -> None:
    for line, words in (
        ('published_on = "2026-12-17"\n', "lacks published_on"),
        ('source = "a revision"\n', "lacks source"),
    ):
        with pytest.raises(BadInput, match=words) as told:
            make(ledger=GRID.replace(line, ""))
        assert told.value.place.endswith("city.toml, factor kr_electricity_2022")
    with pytest.raises(BadInput, match="no factor of heat") as told:
        make(ledger=OWN.replace('factor = "boilers"\n', 'factor = "kr_electricity_2022"\n'))
    assert told.value.place.endswith("city.toml, supply heat")


def test_a_published_figure_stays_and_every_cause_is_told_exactly(make: Make) -> None:
    city = make(ledger=OWN, left_out=["homes-gas"])
    asked = {**SPAN, "count_at": "users"}
    ask(city, requests.EmissionsPublish(name="2022", by="kim", reason="yearly report", **asked))
    before = ask(city, requests.Emissions(**asked))
    assert before["beside"]["scopes"][1]["kg_co2e"] == before["scopes"][1]["kg_co2e"]
    send(city, {"homes-gas": 10.0})
    restated(city, GRID + GAS)
    path = city.folder / "city.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('co2e_kg = "500"', 'co2e_kg = "400"'), encoding="utf-8")
    restated(city, "")
    rows = rewire(city.registry(), "d1/roof", valid_from=START, place="city")
    rows += rewire(city.registry(), "d1/homes-heat", valid_from=START, place="city")
    city.pipeline.apply_records(rows, kind="registry", source="test", actor="test")
    now = ask(city, requests.Emissions(**asked))
    told = ask(city, requests.EmissionsCompare("2022"))
    causes = {one["cause"]: one for one in told["causes"]}
    assert list(causes) == ["readings", "calorific", "factor"]
    assert causes["factor"]["rows"] == ["burner", "kr_electricity_2022"]
    exact = {name: {key: Fraction(kg) for key, kg in sums.items()} for name, sums in told["exact"].items()}
    for name, kg in exact["published"].items():
        parts = sum((exact[cause][name] for cause in causes), Fraction(0))
        assert kg + parts == exact["revised"][name]
        assert exact["difference"][name] == parts
    assert exact["factor"]["scope_2"] == Fraction(72 * 140, 1000) * 10 - Fraction(48 * 80, 1000) * 100
    burnt = Fraction(720 * 385, 10) / 10**6 * (56100 + 140 + Fraction(265, 10))
    assert exact["readings"]["scope_1"] == burnt
    assert now["beside"]["scopes"][0]["kg_co2e"] == before["scopes"][0]["kg_co2e"], "what was published stays"
    assert now["direct_kg_co2e"] == pytest.approx(float(exact["revised"]["scope_1"]))


def test_a_heat_branch_whose_mix_is_revised_after_publication_changes_nothing_silently(make: Make) -> None:
    """The pinned figure stays, the revised one stands beside it, and both its causes are told with their rows."""
    city = make(ledger=BRANCH, left_out=["homes-gas"])
    asked = {**SPAN, "count_at": "users"}
    terajoules = Fraction(72 * 80 * 36, 10**7)
    first = 57456 + Fraction("4.4617") * 28 + Fraction("0.5625") * 265
    ask(city, requests.EmissionsPublish(name="2022", by="kim", reason="yearly report", **asked))
    before = ask(city, requests.Emissions(**asked))
    (heat,) = [row for row in before["rows"] if row["commodity"] == "heat"]
    assert (heat["factor"], heat["kg_co2e"]) == ("kdhc_heat_2021_gwangju_jeonnam", round(float(first * terajoules), 6))
    moment = before["known_at"]
    restated(city, MIX)
    after = ask(city, requests.Emissions(**asked))
    pinned, was = (
        [(one["scope"], one["kg_co2e"], one["market_kg_co2e"]) for one in scopes]
        for scopes in (after["beside"]["scopes"], before["scopes"])
    )
    assert pinned == was, "what was published stays"
    told = ask(city, requests.EmissionsCompare("2022"))
    assert {one["cause"]: one["rows"] for one in told["causes"]} == {
        "factor": ["kdhc_heat_2021_gwangju_jeonnam"], "supply": ["heat/2022-03-30"],
    }  # fmt: skip
    assert all(one["words_en"] and one["words_ko"] for one in told["causes"])
    exact = {name: Fraction(sums["scope_2"]) for name, sums in told["exact"].items()}
    revised, other = (
        40000 + Fraction("4.4617") * 28 + Fraction("0.5625") * 265,
        35513 + Fraction("0.633") * 28 + Fraction("0.0633") * 265,
    )
    assert exact["factor"] == (revised - first) * terajoules
    assert exact["supply"] == (other - revised) * terajoules / 3
    assert exact["published"] + exact["factor"] + exact["supply"] == exact["revised"]
    assert after["scopes"][1]["kg_co2e"] == pytest.approx(float(exact["revised"]))
    then = ask(city, requests.Emissions(**asked, known_at=moment))
    assert (then["rows"], then["scopes"]) == (before["rows"], before["scopes"]), "what was known then is still answered"


def test_a_place_that_was_wired_wrongly_is_a_cause_of_its_own(make: Make) -> None:
    city = make()
    asked = {**SPAN, "place": "d1"}
    ask(city, requests.EmissionsPublish(name="d1", by="kim", reason="report", **asked))
    city.now.now += timedelta(hours=1)
    rows = rewire(city.registry(), "d1/homes-gas", valid_from=START, place="city")
    city.pipeline.apply_records(rows, kind="registry", source="test", actor="test")
    told = ask(city, requests.EmissionsCompare("d1"))
    assert [one["cause"] for one in told["causes"]] == ["registry"]
    assert told["difference_kg_co2e"]["scope_1"] < 0


def test_a_named_set_counts_beside_what_was_published(make: Make) -> None:
    city = make(ledger=OWN)
    ask(city, requests.EmissionsPublish(name="2022", by="kim", reason="report", **SPAN))
    row = tomllib.loads(GRID)["factor"]
    ask(city, requests.FactorSetMake("next", "lee", "what if", "current", {"factor": row}))
    ask(city, requests.FactorSetMake("next", "lee", "again", "next", {"choice": {"count_at": "users"}}))
    sets = ask(city, requests.FactorSets())["sets"]
    assert [(one["name"], one["version"]) for one in sets] == [
        ("current", None), ("shipped", None), ("next", 1), ("next", 2),
    ]  # fmt: skip
    other = ask(city, requests.Emissions(**SPAN, factor_set="next"))
    own = ask(city, requests.Emissions(**SPAN))
    assert (other["factor_set"]["name"], other["count_at"]) == ("next", "users")
    assert other["beside"] == own["beside"]
    power = {row["kg_co2e"] for row in other["rows"] if row["source_id"] == "electricity_bought"}
    assert sum(power) == pytest.approx(72 * 0.140 * 441.2)
    by_digest = ask(city, requests.Emissions(**SPAN, factor_set=other["factor_set"]["digest"]))
    assert by_digest["scopes"] == other["scopes"]
    told = ask(city, requests.EmissionsCompare("2022", "next"))
    assert [one["cause"] for one in told["causes"]] == ["factor", "choice"]
    with pytest.raises(NotFound, match="no factor set 'x'"):
        ask(city, requests.Emissions(**SPAN, factor_set="x"))


def test_a_decision_has_a_name_a_reason_and_a_place_in_the_audit_chain(make: Make) -> None:
    city = make()
    with pytest.raises(UsageError, match="needs a name and a reason"):
        ask(city, requests.EmissionsPublish(name="2022", by="kim", reason=" ", **SPAN))
    with pytest.raises(UsageError, match="needs a name of its own"):
        ask(city, requests.FactorSetMake("shipped", "kim", "x"))
    ask(city, requests.EmissionsPublish(name="2022", by="kim", reason="report", **SPAN))
    with pytest.raises(UsageError, match="published as '2022' already"):
        ask(city, requests.EmissionsPublish(name="2022", by="kim", reason="report", **SPAN))
    with pytest.raises(NotFound, match="nothing was published as '2023'"):
        ask(city, requests.EmissionsCompare("2023"))
    (one,) = ask(city, requests.EmissionsPublished())["publications"]
    assert (one["name"], one["by"], one["why"]) == ("2022", "kim", "report")
    rows = ask(city, requests.Emissions(**SPAN))["scopes"]
    assert one["total_kg_co2e"] == pytest.approx(sum(row["kg_co2e"] for row in rows))
    with city.engine.snapshot() as snapshot:
        subjects = entries(snapshot)["subject"].to_pylist()
    assert "ledger.publication:2022" in subjects


def test_the_ledgers_records_leave_the_sums_of_closed_days_as_they_are(make: Make) -> None:
    city = make()
    city.close_days()
    ask(city, requests.EmissionsPublish(name="2022", by="kim", reason="report", **SPAN))
    assert city.refresh_flows() == [], "nothing that counts has changed"


def test_the_gpc_table_splits_by_the_citys_sectors_and_hides_the_few(make: Make) -> None:
    sector = '[[sector]]\nplace = "d1/b2"\nsub_sector = "I.2"\nsource = "plan"\npublished_on = "2022"\n'
    city = make(ledger=sector)
    found = ask(city, requests.EmissionsGpc(**SPAN))
    cells = {(one["sub_sector"], one["scope"]): one for one in found["cells"]}
    assert cells["I.2", 2]["notation"] == "C"
    assert cells["I.6", 2]["kg_co2e"] == pytest.approx(72 * 0.1 * 431.2)
    assert found["basic_plus_kg_co2e"] >= found["basic_kg_co2e"] > 0
    with pytest.raises(BadInput, match="no sub-sector"):
        make(ledger=sector.replace("I.2", "IX"))


def test_hourly_factors_come_from_a_file_beside_the_settings(make: Make, tmp_path: Path) -> None:
    city = make()
    lines = "\n".join(f"{START + timedelta(hours=hour)},{100 + hour}" for hour in range(HOURS))
    (city.folder / "grid.csv").write_text(f"start,co2e_kg\n{lines}\n", encoding="utf-8")
    row = (
        '[[hourly]]\nid = "grid"\ncommodity = "electricity"\nunit = "MWh"\nfile = "grid.csv"\ncertainty = "S"\n'
        f'start = "{START.isoformat()}"\npublished_on = "2023"\nsource = "the operator"\n'
    )
    restated(city, row)
    found = ask(city, requests.Emissions(**SPAN))
    (power,) = [one for one in found["rows"] if one["commodity"] == "electricity"]
    exact = sum(Fraction(100 + hour) * Fraction(17 if hour % 2 else 15, 160) for hour in range(HOURS))
    assert power["kg_co2e"] == pytest.approx(float(exact))
    assert power["basis"] == "hour by hour, 72 of 72 hours by grid"
    with pytest.raises(BadInput, match="cannot be read"):
        restated(city, row.replace("grid.csv", "gone.csv").replace('"grid"', '"other"'))


FEEDER = '[[feeder]]\nid = "water-d1"\ncommodity = "water"\nplace = "d1"\nsupply = ["city/water-head"]\n'


def test_what_a_network_loses_is_scope_3_apart(make: Make) -> None:
    head = ("city", None, "water-head", "water", "m3", "submeter")
    city = make(plant=PLANT + FEEDER, more=[head], values={"water-head": 5.0})
    found = ask(city, requests.Emissions(**SPAN))
    water = {one["source_id"]: one for one in found["rows"] if one["commodity"] == "water"}
    assert {name: (one["scope"], one["amount"]) for name, one in water.items()} == {
        "water_bought": (3, 288.0),
        "water_bought_lost": (3, 72.0),
    }
    assert sum(one["kg_co2e"] for one in water.values()) == pytest.approx(360 * 0.332)


def test_what_was_known_then_is_answered_by_the_factors_of_then(make: Make) -> None:
    city = make(ledger=OWN)
    before = ask(city, requests.Emissions(**SPAN))
    moment = before["known_at"]
    restated(city, GRID)
    now = ask(city, requests.Emissions(**SPAN))
    then = ask(city, requests.Emissions(**SPAN, known_at=moment))
    assert now["scopes"] != before["scopes"]
    assert (then["scopes"], then["factor_set"]) == (before["scopes"], before["factor_set"])


def test_what_the_city_stated_is_withdrawn_by_a_decision(make: Make) -> None:
    city = make(ledger=OWN)
    with pytest.raises(NotFound, match="no supply 'heat'") as told:
        ask(city, requests.FactorWithdraw("supply", "heat", "kim", "gone"))
    assert "heat/2015-12-01" in told.value.remedy
    with pytest.raises(BadInput, match="names boilers, which is no factor"):
        ask(city, requests.FactorWithdraw("factor", "boilers", "kim", "gone"))
    with pytest.raises(BadInput, match="needs a name and a reason"):
        ask(city, requests.FactorWithdraw("supply", "heat/2015-12-01", "kim", " "))

    def heats() -> list[str | None]:
        rows = ask(city, requests.Emissions(**SPAN, count_at="users"))["rows"]
        return [row["factor"] for row in rows if row["commodity"] == "heat"]

    assert heats() == ["boilers", "burner"]
    before = ask(city, requests.Emissions(**SPAN))["known_at"]
    city.now.now += timedelta(hours=1)
    ask(city, requests.FactorWithdraw("supply", "heat/2015-12-01", "kim", "contract ended"))
    assert "boilers" not in heats()
    path = city.folder / "city.toml"
    stood = path.read_text(encoding="utf-8")
    row = stood[stood.index("[[supply]]") : stood.index("[[supply]]", stood.index("[[supply]]") + 1)]
    path.write_text(stood.replace(row, ""), encoding="utf-8")
    restated(city, "")
    assert "boilers" not in heats(), "what is gone from the file stays withdrawn"
    restated(city, row)
    assert "boilers" in heats(), "and may be stated anew"
    then = ask(city, requests.Emissions(**{**SPAN, "known_at": before}, count_at="users"))
    assert "boilers" in [row["factor"] for row in then["rows"]]
