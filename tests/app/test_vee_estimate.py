"""`quintet vee try --estimate`: published and derived cases exactly, and slips named."""

import json
from pathlib import Path
from typing import Any

import pytest

from quintet.app.command_vee_estimate import try_estimate
from quintet.terms.errors import BadInput, UsageError


def tried(*words: str, **more: Any) -> tuple[list[Any], list[str | None]]:
    read = try_estimate(*words, **more).read()
    return read["values"], read["methods"]


def test_the_published_line_and_like_days(shared: Path) -> None:
    cases = {c["id"]: c for c in json.loads((shared / "vectors/vee/cases.json").read_text(encoding="utf-8"))}
    line = cases["VEE-LIN-PUB"]
    typed = ",".join("" if one is None else str(one) for one in line["series"])
    assert tried("linear", typed, interval=f"{line['interval_min']}min")[0] == line["expect"]
    like = cases["VEE-LIKEDAY-1"]
    refs = ";".join(",".join(map(str, day)) for day in like["refs"])
    assert tried("like_day", refs=refs, total=str(like["register_delta"]))[0] == like["expect"]
    assert tried("like_day", refs=refs)[0] == like["mean"]


@pytest.mark.parametrize(
    ("values", "more", "expected"),
    [
        ("75,,,,,100,104", {}, [75, 80, 85, 90, 95, 100, 104]),
        ("1,,2", {}, [1, 1.5, 2]),
        ("0,,,,,,,,,9", {}, [*range(10)]),
        ("0,,,,,,,,,,9", {}, [0, *[None] * 9, 9]),
        ("0,,,9", {"interval": "1h"}, [0, 3, 6, 9]),
        (",5,7", {}, [None, 5, 7]),
        ("5,7,", {}, [5, 7, None]),
        ("75,,,,,100", {"total": "350"}, [75, 80, 85, 90, 95, 100]),
    ],
)
def test_a_line_fills_up_to_two_hours_between_two_ends(values: str, more: dict[str, str], expected: list[Any]) -> None:
    found, methods = tried("linear", values, **more)
    assert found == expected
    given = [one != "" for one in values.split(",")]
    assert methods == [None if g or v is None else "linear" for g, v in zip(given, found, strict=True)]


@pytest.mark.parametrize(
    ("name", "values", "more", "expected", "method"),
    [
        ("like_day_median", "", {"refs": "1,2,3,2;2,2,3,1;9,9,9,9"}, [2, 2, 3, 2], "like_day_median"),
        ("last_week", "5,,,7", {"refs": "1,2,3,2"}, [5, 2, 3, 7], "last_week"),
        ("flat", "5,,,8", {}, [5, 5, 5, 8], "flat"),
        ("register_spread", "5,,,8", {"total": "5"}, [5, 2.5, 2.5, 8], "register_spread"),
        ("register_spread", "5,,,8", {"total": "0.000003"}, [5, 0.000002, 0.000001, 8], "register_spread"),
        ("check_meter", "5,,,8", {"refs": "1,2.5,3,4"}, [5, 2.5, 3, 8], "check_meter"),
        ("parent_minus_siblings", "5,,,8", {"refs": "9,9;1,2;1,1"}, [5, 7, 6, 8], "parent_minus_siblings"),
        ("class_profile", "5,,,8,9", {"refs": "1,2,3,2,2"}, [5, 8.8, 13.2, 8, 9], "class_profile"),
        ("same_block_homes", "5,,,8", {"refs": "1,2;3,4"}, [5, 2, 3, 8], "same_block_homes"),
        ("outage_zero", "5,,,8", {}, [5, 0, 0, 8], "outage_zero"),
    ],
)
def test_other_estimators_by_name(
    name: str, values: str, more: dict[str, str], expected: list[Any], method: str
) -> None:
    found, methods = tried(name, values, **more)
    assert found == expected
    assert {one for one in methods if one} == {method}


def test_like_days_are_found_in_a_long_series_by_the_calendar() -> None:
    days = [f"{day}" for day in range(28)]
    values, methods = tried("like_day", ",".join([*days, ""]), interval="1day", start="2025-02-05")
    assert (values[-1], methods[-1]) == (23.333333, "like_day")  # (27 + 22 + 21) / 3


def test_the_role_says_whether_a_total_may_be_below_zero() -> None:
    assert tried("register_spread", "5,,,8", total="-4")[0] == [5, None, None, 8]
    assert tried("register_spread", "5,,,8", total="-4", role="net")[0] == [5, -2, -2, 8]
    assert try_estimate("flat", "1,,2", commodity="water").read()["unit"] == "m3"
    assert try_estimate("flat", "1,,2", unit="Wh").read()["unit"] == "Wh"


def test_it_is_told_what_an_estimator_that_asks_others_had_to_go_by() -> None:
    had = try_estimate("check_meter", "5,,,8", refs="1,2.5,3,4")
    assert had.read()["told"] == had.notes
    assert "intervals known of the check meter 2, of 2" in had.notes[0]
    assert try_estimate("check_meter", "5,,,8").notes[0].startswith("says nothing: ")
    assert try_estimate("flat", "5,,,8").notes == []


@pytest.mark.parametrize(
    ("words", "more", "code"),
    [
        (("linear", "1,x,2"), {}, "bad_number"),
        (("linear", "1,,2"), {"interval": "fortnight"}, "bad_length"),
        (("linear", "1,,2,,3"), {"total": "4"}, "bad_total"),
        (("linear", "1,1e20,"), {}, "too_large"),
        (("guesswork", "1,,2"), {}, "unknown_estimator"),
        (("like_day", "1,,2"), {"refs": "1,2"}, "bad_refs"),
        (("like_day", "1,,2"), {"refs": "1,,2"}, "bad_refs"),
    ],
)
def test_slips_are_named(words: tuple[str, str], more: dict[str, str], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        try_estimate(*words, **more)
    assert caught.value.code == code


def test_an_unknown_estimator_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"no estimator.") as caught:
        try_estimate("guesswork", "1,,2")
    assert "linear" in caught.value.remedy
    with pytest.raises(BadInput, match="nothing can be lent to linear"):
        try_estimate("linear", "1,,2", refs="1,2,3")
