"""Counters that reset daily by their meter's clock: closing rows, resets missed, standstills, doubled hours."""

from quintet.pipeline.derive import Derived
from quintet.terms.reading import ValueKind

from .derived_meter import PARTIAL, QUESTIONABLE, VALID, Meter, gaps_of, rows_of, rules_of, run

DAILY = ValueKind.REGISTER_DAILY_RESET
QUARTER = 15 * 60
DAY = 86_400


def counter(*readings: tuple[float, object], **more: object) -> Meter:
    """Give a daily counter in mL; hours after a UTC midnight."""
    moments = [(hour * 3600, value) for hour, value in readings]
    return Meter(DAILY, moments, **{"unit": "mL", "cadence": 60, **more})  # type: ignore[arg-type]


def hours(derived: Derived) -> list[tuple[float, int, int]]:
    return [(minute / 60, value, quality) for minute, value, quality in rows_of(derived)]


def test_the_row_at_midnight_closes_the_day_before() -> None:
    derived = run(counter((22, 90), (23, 95), (24, 100), (25, 4), (26, 9)))
    assert hours(derived) == [(22, 5, VALID), (23, 5, VALID), (24, 4, VALID), (25, 5, VALID)]
    assert rules_of(derived) == []


def test_a_missing_closing_row_leaves_the_tail_of_its_day_unknown() -> None:
    derived = run(counter((21, 85), (22, 90), (25, 4), (26, 9)))
    assert hours(derived) == [(21, 5, VALID), (24, 4, VALID), (25, 5, VALID)]
    assert gaps_of(derived) == [(22 * 60, 2, None)]
    assert rules_of(derived) == [(22 * 60, "day_not_closed")]


def test_the_day_is_that_of_the_meters_clock() -> None:
    derived = run(counter((14, 90), (15, 100), (16, 4), tz="Asia/Seoul"))
    assert hours(derived) == [(14, 10, VALID), (15, 4, VALID)]


def test_days_of_23_and_25_hours_reset_at_their_own_midnight() -> None:
    # T0 is 2023-11-15 UTC; New York left summer time on 2023-11-05 and met it again on 2024-03-10.
    autumn, spring = -10 * 24, 116 * 24
    readings = [(autumn + 4, 50), (autumn + 5, 2), (autumn + 28, 70), (autumn + 29, 80), (autumn + 30, 3)]
    derived = run(counter(*readings, tz="America/New_York"))
    assert [row for row in hours(derived) if row[0] >= autumn + 28] == [
        (autumn + 28, 10, VALID),
        (autumn + 29, 3, VALID),
    ]
    readings = [(spring + 4, 50), (spring + 5, 60), (spring + 6, 2), (spring + 28, 80), (spring + 29, 3)]
    derived = run(counter(*readings, tz="America/New_York"))
    assert hours(derived)[:2] == [(spring + 4, 10, VALID), (spring + 5, 2, VALID)]
    assert hours(derived)[-1] == (spring + 28, 3, VALID)


def test_a_standstill_over_midnight_that_ends_lower_counts_from_midnight() -> None:
    derived = run(counter((20, 80), (21, 90), *((hour, 90) for hour in range(22, 31)), (31, 40), (32, 45)))
    assert hours(derived) == [(20, 10, VALID), (31, 5, VALID)]
    assert gaps_of(derived) == [(21 * 60, 3, None), (24 * 60, 7, 40)]
    assert [rule for _, rule in rules_of(derived)] == ["day_not_closed"] + ["stale"] * 9


def test_a_standstill_that_ends_higher_claims_no_total() -> None:
    derived = run(counter((20, 80), (21, 90), *((hour, 90) for hour in range(22, 31)), (31, 400), (32, 405)))
    assert hours(derived) == [(20, 10, VALID), (31, 5, VALID)]
    assert gaps_of(derived) == [(21 * 60, 10, None)]
    assert (31 * 60, "reset_unseen") in rules_of(derived)


def test_zeros_over_midnight_are_no_standstill() -> None:
    derived = run(counter(*((hour, 0) for hour in range(22, 27))))
    assert hours(derived) == [(hour, 0, VALID) for hour in range(22, 26)]
    assert rules_of(derived) == []


def test_a_reset_that_did_not_happen_is_said() -> None:
    derived = run(counter((23, 360), (24, 365), (25, 368), (26, 371)))
    assert hours(derived) == [(23, 5, VALID), (24, 3, QUESTIONABLE), (25, 3, VALID)]
    assert rules_of(derived) == [(25 * 60, "reset_missed")]


def test_a_reset_in_the_daytime_counts_from_zero_only_at_the_days_pace() -> None:
    early = run(counter((8, 80), (9, 90), (10, 12), (11, 20), (12, 30), (13, 40), (14, 50)))
    assert hours(early)[:2] == [(8, 10, VALID), (10, 8, VALID)]
    assert gaps_of(early) == [(9 * 60, 1, None)], "nobody counted what passed before the reset"
    assert rules_of(early) == [(10 * 60, "reset_early")]
    back = run(counter((8, 80), (9, 90), (10, 60), (11, 61), (12, 62), (13, 63), (14, 64)))
    assert hours(back)[:2] == [(8, 10, VALID), (10, 1, VALID)]
    assert rules_of(back) == [(10 * 60, "rollback")]
    assert gaps_of(back) == [(9 * 60, 1, None)]


def test_a_first_reading_of_the_day_may_be_astray() -> None:
    derived = run(counter((23, 95), (24, 100), (25, 9000), (26, 5), (27, 9)))
    assert hours(derived) == [(23, 5, VALID), (24, 2, QUESTIONABLE), (25, 3, QUESTIONABLE), (26, 4, VALID)]
    assert rules_of(derived) == [(25 * 60, "excursion")]


def test_a_clock_that_runs_ahead_resets_before_midnight_and_not_at_it() -> None:
    derived = run(counter((22, 90), (23, 95), (24, 2), (25, 4)))
    assert hours(derived) == [(22, 5, VALID), (24, 2, QUESTIONABLE)]
    assert gaps_of(derived) == [(23 * 60, 1, None)]
    assert rules_of(derived) == [(24 * 60, "reset_early"), (25 * 60, "reset_missed")]


def test_a_counter_that_shows_zero_at_midnight_leaves_its_last_interval_unknown() -> None:
    days = [(24 * day + hour, hour % 24) for day in (0, 1) for hour in range(1, 25)]
    derived = run(counter((0, 0), *days))
    assert [row for row in hours(derived) if row[0] % 24 != 23] == [
        (hour, 1, VALID) for hour in range(48) if hour % 24 != 23
    ]
    assert [row for row in hours(derived) if row[0] % 24 == 23] == [], "a missing hour is not a measured 0"
    assert gaps_of(derived) == [(23 * 60, 1, None), (47 * 60, 1, None)]
    assert rules_of(derived) == [(24 * 60, "reset_early"), (48 * 60, "reset_early")]


def test_a_day_of_zeros_closes_at_zero() -> None:
    derived = run(counter((0, 0), *((hour, 0) for hour in range(1, 25)), (25, 1)))
    assert hours(derived) == [*((hour, 0, VALID) for hour in range(24)), (24, 1, VALID)]


def test_a_momentary_zero_within_a_day_is_no_reset() -> None:
    derived = run(counter((8, 80), (9, 0), (10, 90), (11, 95)))
    assert int(derived.value.sum()) == 15
    assert rules_of(derived) == [(9 * 60, "momentary_zero")]


def test_a_doubled_hour_whose_second_half_is_missing_stays_exact_in_sum() -> None:
    # Read every quarter; the stamps of the second pass fell on the first, the lower value was kept and marked.
    readings = [(6.0, 20), (6.25, 27), (6.5, 33), (6.75, 38), (8.0, 44), (8.25, 71), (8.5, 76)]
    derived = run(counter(*readings, cadence=15, doubtful=tuple(hour * 3600 for hour in (6.25, 6.5, 6.75, 8.0))))
    assert int(derived.value.sum()) + int(derived.gaps.total.sum()) == 56
    assert gaps_of(derived) == [(6.75 * 60, 5, 6)]
    assert derived.quality.tolist() == [QUESTIONABLE] * 4 + [VALID]


def test_irregular_stamps_cut_at_midnight() -> None:
    derived = run(Meter(DAILY, [(DAY - 90 * 60, 95), (DAY - 60, 100), (DAY + 59 * 60, 59)], unit="mL", cadence=60))
    minutes = [(minute / 60, value, quality) for minute, value, quality in rows_of(derived)]
    assert minutes == [(22, 1, PARTIAL), (23, 4, PARTIAL), (24, 59, PARTIAL)]
