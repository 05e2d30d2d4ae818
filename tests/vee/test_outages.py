"""Holes: supply or connection, told by evidence; and the jump with which a meter comes back."""

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities
from quintet.vee import Block, Gaps, estimate
from quintet.vee.outages import (
    COMMS,
    SUPPLY,
    UNCLEAR,
    Around,
    jump_on_return,
    outages_from,
    tell_apart,
    with_return,
)

KST = ZoneInfo("Asia/Seoul")

VALID = qualities()["valid"].id
HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("around", "said"),
    [
        (Around(stated=SUPPLY), (SUPPLY, "stated")),
        (Around(stated=SUPPLY, own_total=0), (SUPPLY, "stated")),
        (Around(stated=SUPPLY, own_total=5), (UNCLEAR, "stated_but_counted")),
        (Around(own_total=5, at_zero=9), (COMMS, "register_moved")),
        (Around(stated=COMMS), (COMMS, "stated")),
        (Around(flagged=True), (SUPPLY, "device_flag")),
        (Around(flagged=True, using=9), (UNCLEAR, "flag_against_neighbours")),
        (Around(flagged=True, using=2), (SUPPLY, "device_flag")),
        (Around(at_zero=3), (SUPPLY, "neighbours_at_zero")),
        (Around(at_zero=2), (UNCLEAR, "no_evidence")),
        (Around(silent_still=3), (SUPPLY, "neighbours_at_zero")),
        (Around(silent=30), (UNCLEAR, "no_evidence")),
        (Around(using=3), (COMMS, "neighbours_use")),
        (Around(silent_moved=3), (COMMS, "neighbours_use")),
        (Around(using=3, at_zero=3), (UNCLEAR, "neighbours_differ")),
        (Around(using=3, at_zero=2), (COMMS, "neighbours_use")),
        (Around(using=1, at_zero=9), (UNCLEAR, "neighbours_differ")),
    ],
)
def test_a_hole_is_told_by_its_evidence(around: Around, said: tuple[str, str]) -> None:
    found = tell_apart(around)
    assert (found.verdict, found.reason) == said
    assert (found.verdict == UNCLEAR) or found.missing != ("event", "device_flag", "register", "neighbours")


def test_what_was_not_there_to_tell_is_named() -> None:
    assert tell_apart(Around()).missing == ("event", "device_flag", "register", "neighbours")
    assert tell_apart(Around(own_total=0, at_zero=3)).missing == ("event", "device_flag")


def test_thresholds_without_source_do_not_load() -> None:
    table = read_toml("quintet.vee", "outages.toml")
    table["threshold"]["most"] = {**table["threshold"]["most"], "source": ""}
    with pytest.raises(BadInput):
        outages_from(table)


def block(values: list[list[int]], missing: slice) -> Block:
    """Give hourly channels over whole days from a midnight in Seoul on, with a hole in each."""
    value = np.array(values, np.int64)
    present = np.ones(value.shape, np.bool_)
    present[:, missing] = False
    quality = np.where(present, VALID, 0).astype(np.uint8)
    start = 1_735_657_200_000_000  # 2025-01-01 00:00 in Seoul
    return Block.of(start, HOUR_US, np.arange(len(values), dtype=np.int32), (value, quality, present), KST)


def gap(first: int, length: int, **more: Any) -> Gaps:
    total, has = more.get("total", 0), "total" in more
    return Gaps(
        np.zeros(1, np.int32),
        np.full(1, first, np.int32),
        np.full(1, length, np.int32),
        np.full(1, total, np.int64),
        np.full(1, has),
    )


DAY = [
    100,
    100,
    100,
    100,
    150,
    200,
    300,
    400,
    300,
    200,
    200,
    200,
    300,
    200,
    200,
    200,
    300,
    400,
    500,
    500,
    400,
    300,
    200,
    150,
]
HOLE = slice(21 * 24 + 6, 21 * 24 + 18)
LUMP = sum(DAY[6:18]) + DAY[18]


def back_with(amount: int) -> Block:
    values = DAY * 24
    values[HOLE.stop] = amount
    return block([values], HOLE)


@pytest.mark.parametrize(
    ("amount", "jumped"),
    [
        (LUMP, True),
        (DAY[18], False),
        (LUMP * 3 // 2, True),
        (LUMP * 3 // 2 + 2, False),
        (LUMP // 2 - 1, False),
        (LUMP * 40, False),
        (-LUMP, False),
    ],
)
def test_only_the_holes_own_use_is_a_jump(amount: int, *, jumped: bool) -> None:
    assert jump_on_return(back_with(amount), gap(HOLE.start, 12)).tolist() == [jumped]


def test_what_came_back_is_spread_and_conserved() -> None:
    own, hole = back_with(LUMP + 7), gap(HOLE.start, 12)
    marked = jump_on_return(own, hole)
    wide = with_return(hole, own, marked)
    assert (wide.first[0], wide.length[0], wide.total[0], wide.has_total[0]) == (HOLE.start, 13, LUMP + 7, True)
    present = own.present.copy()
    present[0, HOLE.stop] = False
    arrays = (own.value, own.quality, present)
    again = Block.of(own.start_us, own.cadence_us, own.channels, arrays, KST)
    value, quality = estimate(again, wide)
    assert int(value[0, HOLE.start : HOLE.stop + 1].sum()) == LUMP + 7
    assert set(quality[0, HOLE.start : HOLE.stop + 1].tolist()) == {qualities()["like_day_scaled"].id}
    assert value[0, HOLE.stop] < 2 * DAY[18]


def test_a_hole_with_a_register_total_or_of_one_interval_or_still_open_is_none() -> None:
    assert jump_on_return(back_with(LUMP), gap(HOLE.start, 12, total=5)).tolist() == [False]
    single = DAY * 24
    single[500] = single[499] + single[500]
    assert jump_on_return(block([single], slice(499, 500)), gap(499, 1)).tolist() == [False]
    assert jump_on_return(block([DAY * 24], slice(24 * 24 - 5, 24 * 24)), gap(24 * 24 - 5, 5)).tolist() == [False]


def test_without_anything_to_expect_nothing_is_said() -> None:
    values = [0] * 30 + [5000] + [100] * 17
    assert jump_on_return(block([values], slice(2, 30)), gap(2, 28)).tolist() == [False]
