"""The welfare alert: a day without water, and nothing that only looks like one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.alerts.found import Fine, Found, Unsaid
from quintet.alerts.no_water import no_water
from quintet.terms.period import HOUR_US

from .watched_home import FIRST_US, home, hours_seen, lived


def said(*args: object, **more: object) -> object:
    (out,) = no_water(home(*args, **more))  # type: ignore[arg-type]
    return out


def why(outcome: object) -> str:
    return outcome.why if isinstance(outcome, Unsaid) else type(outcome).__name__


@pytest.mark.parametrize(("idle", "kind"), [(0, Fine), (23, Fine), (24, Found), (25, Found), (80, Found)])
def test_a_day_without_water_is_found_and_not_an_hour_sooner(idle: int, kind: type) -> None:
    found = said(hours_seen("water", lived(20, idle)))
    assert isinstance(found, kind)
    if isinstance(found, Found):
        assert found.figures["hours"] == idle
        assert found.since_us == FIRST_US + 20 * 24 * HOUR_US
        assert (found.won, found.won_reason) == (None, "no_use")


def test_a_drop_in_any_hour_is_a_sign_of_life() -> None:
    value = lived(20, 30)
    value[-5] = 1_000
    assert isinstance(said(hours_seen("water", value)), Fine)


@given(at=st.integers(20 * 24, 20 * 24 + 29), length=st.integers(1, 30))
def test_an_hour_that_is_missing_is_never_a_zero(at: int, length: int) -> None:
    value = lived(20, 30)
    sound = np.ones(len(value), np.bool_)
    sound[at : at + length] = False
    outcome = said(hours_seen("water", value, sound))
    heard = np.flatnonzero(sound)
    run = int(heard[-1]) + 1 - max(at + length, 20 * 24) if at + length < len(value) else at - 20 * 24
    late = len(value) - 1 - int(heard[-1])
    assert isinstance(outcome, Found) == (run >= 24 and late <= 3)


@pytest.mark.parametrize("silent_h", [4, 24, 30, 24 * 5])
def test_a_meter_that_fell_silent_says_nothing(silent_h: int) -> None:
    value = lived(20, 30 + silent_h)
    sound = np.ones(len(value), np.bool_)
    sound[-silent_h:] = False
    assert why(said(hours_seen("water", value, sound))) == "silent"


def test_a_meter_that_stands_while_hot_water_runs_has_stopped_and_nobody_is_called() -> None:
    hot = lived(20, 30)
    hot[-3] = 10_000
    assert isinstance(said(hours_seen("water", lived(20, 30)), hours_seen("hot_water", hot)), Fine)
    assert isinstance(said(hours_seen("water", lived(20, 30)), hours_seen("hot_water", lived(20, 30))), Found)


@pytest.mark.parametrize(
    ("days", "idle", "expected"),
    [(2, 30, "gaps"), (20, 24 * 20, "Found"), (0, 24 * 20, "gaps")],
)
def test_too_little_past_says_nothing(days: int, idle: int, expected: str) -> None:
    assert why(said(hours_seen("water", lived(days, idle)))) == expected


def test_an_empty_dwelling_says_nothing_when_one_drop_was_a_plumbers() -> None:
    value = np.zeros(20 * 24, np.int64)
    value[15 * 24] = 10_000
    assert why(said(hours_seen("water", value))) == "no_life"


def test_a_register_too_coarse_for_a_day_says_nothing() -> None:
    value = lived(20, 0)
    coarse = np.diff(np.cumsum(value) // 1_000_000 * 1_000_000, prepend=0)
    idle = np.concatenate([coarse, np.zeros(30, np.int64)])
    assert why(said(hours_seen("water", idle))) == "coarse"


@pytest.mark.parametrize(("back_h", "expected"), [(1, "away"), (0, "Fine"), (-23, "Fine"), (-24, "Found")])
def test_who_said_that_he_is_away_is_waited_for_a_day_after_his_return(back_h: int, expected: str) -> None:
    value = lived(20, 80)
    now = FIRST_US + len(value) * HOUR_US
    assert why(said(hours_seen("water", value), away_until_us=now + back_h * HOUR_US)) == expected


def test_nobody_is_looked_at_without_consent_and_nothing_of_before_the_household_counts() -> None:
    assert why(said(hours_seen("water", lived(20, 30)), watched=False)) == "no_consent"
    moved_in = FIRST_US + (20 * 24 + 20) * HOUR_US
    assert isinstance(said(hours_seen("water", lived(20, 30)), since_us=moved_in), Fine)
    assert why(said(None, hours_seen("hot_water", lived(20, 30)))) == "no_meter"
