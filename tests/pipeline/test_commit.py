"""The write path: what is committed is a function of the evidence, not of how it arrived."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

START = datetime(2025, 1, 3, tzinfo=UTC)
MWH = 1_000_000
METERS = {
    "e": ("electricity", "kWh", "interval_sum", 15),
    "p": ("electricity", "W", "avg_power", 15),
    "m": ("electricity", "W", "avg_power", 1),
    "w": ("water", "m3", "register_cumulative", 60),
    "g": ("gas", "m3", "register_cumulative", 15),
    "d": ("water", "US_gal", "register_daily_reset", 60),
    "h": ("hot_water", "L", "event_sum", 15),
}

Row = tuple[str, datetime, float]


def history(seed: int, days: int) -> list[Row]:
    """Play some days of every kind of meter, with gaps, odd seconds, falls, zeros and repeated moments."""
    dice = Random(seed)
    rows: list[Row] = []
    for meter, (_, _, kind, cadence) in METERS.items():
        step, total = timedelta(minutes=cadence if cadence > 1 else 7), 1000.0 * dice.random()
        at = START
        while at < START + timedelta(days=days):
            if dice.random() < 0.02:
                at += step * dice.randrange(2, 60)
            use = round(dice.random() * 3, 3) * (dice.random() > 0.2)
            if kind == "register_cumulative":
                total = round(total + use, 3)
                odd = timedelta(seconds=dice.randrange(600)) if meter == "w" else timedelta(0)
                shown = 0.0 if dice.random() < 0.01 else total - 5 * (dice.random() < 0.01)
                rows.append((meter, at + odd, max(shown, 0.0)))
            elif kind == "register_daily_reset":
                total = use if at.hour == 1 else round(total + use, 3)
                rows.append((meter, at, total))
            else:
                rows.append((meter, at, use))
            if dice.random() < 0.01:
                rows.append((meter, rows[-1][1], round(use + 1, 3)))
            at += step
    return rows


def split(rows: list[Row], pieces: int, dice: Random) -> list[list[Row]]:
    """Deal rows into batches at random, rows of one moment of one meter together (else the later batch would win)."""
    groups: dict[tuple[str, datetime], list[Row]] = {}
    for row in rows:
        groups.setdefault(row[:2], []).append(row)
    out: list[list[Row]] = [[] for _ in range(pieces)]
    for group in groups.values():
        out[dice.randrange(pieces)] += group
    for batch in out:
        dice.shuffle(batch)
    return [batch for batch in out if batch]


@pytest.mark.parametrize("seed", range(2))
def test_arrival_in_any_order_and_any_batches_gives_the_same(new_bench: Callable[[], Any], seed: int) -> None:
    rows = history(seed, 24)
    dice = Random(seed)
    once, pieces = new_bench(), new_bench()
    for bench in (once, pieces):
        bench.register(**METERS)
    receipt = once.send(rows)
    taken = 0
    for number, batch in enumerate(split(rows, 5, dice)):
        taken += pieces.send(batch).accepted
        if number in (1, 3):
            pieces.close_all()
        if number == 2:
            pieces.reopen()
    assert taken == receipt.accepted
    assert pieces.effective() == once.effective()
    assert pieces.hash() == once.hash()
    assert pieces.rollup_days() == once.rollup_days()


@pytest.mark.parametrize("seed", range(1))
def test_days_that_arrive_one_after_another_give_the_same(new_bench: Callable[[], Any], seed: int) -> None:
    rows = sorted(history(seed + 50, 20), key=lambda row: row[1])
    once, daily = new_bench(), new_bench()
    for bench in (once, daily):
        bench.register(**METERS)
    once.send(rows)
    cut = START
    while cut < START + timedelta(days=21):
        following = cut + timedelta(hours=Random(cut.isoformat()).choice([1, 5, 24]))
        part = [row for row in rows if cut <= row[1] < following]
        if part:
            daily.send(part)
        cut = following
    assert daily.effective() == once.effective()
    assert daily.rollup_days() == once.rollup_days()


def test_the_same_again_changes_nothing(bench: Any) -> None:
    bench.register(**METERS)
    rows = history(7, 9)
    first = bench.send(rows)
    before, batches = bench.hash(), bench.engine.last_batch
    again = bench.send(rows)
    assert (again.accepted, again.duplicate) == (0, first.accepted + first.duplicate)
    bench.close_all()
    closed = bench.send(rows)
    assert (closed.accepted, closed.duplicate) == (0, len(rows))
    assert bench.hash() == before
    assert bench.engine.last_batch > batches


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.integers(0, 10**6), min_size=3, max_size=40), closed=st.booleans())
def test_interval_sums_are_register_differences_to_the_last_sub_unit(
    new_bench: Callable[[], Any], values: list[int], closed: bool
) -> None:
    bench = new_bench()
    bench.register(w=("water", "US_gal", "register_cumulative", 60))
    total, rows = 0, []
    for number, value in enumerate(values):
        total += value
        rows.append(("w", START + timedelta(minutes=47 * number, seconds=value % 60), total / 1000))
    first, last = (round(row[2] * 1000) * 473_176_473 // 125_000_000 for row in (rows[0], rows[-1]))
    bench.send(rows)
    if closed:
        bench.close_all()
    assert sum(row[2] for row in bench.effective()) == last - first


def test_a_correction_in_a_later_batch_wins_and_the_past_can_be_asked(bench: Any) -> None:
    bench.register(e=METERS["e"])
    bench.send([("e", START, 1.0), ("e", START + timedelta(minutes=15), 2.0)])
    before = bench.engine.last_batch
    bench.send([("e", START, 3.0)])
    assert [row[2] for row in bench.effective()] == [3 * MWH, 2 * MWH]
    assert [row[2] for row in bench.effective(before)] == [1 * MWH, 2 * MWH]
    bench.close_all()
    assert [row[2] for row in bench.effective()] == [3 * MWH, 2 * MWH]
    assert [row[2] for row in bench.effective(before)] == [1 * MWH, 2 * MWH]
    late = bench.send([("e", START + timedelta(minutes=15), 7.5)])
    assert late.accepted == 1
    assert [row[2] for row in bench.effective()] == [3 * MWH, 7_500_000]
    assert sum(value for value, _, _ in bench.rollup_days().values()) == 10_500_000
    bench.close_all()
    assert [row[2] for row in bench.effective(before)] == [1 * MWH, 2 * MWH]
    assert [row[2] for row in bench.effective()] == [3 * MWH, 7_500_000]


def test_a_conflict_within_a_batch_takes_the_lower_and_says_so(bench: Any) -> None:
    bench.register(e=METERS["e"])
    bench.send([("e", START, 5.0), ("e", START, 4.0), ("e", START + timedelta(minutes=15), 4.0)])
    assert [row[2:] for row in bench.effective()] == [(4 * MWH, 2), (4 * MWH, 1)]


def test_bad_rows_are_set_aside_by_name_and_good_ones_kept(bench: Any) -> None:
    bench.register(e=METERS["e"], g=METERS["g"])
    rows = [
        ("e", START, 1.0),
        ("e", START + timedelta(minutes=15), float("inf")),
        ("e", datetime(1970, 1, 1, tzinfo=UTC), 1.0),
        ("e", datetime(2106, 2, 7, tzinfo=UTC), 1.0),
        ("g", START, -3.0),
        ("x", START, 1.0),
        ("e", START + timedelta(minutes=30), 1e308),
        ("e", START + timedelta(minutes=45), float("nan")),
    ]
    receipt = bench.send(rows)
    assert (receipt.accepted, receipt.quarantined) == (1, 7)
    with bench.engine.snapshot() as snapshot:
        found = snapshot.rows("select row, code from quarantine order by row")
    assert found == [
        (2, "out_of_range"), (3, "implausible_time"), (4, "future_time"), (5, "negative_register"),
        (6, "unregistered_meter"), (7, "out_of_range"), (8, "no_value"),
    ]  # fmt: skip
    assert bench.send(rows).quarantined == 0
