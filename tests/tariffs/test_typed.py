"""What people type: amounts, months, days and names in many forms; what may mean two things is refused."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.tariffs import cards
from quintet.tariffs.typed import named, typed_day, typed_fact, typed_month, typed_use
from quintet.terms.commodity import commodities
from quintet.terms.errors import UsageError


@pytest.mark.parametrize(
    ("text", "use", "unit"),
    [
        ("1 234 kWh", "1234", "kWh"), ("1\u00a0234.5 kWh", "1234.5", "kWh"), ("223 kwh", "223", "kWh"),
        ("223KWH", "223", "kWh"), ("223 ㎾h", "223", "kWh"), ("0.223 MWh", "0.223", "MWh"),
        ("２２３ kWh", "223", "kWh"),
        ("50 m³", "50", "m3"), ("50㎥", "50", "m3"), ("50 M3", "50", "m3"), ("50 톤", "50", "m3"),
        ("5e3 l", "5000", "L"),
        ("50 cubic metres", "50", "m3"), ("900 mcal", "900", "Mcal"), ("900 메가칼로리", "900", "Mcal"),
        ("4.2 gj", "4.2", "GJ"), ("1 Gcal", "1", "Gcal"), ("223 킬로와트시", "223", "kWh"),
    ],
)  # fmt: skip
def test_a_use_in_the_forms_that_people_use(text: str, use: str, unit: str) -> None:
    assert typed_use(text) == (Fraction(use), unit)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("223", "no amount with a unit"), ("5 mwh", "may be mWh or MWh"), ("12 34 kWh", "no amount with a unit"),
        ("1,5 kWh", "no number"), ("5 degC_h", "no unit of use"), ("5 kW", "no unit of use"), ("5 person_h", "Known: "),
    ],
)  # fmt: skip
def test_a_use_that_may_mean_two_things_or_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        typed_use(text)
    assert says in f"{error.value.message} {error.value.remedy}"


@pytest.mark.parametrize(
    "text", ["2025-02", "2025-2", "2025/02", "2025.2", "202502", "2025년 2월", "2025년2월", " 2025-02 ", "２０２５-02"]
)
def test_a_month(text: str) -> None:
    assert typed_month(text) == (date(2025, 2, 1), date(2025, 3, 1))


@pytest.mark.parametrize("text", ["2025", "2025-13", "20252", "2025-0", "25-02", "2025--2", "2025-2-1", "February"])
def test_no_month(text: str) -> None:
    with pytest.raises(UsageError, match="no month"):
        typed_month(text)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_a_day_in_every_form_is_the_same_day(day: date) -> None:
    year, month, of = day.year, day.month, day.day
    forms = [f"{year}-{month:02}-{of:02}", f"{year}/{month}/{of}", f"{year}.{month}.{of}", f"{year}{month:02}{of:02}"]
    assert {typed_day(text, "--from") for text in [*forms, f"{year}년 {month}월 {of}일"]} == {day}


@pytest.mark.parametrize("text", ["2025-2/3", "2025-02-30", "20250230", "2025-02", "yesterday"])
def test_no_day(text: str) -> None:
    with pytest.raises(UsageError, match="no day"):
        typed_day(text, "--from")


def test_a_fact_with_its_own_unit_or_none() -> None:
    assert typed_fact("pipe_mm", "13mm", "--pipe-mm") == typed_fact("pipe_mm", "13", "--pipe-mm") == 13
    assert typed_fact("area_m2", "84.9 ㎡", "--area-m2") == Fraction("84.9")
    assert typed_fact("base_won", "1,000원", "--base-won") == 1000
    assert typed_fact("calorific", "42.7 MJ/Nm³", "--calorific") == Fraction("42.7")
    for name, text, says in (
        ("pipe_mm", "13 inch", "in mm"),
        ("correction", "1 m3", "the number alone"),
        ("area_m2", "-1", "0 or more"),
    ):
        with pytest.raises(UsageError) as error:
            typed_fact(name, text, "--x")
        assert says in error.value.remedy


@pytest.mark.parametrize(
    ("typed", "name", "path"),
    [
        ("저압", "low_voltage", ("contract", "electricity")),
        ("주택용 전력(고압)", "high_voltage", ("contract", "electricity")),
        ("Low-Voltage", "low_voltage", ("contract", "electricity")), ("LV", "low_voltage", ("contract", "electricity")),
        ("단일계약", "apartment_single", ("contract", "electricity")), ("가정용", "household", ("contract", "water")),
        ("single", "residential", ("contract", "heat")), ("업무용", "business", ("contract", "heat")),
        ("안산시", "ansan", ("city",)), ("medium", "medium", ("contract", "electricity")),
    ],
)  # fmt: skip
def test_a_name_in_two_languages(typed: str, name: str, path: tuple[str, ...]) -> None:
    known = {one for card in cards().rows.values() for one in (*card.contracts, card.city) if one}
    assert named(typed, known, *path) == name


def test_a_commodity_and_an_own_name_as_it_stands() -> None:
    for typed, name in (("전기", "electricity"), ("Hot Water", "hot_water"), ("온수", "hot_water"), ("수도", "water")):
        assert named(typed, commodities().rows, "commodity") == name
    assert named("저압", ["저압"], "contract", "electricity") == "저압"
    assert named("저압", [], "contract", "cooling") == "저압"
