"""Estimates from other channels, long histories and confirmed outages; and that the order decides who is asked."""

from collections.abc import Callable
from typing import Any

import numpy as np

from quintet.terms.quality import qualities
from quintet.vee import Block, Gaps, Known, Others, estimate_with, shipped_order

Make = Callable[..., Block]
List = Callable[..., Gaps]
Names = Callable[[Any], list[str]]
ROW: list[int | None] = [5, None, None, 8, 9]


def known(*values: int | None) -> Known:
    row = np.array([[0 if v is None else v for v in values]], np.int64)
    return Known(row, np.array([[v is not None for v in values]], np.bool_))


def filled(block: Block, gaps: Gaps, others: Others, names: Names, **more: Any) -> tuple[list[int], list[str]]:
    value, quality = estimate_with(block, gaps, others, **more)
    return value[0].tolist(), names(quality[0])


def test_a_check_meter_speaks_where_it_knows(make_block: Make, make_gaps: List, names: Names) -> None:
    value, code = filled(make_block([ROW]), make_gaps((0, 1, 2, None)), Others(check=known(1, 2, None, 4, 5)), names)
    assert (value, code) == ([5, 2, 0, 8, 9], ["valid", "check_meter", "-", "valid", "valid"])


def test_a_parent_less_its_other_children_is_never_negative(make_block: Make, make_gaps: List, names: Names) -> None:
    others = Others(parent=known(10, 10, 10, 10, 10), siblings=known(1, 3, 11, 1, 1))
    value, code = filled(make_block([ROW]), make_gaps((0, 1, 2, None)), others, names)
    assert (value, code) == ([5, 7, 0, 8, 9], ["valid", "parent_minus_siblings", "-", "valid", "valid"])


def test_a_class_comes_at_the_channels_own_level(make_block: Make, make_gaps: List, names: Names) -> None:
    others = Others(profile=known(1, 2, 3, 2, 2))
    block, long = make_block([ROW], cadence_min=360), make_gaps((0, 1, 2, None))
    value, code = filled(block, long, others, names)
    assert (value[1:3], code[1]) == ([9, 13], "class_profile")  # 22/5 of 2 and 3, rounded half-even
    assert filled(block, make_gaps((0, 1, 2, 20)), others, names)[0][1:3] == [0, 0], (
        "a total: the order names it no more"
    )
    order = shipped_order().only("class_profile")
    assert filled(block, make_gaps((0, 1, 2, 20)), others, names, order=order)[0][1:3] == [8, 12]


def test_a_confirmed_outage_is_zero_before_anything_else_is_asked(
    make_block: Make, make_gaps: List, names: Names
) -> None:
    others = Others(outage=np.array([[False, True, False, False, False]]), check=known(1, 2, 3, 4, 5))
    value, code = filled(make_block([ROW]), make_gaps((0, 1, 2, None)), others, names)
    assert (value[1:3], code[1:3]) == ([0, 3], ["outage_zero", "check_meter"])


def test_only_what_comes_before_what_stands_is_asked(make_block: Make, make_gaps: List, names: Names) -> None:
    block, gaps = make_block([ROW], cadence_min=360), make_gaps((0, 1, 2, None))
    stands = np.zeros((1, 5), np.uint8)
    stands[0, 1:3] = qualities()["like_day"].id
    profile = Others(profile=known(1, 2, 3, 2, 2))
    assert filled(block, gaps, profile, names, stands=stands)[1][1] == "-", "like days come before the class"
    check = Others(profile=known(1, 2, 3, 2, 2), check=known(1, 1, 1, 1, 1))
    assert filled(block, gaps, check, names, stands=stands)[1][1] == "check_meter"
    stands[0, 1:3] = qualities()["class_profile"].id
    assert filled(block, gaps, profile, names, stands=stands)[1][1] == "class_profile", "it is renewed"


def test_the_legal_months(make_block: Make, make_gaps: List, names: Names) -> None:
    """From 2024-02 on: every day of month m holds m, at a day each; the gap is in March 2025."""
    row: list[int | None] = [
        *[2] * 29,
        *[3] * 31,
        *[4] * 30,
        *[9] * 214,
        *[12] * 31,
        *[13] * 31,
        *[14] * 28,
        *[None] * 9,
    ]
    first = len(row) - 9
    block = make_block([row], cadence_min=1440, start="2024-02-01T00:00:00+00:00", tz="UTC")
    gaps = make_gaps((0, first, 9, None))
    for name, level in (("same_month_last_year", 3), ("last_three_months", 13)):
        value, code = filled(block, gaps, Others(), names, order=shipped_order().only(name))
        assert (set(value[first:]), set(code[first:])) == ({level}, {name})
    fewer = [None if 29 <= place < 46 else one for place, one in enumerate(row)]
    value, code = filled(
        make_block([fewer], cadence_min=1440, start="2024-02-01T00:00:00+00:00", tz="UTC"), gaps, Others(), names,
        order=shipped_order().only("same_month_last_year"),
    )  # fmt: skip
    assert set(code[first:]) == {"-"}, "17 days of 31 are missing: the month says nothing"


def test_homes_of_the_same_size(make_block: Make, make_gaps: List, names: Names) -> None:
    value, code = filled(
        make_block([ROW], cadence_min=360), make_gaps((0, 1, 2, None)), Others(homes=known(1, 6, 7, 1, 1)), names
    )
    assert (value[1:3], code[1]) == ([6, 7], "same_block_homes")
