"""Estimates: lines, like days, totals; and that no estimate ever feeds another."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.terms.errors import BadInput
from quintet.vee import Block, Gaps, estimate, find_gaps, like_days
from quintet.vee.block import cells

Make = Callable[..., Block]
List = Callable[..., Gaps]
Names = Callable[[Any], list[str]]
Row = list[int | None]
FOUR_WEEKS = "2025-02-05T00:00:00+09:00"
"""A Wednesday four weeks before 2025-03-05."""


def filled(block: Block, gaps: Gaps, **more: Any) -> tuple[list[list[int]], np.ndarray]:
    """Estimate, with values as lists."""
    value, quality = estimate(block, gaps, **more)
    return value.tolist(), quality


def weeks_of(day: Callable[[int], Row], count: int = 29) -> Row:
    """Give rows of whole days, each made from its number; day 0 and day 28 are Wednesdays."""
    return [value for number in range(count) for value in day(number)]


# up to two hours


def test_two_hours_are_a_line_and_a_quarter_more_is_not(make_block: Make, make_gaps: List, names: Names) -> None:
    block = make_block([[0, *[None] * 8, 90, *[None] * 9, 0]], cadence_min=15)
    values, quality = filled(block, find_gaps(block))
    assert values[0] == [*range(0, 91, 10), *[0] * 10]
    assert names(quality[0]) == ["valid", *["linear"] * 8, "valid", *["-"] * 9, "valid"]


def test_halves_go_to_the_even_number(make_block: Make) -> None:
    block = make_block([[0, None, 1], [1, None, 2], [-1, None, 0], [3, None, 0]])
    assert [row[1] for row in filled(block, find_gaps(block))[0]] == [0, 2, 0, 2]


def test_a_total_is_met_by_the_scaled_line(make_block: Make, make_gaps: List, names: Names) -> None:
    block = make_block([[75, None, None, None, None, 100]], cadence_min=15)
    values, quality = filled(block, make_gaps((0, 1, 4, 701)))
    assert values[0] == [75, 160, 170, 180, 191, 100]
    assert names(quality[0])[1:5] == ["linear"] * 4


@pytest.mark.parametrize("row", [[None, 5, 7], [5, 7, None]])
def test_without_one_side_it_stays_missing_unless_a_total_is_known(
    make_block: Make, make_gaps: List, names: Names, row: Row
) -> None:
    block = make_block([row])
    at = row.index(None)
    assert names(filled(block, make_gaps((0, at, 1, None)))[1][0])[at] == "-"
    values, quality = filled(block, make_gaps((0, at, 1, 11)))
    assert (values[0][at], names(quality[0])[at]) == (11, "register_spread")


@pytest.mark.parametrize("code", ["rejected", "questionable", "partial", "linear", "like_day", "withdrawn"])
def test_only_measured_whole_values_end_a_line(make_block: Make, make_gaps: List, names: Names, code: str) -> None:
    block = make_block([[10, 999, None, 40]], quality={(0, 1): code})
    values, quality = filled(block, make_gaps((0, 2, 1, None)))
    assert values[0][:3] == [10, 999, 30]
    assert names(quality[0])[:3] == ["valid", code, "linear"]


@pytest.mark.parametrize("code", ["derived", "edited"])
def test_a_derived_or_edited_value_still_ends_a_line(make_block: Make, make_gaps: List, code: str) -> None:
    block = make_block([[10, 20, None, 40]], quality={(0, 1): code})
    assert filled(block, make_gaps((0, 2, 1, None)))[0][0][2] == 30


def test_a_flagged_negative_value_invents_no_negative_consumption(
    make_block: Make, make_gaps: List, names: Names
) -> None:
    block = make_block([[10, -990, None, 40, 50]], quality={(0, 1): "questionable"})
    values, quality = filled(block, make_gaps((0, 2, 1, None)))
    assert (values[0][:3], names(quality[0])[:3]) == ([10, -990, 30], ["valid", "questionable", "linear"])
    alone = make_block([[-990, None, 40]], quality={(0, 0): "questionable"})
    assert names(filled(alone, make_gaps((0, 1, 1, None)))[1][0])[1] == "-", "nothing to lean on: it stays missing"


@pytest.mark.parametrize(("gap", "rejected"), [(3, (1, 2)), (1, (2, 3)), (2, (1, 3))])
def test_end_points_further_apart_than_two_hours_are_none(
    make_block: Make, make_gaps: List, names: Names, gap: int, rejected: tuple[int, int]
) -> None:
    row: Row = [10, 1, 1, 1, 50]
    row[gap] = None
    block = make_block([row], quality={(0, column): "rejected" for column in rejected})
    assert names(filled(block, make_gaps((0, gap, 1, None)))[1][0])[gap] == "-"


def test_a_rejected_value_is_estimated_where_a_gap_says_so(make_block: Make, names: Names) -> None:
    block = make_block([[10, 9999, 30]], quality={(0, 1): "rejected"})
    values, quality = filled(block, find_gaps(block))
    assert values == [[10, 20, 30]]
    assert names(quality[0]) == ["valid", "linear", "valid"]


def test_an_end_point_may_lie_in_the_history(make_block: Make, make_gaps: List, names: Names) -> None:
    block = make_block([[None, 40, 5]], channels=[7])
    history = make_block([[1, 2], [9, 20]], start="2025-03-04T22:00:00+09:00", channels=[3, 7])
    assert filled(block, make_gaps((0, 0, 1, None)), history=history)[0][0] == [30, 40, 5]
    apart = make_block([[9, 20]], start="2025-03-04T21:00:00+09:00", channels=[7])
    assert names(filled(block, make_gaps((0, 0, 1, None)), history=apart)[1][0])[0] == "-"
    stranger = make_block([[9, 20]], start="2025-03-04T22:00:00+09:00", channels=[8])
    assert names(filled(block, make_gaps((0, 0, 1, None)), history=stranger)[1][0])[0] == "-"


# beyond: like days


def test_a_wednesday_is_the_mean_of_the_three_nearest(make_block: Make, make_gaps: List, names: Names) -> None:
    row = weeks_of(lambda day: [10 * day + hour for hour in range(24)])
    row[28 * 24 : 29 * 24] = [None] * 24
    block = make_block([row], start=FOUR_WEEKS)
    values, quality = filled(block, make_gaps((0, 28 * 24, 24, None)))
    expected = [round((270 + 220 + 210) / 3 + hour) for hour in range(24)]  # Tuesday, last Thursday, last Wednesday
    assert values[0][28 * 24 :] == expected
    assert set(names(quality[0])[28 * 24 :]) == {"like_day"}


def test_history_serves_like_days_too(make_block: Make, make_gaps: List) -> None:
    past = make_block([weeks_of(lambda day: [day] * 24, 28)], start=FOUR_WEEKS, channels=[5])
    block = make_block([[None] * 24], channels=[5])
    assert filled(block, make_gaps((0, 0, 24, None)), history=past)[0] == [[23] * 24]  # (27 + 22 + 21) / 3
    assert filled(block, make_gaps((0, 0, 24, 240)), history=past)[0] == [[10] * 24]


@pytest.mark.parametrize("fault", ["missing", "linear", "rejected", "like_day", "questionable in the gap's hours"])
def test_a_day_with_a_fault_is_passed_over(make_block: Make, make_gaps: List, fault: str) -> None:
    row = weeks_of(lambda day: [day] * 24)
    row[28 * 24 : 28 * 24 + 6] = [None] * 6
    quality = {}
    if fault == "missing":
        row[27 * 24 + 20] = None
    elif fault.startswith("questionable"):
        quality[0, 27 * 24 + 3] = "questionable"
    else:
        quality[0, 27 * 24 + 20] = fault
    values, _ = filled(make_block([row], start=FOUR_WEEKS, quality=quality), make_gaps((0, 28 * 24, 6, None)))
    assert values[0][28 * 24] == 21  # (22 + 21 + 20) / 3: Tuesday the 27th is out


def test_a_doubtful_hour_elsewhere_leaves_a_day_in(make_block: Make, make_gaps: List) -> None:
    row = weeks_of(lambda day: [day] * 24)
    row[28 * 24 : 28 * 24 + 6] = [None] * 6
    block = make_block([row], start=FOUR_WEEKS, quality={(0, 27 * 24 + 20): "questionable"})
    assert filled(block, make_gaps((0, 28 * 24, 6, None)))[0][0][28 * 24] == 23


def test_holidays_are_estimated_from_sundays(make_block: Make, make_gaps: List) -> None:
    row = weeks_of(lambda day: [day] * 24)
    row[28 * 24 :] = [None] * 24
    alike = like_days().with_holidays({date(2025, 3, 5)})
    block = make_block([row], start=FOUR_WEEKS)
    assert filled(block, make_gaps((0, 28 * 24, 24, None)), alike=alike)[0][0][-1] == 18  # days 25, 18 and 11


def test_a_gap_over_days_takes_each_days_own_like_days(make_block: Make, make_gaps: List, names: Names) -> None:
    row = weeks_of(lambda day: [day] * 24, 32)
    row[29 * 24 + 12 : 31 * 24 + 12] = [None] * 48  # Thursday noon to Saturday noon
    block = make_block([row], start=FOUR_WEEKS)
    values, _ = filled(block, make_gaps((0, 29 * 24 + 12, 48, None)))
    thursday, friday, saturday = (values[0][day * 24 + hour] for day, hour in ((29, 12), (30, 0), (31, 0)))
    assert (thursday, friday, saturday) == (26, 16, 17)  # (28+27+22)/3 -> 26; (23+16+9)/3; (24+17+10)/3


def test_days_with_fewer_like_days_weigh_the_same(make_block: Make, make_gaps: List) -> None:
    """Saturday has two like days, Sunday one; both say 4 an hour, so the total is shared evenly."""
    row = weeks_of(lambda _: [4] * 24, 16)
    row[24] = None  # the first Sunday is out
    row[14 * 24 :] = [None] * 48
    block = make_block([row], start="2025-03-01T00:00:00+09:00")
    assert filled(block, make_gaps((0, 14 * 24, 48, 480)))[0][0][14 * 24 :] == [10] * 48


def test_a_day_that_the_block_cuts_is_no_like_day(make_block: Make, make_gaps: List, names: Names) -> None:
    row: Row = [*[1] * 25, *[None] * 4, *[1] * 7]  # Tuesday noon to Wednesday midnight
    block = make_block([row], start="2025-03-04T12:00:00+09:00")
    assert names(filled(block, make_gaps((0, 25, 4, None)))[1][0])[25:29] == ["-"] * 4


def test_the_tenth_week_of_a_gap_still_has_the_days_before_it(make_block: Make, make_gaps: List, names: Names) -> None:
    row = [*weeks_of(lambda day: [day] * 4, 28), *[None] * (4 * 7 * 12)]
    block = make_block([row], cadence_min=360, start=FOUR_WEEKS)
    values, quality = filled(block, make_gaps((0, 112, 4 * 7 * 12, None)))
    assert set(names(quality[0])[112:]) == {"like_day"}
    assert values[0][112:140] * 12 == values[0][112:]


def test_a_day_without_like_days_stays_missing_unless_a_total_is_known(
    make_block: Make, make_gaps: List, names: Names
) -> None:
    block = make_block([[5, *[None] * 5, 7]])
    assert names(filled(block, make_gaps((0, 1, 5, None)))[1][0])[1:6] == ["-"] * 5
    values, quality = filled(block, make_gaps((0, 1, 5, 13)))
    assert values[0] == [5, 3, 3, 3, 2, 2, 7]
    assert names(quality[0])[1:6] == ["register_spread"] * 5


@pytest.mark.parametrize("shape", [[0] * 24, [-1] * 12 + [5] * 12])
def test_a_shape_that_cannot_be_scaled_gives_an_even_spread(
    make_block: Make, make_gaps: List, names: Names, shape: Row
) -> None:
    row = weeks_of(lambda _: shape)
    row[28 * 24 :] = [None] * 24
    values, quality = filled(make_block([row], start=FOUR_WEEKS), make_gaps((0, 28 * 24, 24, 48)))
    assert values[0][28 * 24 :] == [2] * 24
    assert names(quality[0])[-1] == "register_spread"


@pytest.mark.parametrize(
    ("gap_day", "hours", "like", "want"),
    [
        # Sunday of 23 hours: 01:00 does not exist, the rest lines up with the wall clock of an ordinary Sunday
        ("2019-03-31", 23, list(range(24)), [0, *range(2, 24)]),
        # Sunday of 25 hours: 01:00 comes twice
        ("2019-10-27", 25, list(range(24)), [0, 1, 1, *range(2, 24)]),
    ],
)
def test_like_days_line_up_by_the_wall_clock(
    make_block: Make, make_gaps: List, gap_day: str, hours: int, like: Row, want: list[int]
) -> None:
    start = (date.fromisoformat(gap_day) - timedelta(days=7)).isoformat()
    summer = "+01:00" if "10" in gap_day else "+00:00"
    block = make_block([[*like * 7, *[None] * hours]], start=f"{start}T00:00:00{summer}", tz="Europe/London")
    assert filled(block, make_gaps((0, 168, hours, None)))[0][0][168:] == want


def test_a_like_day_that_lacks_the_hour_is_passed_over(make_block: Make, make_gaps: List, names: Names) -> None:
    """The Sunday of 23 hours has no 01:00 to lend to the Sunday after."""
    row: Row = [1] * 23 + [1] * 24 * 6 + [None] * 24
    block = make_block([row], start="2019-03-31T00:00:00+00:00", tz="Europe/London")
    assert set(names(filled(block, make_gaps((0, 167, 24, None)))[1][0])[167:]) == {"-"}
    short = make_block([[*row[:170], *[1] * 21]], start="2019-03-31T00:00:00+00:00", tz="Europe/London")
    assert set(names(filled(short, make_gaps((0, 167, 3, None)))[1][0])[167:170]) == {"-"}


# what must not happen


@pytest.mark.parametrize(
    ("gaps", "match"),
    [
        ([(0, 1, 3, None)], "covers a measured value"),
        ([(0, 1, 2, None), (0, 2, 1, None)], "overlap"),
        ([(0, 4, 3, None)], "outside"),
        ([(1, 0, 1, None)], "outside"),
        ([(-1, 1, 1, None)], "outside"),
        ([(0, 1, 0, None)], "outside"),
    ],
)
def test_gaps_that_are_none_are_refused(make_block: Make, make_gaps: List, gaps: list[Any], match: str) -> None:
    block = make_block([[1, None, None, 4, None, None]])
    with pytest.raises(BadInput, match=match):
        estimate(block, make_gaps(*gaps))


def test_a_history_of_another_cadence_is_refused(make_block: Make, make_gaps: List) -> None:
    with pytest.raises(BadInput, match="differ in cadence"):
        estimate(make_block([[None]]), make_gaps((0, 0, 1, None)), make_block([[1]], cadence_min=15))


def test_nothing_to_fill_gives_the_block_back(make_block: Make, make_gaps: List) -> None:
    block = make_block([[1, None], [3, 4]])
    value, quality = estimate(block, make_gaps())
    assert value.tolist() == [[1, 0], [3, 4]]
    noisy = dataclasses.replace(block, value=np.array([[1, 99], [3, 4]]))
    assert estimate(noisy, make_gaps())[0].tolist() == [[1, 0], [3, 4]]
    assert quality.tolist() == [[1, 0], [1, 1]]


AMOUNT = st.integers(0, 2**50)


@st.composite
def holed(draw: st.DrawFn) -> tuple[list[Row], list[tuple[int, int, int, int | None]]]:
    """Draw rows of three weeks at six hours, with gaps, some of which know their total."""
    rows: list[Row] = []
    gaps: list[tuple[int, int, int, int | None]] = []
    for number in range(draw(st.integers(1, 3))):
        row: Row = list(draw(st.lists(AMOUNT, min_size=84, max_size=84)))
        at = draw(st.integers(0, 40))
        while at < 84:
            length = min(draw(st.integers(1, 12)), 84 - at)
            row[at : at + length] = [None] * length
            gaps.append((number, at, length, draw(st.one_of(st.none(), st.integers(0, 2**59)))))
            at += length + draw(st.integers(1, 40))
        rows.append(row)
    return rows, gaps


@given(holed(), st.sampled_from([360, 30]))
def test_totals_are_conserved_exactly_and_measurements_untouched(
    make_block: Make, make_gaps: List, drawn: tuple[list[Row], list[Any]], cadence_min: int
) -> None:
    rows, listed = drawn
    block = make_block(rows, cadence_min=cadence_min)
    value, quality = estimate(block, make_gaps(*listed))
    assert np.array_equal(value[block.present], block.value[block.present])
    assert np.array_equal(quality[block.present], block.quality[block.present])
    for row, first, length, total in listed:
        if total is not None:
            assert sum(value[row, first : first + length].tolist()) == total
            assert (quality[row, first : first + length] > 0).all()
        assert (value[row, first : first + length] >= 0).all()


@given(holed(), st.data())
def test_an_estimate_reads_no_other_estimate(
    make_block: Make, make_gaps: List, drawn: tuple[list[Row], list[Any]], data: st.DataObject
) -> None:
    """Filling all gaps at once, one by one from scratch, or after the others were filled in gives the same."""
    rows, listed = drawn
    block = make_block(rows, cadence_min=360)
    value, quality = estimate(block, make_gaps(*listed))
    one = data.draw(st.sampled_from(listed))
    alone = estimate(block, make_gaps(one))
    others = make_gaps(*[gap for gap in listed if gap != one])
    half_value, half_quality = estimate(block, others)
    before = dataclasses.replace(block, value=half_value, quality=half_quality, present=half_quality > 0)
    after = estimate(before, make_gaps(one))
    at = cells(*(np.array([one[place]]) for place in range(3)))
    for other_value, other_quality in (alone, after):
        assert np.array_equal(other_value[at], value[at])
        assert np.array_equal(other_quality[at], quality[at])


@given(holed(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_gaps_does_not_matter(
    make_block: Make, make_gaps: List, drawn: tuple[list[Row], list[Any]], random: Any
) -> None:
    rows, listed = drawn
    value, quality = estimate(make_block(rows, cadence_min=360), make_gaps(*listed))
    order = list(range(len(rows)))
    random.shuffle(order)
    moved = [(order.index(row), *rest) for row, *rest in random.sample(listed, len(listed))]
    turned = make_block([rows[at] for at in order], cadence_min=360, channels=order)
    other_value, other_quality = estimate(turned, make_gaps(*moved))
    assert np.array_equal(other_value, value[order])
    assert np.array_equal(other_quality, quality[order])


def test_long_gaps_at_a_minute_are_within_reach(make_block: Make, make_gaps: List, names: Names) -> None:
    minutes = int(timedelta(hours=2) / timedelta(minutes=1))
    row: Row = [0, *[None] * minutes, minutes + 1, *[None] * (minutes + 1), 0]
    block = make_block([row], cadence_min=1, start=datetime(2025, 3, 5, tzinfo=UTC).isoformat())
    values, quality = filled(block, find_gaps(block))
    assert values[0][: minutes + 2] == list(range(minutes + 2))
    assert names(quality[0])[minutes + 2] == "-"
