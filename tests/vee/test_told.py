"""Estimators that ask others, or long histories: each declines where its evidence is missing, and says what it had."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from quintet.terms.errors import BadInput
from quintet.vee import Block, Gaps, Known, Others, estimate_with, shipped_order
from quintet.vee.told import told

Make = Callable[..., Block]
List = Callable[..., Gaps]
ROW: list[int | None] = [5, None, None, 8, 9]
ASKING = [name for name, row in shipped_order().rows.items() if row.reach == "others"]


def known(*values: int | None) -> Known:
    row = np.array([[0 if v is None else v for v in values]], np.int64)
    return Known(row, np.array([[v is not None for v in values]], np.bool_))


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("total", [None, 0, 12])
def test_without_its_evidence_each_declines_and_says_so(
    make_block: Make, make_gaps: List, name: str, total: int | None
) -> None:
    block, gaps = make_block([ROW], cadence_min=360), make_gaps((0, 1, 2, total))
    value, quality = estimate_with(block, gaps, Others(), order=shipped_order().only(name))
    assert value[0, 1:3].tolist() == quality[0, 1:3].tolist() == [0, 0]
    (one,) = told(name, block, gaps, Others())
    assert not one.said
    assert one.text_en.startswith("says nothing: ")
    assert " 0" in one.text_en, "the figure that is too small"


@pytest.mark.parametrize(
    ("name", "others", "said", "evidence"),
    [
        ("check_meter", Others(check=known(1, 2, 3, 4, 5)), True, {"intervals_known_of_the_check_meter": 2, "of": 2}),
        ("check_meter", Others(check=known(1, 2, None, 4, 5)), False,
         {"intervals_known_of_the_check_meter": 1, "of": 2}),
        ("same_block_homes", Others(homes=known(1, 2, 3, 4, 5)), True,
         {"intervals_known_of_the_same_block_homes": 2, "of": 2}),
        ("class_profile", Others(profile=known(1, 2, 3, 4, 5)), True,
         {"intervals_known_of_the_class_profile": 2, "of": 2}),
        ("parent_minus_siblings", Others(parent=known(9, 9, 9, 9, 9), siblings=known(1, 1, 10, 1, 1)), False,
         {"intervals_of_the_meter_above": 2, "intervals_of_all_others_below": 2, "less_than_nothing_in": 1, "of": 2}),
        ("outage_zero", Others(outage=np.array([[False, True, True, False, False]])), True,
         {"intervals_with_a_confirmed_outage": 2, "of": 2}),
    ],
)  # fmt: skip
def test_it_says_what_it_had(
    make_block: Make, make_gaps: List, name: str, others: Others, said: bool, evidence: dict[str, Any]
) -> None:
    (one,) = told(name, make_block([ROW], cadence_min=360), make_gaps((0, 1, 2, None)), others)
    assert (one.said, one.evidence) == (said, evidence)
    assert one.text_en.startswith(shipped_order().rows[name].text_en if said else "says nothing")


@pytest.mark.parametrize(("lacking", "said"), [(15, True), (17, False)])
def test_the_legal_months_say_which_and_how_much_of_them(
    make_block: Make, make_gaps: List, lacking: int, said: bool
) -> None:
    """A value a day from 2024-02 on; of March 2024 some days are missing, and the gap is in March 2025."""
    row: list[int | None] = [*[2] * 29, *[None] * lacking, *[3] * (31 - lacking), *[4] * 334, *[None] * 9]
    first = len(row) - 9
    block = make_block([row], cadence_min=1440, start="2024-02-01T00:00:00+00:00", tz="UTC")
    gaps = make_gaps((0, first, 9, None))
    (year,) = told("same_month_last_year", block, gaps, Others())
    assert (year.said, year.evidence["months"]) == (said, ["2024-03"])
    assert year.evidence["days_measured_at_each_time_at_least"] == 31 - lacking
    assert (year.evidence["of_days"], year.evidence["needed"]) == (31, 16)
    (three,) = told("last_three_months", block, gaps, Others())
    assert three.said
    assert "months 2024-12 2025-01 2025-02" in three.text_en


def test_an_unknown_estimator_is_refused(make_block: Make, make_gaps: List) -> None:
    with pytest.raises(BadInput, match="guesswork is no estimator"):
        told("guesswork", make_block([ROW]), make_gaps((0, 1, 2, None)), Others())
