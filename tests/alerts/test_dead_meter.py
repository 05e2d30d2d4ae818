"""A dead meter: nothing is counted while somebody lives there and would use it; the zero is never praised."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.access.home_hours import HoursSeen
from quintet.alerts.dead_meter import dead_meter
from quintet.alerts.found import Fine, Found, Unsaid
from quintet.alerts.seen import Alike

from .homes import LITRE, WATT_HOUR, calendar, found, home, only, ordinary, seen

AT = calendar()
COLD = np.full(AT.days, 2.0)


def stopped(commodity: str, days: int, most: int = 900 * WATT_HOUR) -> HoursSeen:
    """Give a utility that counts nothing over the last whole days and today."""
    value = ordinary(AT, most, most // 3)
    value[AT.day >= AT.days - 1 - days] = 0
    return seen(commodity, value)


def water() -> HoursSeen:
    return seen("water", ordinary(AT, 20 * LITRE))


def test_heat_that_counts_nothing_on_days_as_cold_as_those_it_was_used_on() -> None:
    one = found(dead_meter(home({"heat": stopped("heat", 4), "water": water()}, outdoor_c=COLD)), "heat")
    assert (one.figures["days"], one.figures["life_days"]) == (4, 4)
    assert one.since_us == int(AT.edges_us[AT.days - 5])
    assert (one.won, one.won_reason) == (None, "no_use")
    assert one.confidence > 0.999


def test_two_days_are_a_weekend_and_nobody_at_home_explains_a_zero() -> None:
    few = home({"heat": stopped("heat", 2), "water": water()}, outdoor_c=COLD)
    assert isinstance(only(dead_meter(few), "heat"), Fine)
    away = home({"heat": stopped("heat", 6), "water": stopped("water", 6, 20 * LITRE)}, outdoor_c=COLD)
    outcome = only(dead_meter(away), "heat")
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "no_life"


def test_the_end_of_the_heating_season_is_no_dead_meter() -> None:
    weather = COLD.copy()
    weather[-8:] = 19.0
    outcome = only(dead_meter(home({"heat": stopped("heat", 6), "water": water()}, outdoor_c=weather)), "heat")
    assert not isinstance(outcome, Found)


def test_without_weather_heat_cannot_be_judged_and_water_can() -> None:
    unknown = np.full(AT.days, np.nan)
    where = home({"heat": stopped("heat", 6), "water": water()}, outdoor_c=unknown)
    assert only(dead_meter(where), "heat") == Unsaid("dead_meter", "heat", "no_outdoor")
    other = home({"water": stopped("water", 5, 20 * LITRE), "electricity": seen("electricity", ordinary(AT, 500_000))})
    assert found(dead_meter(other), "water").figures["like_days"] == 52


def test_a_home_that_never_heated_is_compared_with_those_of_its_complex() -> None:
    never = seen("heat", np.zeros(len(AT.start_us), np.int64))
    around = {"heat": Alike(14, 30, 1)}
    one = found(dead_meter(home({"heat": never, "water": water()}, outdoor_c=COLD, alike=around)), "heat")
    assert (one.figures["alike_homes"], one.figures["alike_zero"]) == (30, 1)
    common = home({"heat": never, "water": water()}, outdoor_c=COLD, alike={"heat": Alike(14, 30, 9)})
    assert isinstance(only(dead_meter(common), "heat"), Fine)
    few = home({"heat": never, "water": water()}, outdoor_c=COLD, alike={"heat": Alike(14, 5, 0)})
    warm = home({"heat": never, "water": water()}, outdoor_c=np.full(AT.days, 15.0), alike=around)
    for other in (few, warm, home({"heat": never, "water": water()}, outdoor_c=COLD)):
        outcome = only(dead_meter(other), "heat")
        assert isinstance(outcome, Unsaid)
        assert outcome.why == "never_used"


def test_a_meter_that_is_not_heard_is_silent_and_one_that_is_not_there_is_named() -> None:
    heat = stopped("heat", 6)
    sound = AT.day < AT.days - 4
    outcome = only(dead_meter(home({"heat": seen("heat", heat.value, sound), "water": water()})), "heat")
    assert isinstance(outcome, Unsaid)
    assert (outcome.why, outcome.figures) == ("silent", {"hours": 79})
    assert only(dead_meter(home({"water": water()})), "heat") == Unsaid("dead_meter", "heat", "no_meter")


@settings(max_examples=40)
@given(st.integers(3, 20), st.integers(0, 10**6))
def test_any_use_at_all_ends_it(days: int, used: int) -> None:
    value = stopped("heat", days).value.copy()
    value[AT.day == AT.days - 2] = used + 1
    where = home({"heat": seen("heat", value), "water": water()}, outdoor_c=COLD)
    assert isinstance(only(dead_meter(where), "heat"), Fine)


def test_what_always_runs_is_nobody_at_home() -> None:
    power = ordinary(AT, 300 * WATT_HOUR, 150 * WATT_HOUR)
    power[AT.day >= AT.days - 6] = 150 * WATT_HOUR  # a refrigerator and what else never stops: half of all use
    services = {"heat": stopped("heat", 5), "water": stopped("water", 5, 20 * LITRE),
                "electricity": seen("electricity", power)}  # fmt: skip
    outcome = only(dead_meter(home(services, outdoor_c=COLD)), "heat")
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "no_life"


def test_one_doubted_hour_of_yesterday_is_no_silence() -> None:
    sound = np.ones(len(AT.hour), np.bool_)
    sound[(AT.day == AT.days - 2) & (AT.hour == 9)] = False
    outcome = only(dead_meter(home({"water": seen("water", ordinary(AT, 20 * LITRE), sound)})), "water")
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "gaps"


def test_a_time_that_holds_nothing_but_zeros_and_is_too_short_cannot_be_judged() -> None:
    own = AT.day >= AT.days - 3
    heat = seen("heat", np.where(own, 0, ordinary(AT, 900 * WATT_HOUR)), own)
    since_us = int(AT.edges_us[AT.days - 3])
    one = only(dead_meter(home({"heat": heat}, outdoor_c=COLD, since_us=since_us)), "heat")
    assert one == Unsaid("dead_meter", "heat", "moved_in", {"days": 2, "needed_days": 3})
    used = seen("heat", np.where(AT.day == AT.days - 3, 900 * WATT_HOUR, 0), own)
    assert isinstance(only(dead_meter(home({"heat": used}, outdoor_c=COLD, since_us=since_us)), "heat"), Fine)
