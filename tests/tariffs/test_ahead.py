"""Use of days to come, from days that are made up: by like days, and by degrees."""

from datetime import date

import numpy as np
import pytest

from quintet.tariffs.ahead import Ahead, Degrees, Past, ahead_of, day_passed, together
from quintet.tariffs.outdoor import Coming

SURE = np.ones(60, np.bool_)
COUNT = 14
BASE, SLOPE = 5.0, 2.0
"""Sub-units a day, and a degree day below 18 degC."""
NONE = Past(np.zeros(0), np.zeros(0, np.bool_), np.zeros(0, np.bool_))


def kinds(count: int) -> np.ndarray:
    return np.arange(count) % 7 >= 5


def test_even_days_are_forecast_exactly_and_their_range_is_a_point() -> None:
    rest = kinds(60)
    found = ahead_of(np.where(rest, 20.0, 10.0), SURE, rest, kinds(14)[4:])
    assert found is not None
    assert found.use == pytest.approx(6 * 10 + 4 * 20)
    assert found.low == found.high == found.use
    assert found.trials > 20


def test_the_range_holds_most_of_what_came_before() -> None:
    noise = np.random.default_rng(7).normal(100, 15, 60)
    found = ahead_of(noise, SURE, kinds(60), kinds(10))
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1000 < found.high
    assert found.high - found.low < 400


def test_too_few_days_say_nothing_and_too_few_trials_no_range() -> None:
    value = np.full(60, 10.0)
    assert ahead_of(value[:13], SURE[:13], kinds(13), kinds(5)) is None
    found = ahead_of(value[:20], SURE[:20], kinds(20), kinds(5))
    assert found is not None
    assert (found.low, found.high, found.trials) == (None, None, 2)
    doubted = SURE.copy()
    doubted[:50] = False
    assert ahead_of(value, doubted, kinds(60), kinds(5)) is None


def sure_of(temps: np.ndarray, spread: float = 0.01) -> Coming:
    """Give an outlook whose days are independent."""
    return Coming(temps, np.eye(len(temps)) * spread, np.full(len(temps), spread))


def use_of(temps: np.ndarray, level: float = 1.0, base_c: float = 18.0) -> np.ndarray:
    return level * (BASE + SLOPE * np.maximum(base_c - temps, 0))


def known(temps: np.ndarray, ahead: Coming, before: np.ndarray | None = None) -> Degrees:
    """Lay temperatures beside sixty days, and use of days a year before where temperatures of them are given."""
    if before is None:
        return Degrees(temps, ahead, np.zeros(0), NONE)
    past = Past(use_of(before), np.ones(len(before), np.bool_), kinds(len(before)))
    return Degrees(temps, ahead, before, past)


def forecast(use: np.ndarray, degrees: Degrees | None) -> Ahead:
    found = ahead_of(use, SURE, kinds(60), kinds(COUNT), degrees)
    assert found is not None
    return found


def test_a_season_that_begins_is_foreseen_from_the_year_before() -> None:
    rng = np.random.default_rng(3)
    temps = np.concatenate([np.full(50, 19.0), np.linspace(18, 6, 24)])
    use = use_of(temps[:60]) + rng.normal(0, 0.5, 60)
    truth = float(use_of(temps[60:]).sum())
    found = forecast(use, known(temps[:60], sure_of(temps[60:]), temps))
    assert found.use == pytest.approx(truth, rel=0.1)
    assert forecast(use, None).use < 0.6 * truth
    assert found.low is not None
    assert found.high is not None
    assert found.low <= truth <= found.high
    assert sum(found.by_day) == pytest.approx(found.use)
    assert found.by_day[-1] > 1.5 * found.by_day[0]


@pytest.mark.parametrize("base_c", [18.0, 14.0])
def test_a_home_heats_from_its_own_temperature_on(base_c: float) -> None:
    temps = np.linspace(19, 5, 60)
    ahead = np.linspace(17, 11, COUNT)
    found = forecast(use_of(temps, 1.4, base_c), known(temps, sure_of(ahead)))
    assert found.use == pytest.approx(use_of(ahead, 1.4, base_c).sum(), rel=0.02)
    assert found.trials == 60


def test_a_home_that_uses_less_than_last_year_is_followed() -> None:
    temps = np.linspace(10, 6, 74)
    found = forecast(use_of(temps[:60], 0.5), known(temps[:60], sure_of(temps[60:]), temps))
    assert use_of(temps[60:], 0.5).sum() < found.use < 0.7 * use_of(temps[60:]).sum()


def test_use_that_falls_with_cold_or_knows_no_weather_goes_by_like_days() -> None:
    temps = np.linspace(18, 3, 74)
    falling = 40 - 2 * (18 - temps[:60])
    assert forecast(falling, known(temps[:60], sure_of(temps[60:]))) == forecast(falling, None)
    unknown = np.full(60, np.nan)
    assert forecast(falling, known(unknown, sure_of(temps[60:]))) == forecast(falling, None)


def test_weather_that_is_less_sure_widens_the_range() -> None:
    temps = np.linspace(12, 8, 74)
    use = use_of(temps[:60]) + np.random.default_rng(6).normal(0, 0.5, 60)
    widths: list[float] = []
    for spread in (0.5, 3.0):
        found = forecast(use, known(temps[:60], sure_of(temps[60:], spread)))
        assert found.low is not None
        assert found.high is not None
        widths.append(found.high - found.low)
    assert widths[1] > 2 * widths[0]


def test_a_limit_is_passed_on_the_day_by_whose_end_more_is_used() -> None:
    ahead, first = Ahead(60.0, None, None, 0, (10.0, 20.0, 30.0)), date(2026, 11, 20)
    assert [day_passed(ahead, first, 5, limit) for limit in (14, 15, 35, 64, 65)] == [
        date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 22), None,
    ]  # fmt: skip


def test_what_weather_moves_is_added_and_what_is_a_homes_own_is_joined() -> None:
    def one(own: float, *pull: float) -> Ahead:
        return Ahead(100.0, 80.0, 120.0, 60, (), own, pull)

    assert together([(3.0, one(4.0, 0.0)), (4.0, one(9.0, 0.0))]) == pytest.approx(5.0)
    assert together([(3.0, one(0.0, 1.0)), (4.0, one(0.0, 2.0))]) == pytest.approx(7.0)
    assert together([(3.0, one(0.0, 1.0)), (4.0, one(0.0, -2.0))]) == pytest.approx(1.0)
    blind = Ahead(100.0, 80.0, 120.0, 20)
    assert together([(3.0, one(4.0, 0.0)), (4.0, one(9.0, 0.0)), (6.0, blind)]) == pytest.approx(11.0)
    assert together([]) == 0
