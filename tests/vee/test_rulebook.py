"""The table of rules: what ships is whole, and what is half-described does not load."""

import copy
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from quintet.terms.errors import BadInput
from quintet.terms.unit import units
from quintet.vee import rules
from quintet.vee.checks import CHECKS
from quintet.vee.period_checks import PERIOD
from quintet.vee.rule_bounds import refuse_twice
from quintet.vee.rulebook import SEVERITIES, Kind, rules_from, shipped

HOUSE = Kind("electricity", "consumption", "energy", "interval_sum")
TAP = Kind("water", "consumption", "volume", "register_cumulative")


def changed(code: str, **keys: Any) -> dict[str, Any]:
    """Give the shipped rows with one row's keys replaced; None removes a key."""
    rows = copy.deepcopy(dict(shipped()))
    row = {**rows[code], **keys}
    rows[code] = {key: value for key, value in row.items() if value is not None}
    return rows


def threshold(**keys: Any) -> list[dict[str, Any]]:
    """Give V18's parameter rows with keys replaced; None removes a key."""
    row = {**shipped()["V18"]["parameter"][0], **keys}
    return [{key: value for key, value in row.items() if value is not None}]


@pytest.mark.parametrize("code", list(shipped()))
def test_every_row_is_complete_in_both_languages(code: str) -> None:
    rule = rules()[code]
    assert rule.severity in SEVERITIES
    assert all((rule.name_en, rule.name_ko, rule.text_en, rule.text_ko))
    assert rule.upstream == (code not in CHECKS and code not in PERIOD)
    assert rule.reach in ("upstream", "interval", "day", "run", "period")
    for parameter in rule.parameters:
        assert parameter.source
        assert parameter.date <= date(2026, 11, 23)


def test_the_defaults_are_those_of_the_field() -> None:
    spike = rules()["V07"].settings(HOUSE)
    assert spike == {"ratio": Fraction("1.8"), "floor": Fraction(500_000)}
    assert rules()["V18"].settings(TAP) == {"times": Fraction(24)}
    assert [rules()[code].severity for code in ("V07", "V16", "V18", "V10")] == ["flag", "reject", "flag", "flag"]


def test_a_floor_follows_the_quantity() -> None:
    settings = rules()["V07"].settings(TAP)
    assert settings is not None
    assert settings["floor"] == units()["m3_h"].ratio


def test_scope_is_data() -> None:
    table = rules()
    assert table["V12_negative"].settings(TAP) is not None
    assert table["V12_negative"].settings(HOUSE) is None
    assert table["V12_reverse"].settings(HOUSE._replace(role="storage")) is None
    assert table["V10"].settings(HOUSE._replace(commodity="heat")) is None


def test_a_commodity_nobody_has_heard_of_is_still_judged() -> None:
    cooling = Kind("cooling", "consumption", "energy", "interval_sum")
    assert [rule.id for _, rule, _ in rules().plan(cooling)] == ["V07", "V12_reverse", "V16", "V18"]
    assert {"V06", "V08", "V17", "V20"} <= {rule.id for _, rule, _ in rules().period_plan(cooling)}


def test_what_needs_a_period_is_never_judged_as_readings_are_committed() -> None:
    for kind in (HOUSE, TAP):
        now, later = ({rule.id for _, rule, _ in plan} for plan in (rules().plan(kind), rules().period_plan(kind)))
        assert now <= CHECKS.keys()
        assert later <= PERIOD.keys()


def test_a_row_without_function_does_not_load() -> None:
    rows = {**shipped(), "V99": {**shipped()["V03_gap"], "upstream": False}}
    with pytest.raises(BadInput, match="rule V99: has no function"):
        rules_from(rows)


def test_a_function_without_row_does_not_load() -> None:
    with pytest.raises(BadInput, match="functions V18 have no row"):
        rules_from({code: row for code, row in shipped().items() if code != "V18"})


def test_a_function_whose_row_says_upstream_does_not_load() -> None:
    with pytest.raises(BadInput, match="marked upstream"):
        rules_from(changed("V16", upstream=True))


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ({"severity": "fatal"}, "is no severity"),
        ({"colour": "red"}, "unknown colour"),
        ({"name_ko": None}, "lacks name_ko"),
        ({"applies": {"role": ["consumption"]}}, "unknown role"),
        ({"applies": {"roles": ["consumer"]}}, "consumer is none of the roles"),
        ({"applies": {"quantities": ["power"]}}, "power is none of the quantities"),
        ({"parameter": None}, "has no times for"),
        ({"parameter": threshold(name="count")}, "does not read count"),
        ({"parameter": threshold(unit="1")}, "does not read times in that form"),
        ({"parameter": threshold(source=None)}, "lacks source"),
        ({"parameter": threshold(source=" ")}, "no source or no date"),
        ({"parameter": threshold(date="2026")}, "no source or no date"),
        ({"parameter": threshold(value=24.0)}, "is no threshold"),
        ({"parameter": threshold(value="many")}, "is no threshold"),
        ({"parameter": threshold(value="NaN")}, "is no threshold"),
        ({"parameter": threshold(value="-1")}, "is no threshold"),
        ({"parameter": threshold(value="2.5")}, "whole number"),
        ({"parameter": threshold(value="0")}, "whole number"),
        ({"parameter": threshold(unit="dozen")}, "unknown unit dozen"),
        ({"parameter": threshold(unit="1", value="1.0000001")}, "too many digits"),
        ({"parameter": threshold(roles=["consumption"])}, "has no times for"),
        ({"parameter": threshold(note="x")}, "unknown note"),
        ({"parameter": threshold(value="Infinity")}, "is no threshold"),
        ({"parameter": threshold(value="1e9999999")}, "is no threshold"),
        ({"parameter": threshold(value=True)}, "is no threshold"),
        ({"parameter": threshold(source=7)}, "no source or no date"),
        ({"parameter": threshold(unit=7)}, "unit = 7 is no text"),
        ({"parameter": threshold(name="")}, "name = '' is no text"),
        ({"parameter": "times"}, "parameter is no list of rows"),
        ({"parameter": ["times"]}, "'times' is no table"),
        ({"parameter": threshold(roles="consumption")}, "is no list of words"),
        ({"applies": {"commodities": [1]}}, "is no list of words"),
        ({"applies": "gas"}, "'gas' is no table"),
        ({"upstream": "no"}, "neither true nor false"),
        ({"name_en": 5}, "name_en = 5 is no text"),
        ({"text_ko": " "}, "text_ko = ' ' is no text"),
    ],
)
def test_half_described_rows_are_refused(keys: dict[str, Any], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        rules_from(changed("V18", **keys))


@pytest.mark.parametrize(
    ("code", "keys", "match"),
    [
        ("V06", {"colour": "red"}, "rule V06: holds unknown colour"),
        ("V06", {"upstream": True}, "rule V06: has a function and is marked upstream"),
        ("V06", {"parameter": None}, "rule V06: has no tolerance"),
        ("V01", {"parameter": threshold(name="pass", unit="days")}, "rule V01: does not read pass in that form"),
        (
            "V01",
            {"parameter": threshold(name="pass", unit="min", source=None)},
            "rule V01, parameter pass: lacks source",
        ),
        ("V06", {"marks": None}, "rule V06: must say either why it marks"),
        ("V06", {"keeps": "both"}, "rule V06: must say either why it marks"),
        ("V06", {"marks": " "}, "rule V06: "),
        ("V07", {"marks": "it is judged at once"}, "rule V07: is judged as readings are committed"),
        ("V03_gap", {"keeps": "no value"}, "rule V03_gap: is judged as readings are committed"),
        ("H01", {"parameter": threshold(name="least_dt", unit="min")}, "does not read least_dt in that form"),
        ("G01", {"parameter": threshold(name="p0", unit="K")}, "does not read p0 in that form"),
    ],
)
def test_half_described_rules_of_a_period_are_refused(code: str, keys: dict[str, Any], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        rules_from(changed(code, **keys))


@pytest.mark.parametrize(
    ("code", "name", "value", "match"),
    [
        ("G01", "p0", "0", "rule G01, parameter p0: 0 must be above zero"),
        ("G01", "t0", "0", "rule G01, parameter t0: 0 must be above zero"),
        ("V13", "power_factor", "1.01", "rule V13, parameter power_factor: 1.01 is a part of a whole"),
        ("V01", "pass", "56", r"rule V01, parameter pass: pass \(56\) is above flag \(55\)"),
        ("V08", "low", "2.1", "low .* is above high"),
        ("W01", "flag_hours", "73", "flag_hours .* is above hours"),
    ],
)
def test_thresholds_that_cannot_be_reckoned_with_are_refused(code: str, name: str, value: str, match: str) -> None:
    row = next(one for one in shipped()[code]["parameter"] if one["name"] == name)
    with pytest.raises(BadInput, match=match):
        rules({code: {"parameter": [{**row, "value": value, "source": "the city's own"}]}})


def test_a_city_decides_whether_a_rule_over_a_period_marks_values() -> None:
    assert rules()["D01"].doubts
    assert not rules({"D01": {"severity": "note"}})["D01"].doubts
    kept = rules({"D01": {"keeps": "we know our people"}})["D01"]
    assert (kept.marks, kept.keeps, kept.doubts) == ("", "we know our people", False)
    leak = rules({"W01": {"marks": "we bill no leak unseen"}})["W01"]
    assert (leak.marks, leak.keeps, leak.doubts) == ("we bill no leak unseen", "", True)


def test_a_threshold_that_stands_twice_is_refused() -> None:
    row = threshold()[0]
    for more in ({}, {"value": "12"}):
        with pytest.raises(BadInput, match="rule V18, parameter times: stands twice"):
            rules({"V18": {"parameter": [row, {**row, **more}]}})
    table = rules({"V18": {"parameter": [row, {**row, "value": "12", "commodities": ["water"]}]}})
    assert table["V18"].settings(TAP) == {"times": 12}


@pytest.mark.parametrize("code", list(shipped()))
def test_no_shipped_threshold_stands_twice(code: str) -> None:
    refuse_twice(shipped()[code].get("parameter", []), f"rule {code}")


def test_a_function_of_a_period_without_row_does_not_load() -> None:
    with pytest.raises(BadInput, match="functions W01 have no row"):
        rules_from({code: row for code, row in shipped().items() if code != "W01"})


def test_a_quantity_in_scope_needs_its_own_floor() -> None:
    with pytest.raises(BadInput, match=r"has no floor for .*reactive_energy"):
        rules_from(changed("V07", applies={}))


def test_a_city_changes_severity_and_thresholds_with_a_source() -> None:
    row = {"name": "times", "value": "12", "unit": "times", "source": "city's own", "date": date(2026, 1, 1)}
    table = rules({"V18": {"severity": "reject", "parameter": [{**row, "commodities": ["water"]}]}})
    assert table["V18"].severity == "reject"
    assert table["V18"].settings(TAP) == {"times": 12}
    assert table["V18"].settings(HOUSE) == {"times": 24}
    assert rules()["V18"].severity == "flag"


def test_a_class_of_meters_has_its_own_floor() -> None:
    row = {"name": "floor", "value": "25", "unit": "kW", "source": "city's own", "date": date(2026, 1, 1)}
    table = rules({"V07": {"parameter": [{**row, "meter_classes": ["transformer"]}]}})
    large, small = (table["V07"].settings(HOUSE._replace(meter_class=name)) for name in ("transformer", ""))
    assert large is not None
    assert small is not None
    assert (large["floor"], small["floor"]) == (25_000_000, 500_000)


@pytest.mark.parametrize(
    ("overrides", "match"),
    [
        ({"V77": {"severity": "flag"}}, "rule V77: is no rule"),
        ({"V18": {"upstream": True}}, "unknown upstream"),
        ({"V18": {"parameter": [{"name": "times", "value": "12", "unit": "times"}]}}, "lacks date, source"),
    ],
)
def test_a_citys_bad_change_is_refused(overrides: dict[str, Any], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        rules(overrides)


def test_the_fingerprint_names_the_set() -> None:
    assert rules().fingerprint == rules({}).fingerprint
    assert rules().fingerprint != rules({"V18": {"severity": "note"}}).fingerprint


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(BadInput, match="unknown rule V55"):
        rules()["V55"]
    assert rules().rules[rules().index["V04_overlap"]].id == "V04_overlap"
