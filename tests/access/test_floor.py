"""The privacy floor against an attacker who has every told cell, its making, and all of linear algebra."""

from dataclasses import replace
from itertools import combinations
from math import asin, pi, sqrt

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.access.floor import Floor, Flow, Silence, fine_fits, floor, month_fits, settle, silence_fits
from quintet.terms.catalogue import numbers_of, read_toml
from quintet.terms.errors import BadInput

TINY = Floor(customers=2, share=70, customers_fine=3, present=67, meter_error=5, settled=7)
"""The same floor, small enough that every group under it can be tried."""
DAYS = 6
Cells = npt.NDArray[np.float64]


@st.composite
def cities(draw: st.DrawFn) -> tuple[npt.NDArray[np.int64], Flow]:
    """Draw a tree and its meters: customers that move in the month, are silent, use nothing, or most of it all."""
    places = draw(st.integers(2, 7))
    parent = np.array([-1, *(draw(st.integers(0, at)) for at in range(places - 1))], np.int64)
    home, customer, value, heard = [], [], [], []
    for number in range(draw(st.integers(3, 9))):
        days = np.array(draw(st.lists(st.sampled_from([1, 1, 1, 1, 0]), min_size=DAYS, max_size=DAYS)), np.bool_)
        uses = np.array(draw(st.lists(st.sampled_from([1, 2, 3, 3, 50, 0]), min_size=DAYS, max_size=DAYS)), np.int64)
        moves = draw(st.sampled_from([DAYS, DAYS, 1, 3, 5]))
        for first, last in ((0, moves), (moves, DAYS)):
            if first == last:
                continue
            there = days & (np.arange(DAYS) >= first) & (np.arange(DAYS) < last)
            home.append(draw(st.integers(0, places - 1)))
            customer.append(number)
            heard.append(there)
            value.append(np.where(there, uses, 0))
    columns = (np.array(value, np.int64), np.array(heard), np.array(heard))
    return parent, Flow(np.array(home, np.int64), np.array(customer, np.int64), *columns)


def inside(parent: npt.NDArray[np.int64], home: int, place: int) -> bool:
    while home not in (place, -1):
        home = int(parent[home])
    return home == place


def cells(parent: npt.NDArray[np.int64], flow: Flow, months: set[int], fine: set[int]) -> Cells:
    """Give every told cell as what it is made of: a row a cell, a column a meter's day."""
    out = [np.zeros((len(flow.home), DAYS))]
    for place in range(len(parent)):
        within = np.array([inside(parent, home, place) for home in flow.home.tolist()])[:, None] & flow.heard
        if place in months:
            out.append(within.astype(float))
        if place in fine:
            out += [np.where(np.arange(DAYS) == day, within, 0).astype(float) for day in range(DAYS)]
    return np.array([one.reshape(-1) for one in out])


def computable(told: Cells, group: npt.NDArray[np.bool_]) -> bool:
    """Tell whether some adding and subtracting of told cells leaves nothing but the group's own readings."""
    return bool(np.linalg.matrix_rank(told) > np.linalg.matrix_rank(told[:, ~group.reshape(-1)]))


def told_of(parent: npt.NDArray[np.int64], flow: Flow) -> tuple[set[int], set[int]]:
    months = settle(parent, flow.home, month_fits(TINY, flow)).told
    return months, settle(parent, flow.home, fine_fits(TINY, flow), months).told


@settings(max_examples=150, deadline=None)
@given(cities())
def test_no_adding_and_subtracting_of_cells_gives_a_group_under_the_floor(
    city: tuple[npt.NDArray[np.int64], Flow],
) -> None:
    parent, flow = city
    told = cells(parent, flow, *told_of(parent, flow))
    everybody = sorted(set(flow.customer.tolist()))
    for size in range(1, TINY.customers):
        for group in combinations(everybody, size):
            own = np.isin(flow.customer, group)[:, None] & np.ones(DAYS, np.bool_)
            assert not computable(told, own), f"the month of {group}"
    for size in range(1, TINY.customers_fine):
        for group in combinations(everybody, size):
            for day in range(DAYS):
                own = np.isin(flow.customer, group)[:, None] & (np.arange(DAYS) == day)
                assert not computable(told, own), f"day {day} of {group}"


@settings(max_examples=100, deadline=None)
@given(cities())
def test_whatever_can_be_computed_over_the_month_is_dominated_by_nobody(
    city: tuple[npt.NDArray[np.int64], Flow],
) -> None:
    parent, flow = city
    months, _ = told_of(parent, flow)
    fits = month_fits(TINY, flow)
    for place in months:
        below = [one for one in months if one != place and inside(parent, one, place)]
        rest = [
            row for row, home in enumerate(flow.home.tolist())
            if inside(parent, home, place) and not any(inside(parent, home, one) for one in below)
        ]  # fmt: skip
        assert not rest or fits(place, np.array(rest))


def simple(homes: list[int], uses: list[int]) -> Flow:
    value = np.repeat(np.array(uses, np.int64)[:, None], DAYS, axis=1)
    yes = np.ones(value.shape, np.bool_)
    return Flow(np.array(homes, np.int64), np.arange(len(homes)), value, yes, yes)


def test_the_attacker_does_find_what_is_told_without_the_guard() -> None:
    parent = np.array([-1, 0, 0], np.int64)
    flow = simple([1, 1, 1, 2], [3, 3, 3, 3])
    own = np.isin(flow.customer, [3])[:, None] & np.ones(DAYS, np.bool_)
    assert computable(cells(parent, flow, {0, 1}, set()), own), "a parent less its told child is the fourth customer"
    assert settle(parent, flow.home, month_fits(TINY, flow)).told == {0}


def test_the_smallest_told_place_is_withdrawn_and_what_is_told_below_it_stays() -> None:
    parent = np.array([-1, 0, 0, 0, 1], np.int64)
    flow = simple([1, 1, 4, 4, 2, 2, 2, 2, 2, 3], [3] * 10)
    assert settle(parent, flow.home, month_fits(TINY, flow)).told == {0, 2, 4}


@pytest.mark.parametrize(
    ("count", "uses", "told"),
    [(40, [3] * 40, False), (41, [3] * 41, True), (41, [3] * 40 + [100], False), (41, [0] * 41, False)],
    ids=["forty", "forty-one", "one is most of it", "all are nothing"],
)
def test_a_month_needs_forty_one_and_none_above_fifteen_percent(count: int, uses: list[int], told: bool) -> None:
    flow = simple([0] * count, uses)
    assert (settle(np.array([-1]), flow.home, month_fits(floor(), flow)).told == {0}) is told


def test_fifteen_percent_itself_is_enough() -> None:
    uses = [300] + [40] * 40 + [50] * 2
    flow = simple([0] * 43, uses)
    assert settle(np.array([-1]), flow.home, month_fits(floor(), flow)).told == {0}
    more = simple([0] * 43, [301, *uses[1:]])
    assert settle(np.array([-1]), more.home, month_fits(floor(), more)).told == set()


def test_a_day_needs_a_hundred_that_are_complete() -> None:
    flow = simple([0] * 100, [3] * 100)
    fits = fine_fits(floor(), flow)
    assert fits(0, np.arange(100))
    assert not fits(0, np.arange(99))
    complete = flow.complete.copy()
    complete[7, 2] = False
    assert not fine_fits(floor(), replace(flow, complete=complete))(0, np.arange(100))


def test_a_month_that_was_heard_for_a_few_days_is_a_sum_of_days() -> None:
    heard = np.zeros((100, 30), np.bool_)
    heard[:, :3] = True
    flow = Flow(np.zeros(100, np.int64), np.arange(100), np.where(heard, 3, 0), heard, heard)
    fits = month_fits(floor(), flow)
    assert fits(0, np.arange(100))
    assert not fits(0, np.arange(99))


def test_who_was_there_for_a_week_is_not_counted_for_the_month() -> None:
    heard = np.ones((41, 30), np.bool_)
    whole, people = Flow(np.zeros(41, np.int64), np.arange(41), np.where(heard, 3, 0), heard, heard), np.arange(41)
    assert month_fits(floor(), whole)(0, people)
    heard = heard.copy()
    heard[0, 7:] = False
    assert not month_fits(floor(), replace(whole, heard=heard, value=np.where(heard, 3, 0)))(0, people)


def test_a_boundary_tells_nothing_of_one_silent_customer() -> None:
    missing = np.array([[60], [0], [0]], np.int64)
    people = np.arange(3)
    use = np.array([[10]], np.int64)
    alone = Silence(np.zeros(3, np.int64), people, missing, use, use * 5, np.array([1440]))
    assert not silence_fits(floor(), 15, alone)(0, people)
    drowned = Silence(np.zeros(3, np.int64), people, missing, use, use * 100, np.array([1440]))
    assert silence_fits(floor(), 15, drowned)(0, people)
    assert silence_fits(floor(), 15, alone)(0, people[1:])
    many = Silence(np.zeros(15, np.int64), np.arange(15), np.full((15, 1), 60), use, use, np.array([1440]))
    assert silence_fits(floor(), 15, many)(0, np.arange(15))


def test_the_limits_have_a_source_and_no_other_is_taken() -> None:
    said = read_toml("quintet.access", "floor.toml")
    assert (floor().share, floor().customers_fine) == (15, 100)
    with pytest.raises(BadInput, match="unknown k_anonymity"):
        numbers_of({"limit": {**said["limit"], "k_anonymity": {}}}, said["limit"], "floor.toml")


def test_a_month_is_of_the_fewest_alike_homes_of_which_a_guess_gains_five_percent() -> None:
    """What the floor's number is reckoned from, and what is drawn of it; the 15 of the 15/15 rule is the least."""
    gain = {homes: asin(1 / sqrt(homes)) / pi for homes in range(1, 200)}
    assert floor().customers == max(15, min(homes for homes, one in gain.items() if one <= 0.05))
    for homes in (15, floor().customers):
        use = np.random.default_rng(homes).normal(size=(100_000, homes))
        right = float(((use.sum(axis=1) > 0) == (use[:, 0] > 0)).mean()) - 0.5
        assert right == pytest.approx(gain[homes], abs=0.005), "three errors of so many draws"
