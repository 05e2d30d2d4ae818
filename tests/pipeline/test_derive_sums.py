"""Interval sums, average power, events and samples to intervals: exact, chained, apportioned, named."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.pipeline import thresholds
from quintet.pipeline.thresholds import limits
from quintet.terms.errors import BadInput
from quintet.terms.reading import ValueKind
from quintet.terms.unit import units

from .derived_meter import DERIVED, KINDS, PARTIAL, QUESTIONABLE, VALID, Meter, gaps_of, rows_of, rules_of, run

SUM, POWER, EVENT, FLOW = ValueKind.INTERVAL_SUM, ValueKind.AVG_POWER, ValueKind.EVENT_SUM, ValueKind.INST_FLOW
QUARTER = 15 * 60


def test_interval_sums_are_named_by_their_start_and_exact() -> None:
    derived = run(Meter(SUM, [(0, "0.25"), (QUARTER, "1.5"), (2 * QUARTER, "-0.000001")]))
    assert rows_of(derived) == [(0, 250_000, VALID), (15, 1_500_000, VALID), (30, -1, VALID)]
    assert gaps_of(derived) == []
    assert derived.carry == {}


def test_a_multiplier_scales_exactly() -> None:
    derived = run(Meter(SUM, [(0, "0.1")], multiplier=Fraction(40)), Meter(SUM, [(0, "0.1")]))
    assert derived.value.tolist() == [4_000_000, 100_000]


@pytest.mark.parametrize("cadence", [1, 15, 30, 60])
def test_average_power_is_rate_times_cadence(cadence: int) -> None:
    derived = run(Meter(POWER, [(60 * cadence * n, 600) for n in range(4)], unit="W", cadence=cadence))
    assert rows_of(derived) == [(cadence * n, 10_000 * cadence, VALID) for n in range(4)]


def test_watts_by_the_minute_carry_their_thirds() -> None:
    derived = run(Meter(POWER, [(60 * n, 1) for n in range(6)], unit="W", cadence=1))
    assert derived.value.tolist() == [16, 17, 17, 16, 17, 17]
    assert derived.carry == {}
    begun = run(Meter(POWER, [(0, 1)], unit="W", cadence=1), carry={0: Fraction(1, 3)})
    assert begun.value.tolist() == [17]
    assert begun.carry == {}
    left = run(Meter(POWER, [(0, 1)], unit="W", cadence=1))
    assert left.carry == {0: Fraction(2, 3)}


def test_a_remainder_passes_through_a_channel_without_readings() -> None:
    derived = run(Meter(SUM, []), Meter(SUM, [(0, 1)]), carry={0: Fraction(1, 3), 1: Fraction(1, 7)})
    assert derived.carry == {0: Fraction(1, 3), 1: Fraction(1, 7)}


def test_a_missing_interval_is_a_gap_and_not_zero() -> None:
    derived = run(Meter(SUM, [(0, 1), (4 * QUARTER, 1)]))
    assert [row[0] for row in rows_of(derived)] == [0, 60]
    assert gaps_of(derived) == [(15, 3, None)]
    assert derived.findings.rule.tolist() == ["V03_gap"]


def test_a_stamp_off_the_grid_is_apportioned_by_time() -> None:
    derived = run(Meter(SUM, [(300, "0.000010"), (300 + QUARTER, "0.000020")]))
    assert rows_of(derived) == [(0, 6, PARTIAL), (15, 4 + 13, VALID), (30, 7, PARTIAL)]
    assert rules_of(derived) == [(5, "off_grid"), (20, "off_grid")]


def test_overlapping_readings_are_both_doubted_and_both_kept() -> None:
    derived = run(Meter(SUM, [(0, 1), (840, 1), (2 * QUARTER, 1)]))
    assert rules_of(derived) == [(14, "V04_overlap"), (14, "off_grid")]
    assert [row[2] for row in rows_of(derived)] == [QUESTIONABLE, PARTIAL, VALID]
    assert int(derived.value.sum()) == 3_000_000


def test_a_settled_conflict_is_questionable_where_it_stands() -> None:
    derived = run(Meter(SUM, [(0, 1), (QUARTER, 2), (2 * QUARTER, 3)], doubtful=(QUARTER,)))
    assert derived.quality.tolist() == [VALID, QUESTIONABLE, VALID]


def test_a_value_beyond_64_bits_is_named_and_harms_nobody() -> None:
    derived = run(Meter(SUM, [(0, 1), (QUARTER, 10**15), (2 * QUARTER, 3)]), Meter(SUM, [(0, 5)]))
    assert rules_of(derived) == [(15, "too_large")]
    assert derived.value.tolist() == [1_000_000, 3_000_000, 5_000_000]
    assert gaps_of(derived) == [(15, 1, None)]


@pytest.mark.parametrize("unit", ["kWh", "ft3", "therm"])
def test_long_decimals_stay_exact_though_their_product_leaves_64_bits(unit: str) -> None:
    number, carry = "123456.123456789012", {0: Fraction(5, 7), 1: Fraction(1, 10**19)}
    long = Meter(SUM, [(QUARTER * n, number) for n in range(9)], unit=unit)
    plain = Meter(SUM, [(QUARTER * n, "0.3") for n in range(9)], unit=unit)
    derived = run(long, plain, plain, carry=carry)
    for channel, text in enumerate([number, "0.3", "0.3"]):
        exact, begun = Fraction(text) * units()[unit].ratio, carry.get(channel, Fraction(0))
        sums = np.cumsum(derived.value[derived.channel == channel])
        assert sums.tolist() == [(begun + exact * n).__floor__() for n in range(1, 10)]
        assert derived.carry.get(channel, 0) == (begun + exact * 9) % 1


def test_events_add_up_in_their_slot_and_leave_no_gap() -> None:
    derived = run(Meter(EVENT, [(10, "1.5"), (20, 2), (7 * QUARTER, 1)], unit="L"))
    assert rows_of(derived) == [(0, 3_500, VALID), (105, 1_000, VALID)]
    assert gaps_of(derived) == []


def test_samples_of_a_flow_give_the_mean_of_their_slot() -> None:
    derived = run(Meter(FLOW, [(0, 4), (300, 5), (600, 7), (3 * QUARTER + 1, 1)], unit="L_h"))
    mean = Fraction(16, 3) * 1000 / 4
    assert rows_of(derived) == [(0, mean.__floor__(), DERIVED), (45, 250, DERIVED)]
    assert gaps_of(derived) == [(15, 2, None)]


def test_a_grid_of_a_half_hour_zone() -> None:
    derived = run(Meter(SUM, [(1800, 1), (5400, 2)], cadence=60, phase=30, tz="Asia/Kolkata"))
    assert rows_of(derived) == [(30, 1_000_000, VALID), (90, 2_000_000, VALID)]
    assert rules_of(derived) == []


def test_no_evidence_gives_nothing() -> None:
    derived = run(*[Meter(kind, []) for kind in KINDS])
    assert len(derived.channel) == len(derived.gaps.channel) == len(derived.findings.channel) == 0


@given(
    st.sampled_from(["kWh", "J", "US_gal", "kJ", "ft3", "therm", "GJ"]),
    st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=40),
    st.integers(0, 5),
    st.fractions(0, Fraction(99, 100), max_denominator=999),
)
def test_chained_sums_are_never_off_by_more_than_one(
    unit: str, values: list[int], places: int, carry: Fraction
) -> None:
    amounts = [Decimal(value).scaleb(-places) for value in values]
    derived = run(Meter(SUM, [(QUARTER * n, one) for n, one in enumerate(amounts)], unit=unit), carry={0: carry})
    exact = [Fraction(one) * units()[unit].ratio for one in amounts]
    value = derived.value.tolist()
    for begin in range(len(value)):
        for end in range(begin + 1, len(value) + 1):
            assert abs(sum(value[begin:end]) - sum(exact[begin:end])) < 1
    assert sum(value) + derived.carry.get(0, 0) == sum(exact) + carry


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=12), st.integers(1, 899))
def test_apportioned_sums_lose_nothing(values: list[int], offset: int) -> None:
    derived = run(Meter(SUM, [(offset + QUARTER * n, f"{one}e-6") for n, one in enumerate(values)]))
    assert int(derived.value.sum()) == sum(values)
    assert derived.quality.tolist() == [PARTIAL] + [VALID] * (len(values) - 1) + [PARTIAL]


def test_every_threshold_has_its_source_and_an_unknown_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert limits().measured_cadences == 2
    table = thresholds.read_toml("quintet.pipeline", "derive.toml")
    assert all(row["source"] and row["why"] for row in table["limit"].values())
    table["limit"]["more"] = dict(table["limit"]["measured_cadences"])
    monkeypatch.setattr(thresholds, "read_toml", lambda *_: table)
    limits.cache_clear()
    with pytest.raises(BadInput, match="unknown more"):
        limits()
    limits.cache_clear()
