"""`quintet emissions compute` and `quintet selfsufficiency compute` as others script against them."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quintet.app.compute_emissions import read_amount
from quintet.ledger.definitions import definitions, totals
from quintet.ledger.factors import factors
from quintet.terms.errors import UsageError

Run = Callable[..., tuple[int, str, str]]
Compute = Callable[..., dict[str, Any]]
POWER = ("emissions", "--commodity", "electricity", "--year", "2023", "--amount")


@pytest.fixture
def compute(run: Run) -> Compute:
    """Compute and read the JSON that is printed."""

    def compute(command: str, *words: str) -> dict[str, Any]:
        code, out, err = run(command, "compute", *words, "--format", "json")
        assert (code, err) == (0, "")
        return json.loads(out, parse_float=Decimal)

    return compute


def test_electricity_with_the_factor_and_its_source(compute: Compute) -> None:
    found = compute(*POWER, "400 MWh")
    assert (found["kg_co2e"], found["t_co2e"], found["gwp"]) == (166_920, Decimal("166.92"), "as published (unstated)")
    assert found["gases"] == {"co2": None, "ch4": None, "n2o": None, "co2e": 166_920}
    factor = found["factor"]
    assert (factor["id"], factor["kg"], factor["unit"]) == ("kr_electricity_2023", {"co2e": Decimal("417.3")}, "MWh")
    assert (factor["published_on"], factor["activity_year"], factor["scope"]) == ("2025-12-17", "2023", 2)
    assert found["source"] == factor["source"] == factors()["kr_electricity_2023"].source
    assert (found["purpose"], found["others_of_the_year"]) == ("inventory", [])


def test_a_year_with_two_factors_names_both(compute: Compute) -> None:
    words = ("emissions", "--commodity", "electricity", "--year", "2021", "--amount", "1 MWh")
    own, mean = compute(*words), compute(*words, "--purpose", "three_year_mean")
    assert (own["kg_co2e"], mean["kg_co2e"]) == (Decimal("450.9"), Decimal("454.1"))
    assert [one["id"] for one in own["others_of_the_year"]] == [mean["factor"]["id"]]
    assert [one["id"] for one in mean["others_of_the_year"]] == [own["factor"]["id"]]


def test_gas_names_its_calorific_value(compute: Compute) -> None:
    gas = ("emissions", "--commodity", "gas", "--gwp", "AR5")
    net = compute(*gas, "--amount", "1000 GJ", "--basis", "net", "--use", "energy_industries")
    assert (net["kg_co2e"], net["calorific"], net["scope"]) == (Decimal("56154.5"), None, 1)
    assert net["gases"] == {"co2": 56_100, "ch4": 1, "n2o": Decimal("0.1"), "co2e": Decimal("56154.5")}
    assert net["gases_co2e"] == {"co2": 56_100, "ch4": 28, "n2o": Decimal("26.5"), "co2e": Decimal("56154.5")}
    assert (net["gwp"], net["gwp_weights"]["ch4"]) == ("AR5", 28)
    volume = compute(*gas, "--amount", "1000 m3", "--use", "residential")
    assert (volume["calorific"]["net"], volume["calorific"]["unit"]) == (Decimal("38.5"), "MJ/m3")
    stated = compute(*gas, "--amount", "1000 m3", "--use", "residential", "--calorific", "77 MJ/m3", "--basis", "net")
    assert stated["kg_co2e"] == 2 * volume["kg_co2e"]
    assert stated["calorific"]["source"].startswith("stated as net")


def test_heat_of_a_branch(compute: Compute) -> None:
    words = ("emissions", "--commodity", "heat", "--branch", "Daegu", "--amount", "25 GJ", "--year", "2021")
    found = compute(*words, "--gwp", "AR5")
    assert found["kg_co2e"] == (52792 + Decimal("5.4446") * 28 + Decimal("0.8832") * 265) / 40
    assert (found["factor"]["branch"], found["factor"]["published_on"]) == ("Daegu", "2022-03-21")
    fossil, other = (compute(*words, "--gwp", name)["kg_co2e"] for name in ("AR6_fossil", "AR6-nonfossil"))
    assert fossil - other == Decimal("5.4446") * Decimal("2.8") / 40


def test_water(compute: Compute) -> None:
    found = compute("emissions", "--commodity", "water", "--amount", "10 m3", "--year", "2009")
    assert (found["kg_co2e"], found["scope"]) == (Decimal("3.32"), 3)


def test_factors_of_ones_own_need_date_and_source(compute: Compute, run: Run, tmp_path: Path) -> None:
    row = """[factor.own]
commodity = "electricity"
unit = "MWh"
co2e_kg = "400"
activity = [2025, 2025]
published_on = "2025-12"
scope = 2
purposes = ["inventory"]
gwp = "unstated"
certainty = "S"
"""
    file = tmp_path / "own.toml"
    file.write_text(row + 'source = "a contract"\n', encoding="utf-8")
    words = ("--commodity", "electricity", "--amount", "400 MWh", "--year", "2025", "--factors", str(file))
    assert compute("emissions", *words)["t_co2e"] == 160
    file.write_text(row, encoding="utf-8")
    code, out, err = run("emissions", "compute", *words)
    assert (code, out) == (1, "")
    assert "factor own: lacks source" in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--amount 1kWh --year 2024", 1, "--year: no factor of electricity describes the activity of 2024"),
        ("--amount 1kWh", 2, "--year: the factors of electricity are of certain years"),
        ("--amount 1m3 --year 2023", 2, "--amount: m3 does not measure electricity"),
        ("--amount 1 --year 2023", 2, "--amount: '1' has no unit"),
        ("--amount 1mwh --year 2023", 2, "Did you mean mWh or MWh?"),
        ("--amount 1,000kWh --year 2023", 2, "is no amount"),
        ("--amount -1kWh --year 2023", 2, "--amount: '-1kWh' is below zero"),
        ("--amount 1e30kWh --year 2023", 2, "beyond what any city uses"),
        ("--amount 1kWh --year 2023 --basis medium", 2, "--basis: there is no 'medium'"),
        ("--amount 1kWh --year 2023 --basis net --calorific 38", 2, "has no calorific value"),
        ("--amount 1kWh --year 2023 --calorific 38", 2, "either gross or net"),
        ("--amount 1kWh --year 2023 --basis net --calorific 38GJ/m3", 2, "is no calorific value"),
        ("--amount 1kWh --year 2023 --gwp AR6", 2, "AR6_fossil, AR6_nonfossil"),
        ("--amount 1kWh --year 2023 --known-on soon", 1, "--known-on"),
        ("--amount 1kWh --year 2023 --factor none", 2, "unknown factor none"),
    ],
)
def test_what_cannot_be_computed_is_one_line_with_its_place(run: Run, words: str, code: int, said: str) -> None:
    found, out, err = run("emissions", "compute", "--commodity", "electricity", *words.split())
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert said in err


def test_the_program_itself(quintet: Any, tmp_path: Path) -> None:
    words = ("emissions", "compute", "--commodity", "electricity", "--amount", "400 MWh", "--year")
    done = quintet(*words, "2023", "--format", "json", cwd=tmp_path)
    assert (done.returncode, done.stderr, json.loads(done.stdout)["kg_co2e"]) == (0, "", 166_920)
    for year, code, said in (("2024", 1, "2020-2022"), ("now", 2, "--year")):
        done = quintet(*words, year, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
        assert said in done.stderr


def test_every_definition_that_the_input_allows(compute: Compute) -> None:
    found = compute("selfsufficiency", "--load", "2,2", "--own", "1,3", "--grid-share", "0.4,0.4")
    assert (found["cfe_hourly"], found["interval_autarky"]) == (Decimal("0.85"), Decimal("0.75"))
    assert found["definitions"]["cfe_hourly"]["exact"] == "17/20"
    assert set(found["definitions"]) == {*definitions(), *totals()} <= set(found)
    assert (found["zeb_primary"], found["final_energy"]) == (None, None)
    assert set(found["needs"]) == {"zeb_primary", "final_energy"}
    assert any("renewable" in one for one in found["assumed"])


def test_self_consumption_stands_for_export(compute: Compute) -> None:
    words = ("selfsufficiency", "--load", "6000", "--own", "5400", "--interval", "year")
    by_kept, by_export = compute(*words, "--self-consumed", "3000"), compute(*words, "--export", "2400")
    assert by_kept == by_export
    assert (by_kept["interval_autarky"], by_kept["cfe_hourly"]) == (Decimal("0.5"), None)
    bare = compute(*words)
    assert (bare["interval_autarky"], bare["energy_offset"]) == (None, Decimal("0.9"))


def test_totals_of_all_carriers(compute: Compute) -> None:
    zeb = ("selfsufficiency", "--demand", "electricity=50,fuel=36 MJ", "--produced")
    found = compute(*zeb, "electricity=21", "--produced-use", "electricity=1")
    assert found["zeb_primary"] == round(Decimal(55) / Decimal("203.5"), 12)
    assert found["zeb_grade"] == 5
    assert set(definitions()) <= set(found["needs"])
    pump = compute(*zeb, "district_heat=30", "--produced-use", "electricity=10")
    assert pump["zeb_primary"] == round(Decimal("14.56") / Decimal("163.06"), 12), "20 kWh of heat were won"
    direct = compute("selfsufficiency", "--demand-primary", "50", "--produced-primary", "50")
    assert (direct["zeb_primary"], direct["zeb_grade"]) == (Decimal("0.5"), 4)
    final = compute("selfsufficiency", "--final-renewable", "11", "--final-use", "50, 418.68 GJ, 40 toe")
    assert final["final_energy"] == Decimal("0.11")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "nothing was stated"),
        ("--load 1,,1 --own 1,1,1", "--load, place 2: is missing, and missing is not zero"),
        ("--load 1,1 --own 1,nan", "--own, place 2: is missing"),
        ("--load 1,1, --own 1,1,1", "--load, place 3: is missing"),
        ("--load 1,1 --own 1", "--own: the series differ in length"),
        ("--load 1,1 --own 1,-1", "--own, place 2: -1 is below zero"),
        ("--load 1,a --own 1,1", "'a' is no number"),
        ("--load 1 --own 2 --self-consumed 3", "--self-consumed, place 1"),
        ("--load 1 --own 2 --self-consumed 1,1", "differs from --own or --load in length"),
        ("--load 1 --own 2 --self-consumed 1 --export 2", "is not --own less --export"),
        ("--load 1 --self-consumed 1", "goes with --own"),
        ("--load 1 --own 1 --unit m3", "--unit: there is no unit 'm3' of energy"),
        ("--demand electricity --produced electricity=1", "--demand: 'electricity' is no energy of a carrier"),
        ("--demand electricity=1m3 --produced electricity=1", "--demand, electricity: m3 is no unit of energy"),
        ("--demand fuel=1 --demand-primary 1 --produced fuel=1", "is stated twice"),
        ("--demand fuel=1 --produced fuel=1 --produced-use fuel=2", "larger than what is produced"),
        ("--demand fuel=1 --produced-primary 1 --produced-use fuel=1", "--produced-primary is net of it"),
        (
            "--demand fuel=9 --produced electricity=5,district_heat=5 --produced-use fuel=1",
            "which of electricity, district",
        ),
    ],
)
def test_a_wrong_series_is_refused_with_its_place(run: Run, words: str, said: str) -> None:
    code, out, err = run("selfsufficiency", "compute", *words.split())
    assert (code, out) == (2, "")
    assert said in err


def test_what_does_not_close_is_said_beside_the_table(run: Run) -> None:
    words = ("--load", "2,2", "--own", "1,3", "--import", "2,0", "--export", "0,1")
    code, out, err = run("selfsufficiency", "compute", *words)
    assert (code, "interval_autarky" in out, "closure error 1 kWh" in err) == (0, True, True)


def test_tables_and_csv_say_the_source_beside_the_numbers(run: Run) -> None:
    code, out, err = run("emissions", "compute", *POWER[1:], "400 MWh")
    assert (code, "166,920" in out, "source: Korea" in err, "2025-12-17" in err) == (0, True, True, True)
    code, out, _ = run("selfsufficiency", "compute", "--load", "2,2", "--own", "1,3", "--format", "csv")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(out))}
    assert (code, rows["interval_autarky"]["value"], rows["zeb_primary"]["value"]) == (0, "0.75", "")


def test_the_commands_over_a_city_stand_beside_them(run: Run) -> None:
    for command in ("emissions", "selfsufficiency"):
        code, _, err = run(command, "--from", "2025", "--to", "2026")
        assert (code, "no city was named" in err) == (2, True)


def test_amounts_are_read_exactly() -> None:
    for text in ("400 MWh", "400MWh", " 400.0  MWh ", "4e2 MWh"):
        assert read_amount(text, "--amount") == (400, "MWh")
    for text in ("MWh", "", "4 0 MWh", "4 MWh x", "4 2MWh"):
        with pytest.raises(UsageError):
            read_amount(text, "--amount")


def test_names_are_understood_in_both_languages_and_heating_values_by_their_other_words(compute: Compute) -> None:
    gas = ("--amount", "1 TJ", "--use", "residential")
    net = compute("emissions", "--commodity", "gas", *gas, "--basis", "net")
    for name, basis in (("가스", "LHV"), ("Gas", "순발열량"), ("gas", "NET")):
        assert compute("emissions", "--commodity", name, *gas, "--basis", basis) == net
    assert compute("emissions", "--commodity", "가스", *gas[:2], "--use", "가정", "--basis", "총발열량")["scope"] == 1
    heat = ("--amount", "25 Gcal", "--year", "2021")
    daegu = compute("emissions", "--commodity", "heat", *heat, "--branch", "Daegu")
    for name, branch in (("난방", "대구지사"), ("heating", "Daegu branch")):
        assert compute("emissions", "--commodity", name, *heat, "--branch", branch) == daegu


def test_one_grid_share_holds_everywhere_and_may_be_per_cent(compute: Compute, run: Run) -> None:
    series = ("selfsufficiency", "--load", "2,2", "--own", "1,3", "--grid-share")
    for share in ("0.4", "40%", "40 %,40 %", "[0.4,0.4]"):
        assert compute(*series, share)["cfe_hourly"] == Decimal("0.85")
    for share, words in (("40%,0.4", "mixes per cent"), ("0.4,0.4,0.4", "differ in length"), ("140%", "above 1")):
        code, _, err = run(series[0], "compute", *series[1:], share)
        assert (code, words in err) == (2, True)
