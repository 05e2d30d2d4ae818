"""The table of like days: what ships, what is refused, and which days it names."""

import copy
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput
from quintet.terms.period import day_number, day_of_number
from quintet.vee import like_days
from quintet.vee.alike import like_days_from, like_days_in

WED = date(2025, 3, 5)


def table(**keys: Any) -> dict[str, Any]:
    """Give the shipped table with keys replaced; None removes a key."""
    merged = {**copy.deepcopy(read_toml("quintet.vee", "like_days.toml")), **keys}
    return {key: value for key, value in merged.items() if value is not None}


def named(day: date, gap: date, holidays: set[date] | None = None) -> list[date]:
    """List the candidates as dates."""
    alike = like_days().with_holidays(holidays or set())
    return [day_of_number(number) for number in alike.candidates(day_number(day), day_number(gap))]


def test_a_wednesday_takes_the_nearest_of_tuesday_to_thursday() -> None:
    assert named(WED, WED)[:4] == [date(2025, 3, 4), date(2025, 2, 27), date(2025, 2, 26), date(2025, 2, 25)]


def test_a_sunday_takes_sundays() -> None:
    sunday = date(2025, 3, 9)
    assert named(sunday, sunday)[:2] == [date(2025, 3, 2), date(2025, 2, 23)]


def test_days_of_the_gap_itself_are_never_named() -> None:
    assert named(WED, WED - timedelta(days=1))[0] == date(2025, 2, 27)


def test_weeks_of_a_long_gap_are_counted_from_its_first_week() -> None:
    late = WED + timedelta(weeks=10)
    assert named(late, WED) == named(WED, WED)


def test_a_holiday_takes_sundays_and_stands_for_no_other_day() -> None:
    tuesday = WED - timedelta(days=1)
    assert named(WED, WED, {WED})[:2] == [date(2025, 3, 2), date(2025, 2, 23)]
    assert tuesday not in named(WED, WED, {tuesday})


@given(st.dates(date(1971, 1, 1), date(2090, 1, 1)), st.integers(0, 400))
def test_candidates_come_before_the_gap_and_are_alike(gap: date, later: int) -> None:
    day = gap + timedelta(days=later)
    working = {1, 2, 3}
    for found in named(day, gap):
        assert found < gap
        assert found.weekday() == day.weekday() or {found.weekday(), day.weekday()} <= working


@given(st.dates(date(1971, 1, 1), date(2090, 1, 1)))
def test_candidates_of_a_days_own_gap_are_nearest_first(day: date) -> None:
    assert named(day, day) == sorted(named(day, day), reverse=True)


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ({"source": " "}, "no source or no date"),
        ({"source": None}, "lacks source"),
        ({"date": "2026"}, "no source or no date"),
        ({"weeks": 4}, "unknown weeks"),
        ({"most": 0}, "need 1 <= fewest"),
        ({"used": ["valid", "linear"]}, "linear is no measured quality"),
        ({"whole_day": ["rejected"]}, "rejected is no measured quality"),
        ({"end_point": ["like_day"]}, "an estimate never feeds another"),
        ({"end_point": ["fine"]}, "fine is no measured quality"),
        ({"alike": {"mon": ["mon-1w"]}}, "lacks fri"),
    ],
)
def test_a_bad_table_is_refused(keys: dict[str, Any], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        like_days_from(table(**keys))


@pytest.mark.parametrize("entry", ["mon", "mon-w", "monday-1w", "mon+1w", "mon-1w ", "hol-1w"])
def test_an_entry_that_names_no_day_is_refused(entry: str) -> None:
    rows = table()
    rows["alike"]["mon"] = [entry]
    with pytest.raises(BadInput, match="is no like day"):
        like_days_from(rows)


def test_a_citys_holidays_follow_its_clock() -> None:
    """Seollal 2025 was a Wednesday: the Sundays before stand for it, and it stands for no other day."""
    seollal, after = (day_number(date(2025, 1, 29)), day_number(date(2025, 2, 5)))
    korean, plain = like_days_in("Asia/Seoul"), like_days_in("UTC")
    assert all(day_of_number(day).weekday() == 6 for day in korean.candidates(seollal, seollal))
    assert plain.candidates(seollal, seollal) != korean.candidates(seollal, seollal)
    assert seollal in plain.candidates(after, after)
    assert seollal not in korean.candidates(after, after)
