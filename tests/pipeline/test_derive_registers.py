"""Cumulative registers to intervals: sums equal differences exactly; rollover, excursion, rollback, gaps."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quintet.pipeline.derive import Derived
from quintet.terms.reading import ValueKind
from quintet.terms.unit import units

from .derived_meter import PARTIAL, QUESTIONABLE, VALID, Meter, gaps_of, rows_of, rules_of, run

REGISTER = ValueKind.REGISTER_CUMULATIVE
HOUR = 3600


def water(*values: object, **more: object) -> Meter:
    """Give a water meter read in litres on every full hour; None is a reading that never came."""
    readings = [(HOUR * n, value) for n, value in enumerate(values) if value is not None]
    return Meter(REGISTER, readings, **{"unit": "L", "cadence": 60, **more})  # type: ignore[arg-type]


def litres(derived: Derived) -> list[tuple[float, float, int]]:
    return [(minute / 60, value / 1000, quality) for minute, value, quality in rows_of(derived)]


def test_readings_on_the_grid_are_differences() -> None:
    assert litres(run(water(10, 12, 12, 20))) == [(0, 2, VALID), (1, 0, VALID), (2, 8, VALID)]


def test_a_single_reading_says_nothing() -> None:
    derived = run(water(10))
    assert rows_of(derived) == []
    assert gaps_of(derived) == []


def test_readings_at_irregular_seconds_are_apportioned() -> None:
    derived = run(Meter(REGISTER, [(1800, 0), (5400, 1), (9000, 4)], unit="mL", cadence=60))
    assert rows_of(derived) == [(0, 0, PARTIAL), (60, 2, VALID), (120, 2, PARTIAL)]


def test_a_long_span_is_a_gap_that_knows_its_total() -> None:
    derived = run(Meter(REGISTER, [(1800, 0), (1800 + 4 * HOUR, 400)], unit="mL", cadence=60))
    assert rows_of(derived) == [(0, 50, PARTIAL), (240, 50, PARTIAL)]
    assert gaps_of(derived) == [(60, 3, 300)]


def test_the_edge_slots_of_a_long_span_are_questionable_when_the_neighbours_fill_them() -> None:
    readings = [(0, 0), (1800, 10), (1800 + 4 * HOUR, 410), (5 * HOUR, 420)]
    derived = run(Meter(REGISTER, readings, unit="mL", cadence=60))
    assert rows_of(derived) == [(0, 60, QUESTIONABLE), (240, 60, QUESTIONABLE)]
    assert gaps_of(derived) == [(60, 3, 300)]


def test_one_missed_reading_still_counts_as_measured() -> None:
    assert litres(run(water(0, None, 5))) == [(0, 2.5, VALID), (1, 2.5, VALID)]


def test_a_momentary_zero_is_no_spike() -> None:
    derived = run(water(100, 101, 0, 103, 104))
    assert litres(derived) == [(0, 1, VALID), (1, 1, QUESTIONABLE), (2, 1, QUESTIONABLE), (3, 1, VALID)]
    assert rules_of(derived) == [(120, "momentary_zero")]


def test_a_register_that_alternates_with_a_higher_one_keeps_the_lower() -> None:
    derived = run(water(100, 9100, 102, 9103, 104, 9105, 106, 9107, 108, 109, 110, 111, 112))
    assert [rule for _, rule in rules_of(derived)] == ["excursion"] * 4
    assert int(derived.value.sum()) == 12_000


def test_a_rollback_claims_nothing_for_its_span() -> None:
    derived = run(water(500, 501, 3, 4, 5, 6, 7))
    assert litres(derived) == [(0, 1, VALID)] + [(n, 1, VALID) for n in (2, 3, 4, 5)]
    assert gaps_of(derived) == [(60, 1, None)]
    assert rules_of(derived) == [(120, "rollback")]


def test_a_rollback_between_irregular_readings_leaves_partial_slots() -> None:
    readings = [(0, 500), (1800, 501), (2400, 3), (HOUR, 4), (HOUR + 60, 4), (HOUR + 120, 4), (2 * HOUR, 5)]
    derived = run(Meter(REGISTER, readings, unit="L", cadence=60))
    assert litres(derived) == [(0, 2, PARTIAL), (1, 1, VALID)]


def test_the_last_reading_cannot_prove_a_setback_and_claims_nothing() -> None:
    derived = run(water(100, 101, 0))
    assert litres(derived) == [(0, 1, VALID)]
    assert rules_of(derived) == [(120, "momentary_zero")]


def test_a_rollover_by_dial_count_continues() -> None:
    derived = run(water(9990, 9998, 3, 10, dials=4))
    assert litres(derived) == [(0, 8, VALID), (1, 5, VALID), (2, 7, VALID)]
    assert rules_of(derived) == [(120, "V12_rollover")]


def test_a_rollover_counts_dials_after_the_multiplier_scales_the_reading() -> None:
    derived = run(water(9990, 9998, 3, 10, dials=4, multiplier=Fraction(10)))
    assert litres(derived) == [(0, 80, VALID), (1, 50, VALID), (2, 70, VALID)]


def test_a_fall_from_the_middle_of_the_dials_is_no_rollover() -> None:
    derived = run(water(5000, 5001, 3, 4, 5, 6, 7, dials=4))
    assert rules_of(derived) == [(120, "rollback")]


def test_a_rollover_above_what_the_plate_allows_is_a_rollback() -> None:
    series = (9990, 9998, 300, 310, 320, 330, 340)
    assert rules_of(run(water(*series, dials=4, plate=400_000))) == [(120, "V12_rollover")]
    assert rules_of(run(water(*series, dials=4, plate=200_000))) == [(120, "rollback")]


def test_a_momentary_zero_near_the_top_of_the_dials_is_no_rollover() -> None:
    derived = run(water(9990, 9995, 0, 9996, 9997, dials=4))
    assert rules_of(derived) == [(120, "momentary_zero")]
    assert int(derived.value.sum()) == 7_000


def test_a_negative_register_is_named_and_left_out() -> None:
    derived = run(water(10, -5, 12, 13))
    assert rules_of(derived) == [(60, "V12_negative")]
    assert int(derived.value.sum()) == 3_000


def test_a_conflict_is_doubted_on_both_sides() -> None:
    assert run(water(1, 2, 3, 4, doubtful=(HOUR,))).quality.tolist() == [QUESTIONABLE, QUESTIONABLE, VALID]


def test_an_awkward_unit_telescopes() -> None:
    derived = run(water(*range(0, 700, 7), unit="ft3"))
    ratio = units()["ft3"].ratio
    assert np.cumsum(derived.value).tolist() == [(ratio * 7 * n).__floor__() for n in range(1, 100)]
    assert derived.carry == {}


steps = st.lists(
    st.tuples(st.one_of(st.integers(1, 5000), st.integers(1, 90_000), st.just(3600)), st.integers(0, 10**6)),
    min_size=1,
    max_size=30,
)


def path(moves: list[tuple[int, int]], start: int = 1800) -> list[tuple[float, object]]:
    """Give readings of a register that never falls."""
    moments = np.cumsum([start, *(move[0] for move in moves)]).tolist()
    values = np.cumsum([7, *(move[1] for move in moves)]).tolist()
    return list(zip(moments, values, strict=True))


@given(steps, st.sampled_from(["mL", "US_gal", "L"]), st.sampled_from([1, 15, 30, 60]))
def test_intervals_and_gap_totals_sum_to_the_difference(moves: list[tuple[int, int]], unit: str, cadence: int) -> None:
    readings = path(moves)
    derived = run(Meter(REGISTER, readings, unit=unit, cadence=cadence))
    first, last = ((Fraction(str(value)) * units()[unit].ratio).__floor__() for _, value in (readings[0], readings[-1]))
    assert int(derived.value.sum()) + int(derived.gaps.total.sum()) == last - first
    assert derived.gaps.has_total.all()
    assert (derived.value >= 0).all()


@given(st.lists(st.tuples(st.integers(1, 7200), st.integers(0, 10**6)), min_size=1, max_size=30))
def test_each_slot_equals_the_interpolated_register(moves: list[tuple[int, int]]) -> None:
    readings = path(moves)
    derived = run(Meter(REGISTER, readings, unit="mL", cadence=60))

    def at(second: int) -> int:
        """Interpolate in plain integers; before the first and after the last reading the register stands still."""
        for (t0, v0), (t1, v1) in pairwise(readings):
            if t0 <= second <= t1:
                return v0 + (v1 - v0) * (second - t0) // (t1 - t0)
        return readings[0][1] if second < readings[0][0] else readings[-1][1]

    expected = [(start, at(start * 60 + HOUR) - at(start * 60)) for start, _, _ in rows_of(derived)]
    assert [(start, value) for start, value, _ in rows_of(derived)] == expected
    hours = {int(second) // HOUR for second, _ in readings[:-1]}
    assert hours <= {int(start) // 60 for start, _, _ in rows_of(derived)}


@given(
    st.lists(st.integers(0, 50), min_size=13, max_size=40),
    st.integers(4, 7),
    st.lists(st.integers(-10_000, 10_000).filter(bool), min_size=1, max_size=3),
)
def test_up_to_three_readings_may_leave_the_path(uses: list[int], where: int, strays: list[int]) -> None:
    values = (np.cumsum(uses) + 20_000).tolist()
    wrong = values.copy()
    for offset, stray in enumerate(strays):
        wrong[where + offset] = values[where + offset] + stray
    derived = run(water(*wrong))
    assert int(derived.value.sum()) + int(derived.gaps.total.sum()) == 1000 * (values[-1] - values[0])
    assert (derived.value >= 0).all()
    assert "rollback" not in derived.findings.rule.tolist()


def test_a_register_that_jumps_for_hours_and_comes_back_used_nothing_meanwhile() -> None:
    """One step up explains the fall: what lies between is an excursion, however the register counted on up there."""
    high = [9_000 + n for n in range(2, 9)]
    derived = run(water(100, 101, *high, 109, 110, 111, 112))
    assert {rule for _, rule in rules_of(derived)} == {"excursion"}
    assert int(derived.value.sum()) + sum(total or 0 for _, _, total in gaps_of(derived)) == 12_000
    assert int(derived.value.max()) == 1_000


def test_a_register_that_falls_for_hours_and_comes_back_lost_nothing() -> None:
    low = list(range(2, 9))
    derived = run(water(5_000, 5_001, *low, 5_009, 5_010, 5_011))
    assert {rule for _, rule in rules_of(derived)} == {"excursion"}
    assert int(derived.value.sum()) + sum(total or 0 for _, _, total in gaps_of(derived)) == 11_000


def test_a_register_that_was_used_and_then_set_back_is_no_excursion() -> None:
    """No single step explains the fall: ten hours of use, then a rollback over all of them."""
    derived = run(water(100, *range(110, 210, 10), 104, 105, 106, 107, 108))
    assert [rule for _, rule in rules_of(derived) if rule != "V03_gap"] == ["rollback"]


def test_an_excursion_longer_than_the_bound_stays_a_rollback() -> None:
    derived = run(water(100, 101, *[9_000 + n for n in range(2, 20)], 120, 121, 122, 123))
    assert "rollback" in {rule for _, rule in rules_of(derived)}
