"""`quintet vee try` and `quintet vee rules` as others script against them, and the published cases exactly."""

import csv
import io
import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from quintet.app.city import City
from quintet.app.try_input import cadence_of, decimal_of, length_us, numbers_of
from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput, UsageError

Run = Callable[..., tuple[int, str, str]]
Try = Callable[..., dict[str, Any]]
DAY = ",".join(["5"] * 24)


@pytest.fixture
def tried(run: Run) -> Try:
    """Run `vee try` and read what it prints."""

    def tried(*words: str) -> dict[str, Any]:
        code, out, err = run("vee", "try", *words, "--format", "json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return tried


def test_the_published_cases(tried: Try, shared: Path) -> None:
    read = json.loads((shared / "vectors" / "vee" / "cases.json").read_text(encoding="utf-8"))
    cases = {case["id"]: case for case in read}
    for name in ("VEE-SPIKE-1", "VEE-SPIKE-2"):
        case = cases[name]
        found = tried("--rule", "V07", "--interval", "60min", "--values", ",".join(map(str, case["day"])))
        want = [case["expect"], case["P1"], case["P3"], case["ratio"], case["threshold"]]
        assert [found[key] for key in ("verdict", "p1", "p3", "ratio", "threshold")] == want
    case = cases["VEE-SUM-1"]
    values = ",".join(map(str, case["intervals_kwh"]))
    register = f"{case['reg_start']},{case['reg_end']}"
    found = tried("--rule", "V06", "--values", values, "--register", register, "--multiplier", str(case["multiplier"]))
    want = [case["expect"], case["interval_total"], case["register_total"], case["delta"], 2 * case["multiplier"]]
    assert [found[key] for key in ("verdict", "interval_total", "register_total", "delta", "tolerance")] == want
    case = cases["VEE-LIN-PUB"]
    values = ",".join("" if value is None else str(value) for value in case["series"])
    assert tried("--estimate", "linear", "--values", values)["values"] == case["expect"]


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("V01 --offset 3min --interval 15min", "pass"),
        ("V01 --offset -200s --interval 15min", "flag"),
        ("V01 --offset 0:15:00 --interval 15min", "fail"),
        ("V03 --start 2025-03-30 --tz Europe/London --values " + ",".join(["1"] * 23), "pass"),
        ("V03 --start 2025-10-26 --tz Europe/London --values " + ",".join(["1"] * 24), "fail"),
        ("V04 --start 2025-03-30 --tz Europe/London --values " + ",".join(["1"] * 24), "fail"),
        ("V03 --interval 1day --days 2 --values 5,", "fail"),
        ("V05 --flags low_battery", "pass"),
        ("V05 --values 1,2 --flags 1:memory_error", "fail"),
        ("V06 --values 10,10 --interval-multiplier 12 --register 1000,1008 --multiplier 40", "pass"),
        ("V06 --values 240 --register 1000,1008.000001 --multiplier 40", "fail"),
        ("V06 --values 240,,0 --register 1000,1008 --multiplier 40", "skip"),
        ("V07 --values 0.499999,0.1,0.1", "skip"),
        ("V07 --values 0.5,0.1,0.1", "fail"),
        ("V07 --values 9,0,0", "skip"),
        ("V07 --commodity water --values 0.9,0.1,0.1", "skip"),
        ("V08 --interval 1day --values 21 --before 10 --year-before 10", "fail"),
        ("V08 --values 1,1 --before 48 --year-before 48", "pass"),
        ("V08 --interval 1day --values 21 --before 10", "skip"),
        ("V09 --values 1,5 --before 2 --year-before 2.4", "fail"),
        ("V10 --interval 6h --values 0,0,0,0", "fail"),
        ("V10 --interval 6h --values 0,0,0,0.000001", "pass"),
        ("V11 --values 0,0.000001", "fail"),
        ("V12 --values -1,2", "fail"),
        ("V12 --commodity water --values 0,2", "pass"),
        ("V12 --register 99990,10 --dials 5", "pass"),
        ("V12 --register 90000,10 --dials 5", "fail"),
        ("V12 --register 99990,10 --dials 5 --plate-max 19", "fail"),
        ("V12 --register 500,400", "fail"),
        ("V13 --values 0.3 --reactive 0", "pass"),
        ("V13 --values 0.300001 --reactive 0", "fail"),
        ("V14 --values 0.2,20.2", "pass"),
        ("V14 --values 0.2,20.200001", "fail"),
        ("V15 --register 1000,1010,1120", "pass"),
        ("V15 --register 1000,1010,1120.1", "fail"),
        ("V16 --values -5 --plate-max 20 --interval 15min", "pass"),
        ("V16 --values 5.000001 --plate-max 20 --interval 15min", "fail"),
        ("V17 --values 101.5 --check 100 --class 1%", "pass"),
        ("V17 --values 100.750001 --check 100 --class 0.5", "fail"),
        (f"V18 --values {DAY}", "fail"),
        (f"V18 --values {DAY[2:]}", "pass"),
        ("V19 --values 5,5.0", "pass"),
        ("V19 --values 5,6", "flag"),
        ("V20 --days 7", "pass"),
        ("V20 --days 7.01", "fail"),
        ("V20 --days 6.99", "pass"),
        ("V20 --interval 1day --values 1,,,,,,,,,2", "fail"),
        (f"W01 --values {DAY}", "flag"),
        ("W01 --interval 15min --values " + ",".join(["0.001"] * 288), "fail"),
        ("W01 --values 1,1,1", "skip"),
        ("H01 --interval 1day --values 100 --volume 9 --delta-t 10", "pass"),
        ("H01 --interval 1day --values 100 --volume 9.1 --delta-t 10", "fail"),
        ("H01 --interval 1day --values 100 --volume 90 --delta-t 2.999", "skip"),
        ("G01 --values 101 --volume 100 --pressure 101.325 --temperature 0C", "pass"),
        ("G01 --values 100 --recorded 101.000001 --pressure 101.325 --temperature 273.15", "fail"),
        ("G01 --values 100 --pressure 105 --temperature 15", "skip"),
        ("rollback --register 100,110,50,60,70,80,90", "fail"),
        ("momentary_zero --register 100,110,120,130", "pass"),
    ],
)
def test_each_rule_tried(tried: Try, words: str, verdict: str) -> None:
    code, *rest = words.split(" ")
    found = tried("--rule", code, *rest)
    assert (found["rule"], found["verdict"]) == (code, verdict)
    assert bool(found["at"]) == (verdict in ("fail", "flag"))


def test_figures_are_exact_and_named_after_the_formula(tried: Try) -> None:
    gas = ("--pressure", "105", "--temperature", "15C", "--compressibility", "0.998")
    found = tried("--rule", "g01", "--values", "100", *gas)
    want = 100 * Fraction(105) / Fraction("101.325") * Fraction("273.15") / Fraction("288.15") / Fraction("0.998")
    assert found["vn"] == float(round(want, 12))
    roll = tried("--rule", "V12", "--register", "99990,10", "--dials", "5")
    assert (roll["rollover"], roll["use"], roll["d"]) == (True, 20, -99980)
    beyond = tried("--rule", "V16", "--values", "1,-20,3", "--plate-max", "10")
    assert (beyond["largest"], beyond["at"]) == (-20, [1])
    leak = tried("--rule", "W01", "--values", ",".join(["0.003"] * 30))
    assert (leak["smallest_hourly_flow"], leak["hours_without_zero"], leak["unit"]) == (0.003, 30, "m3")


def test_spaces_empty_places_and_a_last_comma_are_understood(tried: Try) -> None:
    found = tried("--rule", "V07", "--interval", "1h", "--values", " 9, 1 ,, 1 , 1, ")
    assert (found["p1"], found["p3"], found["at"]) == (9, 1, [0])
    assert numbers_of("[1, null, 2]", "x") == [1, None, 2]
    assert numbers_of("1 2 3", "x") == [1, 2, 3]
    assert len(numbers_of("1,,", "x")) == 3
    assert len(numbers_of("1,2,", "x", strict_end=True)) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rule", "V99", "--values", "1"), "there is no rule V99. Rules are V01,"),
        (
            ("--rule", "V02", "--values", "1"),
            "there is no rule V02: the list that these rules follow goes from V01 (clock) to V03",
        ),
        (("--rule", "V07", "--values", "1,x"), "--values, place 2: 'x' is no number."),
        (("--rule", "V07", "--values", "1,1e400"), "place 2: '1e400' is beyond what any meter shows"),
        (("--rule", "V07", "--values", "1e60"), "place 1: 1E+60 kWh is beyond what any meter shows."),
        (("--rule", "V07", "--values", "1", "--interval", "7min"), "'7min' does not divide a day."),
        (("--rule", "V07", "--values", "1", "--interval", "soon"), "'soon' is no length of time."),
        (("--rule", "V07"), "V07 needs --values."),
        (("--rule", "V07", "--values", "1,-inf"), "place 2: '-inf' is endless: no meter shows it."),
        (("--rule", "V07", "--values", ""), "--values: holds no number."),
        (("--rule", "V07", "--values", "1", "--interval", "0"), "--interval: '0' does not divide a day."),
        (("--rule", "V07", "--values", "1", "--interval", "-1h"), "--interval: '-1h' does not divide a day."),
        (("--rule", "V07", "--values", "1", "--start", "soon"), "--start: 'soon' is no moment."),
        (("--rule", "V07", "--values", "1", "--tz", "Mars/Base"), "--tz: unknown time zone"),
        (("--rule", "V07", "--values", "1", "--role", "cook"), "--role: there is no role 'cook'."),
        (("--rule", "V07", "--values", "1", "--commodity", "water", "--unit", "kWh"), "water is not metered in kWh."),
        (("--rule", "V07", "--values", "1", "--history", "1"), "--history: V07 does not look back."),
        (("--rule", "V06", "--values", "1", "--register", "1,2", "--multiplier", "0"), "--multiplier: 0 must be"),
        (("--rule", "V06", "--values", "1", "--register", "1,2", "--interval-multiplier", "-1"), "must be above zero"),
        (("--rule", "V12", "--register", "1,2", "--dials", "0"), "--dials: 0 is no number of dials."),
        (("--rule", "V12", "--register", "1,2", "--dials", "-3"), "--dials: -3 is no number of dials."),
        (
            ("--rule", "V06", "--values", "1", "--register", "1,2", "--dials", "40"),
            "--dials: 40 is no number of dials.",
        ),
        (("--rule", "V12", "--register", "1,1000", "--dials", "3"), "place 2: a register of 3 dials cannot show 1000."),
        (("--rule", "V16", "--values", "1", "--plate-max", "0"), "--plate-max: 0 must be above zero."),
        (("--rule", "V17", "--values", "1", "--check", "1", "--class", "-1"), "--class: -1 must be above zero."),
        (("--rule", "V17", "--values", "1", "--check", "1", "--class", "101"), "--class: '101' is no accuracy class."),
        (("--rule", "V20", "--days", "-1"), "--days: -1 must be above zero."),
        (("--rule", "V20", "--days", "7.0001"), "7.0001 days are no whole number of intervals"),
        (("--rule", "V03", "--values", "1", "--days", "0.5"), "--days: is no number of whole days."),
        (("--rule", "G01", "--values", "1", "--pressure", "-5", "--temperature", "15"), "--pressure: -5 must be above"),
        (
            ("--rule", "G01", "--values", "1", "--pressure", "9", "--temperature", "-274C"),
            "--temperature, place 1: -274C",
        ),
        (
            ("--rule", "G01", "--values", "1", "--pressure", "9", "--temperature", "15", "--compressibility", "0"),
            "--compressibility: 0 must be above zero.",
        ),
        (("--estimate", "linear", "--values", "1,,2", "--total", "nan"), "--total: 'nan' is not one number."),
        (("--estimate", "linear", "--values", "1,,inf"), "--values, place 3: 'inf' is endless"),
        (("--estimate", "linear", "--values", "1,,2", "--tz", "Mars/Base"), "--tz: unknown time zone"),
        (("--estimate", "linear", "--values", "1,,2", "--interval", "0"), "--interval: '0' does not divide a day."),
        (("--estimate", "guesswork", "--values", "1,,2"), "--estimate: 'guesswork' is no estimator. Known: "),
        (("--rule", "V17", "--values", "1,2", "--check", "1,2,3"), "--check: holds 3 numbers for 2 values."),
        (("--rule", "V07", "--values", "1", "--commodity", "tea"), "there is no commodity 'tea'."),
        (("--rule", "V07", "--values", "1", "--unit", "kW"), "'kW' is no unit of an amount."),
        (("--rule", "V05", "--flags", "9:overflow"), "there is no place 9."),
        (("--rule", "V07", "--values", "1", "--file", "x.csv"), "--values and --file both give values."),
        (("--rule", "V07", "--file", "x.csv"), "--file x.csv: cannot be read"),
        (("--rule", "V07", "--values", "1", "--plate-max", "9"), "V07 does not read --plate-max."),
        (("--rule", "V15", "--register", "1,2,3", "--values", "1"), "V15 does not read --values."),
        (("--rule", "V16", "--values", "1", "--class", "1", "--days", "2"), "V16 does not read --class, --days."),
        (("--rule", "V07", "--values", "1", "--total", "9"), "V07 does not read --total."),
        (("--estimate", "flat", "--values", "1,,2", "--history", "1"), "flat does not read --history."),
        (("--estimate", "flat", "--values", "1,,2", "--city", "."), "flat does not read --city."),
        (("--estimate", "flat", "--values", "1,,2", "--role", "cook"), "--role: there is no role 'cook'."),
        (("--values", "1"), "needs either --rule or --estimate."),
        (("--rule", "V07", "--estimate", "linear", "--values", "1"), "needs either --rule or --estimate."),
    ],
)
def test_a_slip_is_named_and_its_remedy(run: Run, words: tuple[str, ...], said: str) -> None:
    code, out, err = run("vee", "try", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("15min", 15), ("15", 15), ("1h", 60), ("1 hour", 60), ("1day", 1440), ("hour", 60), ("900s", 15), ("PT15M", 15)],
)
def test_lengths(text: str, minutes: int) -> None:
    assert cadence_of(text) == minutes * 60_000_000


def test_signs_and_decimals() -> None:
    assert length_us("-4min", "x") == -240_000_000
    assert length_us("0.5min", "x") == 30_000_000
    assert [str(decimal_of(Fraction(text))) for text in ("2.6", "-1/3", "0", "1000", "-0.5")] == [
        "2.6", "-0.333333333333", "0", "1000", "-0.5",
    ]  # fmt: skip
    with pytest.raises(UsageError, match="does not divide"):
        cadence_of("-15min")


def test_the_rules_in_force_with_the_source_of_each_threshold(run: Run) -> None:
    code, out, _ = run("vee", "rules", "--format", "json")
    document = json.loads(out)
    by_id = {rule["rule"]: rule for rule in document["rules"]}
    assert (code, document["city"]) == (0, None)
    assert {f"V{n:02d}" for n in (1, *range(5, 12), *range(13, 19), 20)} | {"W01", "H01", "G01"} <= by_id.keys()
    assert {one["value"] for one in by_id["V07"]["thresholds"]} == {"1.8", "0.5", "1"}
    assert all(one["source"] and one["date"] for rule in by_id.values() for one in rule["thresholds"])
    assert (by_id["V07"]["reach"], by_id["V08"]["reach"], by_id["V03_gap"]["reach"]) == ("day", "period", "upstream")
    rows = list(csv.DictReader(io.StringIO(run("vee", "rules", "--format", "csv")[1])))
    assert {row["name_ko"] for row in rows if row["rule"] == "V18"} == {"고정값"}
    assert "heat balance" in run("vee", "rules")[1]


def test_the_thresholds_of_what_is_found_upstream_are_shown_too(run: Run) -> None:
    document = json.loads(run("vee", "rules", "--format", "json")[1])
    by_id = {rule["rule"]: rule for rule in document["rules"]}
    shown = {one["threshold"]: one for rule in by_id.values() for one in rule["thresholds"]}
    limits = read_toml("quintet.pipeline", "derive.toml")["limit"]
    assert {name: (str(row["value"]), row["unit"]) for name, row in limits.items()} == {
        name: (shown[name]["value"], shown[name]["unit"]) for name in limits
    }
    assert {one["threshold"] for one in by_id["V12_rollover"]["thresholds"]} == {
        "rollover_from_percent",
        "rollover_share_percent",
    }
    assert {row["rule"] for row in limits.values()} <= by_id.keys()
    assert {one["of"] for one in document["beside"]} == {"outages", "inference"}
    assert all(one["source"] and one["date"] and one["set_by"] == "quintet" for one in document["beside"])
    assert document["absent"].keys() == {"V02"}
    printed = run("vee", "rules", "--format", "csv")[1]
    assert "rollover_from_percent,90" in printed
    assert "cold_below,15" in printed


OWN = """
[rule.V18]
severity = "reject"
[[rule.V18.parameter]]
name = "times"
value = "12"
unit = "times"
source = "the city's own"
date = 2026-01-01
[[rule.V01.parameter]]
name = "intervals"
value = "2"
unit = "times"
source = "the city's own"
date = 2026-01-01
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a city whose settings change two rules."""
    City.create(tmp_path / "city").close()
    settings = tmp_path / "city" / "city.toml"
    settings.write_text(settings.read_text() + OWN)
    return tmp_path / "city"


def test_a_citys_own_rules_are_in_force_and_shown(run: Run, tried: Try, folder: Path) -> None:
    document = json.loads(run("vee", "rules", "--city", str(folder), "--format", "json")[1])
    stuck = next(rule for rule in document["rules"] if rule["rule"] == "V18")
    assert (stuck["severity"], stuck["thresholds"][-1]["source"]) == ("reject", "the city's own")
    assert stuck["changed_by_city"] == ["severity", "thresholds"]
    assert [(one["value"], one["set_by"], one["in_force"]) for one in stuck["thresholds"]] == [
        ("24", "quintet", False),
        ("12", "city", True),
    ]
    assert [rule["rule"] for rule in document["rules"] if rule["changed_by_city"]] == ["V01", "V18"]
    half = ("--rule", "V18", "--values", ",".join(["5"] * 12))
    assert (tried(*half)["verdict"], tried(*half, "--city", str(folder))["verdict"]) == ("pass", "fail")
    shipped = City.create(folder.parent / "other")
    shipped.close()
    city = City.open(folder)
    try:
        assert city.rules["V18"].severity == "reject"
        assert city.rules.fingerprint == document["rule_set"]
        assert city.rule_set != shipped.rule_set
    finally:
        city.close()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('source = "the city\'s own"\n', "", "lacks source"),
        ('source = "the city\'s own"', 'source = ""', "has no source or no date"),
        ("[rule.V18]", "[rule.V18]\ncolour = 1", "holds unknown colour"),
        ("[rule.V18]", "[rule.V77]\n[rule.V18]", "rule V77: is no rule"),
        ('value = "12"', "value = 12", "rule V18, parameter times: 12 is no threshold"),
        ('value = "12"', "value = 12.5", "rule V18, parameter times: 12.5 is no threshold"),
        ('value = "12"', 'value = "-12"', "rule V18, parameter times: '-12' is no threshold"),
        ('value = "12"', 'value = "nan"', "rule V18, parameter times: 'nan' is no threshold"),
        ('value = "12"', 'value = "1e99999999"', "rule V18, parameter times: '1e99999999' is no threshold"),
        ('severity = "reject"', "severity = 3", "rule V18: 3 is no severity"),
        ("[[rule.V18.parameter]]", "[rule.V18.parameter]", "rule V18: parameter is no list of rows"),
    ],
)
def test_a_half_described_rule_refuses_to_start_and_says_which(
    run: Run, folder: Path, old: str, new: str, said: str
) -> None:
    settings = folder / "city.toml"
    settings.write_text(settings.read_text().replace(old, new, 1))
    for words in (["vee", "rules"], ["meters", "list"]):
        code, out, err = run(*words, "--city", str(folder))
        assert (code, out) == (1, "")
        assert said in err
        assert "city.toml, rule V" in err
    with pytest.raises(BadInput, match=re.escape(said)):
        City.open(folder)


@pytest.mark.parametrize("own", ["[rule.V18]\n[rule.V18]\n", "[rule.V18\n", "rule = 3\n", "[rule]\nV18 = 3\n"])
def test_a_file_that_cannot_be_read_or_says_a_rule_twice_refuses_to_start(run: Run, folder: Path, own: str) -> None:
    settings = folder / "city.toml"
    settings.write_text(settings.read_text().replace(OWN, "") + own if own != "rule = 3\n" else own + "\n")
    code, out, err = run("vee", "rules", "--city", str(folder))
    assert (code, out) == (1, "")
    assert "city.toml" in err
    assert any(said in err for said in ("is no valid TOML", "is no table"))


def test_a_misspelt_table_of_rules_is_not_passed_over(run: Run, folder: Path) -> None:
    settings = folder / "city.toml"
    settings.write_text(settings.read_text() + '[rules.V07]\nseverity = "reject"\n')
    for words in (["vee", "rules"], ["vee", "try", "--rule", "V18", "--values", DAY]):
        code, out, err = run(*words, "--city", str(folder))
        assert (code, out) == (1, "")
        assert "city.toml: holds a table [rules] that nothing reads. A rule is changed in [rule.V07]" in err


def test_tables_that_others_read_are_no_hindrance(run: Run, folder: Path) -> None:
    settings = folder / "city.toml"
    settings.write_text(
        settings.read_text()
        + '[bills]\nprovisional = true\n[[billing]]\nplace = "city"\ncommodity = "gas"\nsource = "a contract"\n'
        + "[[target]]\nyear = 2026\n[factor.own]\n"
    )
    code, _, err = run("vee", "rules", "--city", str(folder))
    assert code == 0, err


def test_the_example_of_the_manual_is_taken_as_it_stands(run: Run, folder: Path) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "vee.md").read_text(encoding="utf-8")
    settings = folder / "city.toml"
    settings.write_text(settings.read_text() + manual.split("```toml")[1].split("```")[0])
    document = json.loads(run("vee", "rules", "--city", str(folder), "--format", "json")[1])
    spike = next(rule for rule in document["rules"] if rule["rule"] == "V07")
    assert (spike["severity"], spike["changed_by_city"]) == ("note", ["severity", "thresholds"])
    assert spike["thresholds"][-1]["value"] == "2.5"
