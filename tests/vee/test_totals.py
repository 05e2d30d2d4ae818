"""Every estimator with a register's difference, and without: met to the last sub-unit, or nothing is said."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.vee import Block, Gaps, Known, Others, estimate, estimate_with, shipped_order
from quintet.vee.estimation import estimate_typed

Make = Callable[..., Block]
List = Callable[..., Gaps]
Names = Callable[[Any], list[str]]
FOUR_WEEKS = "2025-02-05T00:00:00+09:00"
LAST, GAP = 4 * 28, 3
"""Six-hour intervals: where the gap begins, and how many of them it has."""
ORDER = shipped_order()
EVERY = list(ORDER.rows)
SHORT = {"linear"}
"""Says nothing of a gap of more than two hours."""
AWAY = {"last_three_months", "same_month_last_year"}
"""Say nothing of four weeks of readings."""


def holed(make_block: Make, level: int = 7) -> Block:
    """Give four weeks that go up and down, and a gap."""
    row: list[int | None] = [level * (place * 5 % 11) for place in range(LAST)]
    return make_block([[*row, *[None] * GAP, 3, 4]], cadence_min=360, start=FOUR_WEEKS)


def others(block: Block) -> Others:
    """Let all other meters know everything, unevenly."""
    one = Known(np.arange(1, block.value.size + 1).reshape(block.value.shape), np.ones_like(block.present))
    nothing = Known(np.zeros_like(block.value), one.known)
    return Others(None, one, one, nothing, one, one)


def filled(block: Block, gaps: Gaps, name: str, subject: str = "gas") -> tuple[list[int], list[bool]]:
    """Fill the gap by one estimator: its values, and which of them are said."""
    order = ORDER.only(name)
    if ORDER.rows[name].reach == "others":
        value, quality = estimate_with(block, gaps, others(block), order=order, subjects=[subject])
    else:
        value, quality = estimate(block, gaps, order=order, subjects=[subject])
    gap = slice(LAST, LAST + GAP)
    return value[0, gap].tolist(), (quality[0, gap] > 0).tolist()


@pytest.mark.parametrize("total", [0, 1, 2, 1000, 1001, 10**15 + 1])
@pytest.mark.parametrize("name", [one for one in EVERY if one not in SHORT | AWAY | {"outage_zero"}])
def test_a_total_is_met_exactly_by_every_estimator(make_block: Make, make_gaps: List, name: str, total: int) -> None:
    value, said = filled(holed(make_block), make_gaps((0, LAST, GAP, total)), name)
    assert all(said)
    assert sum(value) == total
    assert min(value) >= 0


@pytest.mark.parametrize("name", EVERY)
def test_a_total_below_zero_is_nobodys_use(make_block: Make, make_gaps: List, name: str) -> None:
    """What a meter of one direction cannot have counted is not spread; a net meter may well have given more."""
    value, said = filled(holed(make_block), make_gaps((0, LAST, GAP, -10)), name)
    assert (value, said) == ([0] * GAP, [False] * GAP)
    value, said = filled(holed(make_block), make_gaps((0, LAST, GAP, -10)), name, "electricity:net")
    assert sum(value) == (-10 if all(said) else 0)
    if name in {"flat", "register_spread"}:
        assert value == [-3, -3, -4]


def test_what_a_net_meter_gives_has_the_shape_of_what_it_gave(make_block: Make, make_gaps: List) -> None:
    value, said = filled(holed(make_block, -7), make_gaps((0, LAST, GAP, -10)), "like_day", "electricity:net")
    assert all(said)
    assert sum(value) == -10
    assert len(set(value)) > 1
    _, said = filled(holed(make_block, -7), make_gaps((0, LAST, GAP, 10)), "like_day", "electricity:net")
    assert not any(said), "a shape below zero says nothing of what is above"


@pytest.mark.parametrize("name", ["flat", "register_spread"])
@pytest.mark.parametrize("row", [[None] * 4, [0, None, None, None, None, 0]])
def test_flat_spreads_a_total_evenly_whatever_went_before(
    make_block: Make, make_gaps: List, names: Names, name: str, row: list[int | None]
) -> None:
    at = row.index(None)
    block, gaps = make_block([row]), make_gaps((0, at, 4, 10))
    value, quality = estimate(block, gaps, order=ORDER.only(name))
    assert value[0, at : at + 4].tolist() == [3, 3, 2, 2]
    assert set(names(quality[0, at : at + 4])) == {name}


@pytest.mark.parametrize(
    "name", ["like_day", "like_day_median", "like_day_level", "median_blend", "last_week", "blend"]
)
def test_a_total_of_zero_is_zero_even_where_no_shape_could_be_scaled(
    make_block: Make, make_gaps: List, name: str
) -> None:
    value, said = filled(holed(make_block, 0), make_gaps((0, LAST, GAP, 0)), name)
    assert (value, said) == ([0] * GAP, [True] * GAP)


@pytest.mark.parametrize(("role", "want"), [("", [0, 0]), ("consumption", [0, 0]), ("net", [-2, -4])])
def test_typed_values_follow_the_role(make_block: Make, make_gaps: List, role: str, want: list[int]) -> None:
    """What is typed in goes the same way: a lent day below zero has the shape of what was given back."""
    block = make_block([[5, None, None, 8]])
    lent = np.array([[0, -1, -2, 0]])
    value, quality = estimate_typed(block, make_gaps((0, 1, 2, -6)), "last_week", lent, role)
    assert value[0, 1:3].tolist() == want
    assert bool(quality[0, 1]) == any(want)


@given(st.data())
def test_no_estimator_reads_another_estimate(make_block: Make, make_gaps: List, data: st.DataObject) -> None:
    """Whatever estimates stand elsewhere in the channel, and whatever they say: what is estimated is the same."""
    name = data.draw(st.sampled_from(EVERY))
    total = data.draw(st.one_of(st.none(), st.integers(0, 10**9)))
    numbers = data.draw(st.lists(st.integers(0, 500), min_size=LAST, max_size=LAST))
    holes = data.draw(st.sets(st.integers(0, LAST - 1), min_size=1, max_size=20))
    row: list[int | None] = [None if place in holes else one for place, one in enumerate(numbers)]
    tail: list[int | None] = [*[None] * GAP, 3, 4]
    empty = make_block([[*row, *tail]], cadence_min=360, start=FOUR_WEEKS)
    code = data.draw(st.sampled_from(["like_day", "linear", "check_meter", "self_tested", "rejected"]))
    wild: list[int | None] = [one if one is not None else 10**9 for one in row]
    marks = {(0, place): code for place in holes}
    standing = make_block([[*wild, *tail]], cadence_min=360, start=FOUR_WEEKS, quality=marks)
    gaps = make_gaps((0, LAST, GAP, total))
    assert filled(empty, gaps, name) == filled(standing, gaps, name)
