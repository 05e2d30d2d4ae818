"""Blocks: the local days of their columns, their gaps, and what does not fit."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quintet.terms.errors import BadInput
from quintet.vee import Block, find_gaps
from quintet.vee.block import cells, measured_ids, spans

Make = Callable[..., Block]


def test_a_block_of_two_and_a_half_days_has_two_whole_ones(make_block: Make) -> None:
    block = make_block([[1] * 60])
    assert np.bincount(block.day_of).tolist() == [24, 24, 12]
    assert block.whole_day.tolist() == [True, True, False]
    assert block.whole_days() == [(0, 24), (24, 48)]
    assert block.slot_of[:25].tolist() == [*range(24), 0]
    assert block.first_day == 20152  # 2025-03-05


def test_a_day_cut_at_its_start_is_not_whole(make_block: Make) -> None:
    block = make_block([[1] * 24], start="2025-03-05T01:00:00+09:00")
    assert block.whole_day.tolist() == [False, False]
    assert block.slot_of.tolist() == [*range(1, 24), 0]


@pytest.mark.parametrize(
    ("start", "hours", "slots"),
    [
        ("2019-03-31T00:00:00+00:00", 23, [0, *range(2, 24)]),
        ("2019-10-27T00:00:00+01:00", 25, [0, 1, 1, *range(2, 24)]),
    ],
)
def test_days_of_23_and_25_hours_are_whole_and_keep_the_wall_clock(
    make_block: Make, start: str, hours: int, slots: list[int]
) -> None:
    block = make_block([[1] * hours], start=start, tz="Europe/London")
    assert block.whole_day.tolist() == [True]
    assert block.slot_of.tolist() == slots
    assert make_block([[1] * (hours - 1)], start=start, tz="Europe/London").whole_day.tolist() == [False]


def test_a_grid_off_the_citys_midnight_still_has_whole_days(make_block: Make) -> None:
    block = make_block([[1] * 48], start="2025-03-05T00:30:00+09:00")
    assert block.whole_day.tolist() == [True, True]


def test_a_day_that_no_slot_starts_in_is_not_whole(make_block: Make) -> None:
    """Slots of a day from 23:30 on jump over the 23-hour Sunday."""
    block = make_block([[1, 2, 3]], cadence_min=1440, start="2019-03-30T23:30:00+00:00", tz="Europe/London")
    assert block.day_of.tolist() == [0, 2, 3]
    assert block.whole_day.tolist() == [True, False, True, True]


def test_an_empty_block_is_a_block(make_block: Make) -> None:
    block = make_block([[], []])
    assert block.whole_days() == []
    assert len(find_gaps(block)) == 0


def test_arrays_that_do_not_fit_are_refused(make_block: Make) -> None:
    good = make_block([[1, 2, 3]])
    with pytest.raises(BadInput, match="do not fit"):
        Block(0, good.cadence_us, good.channels, good.value[:, :2], *list(vars(good).values())[4:])


def test_gaps_are_what_is_missing_or_rejected(make_block: Make) -> None:
    block = make_block([[1, None, None, 4], [1, 2, 3, None]], quality={(1, 0): "rejected", (1, 1): "edited"})
    gaps = find_gaps(block)
    assert list(zip(gaps.row.tolist(), gaps.first.tolist(), gaps.length.tolist(), strict=True)) == [
        (0, 1, 2),
        (1, 0, 1),
        (1, 3, 1),
    ]
    assert not gaps.has_total.any()


def test_rules_judge_measured_values_but_no_edit_and_no_estimate() -> None:
    from_codes = {code: bool(measured_ids()[number]) for code, number in (("valid", 1), ("edited", 40), ("linear", 20))}
    assert from_codes == {"valid": True, "edited": False, "linear": False}


@given(arrays(np.bool_, st.tuples(st.integers(0, 5), st.integers(1, 30))), st.integers(1, 4))
def test_spans_are_the_runs_long_enough(mask: np.ndarray, least: int) -> None:
    row, first, last = spans(mask, least)
    rebuilt = np.zeros_like(mask)
    rebuilt[cells(row, first, last - first + 1)] = True
    for line, back in zip(mask, rebuilt, strict=True):
        text = "".join("x" if one else " " for one in line)
        want = "".join(part if len(part) >= least else " " * len(part) for part in _pieces(text))
        assert "".join("x" if one else " " for one in back) == want
    assert (last - first + 1 >= least).all()


def _pieces(text: str) -> list[str]:
    """Split a text where x and blank meet."""
    out: list[str] = []
    for sign in text:
        if out and out[-1][-1] == sign:
            out[-1] += sign
        else:
            out.append(sign)
    return out
