"""Degree days explain what they explain: known coefficients are found, and what they do not explain is refused."""

import numpy as np
import pytest

from quintet.ledger.degree_days import Degrees, Fit, bases, day_means, degree_days, degrees_of, fit, weather_part

DAYS = 365
MEANS = 12 - 14 * np.cos(np.arange(DAYS) * 2 * np.pi / DAYS) + np.sin(np.arange(DAYS) * 1.7)
ALL, NONE = np.ones(DAYS), np.zeros(DAYS)


def use_of(base: float, heating: float, cooling: float) -> np.ndarray:
    warm, cold = degree_days(MEANS)
    return base + heating * warm + cooling * cold


def found(model: Fit | str) -> Fit:
    assert isinstance(model, Fit), model
    return model


def test_the_bases_are_those_of_the_source() -> None:
    assert (bases().heating_c, bases().cooling_c) == (18.0, 24.0)
    assert "climate.go.kr" in bases().source
    heating, cooling = degree_days(np.array([16.0, 18.0, 20.0, 24.0, 25.5, np.nan]))
    assert heating[:5].tolist() == [2.0, 0.0, 0.0, 0.0, 0.0]
    assert cooling[:5].tolist() == [0.0, 0.0, 0.0, 0.0, 1.5]
    assert np.isnan([heating[5], cooling[5]]).all()


def test_known_coefficients_are_found() -> None:
    noise = np.random.default_rng(7).normal(0, 50, DAYS)
    model = found(fit(use_of(1000, 200, 300) + noise, MEANS, ALL, NONE))
    assert model.days == DAYS
    assert abs(model.base - 1000) < 4 * model.base_error
    assert model.heating_error is not None
    assert abs(model.heating - 200) < 4 * model.heating_error
    assert model.cooling_error is not None
    assert abs(model.cooling - 300) < 4 * model.cooling_error
    assert model.r2 > model.r2_unseen > 0.99


def test_numpy_says_the_same() -> None:
    use = use_of(1000, 200, 0) + np.random.default_rng(3).normal(0, 300, DAYS)
    heating, cooling = degree_days(MEANS)
    by_numpy = np.linalg.lstsq(np.column_stack([ALL, heating, cooling]), use, rcond=None)[0]
    model = found(fit(use, MEANS, ALL, NONE))
    assert [model.base, model.heating, model.cooling] == pytest.approx(by_numpy.tolist())


def test_half_known_days_are_scaled_and_less_known_ones_are_left_out() -> None:
    use, known = use_of(1000, 200, 300), ALL.copy()
    known[::2] = 0.96
    known[::5] = 0.5
    use = use * known
    use[::5] = 0
    model = found(fit(use, MEANS, known, NONE))
    assert model.days == DAYS - len(range(0, DAYS, 5))
    assert (model.base, model.heating) == (pytest.approx(1000), pytest.approx(200))


def test_what_is_not_explained_is_refused_with_a_reason() -> None:
    random = np.random.default_rng(1).normal(1000, 200, DAYS)
    cases = {
        "worse than their mean": fit(random[:70], np.random.default_rng(2).normal(10, 9, 70), ALL[:70], NONE[:70]),
        "60 are needed": fit(use_of(1, 2, 3)[:59], MEANS[:59], ALL[:59], NONE[:59]),
        "0 days have weather": fit(use_of(1, 2, 3), np.full(DAYS, np.nan), ALL, NONE),
        "the same on all days": fit(use_of(1, 2, 3), np.full(DAYS, 20.0), ALL, NONE),
        "use is the same": fit(ALL, MEANS, ALL, NONE),
    }
    for words, one in cases.items():
        assert isinstance(one, str), words
        assert words in one
    assert isinstance(fit(use_of(1, 2, 3), MEANS, ALL, ALL), str), "estimates fit themselves"


def test_a_winter_has_no_cooling_to_tell() -> None:
    model = found(fit(use_of(1000, 200, 300)[:80], MEANS[:80], ALL[:80], NONE[:80]))
    assert (model.cooling, model.cooling_error) == (0.0, None)
    assert model.heating == pytest.approx(200)


def test_weather_is_counted_by_the_day_and_whole() -> None:
    model = found(fit(use_of(1000, 200, 300), MEANS, ALL, NONE))
    cold = weather_part(model, Degrees(5.0, 1.0, 365, 365), Degrees(6.0, 1.0, 366, 366))
    assert cold == 200 * 366
    assert weather_part(model, Degrees(5.0, 1.0, 365, 365), Degrees(5.0, 1.0, 200, 200)) == 0


def test_a_day_that_the_station_half_told_has_no_mean() -> None:
    hour = 3_600_000_000
    edges = np.array([0, 24 * hour, 48 * hour], np.int64)
    start = np.concatenate([np.arange(24), np.arange(24, 36)]).astype(np.int64) * hour
    means = day_means(start, np.full(36, 60, np.int64), np.arange(36.0), edges)
    assert means[0] == 11.5
    assert np.isnan(means[1])
    assert isinstance(degrees_of(means), str)
    assert isinstance(degrees_of(np.full(3, np.nan)), str)
