"""The base load: risen against the weeks before, of days as warm, or most of all use; with the won of a month."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.access.home_hours import HoursSeen
from quintet.alerts.base_load import base_load
from quintet.alerts.chance import above, in_a_row, of_share, rises
from quintet.alerts.evaluate import Looked
from quintet.alerts.found import Fine, Found, Unsaid

from .homes import WATT_HOUR, calendar, found, home, only, seen

AT = calendar()
MILD = np.full(AT.days, 15.0)


def drawing(more: float, days: int = 14, base: float = 90.0, most: float = 450.0) -> HoursSeen:
    """Give electricity with a base of some watts, a little different each night, and so much more of late."""
    night = base + (AT.day * 5 + AT.hour) % 7
    watts = np.where((AT.hour >= 6) & (AT.hour < 23), most + AT.hour * 3, night)
    watts = watts + np.where(AT.day >= AT.days - days, more, 0)
    return seen("electricity", (watts * WATT_HOUR).astype(np.int64))


def test_a_base_that_rose_two_weeks_ago_is_told_with_its_watts_and_won() -> None:
    one = found(base_load(home({"electricity": drawing(80)}, outdoor_c=MILD)), "electricity")
    assert one.figures["rise"] == 80
    assert one.figures["kwh_month"] == 58
    assert one.since_us == int(AT.edges_us[AT.days - 14])
    assert one.won is not None
    assert 5_000 < one.won < 30_000
    assert one.won_per == "month"


def test_an_unchanged_base_a_small_rise_and_three_days_are_nothing() -> None:
    for each in (drawing(0), drawing(20), drawing(80, days=3)):
        assert isinstance(only(base_load(home({"electricity": each}, outdoor_c=MILD)), "electricity"), Fine)


@settings(max_examples=30)
@given(st.integers(40, 400))
def test_whatever_it_rose_by_is_what_is_told(more: int) -> None:
    one = found(base_load(home({"electricity": drawing(more)}, outdoor_c=MILD)), "electricity")
    assert one.figures["rise"] == more


def test_a_rise_that_came_with_the_cold_is_not_compared_with_warm_nights() -> None:
    weather = MILD.copy()
    weather[-14:] = 2.0
    outcome = only(base_load(home({"electricity": drawing(80)}, outdoor_c=weather)), "electricity")
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "no_like_days"


@settings(max_examples=20)
@given(st.integers(0, 400), st.integers(0, 5))
def test_without_the_outdoor_temperature_a_season_is_no_new_appliance(more: int, known: int) -> None:
    weather = np.full(AT.days, np.nan)
    weather[AT.days - known :] = 15.0
    for each in (drawing(more), drawing(0, base=300 + more, most=320 + more)):
        outcome = only(base_load(home({"electricity": each}, outdoor_c=weather)), "electricity")
        assert isinstance(outcome, Unsaid)
        assert outcome.why == "no_outdoor"


def test_what_stands_ends_well_below_what_raised_it() -> None:
    outcomes = [only(base_load(home({"electricity": drawing(more)}, outdoor_c=MILD)), "electricity")
                for more in (40, 20, 5)]  # fmt: skip
    assert isinstance(outcomes[0], Found)
    assert outcomes[1:] == [Fine("base_load", "electricity", near=True), Fine("base_load", "electricity")]
    ending = [Looked("a", 0, 0, (one,)).fine for one in outcomes]
    assert ending == [[], [], [("base_load", "electricity")]]


def test_a_large_base_of_cold_days_may_be_a_heater() -> None:
    cold = home({"electricity": drawing(0, base=300, most=320)}, outdoor_c=np.full(AT.days, 2.0))
    assert only(base_load(cold), "electricity") == Fine("base_load", "electricity", near=True)


def test_a_base_that_is_most_of_all_use_is_told_whether_it_rose_or_not() -> None:
    one = found(base_load(home({"electricity": drawing(0, base=300, most=320)}, outdoor_c=MILD)), "electricity")
    assert int(one.figures["share"]) > 60
    assert "rise" not in one.figures
    small = home({"electricity": drawing(0, base=60, most=65)}, outdoor_c=MILD)
    assert not isinstance(only(base_load(small), "electricity"), Found)


def test_doubted_nights_do_not_count() -> None:
    sound = AT.day < AT.days - 10
    outcome = only(base_load(home({"electricity": seen("electricity", drawing(80).value, sound)})), "electricity")
    assert isinstance(outcome, Unsaid)


def test_chances_are_those_of_counted_times() -> None:
    assert of_share(0, 9) == 0.05
    assert in_a_row(0, 9, 2) == 0.05**2
    assert above(10, 0, 9) == 1.0
    assert above(10, 2, 10) == 0.5
    past, recent = np.arange(30.0), np.arange(14.0) + 40
    assert rises(recent, past) < 1e-6
    assert rises(past[:14], past) > 0.9
    assert rises(np.ones(14), np.ones(30)) == 1.0


def test_what_runs_at_night_only_does_not_run_all_day() -> None:
    night = drawing(0).value.copy()
    night[(AT.day >= AT.days - 14) & (AT.hour < 6)] += 500 * WATT_HOUR
    one = only(base_load(home({"electricity": seen("electricity", night)}, outdoor_c=MILD)), "electricity")
    assert not isinstance(one, Found), one
