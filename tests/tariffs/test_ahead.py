"""Use of days to come, from days that are made up: by like days, and by degrees."""

import numpy as np
import pytest

from quintet.tariffs.ahead import Degrees, Past, ahead_of, usual_degrees

SURE = np.ones(60, np.bool_)
COUNT = 14
BASE, SLOPE = 5.0, 2.0
"""Sub-units a day, and a degree day."""


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


def heated(
    rng: np.random.Generator, behind: np.ndarray, ahead: np.ndarray, level: float = 1.0
) -> tuple[np.ndarray, float]:
    """Give the use of days behind and the sum of those ahead, of a home that follows degrees."""
    use = level * (BASE + SLOPE * behind) + rng.normal(0, 0.5, len(behind))
    return use, float((level * (BASE + SLOPE * ahead)).sum())


def no_degrees(count: int) -> np.ndarray:
    return np.zeros((count, 1))


def year(usual: np.ndarray, use: np.ndarray | None = None) -> tuple[np.ndarray, Past]:
    """Give the days about the same a year before; none of them where no use is given."""
    count = 0 if use is None else len(use)
    none = np.zeros(count, np.bool_)
    return usual[:count, None], Past(np.zeros(0) if use is None else use, np.ones(count, np.bool_), none)


def test_a_season_that_begins_is_foreseen_from_the_year_before() -> None:
    rng = np.random.default_rng(3)
    usual = np.concatenate([np.zeros(50), np.linspace(0, 12, 24)])
    use, truth = heated(rng, usual[:60], usual[60:])
    last_year = BASE + SLOPE * usual
    before, past = year(usual, last_year)
    found = ahead_of(
        use, SURE, kinds(60), kinds(COUNT), Degrees(usual[:60, None], usual[:, None], usual[:, None], before, past)
    )
    blind = ahead_of(use, SURE, kinds(60), kinds(COUNT))
    assert found is not None
    assert blind is not None
    assert found.use == pytest.approx(truth, rel=0.1)
    assert blind.use < 0.6 * truth
    assert found.low is not None
    assert found.high is not None
    assert found.low <= truth <= found.high


def test_without_a_year_before_the_days_behind_alone_are_fitted() -> None:
    rng = np.random.default_rng(4)
    usual = np.linspace(0, 15, 74)
    use, truth = heated(rng, usual[:60], usual[60:], 1.4)
    before, past = year(usual)
    found = ahead_of(
        use, SURE, kinds(60), kinds(COUNT), Degrees(usual[:60, None], usual[:, None], usual[:, None], before, past)
    )
    assert found is not None
    assert found.use == pytest.approx(truth, rel=0.1)
    assert found.trials == 60


def test_a_home_that_uses_less_than_last_year_is_followed() -> None:
    rng = np.random.default_rng(5)
    usual = np.linspace(8, 12, 74)
    use, truth = heated(rng, usual[:60], usual[60:], 0.5)
    before, past = year(usual, BASE + SLOPE * usual)
    found = ahead_of(
        use, SURE, kinds(60), kinds(COUNT), Degrees(usual[:60, None], usual[:, None], usual[:, None], before, past)
    )
    assert found is not None
    assert found.use == pytest.approx(truth, rel=0.25)


def test_use_that_falls_with_degrees_or_knows_none_goes_by_like_days() -> None:
    usual = np.linspace(0, 15, 74)
    like = ahead_of(np.full(60, 10.0), SURE, kinds(60), kinds(COUNT))
    falling = 40 - 2 * usual[:60]
    before, past = year(usual)
    blind = ahead_of(falling, SURE, kinds(60), kinds(COUNT))
    assert (
        ahead_of(
            falling,
            SURE,
            kinds(60),
            kinds(COUNT),
            Degrees(usual[:60, None], usual[:, None], usual[:, None], before, past),
        )
        == blind
    )
    unknown = np.full((74, 1), np.nan)
    even = np.full(60, 10.0)
    assert (
        ahead_of(even, SURE, kinds(60), kinds(COUNT), Degrees(usual[:60, None], unknown, unknown, before, past)) == like
    )
    flat = no_degrees(74)
    assert ahead_of(even, SURE, kinds(60), kinds(COUNT), Degrees(flat[:60], flat, flat, before, past)) == like


def test_weather_that_varies_more_widens_the_range() -> None:
    rng = np.random.default_rng(6)
    usual = np.full(74, 8.0)
    widths = []
    for spread in (0.5, 3.0):
        actual = np.maximum(usual[:60] + rng.normal(0, spread, 60), 0)
        use, _ = heated(rng, actual, usual[60:])
        before, past = year(usual)
        found = ahead_of(
            use, SURE, kinds(60), kinds(COUNT), Degrees(actual[:, None], usual[:, None], usual[:, None], before, past)
        )
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        widths.append(found.high - found.low)
    assert widths[1] > 2 * widths[0]


def test_degrees_of_a_year_ago_are_smoothed_where_enough_are_known() -> None:
    days = np.arange(20.0)[:, None]
    assert usual_degrees(days, 2).ravel() == pytest.approx(np.arange(2.0, 18.0))
    days[5:9] = np.nan
    smooth = usual_degrees(days, 2).ravel()
    assert np.isnan(smooth[4:6]).all()
    assert not np.isnan(smooth[:2]).any()
