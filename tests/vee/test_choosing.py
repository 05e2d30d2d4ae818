"""How an order is chosen: by the share of absolute error, each channel by its own level, and never by a lucky draw."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quintet.vee import Block, shipped_order
from quintet.vee.backtest import Errors, Hidden, errors, hide
from quintet.vee.choosing import choose, ranked, scored, worse

UTC = ZoneInfo("UTC")
EVERY = np.ones(40, np.bool_)


def made(wrong: np.ndarray) -> Errors:
    """Give errors of stretches that use 1 each."""
    ones = np.ones(len(wrong))
    return Errors(wrong, wrong * 0, ones, wrong, ones > 0, ones)


def test_one_within_a_standard_error_of_the_best_is_not_worse() -> None:
    rng = np.random.default_rng(1)
    best = made(rng.uniform(0.1, 0.3, 40))
    noisy = made(best.wrong + np.tile([0.105, -0.095], 20))
    plainly = made(best.wrong + 0.05)
    assert not worse(noisy, best)
    assert worse(plainly, best)


def test_what_is_asked_now_stays_first_unless_it_is_plainly_worse() -> None:
    order, best = shipped_order(), np.full(40, 0.2)
    lucky = best + np.tile([0.105, -0.095], 20)
    found = {"last_week": made(best), "like_day": made(lucky), "flat": made(best + 0.05)}
    assert ranked(found, order, ["like_day"], EVERY, total=False)[0] == "like_day"
    assert ranked(found, order, ["flat"], EVERY, total=False) == ("last_week", "like_day", "flat")
    assert ranked(found, order, [], EVERY, total=False)[0] == "last_week"


def week_of(cadence_min: int, factor: int) -> Block:
    """Give 70 days of one channel: the same course of the day, however often it is read and however much it is."""
    columns = 70 * 1440 // cadence_min
    minute = np.arange(columns) * cadence_min % 1440
    value = (factor * cadence_min * (minute // 60 + 1)).astype(np.int64)[None, :]
    present = np.ones(value.shape, np.bool_)
    return Block.of(0, cadence_min * 60_000_000, np.zeros(1, np.int32), (value, present.astype(np.uint8), present), UTC)


def hidden_of(block: Block) -> Hidden:
    return next(hide(block, 24, UTC, seed=1, most=1))


@pytest.mark.parametrize("total", [False, True])
def test_neither_how_often_nor_how_much_a_channel_counts_weighs(total: bool) -> None:
    """A line over a day errs by the same share of use for a dwelling of hours and a campus of five minutes."""
    straight = shipped_order().only("straight")
    found = [errors(hidden_of(week_of(*how)), straight, "gas", total=total) for how in ((60, 1), (60, 1000), (5, 1))]
    sizes = [float(one.size[0]) for one in found]
    assert sizes == pytest.approx([1.0] * 3, abs=0.01)
    assert found[0].wrong == pytest.approx(found[1].wrong, rel=1e-3)
    assert scored({"straight": found[0]})[0].error == pytest.approx(float(found[0].wrong[0]) / sizes[0])


def test_no_error_is_cut_short() -> None:
    hidden = hidden_of(week_of(60, 1))
    far = replace(hidden, block=replace(hidden.block, value=hidden.block.value * 1000))
    found = errors(far, shipped_order().only("last_week"), "gas", total=False)
    assert found.wrong[0] > 900


def test_too_little_is_no_ground_to_choose() -> None:
    chosen = choose([week_of(60, 1)], "gas", UTC, shipped_order(), seed=1, most=10)
    assert chosen
    assert all(one.estimators == () and one.error is None and one.beats is None for one in chosen)


def test_nothing_is_chosen_where_spreading_evenly_could_not_be_scored() -> None:
    """What a shape cannot share is spread evenly: without a figure for that there is no order to choose."""
    silent = replace(made(np.zeros(40)), full=np.zeros(40, np.bool_))
    found = {"like_day": made(np.full(40, 0.2)), "register_spread": silent}
    assert ranked(found, shipped_order(), ["like_day"], EVERY, total=True) == ()
    assert ranked({"like_day": silent}, shipped_order(), ["like_day"], EVERY, total=False) == ()
