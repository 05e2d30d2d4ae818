"""What holds for all rules of a period together: rows stand alone, order and slabs do not show, nothing is changed."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.vee import NOTHING, Beside, Block, Findings, Traits, Use, judge_period, rules
from quintet.vee.period_checks import PERIOD

Make = Callable[..., Block]
KINDS = [
    ("electricity", "consumption", "energy"), ("gas", "consumption", "volume"), ("heat", "consumption", "energy"),
    ("water", "consumption", "volume"),
]  # fmt: skip
COLUMNS = 96
TABLE = rules()
AMOUNTS = np.array([NOTHING, 0, 1, 77, -3, 10**6, 9 * 10**6, 10**9, 2**59, -(2**59)])


def described(kinds: list[int]) -> Traits:
    """Give traits of rows whose kinds are numbered."""
    words = [[KINDS[kind][place] for kind in kinds] for place in range(3)]
    return Traits.of(*words, np.full(len(kinds), -1, np.int64), ["interval_sum"] * len(kinds))


def facts_of(seeds: list[int]) -> Beside:
    """Make up everything that stands beside rows: each row's by its own seed alone."""
    parts: dict[str, list[Any]] = {}
    for seed in seeds:
        rng = np.random.default_rng(seed)

        def one(name: str, size: int, rng: np.random.Generator = rng) -> None:
            parts.setdefault(name, []).append(rng.choice(AMOUNTS, size))

        for name in ("register_total", "register_before", "register_step", "clock_offset_us", "class_ppm"):
            one(name, 1)
        for name in ("use_total", "use_peak", "year_total", "year_peak"):
            one(name, 1)
        for name in ("check", "reactive", "volume", "delta_t_mk", "pressure_pa", "temperature_mk"):
            one(name, COLUMNS)
        parts.setdefault("flags", []).append(rng.integers(0, 2, COLUMNS))
        parts.setdefault("inactive", []).append(rng.integers(0, 2, COLUMNS))
    arrays = {name: np.stack(held).astype(np.int64) for name, held in parts.items()}
    flat = {name: held[:, 0] if held.shape[1] == 1 else held for name, held in arrays.items()}
    covered = np.full(len(seeds), COLUMNS * 3_600_000_000, np.int64)
    pasts = {
        "use_before": Use(np.abs(flat.pop("use_total") // 4), covered, flat.pop("use_peak")),
        "use_year_before": Use(np.abs(flat.pop("year_total") // 4), covered, flat.pop("year_peak")),
    }
    flat["flags"], flat["inactive"] = flat["flags"].astype(np.uint32), flat["inactive"].astype(np.bool_)
    ones = np.full((len(seeds), COLUMNS), 10**6, np.int64)
    return Beside(**flat, **pasts, compressibility_ppm=ones)  # type: ignore[arg-type]


def listed(found: Findings, order: list[int] | None = None) -> list[tuple[int, ...]]:
    """List findings, rows by their number before they were put into an order."""
    row = found.row if order is None else np.array(order)[found.row]
    assert found.middle is not None
    columns = (row, found.column_first, found.column_last, found.rule, found.middle)
    return sorted(tuple(map(int, one)) for one in zip(*columns, strict=True))


VALUE = st.one_of(st.none(), st.sampled_from([0, 0, 1, 77, -3, 10**6, 9 * 10**6, 10**9, 2**59]))
ROW = st.one_of(st.lists(VALUE, min_size=COLUMNS, max_size=COLUMNS), st.sampled_from([[0] * COLUMNS, [7] * COLUMNS]))
CHANNELS = st.lists(st.tuples(ROW, st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=5)


def judged(make_block: Make, channels: list[Any]) -> Findings:
    """Judge made-up channels."""
    block = make_block([row for row, _, _ in channels])
    before = copy.deepcopy(vars(block))
    traits, beside = described([kind for _, kind, _ in channels]), facts_of([seed for _, _, seed in channels])
    found = judge_period(block, traits, TABLE, beside)
    assert all(np.array_equal(held, before[name]) for name, held in vars(block).items())
    return found


@settings(max_examples=30)
@given(CHANNELS, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_nothing_is_changed(make_block: Make, channels: list[Any], random: Any) -> None:
    order = list(range(len(channels)))
    random.shuffle(order)
    found = judged(make_block, channels)
    assert listed(judged(make_block, [channels[at] for at in order]), order) == listed(found)
    keys = list(zip(found.row.tolist(), found.column_first.tolist(), found.rule.tolist(), strict=True))
    assert keys == sorted(keys)


@settings(max_examples=30)
@given(CHANNELS, st.tuples(ROW, st.integers(0, 3), st.integers(0, 9)), st.data())
def test_a_poisoned_row_changes_nothing_for_its_neighbours(
    make_block: Make, channels: list[Any], poison: Any, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(channels) - 1))
    dirty = [*channels[:at], poison, *channels[at + 1 :]]
    clean, other = listed(judged(make_block, channels)), listed(judged(make_block, dirty))
    assert [one for one in clean if one[0] != at] == [one for one in other if one[0] != at]


def test_slabs_do_not_show_and_every_rule_has_something_to_say(
    make_block: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    rows = [[int(v) for v in rng.choice([1, 77, -3, 9 * 10**6, 10**9], COLUMNS)] for _ in range(60)]
    channels: list[Any] = [(row, place % 4, place) for place, row in enumerate(rows)]
    whole = judged(make_block, channels)
    monkeypatch.setattr("quintet.vee.validation.SLAB_INTERVALS", COLUMNS)
    assert listed(judged(make_block, channels)) == listed(whole)
    named = {TABLE.rules[index].id for index in whole.rule}
    assert {"V01", "V05", "V06", "V08", "V09", "V11", "V14", "V15", "V17", "W01", "H01"} <= named <= PERIOD.keys()


def test_estimates_and_rejected_values_are_not_judged_but_edited_ones_are(make_block: Make) -> None:
    inactive = Beside(inactive=np.ones((1, 3), np.bool_))
    block = make_block([[5, 5, 5]], quality={(0, 0): "linear", (0, 1): "rejected", (0, 2): "edited"})
    found = judge_period(block, described([0]), rules(), inactive)
    assert [(int(a), int(b)) for a, b in zip(found.column_first, found.column_last, strict=True)] == [(2, 2)]


def test_without_facts_only_the_values_are_judged(make_block: Make) -> None:
    block = dataclasses.replace(make_block([[1] * COLUMNS]))
    found = judge_period(block, described([3]), rules())
    assert [rules().rules[index].id for index in found.rule] == ["W01"]
