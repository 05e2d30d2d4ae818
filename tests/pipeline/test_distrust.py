"""Registers that roll over or fall too often: their intervals are rejected there, as readings come and all at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from quintet.pipeline.distrust import REJECTED
from quintet.pipeline.thresholds import limits
from quintet.terms.reading import ValueKind

from .conftest import Bench, Row, moment
from .derived_meter import VALID, Meter, gaps_of, rows_of, rules_of, run

HOURS = 24 * 12


def rules_found(bench: Bench) -> set[str]:
    with bench.engine.snapshot() as snapshot:
        return {rule for (rule,) in snapshot.rows("select rule from finding")}


def hourly(readings: list[tuple[float, float]]) -> Meter:
    return Meter(ValueKind.REGISTER_CUMULATIVE, readings, cadence=60, dials=4)


def test_two_rollovers_within_a_day_are_trusted() -> None:
    derived = run(hourly([(hour * 3600, hour * 700 % 10_000) for hour in range(96)]))
    assert [rule for _, rule in rules_of(derived)] == ["V12_rollover"] * 6
    assert {quality for _, _, quality in rows_of(derived)} == {VALID}


def test_a_quarter_hour_register_that_turns_every_three_hours_measures_nothing_until_it_stops() -> None:
    steady = [(96 * 900 + step * 900, 86_400 % 10_000 + step) for step in range(96 * 2)]
    derived = run(
        Meter(ValueKind.REGISTER_CUMULATIVE, [*[(s * 900, s * 900 % 10_000) for s in range(96)], *steady], dials=4)
    )
    assert [rule for _, rule in rules_of(derived)].count("register_unreliable") == 1
    bad = [minute for minute, _, quality in rows_of(derived) if quality == REJECTED]
    # Turns come 165 minutes apart, the first after 180.
    assert bad == [15.0 * place for place in range(1, len(bad) + 1)]
    assert 24 * 60 - 180 < bad[-1] < 24 * 60 + 180
    assert not any(has for _, _, has in gaps_of(derived))


def test_as_many_rollbacks_as_a_trembling_register_shows_are_trusted() -> None:
    def falling(times: int) -> Meter:
        """Fall by 40 so many times, four hours apart, never to come back within the readings looked at together."""
        value, out = 9_000.0, list[tuple[float, float]]()
        for hour in range(96):
            value += 2 if not 30 <= hour < 30 + 4 * times or (hour - 30) % 4 else -900
            out.append((hour * 3600, value))
        return hourly(out)

    most = limits().rollbacks_a_day
    for times in (most - 1, most):
        derived = run(falling(times))
        names = [rule for _, rule in rules_of(derived)]
        assert names.count("rollback") == times
        assert ("register_unreliable" in names) == (times == most)
        assert any(quality == REJECTED for _, _, quality in rows_of(derived)) == (times == most)


PATTERNS: dict[str, Callable[[int], float]] = {
    "turns for a day": lambda hour: hour * (2_499.9 if 100 <= hour < 130 else 0.9) % 10_000,
    "turns at random times": lambda hour: hour * 7919 % 10_007 % 10_000 if hour % 97 < 40 else 3_000 + hour,
    "always": lambda hour: hour * 4_999 % 10_000,
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_comes_hour_by_hour_is_judged_as_what_comes_at_once(new_bench: Callable[[], Bench], pattern: str) -> None:
    rows: list[Row] = [("m", moment(1) + timedelta(hours=hour), PATTERNS[pattern](hour)) for hour in range(HOURS)]
    whole, parts = new_bench(), new_bench()
    for bench, size in ((whole, HOURS), (parts, 5)):
        bench.register(m=("electricity", "kWh", "register_cumulative", 60, 4))
        for first in range(0, HOURS, size):
            bench.send(rows[first : first + size])
    assert parts.effective() == whole.effective()
    # Whatever passes is no more than a register of four dials can count.
    held = 10_000 * 1_000_000 // limits().fewest_turn_hours
    assert [row for row in whole.effective() if row[3] != REJECTED and row[2] > held] == []
    assert {"register_unreliable", "V16"} & rules_found(whole)


def test_a_rise_that_the_plate_cannot_measure_is_no_total_and_a_shape_stays_under_it(
    new_bench: Callable[[], Bench],
) -> None:
    def told(rise: float) -> tuple[list[tuple[int, int]], set[str]]:
        bench = new_bench()
        bench.register(m=("electricity", "kWh", "register_cumulative", 60, 4))
        sent = [(hour, hour * 1.0) for hour in range(48)] + [(hour, hour + rise) for hour in range(60, 96)]
        bench.send([("m", moment(1) + timedelta(hours=hour), value) for hour, value in sent])
        return [(value, quality) for _, _, value, quality in bench.effective()], rules_found(bench)

    hours, most = 13, 10_000 // limits().fewest_turn_hours
    fine, found = told(hours * most - hours)
    assert len(fine) == 95
    assert "total_beyond_plate" not in found
    assert max(value for value, _ in fine) <= 10_000 * 1_000_000 // limits().fewest_turn_hours
    declined, found = told(hours * most + hours)
    assert len(declined) == 95 - hours
    assert "total_beyond_plate" in found
