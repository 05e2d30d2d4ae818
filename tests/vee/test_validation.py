"""Each rule: a case it refuses and one at its very edge; and what holds for all of them together."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.terms.errors import BadInput
from quintet.vee import Block, Traits, rules, validate

Make = Callable[..., Block]
Describe = Callable[..., Traits]
Names = Callable[[Any], list[str]]
KW = 1_000_000
"""Sub-units (mWh) an hour."""


def found(block: Block, traits: Traits, overrides: dict[str, Any] | None = None) -> list[tuple[str, int, int, int]]:
    """Validate and list the findings as (rule, row, first column, last column)."""
    table = rules(overrides)
    _, findings = validate(block, traits, table)
    columns = (findings.row, findings.column_first, findings.column_last, findings.rule)
    return [(table.rules[r].id, a, b, c) for a, b, c, r in zip(*(column.tolist() for column in columns), strict=True)]


def day_with(*high: int) -> list[int | None]:
    """Give a day of 24 hours whose highest values are given, the rest varied and low."""
    return [*high, *(100_000 + hour for hour in range(24 - len(high)))]


# V07 spike


def test_a_spike_is_flagged_and_its_value_kept(make_block: Make, make_traits: Describe, names: Names) -> None:
    block = make_block([day_with(9 * KW, 3 * KW, 2_500_000)])
    quality, findings = validate(block, make_traits(1), rules())
    assert found(block, make_traits(1)) == [("V07", 0, 0, 0)]
    assert names(quality[0])[:3] == ["questionable", "valid", "valid"]
    assert len(findings) == 1


@pytest.mark.parametrize(("highest", "bad"), [(7_000_000, False), (7_000_001, True)])
def test_a_spike_of_exactly_the_ratio_passes(make_block: Make, make_traits: Describe, highest: int, bad: bool) -> None:
    assert bool(found(make_block([day_with(highest, 2_600_000, 2_500_000)]), make_traits(1))) == bad


def test_both_values_beyond_the_third_highest_are_named(make_block: Make, make_traits: Describe) -> None:
    block = make_block([day_with(9 * KW, 8 * KW, 2 * KW)])
    assert found(block, make_traits(1)) == [("V07", 0, 0, 0), ("V07", 0, 1, 1)]


@pytest.mark.parametrize(("cadence_min", "floor"), [(60, 500_000), (15, 125_000), (30, 250_000), (1, 8_334)])
def test_a_spike_under_the_floor_an_hour_is_skipped(
    make_block: Make, make_traits: Describe, cadence_min: int, floor: int
) -> None:
    slots = 24 * 60 // cadence_min
    rest: list[int | None] = [1000 + (slot % 7) for slot in range(slots - 1)]
    under = make_block([[floor - 1, *rest]], cadence_min=cadence_min)
    at = make_block([[floor, *rest]], cadence_min=cadence_min)
    assert found(under, make_traits(1)) == []
    assert found(at, make_traits(1)) == [("V07", 0, 0, 0)]


def test_a_day_whose_third_highest_is_zero_is_skipped(make_block: Make, make_traits: Describe) -> None:
    assert found(make_block([[9 * KW, 1, *[0] * 22]]), make_traits(1)) == []
    assert found(make_block([[9 * KW, 1, 1, *[0] * 21]]), make_traits(1)) == [("V07", 0, 0, 0)]


def test_missing_values_are_no_low_values(make_block: Make, make_traits: Describe) -> None:
    assert found(make_block([[9 * KW, 1, *[None] * 22]]), make_traits(1)) == []


def test_only_whole_days_are_judged_for_spikes(make_block: Make, make_traits: Describe) -> None:
    block = make_block([day_with(9 * KW, 2 * KW, 2 * KW)[:23]])
    assert found(block, make_traits(1)) == []


def test_a_spike_of_a_25_hour_day_is_found(make_block: Make, make_traits: Describe) -> None:
    row = [*day_with(2 * KW, 2 * KW, 2 * KW), 9 * KW]
    block = make_block([row], start="2019-10-27T00:00:00+01:00", tz="Europe/London")
    assert found(block, make_traits(1)) == [("V07", 0, 24, 24)]


def test_rejected_values_cannot_hide_a_spike(make_block: Make, make_traits: Describe) -> None:
    row = day_with(500 * KW, 500 * KW, 500 * KW, 9 * KW, 2 * KW, 2 * KW)
    assert ("V07", 0, 3, 3) in found(make_block([row]), make_traits(1, plate=20 * KW))
    assert found(make_block([row]), make_traits(1)) == []


# V10 zero on an active channel


@pytest.mark.parametrize(
    ("row", "want"),
    [
        ([0] * 24, [("V10", 0, 0, 23)]),
        ([*[0] * 23, 1], []),
        ([*[0] * 23, None], []),
        ([*[0] * 48, 5], [("V10", 0, 0, 47)]),
        ([5, *[0] * 47], [("V10", 0, 24, 47)]),
        ([5, *[0] * 30, 5, *[0] * 16], []),
    ],
)
def test_whole_days_of_zero(make_block: Make, make_traits: Describe, row: list[int | None], want: list[Any]) -> None:
    assert found(make_block([row]), make_traits(1)) == want


def test_zero_days_can_be_asked_for_in_a_row(make_block: Make, make_traits: Describe) -> None:
    more = {"name": "days", "value": "2", "unit": "days", "source": "a city", "date": rules()["V10"].parameters[0].date}
    change = {"V10": {"parameter": [more]}}
    assert found(make_block([[0] * 24]), make_traits(1), change) == []
    assert found(make_block([[0] * 48]), make_traits(1), change) == [("V10", 0, 0, 47)]


def test_days_that_are_not_whole_part_those_around_them(make_block: Make, make_traits: Describe) -> None:
    block = make_block([[0] * 72])
    block = dataclasses.replace(block, whole_day=np.array([True, False, True]))
    assert found(block, make_traits(1)) == [("V10", 0, 0, 23), ("V10", 0, 48, 71)]


@pytest.mark.parametrize("words", [{"commodity": "heat"}, {"role": "generation"}, {"quantity": "volume"}])
def test_a_day_of_zero_is_ordinary_elsewhere(make_block: Make, make_traits: Describe, words: dict[str, str]) -> None:
    assert found(make_block([[0] * 24]), make_traits(1, **words)) == []


# V12 negative


@pytest.mark.parametrize("commodity", ["gas", "water", "heat", "hot_water"])
def test_negative_use_is_rejected(make_block: Make, make_traits: Describe, names: Names, commodity: str) -> None:
    block, traits = make_block([[5, -1, -2, 0, 7]]), make_traits(1, commodity=commodity)
    assert found(block, traits) == [("V12_negative", 0, 1, 2)]
    assert names(validate(block, traits, rules())[0][0]) == ["valid", "rejected", "rejected", "valid", "valid"]


@pytest.mark.parametrize("role", ["consumption", "import", "generation"])
def test_reverse_electricity_is_flagged_only(make_block: Make, make_traits: Describe, names: Names, role: str) -> None:
    block, traits = make_block([[5, -1, 0] * 8]), make_traits(1, role=role)
    assert found(block, traits)[:2] == [("V12_reverse", 0, 1, 1), ("V12_reverse", 0, 4, 4)]
    assert names(validate(block, traits, rules())[0][0]) == ["valid", "questionable", "valid"] * 8


@pytest.mark.parametrize(("drawn", "hit"), [(-50_000, False), (-50_001, True)])
def test_a_panel_may_draw_a_little_at_night(make_block: Make, make_traits: Describe, drawn: int, hit: bool) -> None:
    """Half a percent of the plate; without one, of ten times the day's highest."""
    night, sun = [drawn] * 6, [1_000_000] * 12
    panel = {"commodity": "solar", "role": "generation"}
    block = make_block([night + sun + [0] * 6])
    spans = [("V12_reverse", 0, 0, 5)] if hit else []
    assert found(block, make_traits(1, **panel)) == spans
    assert found(block, make_traits(1, 10_000_000, **panel)) == spans
    assert found(block, make_traits(1)) == [("V12_reverse", 0, 0, 5)]
    dark = make_block([night + [0] * 18])
    assert found(dark, make_traits(1, **panel)) == [("V12_reverse", 0, 0, 5)]
    assert found(dark, make_traits(1, 10_000_000, **panel)) == spans


def test_a_night_that_is_not_over_is_not_judged_by_a_day_that_nobody_saw(
    make_block: Make, make_traits: Describe
) -> None:
    block, panel = make_block([[-9] * 6]), {"commodity": "solar", "role": "generation"}
    assert found(block, make_traits(1, **panel)) == []
    assert found(block, make_traits(1, 1_000, **panel)) == [("V12_reverse", 0, 0, 5)]


@pytest.mark.parametrize("role", ["storage", "net"])
def test_where_the_sign_is_the_direction_it_is_no_fault(make_block: Make, make_traits: Describe, role: str) -> None:
    assert found(make_block([[5, -1, 0]]), make_traits(1, role=role)) == []


# V16 physical maximum


@pytest.mark.parametrize(("value", "bad"), [(KW, False), (KW + 1, True), (-KW, False), (-KW - 1, True)])
def test_the_plates_maximum_passes_and_one_more_does_not(
    make_block: Make, make_traits: Describe, names: Names, value: int, bad: bool
) -> None:
    block, traits = make_block([[5, value, 7]], cadence_min=15), make_traits(1, plate=4 * KW, role="storage")
    assert found(block, traits) == ([("V16", 0, 1, 1)] if bad else [])
    assert names(validate(block, traits, rules())[0][0])[1] == ("rejected" if bad else "valid")


@pytest.mark.parametrize(
    ("role", "most"), [("net", 10**13), ("consumption", 4 * 10**11)], ids=["10 GW", "400 MW at one connection"]
)
def test_without_a_plate_the_most_of_any_meter_of_its_kind_counts(
    make_block: Make, make_traits: Describe, role: str, most: int
) -> None:
    assert found(make_block([[most - 1, most, most - 2]]), make_traits(1, role=role)) == []
    assert ("V16", 0, 1, 1) in found(make_block([[most - 1, most + 1, most]]), make_traits(1, role=role))


def test_a_plate_that_is_no_whole_amount_an_interval_is_rounded_down(make_block: Make, make_traits: Describe) -> None:
    traits = make_traits(1, plate=7)
    assert found(make_block([[1, 0, 1]], cadence_min=15), traits) == []
    assert found(make_block([[2, 0, 1]], cadence_min=15), traits) == [("V16", 0, 0, 0)]


# V18 stuck


@pytest.mark.parametrize("lead", range(14))
def test_24_equal_values_are_stuck_and_23_are_not(make_block: Make, make_traits: Describe, lead: int) -> None:
    head: list[int | None] = list(range(1, lead + 1))
    assert found(make_block([[*head, *[77] * 24, 5]]), make_traits(1)) == [("V18", 0, lead, lead + 23)]
    assert found(make_block([[*head, *[77] * 23, 5]]), make_traits(1)) == []


def test_zero_is_not_stuck_and_a_missing_interval_ends_the_run(make_block: Make, make_traits: Describe) -> None:
    traits = make_traits(1, commodity="water", quantity="volume")
    assert found(make_block([[0] * 30]), traits) == []
    assert found(make_block([[*[7] * 20, None, *[7] * 20]]), traits) == []
    assert found(make_block([[7] * 30]), traits) == [("V18", 0, 0, 29)]


# all of them


@pytest.mark.parametrize("code", ["edited", "linear", "like_day", "rejected", "withdrawn"])
def test_what_is_not_measured_is_not_judged(make_block: Make, make_traits: Describe, names: Names, code: str) -> None:
    block = make_block([[5, -1, 7]], quality={(0, 1): code})
    traits = make_traits(1, commodity="gas")
    assert found(block, traits) == []
    assert names(validate(block, traits, rules())[0][0]) == ["valid", code, "valid"]


@pytest.mark.parametrize("code", ["derived", "partial", "questionable"])
def test_a_flag_leaves_other_qualities_alone_and_a_rejection_does_not(
    make_block: Make, make_traits: Describe, names: Names, code: str
) -> None:
    block = make_block([[5, -1, 7]], quality={(0, 1): code})
    assert found(block, make_traits(1)) == [("V12_reverse", 0, 1, 1)]
    assert names(validate(block, make_traits(1), rules())[0][0])[1] == code
    assert names(validate(block, make_traits(1, commodity="gas"), rules())[0][0])[1] == "rejected"


def test_a_note_is_recorded_and_changes_nothing(make_block: Make, make_traits: Describe, names: Names) -> None:
    block, change = make_block([[5, -1, 7]]), {"V12_reverse": {"severity": "note"}}
    assert found(block, make_traits(1), change) == [("V12_reverse", 0, 1, 1)]
    assert names(validate(block, make_traits(1), rules(change))[0][0]) == ["valid"] * 3


def test_traits_that_do_not_fit_are_refused(make_block: Make, make_traits: Describe) -> None:
    with pytest.raises(BadInput, match="traits do not fit 1 channels"):
        validate(make_block([[1]]), make_traits(2), rules())


KINDS = [
    ("electricity", "consumption", "energy"), ("gas", "consumption", "volume"), ("electricity", "generation", "energy"),
    ("water", "consumption", "volume"), ("electricity", "storage", "energy"),
]  # fmt: skip
VALUE = st.one_of(st.none(), st.sampled_from([0, 0, 1, 77, -3, 10**6, 9 * 10**6, 10**9]))
ROW = st.one_of(st.lists(VALUE, min_size=48, max_size=48), st.sampled_from([[0] * 48, [77] * 48]))


def described(kinds: list[int]) -> Traits:
    """Give traits of rows whose kinds are numbered."""
    words = [[KINDS[kind][place] for kind in kinds] for place in range(3)]
    plates = np.array([-1 if kind % 2 else 50 * KW for kind in kinds], np.int64)
    return Traits.of(*words, plates, ["interval_sum"] * len(kinds))


@given(st.lists(st.tuples(ROW, st.integers(0, 4)), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_values_never_change_and_rows_are_judged_alone(
    make_block: Make, rows: list[tuple[list[int | None], int]], random: Any
) -> None:
    block = make_block([row for row, _ in rows])
    before = copy.deepcopy(vars(block))
    traits = described([kind for _, kind in rows])
    quality, findings = validate(block, traits, rules())
    for name, held in vars(block).items():
        assert np.array_equal(held, before[name])
    assert (quality[~block.present] == block.quality[~block.present]).all()
    order = list(range(len(rows)))
    random.shuffle(order)
    turned, again = validate(
        make_block([rows[at][0] for at in order]), described([rows[at][1] for at in order]), rules()
    )
    assert np.array_equal(turned, quality[order])
    whole = zip(findings.row, findings.column_first, findings.column_last, findings.rule, strict=True)
    back = zip(np.array(order)[again.row], again.column_first, again.column_last, again.rule, strict=True)
    assert sorted(map(tuple, back)) == list(whole)


@given(st.lists(ROW, min_size=2, max_size=5), ROW, st.data())
def test_a_poisoned_row_leaves_its_neighbours_unchanged(
    make_block: Make, rows: list[list[int | None]], poison: list[int | None], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    traits = described([place % 5 for place in range(len(rows))])
    clean, _ = validate(make_block(rows), traits, rules())
    dirty, _ = validate(make_block([*rows[:at], poison, *rows[at + 1 :]]), traits, rules())
    others = [place for place in range(len(rows)) if place != at]
    assert np.array_equal(clean[others], dirty[others])


def test_slabs_do_not_show(make_block: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    rows = [[int(v) for v in rng.choice([0, 77, -3, 9 * KW, KW], 48)] for _ in range(40)]
    traits = described([place % 5 for place in range(40)])
    whole = validate(make_block(rows), traits, rules())
    monkeypatch.setattr("quintet.vee.validation.SLAB_INTERVALS", 96)
    cut = validate(make_block(rows), traits, rules())
    assert np.array_equal(whole[0], cut[0])
    assert all(np.array_equal(a, b) for a, b in zip(vars(whole[1]).values(), vars(cut[1]).values(), strict=True))
    assert len(whole[1]) > 100
