"""The memory of the newest days: what it holds is right, what it does not hold it says it does not hold."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.store.recent import KEPT_DAYS, KEPT_SUMS, Recent
from quintet.terms.period import MINUTE_US, day_number, day_start, grid_phase, to_us
from quintet.terms.reading import clock

MADRID = clock("Europe/Madrid")
CADENCE_MIN = (15, 60, 30, 1440)
"""Cadences of channels 0 to 3."""
CADENCE_US = np.array([cadence * MINUTE_US for cadence in CADENCE_MIN], np.int64)
PHASE_US = np.array([grid_phase(MADRID, int(cadence)) for cadence in CADENCE_US], np.int64)
FIRST = date(2025, 3, 28)
"""Two days before the day of 23 hours."""
Cell = tuple[int, int]
"""channel, start (us)."""


def slots(channel: int, day: date) -> list[int]:
    """Give the starts of a channel's slots within a local day."""
    low, high = (to_us(day_start(at, MADRID)) for at in (day, day + timedelta(days=1)))
    cadence, phase = int(CADENCE_US[channel]), int(PHASE_US[channel])
    first = low + (-(low + phase)) % cadence
    return list(range(first, high, cadence))


SLOT = st.integers(0, 3).flatmap(
    lambda channel: st.tuples(
        st.just(channel),
        st.integers(0, 6).flatmap(lambda day: st.sampled_from(slots(channel, FIRST + timedelta(days=day)) or [0])),
    )
)
BATCH = st.dictionaries(SLOT, st.tuples(st.integers(-(10**12), 10**12), st.sampled_from([0, 1, 21])), max_size=12)


def take(recent: Recent, batch: dict[Cell, tuple[int, int]]) -> None:
    cells = sorted((cell, said) for cell, said in batch.items() if cell[1])
    channel = np.array([cell[0] for cell, _ in cells], np.int32)
    start, value = (np.array(column, np.int64) for column in ([c[1] for c, _ in cells], [s[0] for _, s in cells]))
    quality = np.array([said[1] for _, said in cells], np.uint8)
    recent.take_intervals(channel, start, value, quality, CADENCE_US, PHASE_US)


@given(st.lists(BATCH, max_size=6))
@settings(max_examples=60)
def test_what_was_taken_in_is_what_is_given(batches: list[dict[Cell, tuple[int, int]]]) -> None:
    recent, model = Recent(MADRID), dict[Cell, tuple[int, int]]()
    days = {day_number(FIRST + timedelta(days=number)): FIRST + timedelta(days=number) for number in range(7)}
    for batch in batches:
        take(recent, batch)
        newest = recent.newest
        held = {
            cell for day in range(newest - KEPT_DAYS + 1, newest + 1) if day in days for cell in cells_of(days[day])
        }
        model = {cell: said for cell, said in {**model, **batch}.items() if cell in held}
    for number, day in days.items():
        for channel in range(4):
            found = recent.day(channel, int(CADENCE_US[channel]), int(PHASE_US[channel]), number)
            if not recent.first_day <= number <= recent.newest:
                assert found is None
                continue
            assert found is not None
            expected = [(at, *model[channel, at]) for at in slots(channel, day) if model.get((channel, at), (0, 0))[1]]
            assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


def cells_of(day: date) -> list[Cell]:
    return [(channel, at) for channel in range(4) for at in slots(channel, day)]


def add_sums(recent: Recent, rows: list[tuple[int, int, int, int, int]]) -> None:
    columns = list(zip(*rows, strict=True))
    recent.take_sums(np.array(columns[0], np.int32), *(np.array(column, np.int64) for column in columns[1:]))


def test_daily_sums_add_up_and_old_ones_are_let_go() -> None:
    recent, today = Recent(MADRID), day_number(FIRST)
    add_sums(recent, [(1, today, 10, 2, 0), (2, today, 5, 1, 1)])
    add_sums(recent, [(1, today, -3, 0, 0), (1, today - 1, 7, 1, 0)])
    found = recent.sums(np.array([1, 2, 9], np.int32), today - 1, today)
    assert found is not None
    assert found.tolist() == [[[7, 7], [0, 5], [0, 0]], [[1, 2], [0, 1], [0, 0]], [[0, 0], [0, 1], [0, 0]]]
    add_sums(recent, [(1, today + KEPT_SUMS - 1, 1, 1, 0)])
    assert recent.sums(np.array([1], np.int32), today - 1, today) is None, "a day that was let go is not zero"
    kept = recent.sums(np.array([1], np.int32), today, today)
    assert kept is not None
    assert kept[0].tolist() == [[7]]
    add_sums(recent, [(1, today - 1, 99, 1, 0)])
    assert recent.sums(np.array([1], np.int32), today - 1, today - 1) is None


def test_nothing_is_held_before_anything_is_known() -> None:
    recent = Recent(MADRID)
    assert recent.day(0, int(CADENCE_US[0]), 0, day_number(FIRST)) is None
    take(recent, {})
    assert recent.day(0, int(CADENCE_US[0]), 0, day_number(FIRST)) is None


@pytest.mark.parametrize("channels", [[0], [3, 0, 1], [2, 7]])
def test_a_day_of_many_channels_is_the_days_of_each(channels: list[int]) -> None:
    recent, number, at = Recent(MADRID), day_number(FIRST), to_us(day_start(FIRST, MADRID))
    cadence = np.full(8, CADENCE_US[0])
    phase = np.full(8, PHASE_US[0])
    rows = [
        (channel, at + slot * int(cadence[0]), channel * 100 + slot) for channel in (0, 1, 3) for slot in (2, 5, 95)
    ]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    quality = np.ones(len(rows), np.uint8)
    recent.take_intervals(columns[0].astype(np.int32), columns[1], columns[2], quality, cadence, phase)
    whole = recent.days(np.array(channels, np.int32), int(cadence[0]), int(phase[0]), number)
    assert whole is not None
    start, value, known = whole
    assert value.shape == known.shape == (len(channels), 96)
    for row, channel in enumerate(channels):
        one = recent.day(channel, int(cadence[0]), int(phase[0]), number)
        assert one is not None
        held = np.flatnonzero(known[row])
        assert (start + held * int(cadence[0])).tolist() == one[0].tolist()
        assert value[row, held].tolist() == one[1].tolist()
