"""A flow that never stops: three days without a rest, sooner by the dwelling's own nights, never out of doubt."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.access.home_hours import HoursSeen
from quintet.alerts.found import Fine, Found, Unsaid
from quintet.alerts.limits import limits
from quintet.alerts.unresting import gas_unresting, water_leak
from quintet.terms.period import HOUR_US

from .homes import BILLED, LITRE, calendar, found, home, only, ordinary, rates, seen

AT = calendar()
HOURS = len(AT.start_us)
USUAL = ordinary(AT, 20 * LITRE)
COLD = np.full(AT.days, 20.0)


def leaking(hours: int, flow: int = 12 * LITRE) -> HoursSeen:
    """Give the usual water with a leak over the last hours."""
    value = USUAL.copy()
    value[-hours:] += flow
    return seen("water", value)


def test_three_days_without_a_rest_are_a_leak_with_its_size_and_its_won() -> None:
    one = found(water_leak(home({"water": leaking(80)})), "water")
    assert (one.figures["flow"], one.figures["flow_unit"], one.figures["flow_day"]) == (12.0, "L", 288.0)
    assert one.since_us <= int(AT.start_us[-80])
    assert one.confidence > 0.999
    month = home({"water": leaking(80)}).month["water"]
    asked = rates().asked("c1/101/1", "water", month.unit, month.start, month.end)
    used = month.standing
    assert (one.won, one.won_reason) == (rates().added(asked, used - Fraction("0.288"), used)[0], "")
    assert one.won is not None
    assert one.won > 0


def test_two_nights_are_enough_where_the_dwelling_always_rested_at_night() -> None:
    assert isinstance(only(water_leak(home({"water": leaking(10)})), "water"), Fine)
    assert isinstance(only(water_leak(home({"water": leaking(30)})), "water"), Fine)
    one = found(water_leak(home({"water": leaking(36)})), "water")
    assert one.figures["nights"] == 2
    assert int(one.figures["hours"]) < limits("unresting")["rule_hours"]


def test_nights_that_often_flow_through_say_nothing_before_the_third_day() -> None:
    value = USUAL.copy()
    value[(AT.day % 3 == 0) & (value == 0)] = 15 * LITRE
    for hours, kind in ((36, Fine), (90, Found)):
        own = value.copy()
        own[-hours:] += 12 * LITRE
        assert isinstance(only(water_leak(home({"water": seen("water", own)})), "water"), kind)


@settings(max_examples=60)
@given(st.integers(0, 23), st.integers(80, 400), st.integers(1, 60))
def test_an_hour_that_rests_ends_a_leak(back: int, hours: int, litres: int) -> None:
    value = leaking(hours, litres * LITRE).value.copy()
    value[-1 - back] = 0
    assert not isinstance(only(water_leak(home({"water": seen("water", value)})), "water"), Found)


@settings(max_examples=40)
@given(st.integers(72, 300), st.integers(1, 60))
def test_doubted_and_estimated_hours_alone_never_make_an_alert(hours: int, litres: int) -> None:
    value = leaking(hours, litres * LITRE).value
    sound = np.ones(HOURS, np.bool_)
    sound[-hours:] = False
    outcome = only(water_leak(home({"water": seen("water", value, sound)})), "water")
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "silent"
    sound[-hours::2] = True
    outcome = only(water_leak(home({"water": seen("water", value, sound)})), "water")
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "gaps"


@settings(max_examples=30)
@given(st.integers(2, 9))
def test_a_larger_unit_changes_the_flow_and_nothing_else(times: int) -> None:
    small, large = leaking(80), leaking(80)
    large = seen("water", large.value * times)
    one, other = (found(water_leak(home({"water": each})), "water") for each in (small, large))
    assert (other.since_us, other.confidence, other.figures["hours"]) == (
        one.since_us, one.confidence, one.figures["hours"],
    )  # fmt: skip
    assert float(other.figures["flow"]) == pytest.approx(float(one.figures["flow"]) * times)


def test_the_same_hours_give_the_same_outcome_again() -> None:
    where = home({"water": leaking(80)})
    assert water_leak(where) == water_leak(where)


def test_what_cannot_be_judged_says_why() -> None:
    assert only(water_leak(home({})), "water") == Unsaid("water_leak", "water", "no_meter")
    coarse = seen("water", np.where(AT.hour == 12, 100 * LITRE, 0).astype(np.int64))
    outcome = only(water_leak(home({"water": coarse})), "water")
    assert outcome == Unsaid("water_leak", "water", "coarse", {"step": 100.0})
    young = leaking(30)
    fresh = replace(young, sound=np.arange(HOURS) >= HOURS - 30, known=np.arange(HOURS) >= HOURS - 30)
    moved = home({"water": fresh}, since_us=int(AT.start_us[-30]) + HOUR_US)
    outcome = only(water_leak(moved), "water")
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "moved_in"
    assert water_leak(replace(moved, carriers=())) == [outcome]


def test_without_a_contract_a_leak_is_told_without_won_and_with_the_reason() -> None:
    bare = rates({name: row for name, row in BILLED.items() if name != "water"})
    one = found(water_leak(home({"water": leaking(80)}, priced=bare)), "water")
    assert (one.won, one.won_reason) == (None, "not_agreed")


def gassy(hours: int) -> HoursSeen:
    """Give gas that rests every night, but over the last hours, in which it flows now more, now less."""
    value = ordinary(AT, 200 * LITRE)
    value[-hours:] = np.maximum(value[-hours:], (30 + np.arange(hours) % 7 * 20) * LITRE)
    return seen("gas", value)


def test_gas_that_rested_on_days_as_cold_and_does_no_more_is_told() -> None:
    one = found(gas_unresting(home({"gas": gassy(90)}, outdoor_c=COLD)), "gas")
    assert one.figures["flow"] == 30.0
    assert one.figures["restless_days"] == 0
    assert one.won is not None
    assert one.won > 0
    assert isinstance(only(gas_unresting(home({"gas": gassy(50)}, outdoor_c=COLD)), "gas"), Fine)


def test_gas_in_the_first_cold_is_not_judged_by_warmer_days_and_without_weather_not_at_all() -> None:
    colder = COLD.copy()
    colder[-5:] = -8.0
    outcome = only(gas_unresting(home({"gas": gassy(90)}, outdoor_c=colder)), "gas")
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "no_like_days"
    outcome = only(gas_unresting(home({"gas": gassy(90)}, outdoor_c=np.full(AT.days, np.nan))), "gas")
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "no_outdoor"


@pytest.mark.parametrize(("flow", "told"), [(30, True), (150, True), (400, False)])
def test_in_the_first_cold_one_and_the_same_small_flow_says_that_it_is_no_boiler(flow: int, told: bool) -> None:
    colder = COLD.copy()
    colder[-5:] = -8.0
    value = ordinary(AT, 200 * LITRE)
    value[-90:] += flow * LITRE
    outcome = only(gas_unresting(home({"gas": seen("gas", value)}, outdoor_c=colder)), "gas")
    assert isinstance(outcome, Found) is told
    if isinstance(outcome, Found):
        assert (outcome.figures["flow"], int(outcome.figures["idle"]) >= 25) == (float(flow), True)


def test_a_boiler_that_burns_through_the_first_cold_now_more_now_less_is_not_told() -> None:
    colder = COLD.copy()
    colder[-5:] = -8.0
    value = ordinary(AT, 200 * LITRE)
    value[-90:] = (40 + np.arange(90) * 37 % 160) * LITRE
    outcome = only(gas_unresting(home({"gas": seen("gas", value)}, outdoor_c=colder)), "gas")
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "no_like_days"


def test_gas_slower_than_the_step_of_its_meter_shows_over_some_hours_together() -> None:
    value = ordinary(AT, 200 * LITRE) // (10 * LITRE) * 10 * LITRE
    value[-120::2] = np.maximum(value[-120::2], 10 * LITRE)
    one = found(gas_unresting(home({"gas": seen("gas", value)}, outdoor_c=COLD)), "gas")
    assert (one.figures["flow"], one.figures["step"]) == (5.0, 10.0)
    value[-30:-24] = 0
    assert isinstance(only(gas_unresting(home({"gas": seen("gas", value)}, outdoor_c=COLD)), "gas"), Fine)


def test_a_boiler_that_ran_through_days_as_cold_before_is_no_alert() -> None:
    value = ordinary(AT, 200 * LITRE)
    value[AT.day % 2 == 0] = np.maximum(value[AT.day % 2 == 0], 30 * LITRE)
    value[-90:] = np.maximum(value[-90:], 30 * LITRE)
    assert isinstance(only(gas_unresting(home({"gas": seen("gas", value)}, outdoor_c=COLD)), "gas"), Fine)


def test_a_time_too_short_for_any_rest_is_not_called_free_of_leaks() -> None:
    flowing = np.full(HOURS, 5 * LITRE)
    for kind, judged, commodity, needed in (
        ("water_leak", water_leak, "water", 1),
        ("gas_unresting", gas_unresting, "gas", 3),
    ):
        for hours, known in ((0, 0), (1, 0), (20, 0), (50, 2)):
            if commodity == "water" and hours == 50:
                continue
            own = np.arange(HOURS) >= HOURS - hours
            lived = seen(commodity, np.where(own, flowing, 0), own)
            since_us = int(AT.start_us[-1]) + HOUR_US * (1 - hours)
            one = only(judged(home({commodity: lived}, since_us=since_us)), commodity)
            assert isinstance(one, Unsaid)
            least = 1 if hours == 0 else needed
            assert (one.kind, one.why, one.figures) == (kind, "moved_in", {"days": known, "needed_days": least})
            rested = seen(commodity, np.where(np.arange(HOURS) == HOURS - 1, 0, lived.value), own)
            if hours:
                assert isinstance(only(judged(home({commodity: rested}, since_us=since_us)), commodity), Fine)
