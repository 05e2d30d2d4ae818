"""The published and derived cases beside the checkout must hold exactly."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from quintet.terms.catalogue import read_toml
from quintet.terms.period import day_number, day_of_number
from quintet.vee import Block, Gaps, Traits, estimate, find_gaps, rules, validate
from quintet.vee.alike import WEEKDAYS, like_days_from

Make = Callable[..., Block]
KWH = 1_000_000


@pytest.fixture(scope="module")
def cases(shared: Path) -> dict[str, Any]:
    read = json.loads((shared / "vectors" / "vee" / "cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in read}


def scaled(number: float | None) -> int | None:
    """Give a vector's number as sub-units (kWh to mWh), exactly."""
    return None if number is None else int(Fraction(str(number)) * KWH)


def test_the_published_straight_line(cases: dict[str, Any], make_block: Make) -> None:
    case = cases["VEE-LIN-PUB"]
    block = make_block([case["series"]], cadence_min=case["interval_min"])
    value, _ = estimate(block, find_gaps(block))
    assert value.tolist() == [case["expect"]]


@pytest.mark.parametrize("case_id", ["VEE-SPIKE-1", "VEE-SPIKE-2"])
def test_spikes(cases: dict[str, Any], make_block: Make, make_traits: Callable[..., Traits], case_id: str) -> None:
    case = cases[case_id]
    day = [scaled(value) for value in case["day"]]
    block = make_block([[*day, *[0] * (24 - len(day))]])
    _, findings = validate(block, make_traits(1), rules())
    failed = [day[column] for column in findings.column_first]
    assert failed == ([scaled(case["P1"])] if case["expect"] == "fail" else [])
    assert str(case["threshold"]) == "1.8"


def test_like_days_scaled_to_the_register(
    cases: dict[str, Any], make_block: Make, make_gaps: Callable[..., Gaps]
) -> None:
    case = cases["VEE-LIKEDAY-1"]
    other = [9, 9, 9, 9]
    days = [*case["refs"], other, other, other, other, [None] * 4]  # Tuesday .. Thursday, then the next Tuesday
    block = make_block([[v for day in days for v in day]], cadence_min=360, start="2025-03-04T00:00:00+09:00")
    value, _ = estimate(block, make_gaps((0, 28, 4, case["register_delta"])))
    assert value[0, 28:].tolist() == case["expect"]
    mean, _ = estimate(block, make_gaps((0, 28, 4, None)))
    assert mean[0, 28:].tolist() == case["mean"]


def test_the_published_like_day_table_loads_and_names_its_days(cases: dict[str, Any]) -> None:
    lookup = {kind.lower(): listed for kind, listed in cases["VEE-LIKEDAY-TABLE"]["lookup"].items()}
    alike = like_days_from({**read_toml("quintet.vee", "like_days.toml"), "alike": lookup})
    wednesday = date(2025, 3, 5)
    for kind, listed in lookup.items():
        day = wednesday if kind == "hol" else wednesday + timedelta(days=(WEEKDAYS.index(kind) - 3) % 7)
        table = alike.with_holidays({wednesday} if kind == "hol" else set())
        found = [day_of_number(number) for number in table.candidates(day_number(day), day_number(day))]
        sunday = day - timedelta(days=(day.weekday() + 1) % 7)
        weeks = [(sunday - (one - timedelta(days=(one.weekday() + 1) % 7))).days // 7 for one in found]
        named = [f"{WEEKDAYS[(one.weekday() + 1) % 7]}-{week}w" for one, week in zip(found, weeks, strict=True)]
        assert named == [entry.lower() for entry in listed]
