"""Temperatures of days to come: what is usual, a month that is off, and how often the range of a city's homes holds."""

from datetime import date, timedelta

import numpy as np
import pytest

from quintet.simulate.climate import day_mean_c
from quintet.tariffs.ahead import Degrees, Past, ahead_of
from quintet.tariffs.outdoor import Coming, coming, limits

BEHIND, AHEAD = 60, 20
HALF = limits()["smoothed_days"]
WEATHERS = range(40)


def padded(temps: np.ndarray) -> np.ndarray:
    """Give the days of a year as past years are asked for."""
    return np.concatenate([np.full(HALF, temps[0]), temps, np.full(HALF, temps[-1])])


def expected(behind: np.ndarray, years: list[np.ndarray], ahead: int = AHEAD) -> Coming:
    found = coming(behind, years, ahead)
    assert found is not None
    return found


def wobble(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, count)


def test_a_month_that_is_colder_so_far_stays_colder_and_ever_less() -> None:
    year = padded(10 + wobble(1, BEHIND + AHEAD))
    usual = expected(10 + wobble(2, BEHIND), [year]).mean
    cold = expected(6 + wobble(2, BEHIND), [year]).mean
    assert (cold < usual).all()
    assert usual[0] - cold[0] > usual[-1] - cold[-1]
    assert (usual - cold < 4).all()


def test_more_known_years_say_more_and_unknown_ones_nothing() -> None:
    behind = 10 + wobble(3, BEHIND)
    years = [padded(10 + wobble(10 + at, BEHIND + AHEAD)) for at in range(4)]
    one, four = expected(behind, years[:1]), expected(behind, years)
    assert np.linalg.norm(four.root.sum(axis=0)) < np.linalg.norm(one.root.sum(axis=0))
    lost = np.full(BEHIND + AHEAD + 2 * HALF, np.nan)
    assert coming(behind, [lost], AHEAD) is None
    assert expected(behind, [years[0], lost]).mean == pytest.approx(one.mean)


def test_expected_degrees_are_more_than_those_of_the_expected_temperature() -> None:
    sure, unsure = (Coming(np.full(3, 18.0), np.eye(3) * one, np.full(3, one)) for one in (0.001, 3.0))
    assert sure.below(18.0)[0] == pytest.approx(np.zeros(3), abs=0.001)
    degrees, share = unsure.below(18.0)
    assert degrees == pytest.approx(np.full(3, 3 / np.sqrt(2 * np.pi)), abs=1e-5)
    assert share == pytest.approx(np.full(3, 0.5), abs=1e-6)
    assert unsure.above(16.0)[0] - unsure.below(16.0)[0] == pytest.approx(np.full(3, 2.0))


@pytest.mark.parametrize("month", [3, 10, 11, 12])
def test_the_range_of_heat_holds_about_eight_tenths_of_many_weathers(month: int) -> None:
    """Homes that heat below 15 degC with a noise of their own; one weather each, so that a cold one counts once."""
    held = 0
    for seed in WEATHERS:
        day, rng = date(2026, month, 8), np.random.default_rng(seed)
        temps = np.array([day_mean_c(seed, day + timedelta(at)) for at in range(-365 - BEHIND - HALF, AHEAD + 1)])
        at = 365 + BEHIND + HALF
        use = 300 + 80 * np.maximum(15 - temps, 0) + rng.normal(0, 60, len(temps))
        rest = np.zeros(len(temps), np.bool_)
        found = coming(temps[at - BEHIND : at], [temps[: BEHIND + AHEAD + 2 * HALF]], AHEAD)
        assert found is not None
        last, now, ahead = slice(HALF, HALF + BEHIND + AHEAD), slice(at - BEHIND, at), slice(at, at + AHEAD)
        past = Past(use[last], ~rest[last], rest[last])
        told = ahead_of(use[now], ~rest[now], rest[now], rest[ahead], Degrees(temps[now], found, temps[last], past))
        assert told is not None
        assert told.low is not None
        assert told.high is not None
        held += told.low <= float(use[ahead].sum()) <= told.high
    # of forty draws at eight tenths, 24 to 39 come in more than 99 of 100 cases
    assert 24 <= held <= 39
