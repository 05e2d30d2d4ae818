"""The order of estimators in force, assigned estimates, and what arrives later: always what all at once would give."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest

from quintet.pipeline import estimators
from quintet.pipeline.assigned import assign, lift
from quintet.pipeline.difference import ARRIVED, COUNTED, ESTIMATED, against
from quintet.pipeline.estimators import KIND, decision, order_of
from quintet.pipeline.rows import IntervalRows
from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities, qualities_by_id
from quintet.vee import shipped_order

START = datetime(2025, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOUR_US = 3_600_000_000
START_US = int(START.timestamp()) * 1_000_000
SAID = {"reason": "test", "source": "test", "date": "2026-01-01"}
ID = {code: quality.id for code, quality in qualities().items()}
Row = tuple[str, datetime, float]


def decide(bench: Any, name: str) -> None:
    """Let one estimator be asked for every gap of electricity."""
    classes = bench.pipeline.meaning().order.classes
    records = [decision("electricity", one.code, [name], [name, "register_spread"], SAID) for one in classes]
    bench.pipeline.apply_records(records, kind=KIND, source="back-test", actor="test")


def readings(dice: Random, hours: int, holes: list[tuple[int, int]]) -> list[Row]:
    """Give hourly readings of a meter of use and of a register; both are silent in the holes."""
    total, out = 500.0, list[Row]()
    for number in range(hours):
        use = dice.randrange(1, 40) / 10 * (1 + number % 24 / 12) + (60 if dice.random() < 0.01 else 0)
        total = round(total + use, 1)
        if not any(low <= number < high for low, high in holes):
            out += [("use", START + number * HOUR, round(use, 1)), ("dial", START + number * HOUR, total)]
    return out


def register(bench: Any) -> None:
    bench.register(
        use=("electricity", "kWh", "interval_sum", 60), dial=("electricity", "kWh", "register_cumulative", 60)
    )


@pytest.mark.parametrize("name", ["like_day_level", "median_blend", "flat", "self_tested"])
def test_estimates_that_look_beside_a_gap_are_the_same_however_readings_arrive(
    new_bench: Callable[[], Any], name: str
) -> None:
    """Hour by hour after a gap, with a late one now and then, or all at once: what stands is equal."""
    dice = Random(7)
    rows = readings(dice, 24 * 28, [(24 * 20 + 7, 24 * 23 + 1), (24 * 25 + 5, 24 * 25 + 11)])
    live, once = new_bench(), new_bench()
    for bench in (live, once):
        register(bench)
        decide(bench, name)
    late = [row for row in rows if dice.random() < 0.01]
    early = [row for row in rows if row not in late]
    begun = 24 * 23
    live.send([row for row in early if row[1] < START + begun * HOUR])
    late = [row for row in late if row[1] + 30 * HOUR >= START + begun * HOUR]
    live.send([row for row in rows if row not in early and row not in late])
    for number in range(begun, 24 * 28):
        step = START + number * HOUR
        batch = [row for row in early if row[1] == step] + [row for row in late if row[1] + 30 * HOUR == step]
        if batch:
            live.send(batch)
    live.send(late)
    once.send(rows)
    assert live.effective() == once.effective()
    assert live.rollup_days() == once.rollup_days()
    used = {row[3] for row in once.effective()} - {ID["valid"], ID["questionable"]}
    assert used, "something was estimated"


def test_a_decision_re_estimates_and_what_was_known_before_it_stays(bench: Any) -> None:
    register(bench)
    bench.send(readings(Random(3), 24 * 40, [(24 * 30, 24 * 31)]))
    before, batch = bench.effective(), bench.engine.last_batch
    decide(bench, "last_week")
    after = bench.effective()
    changed = {row[1] for row in set(after) ^ set(before)}
    assert changed
    first = START_US + (24 * 30 - 1) * HOUR_US  # a register's gap begins with its last reading
    assert all(first <= one < START_US + 24 * 31 * HOUR_US for one in changed)
    assert ID["last_week"] in {row[3] for row in after}
    assert bench.effective(batch) == before
    order = order_of(bench.pipeline.registry())
    assert [row.name for row in order.choice("electricity", "to_1d").estimators] == ["last_week"]
    bench.reopen()
    assert bench.effective() == after
    batch = bench.engine.last_batch
    decide(bench, "last_week")
    assert bench.effective() == after


def test_a_decision_that_names_no_estimator_is_refused_and_nothing_is_stored(bench: Any) -> None:
    before = bench.engine.last_batch
    with pytest.raises(BadInput, match="guesswork is no estimator"):
        decide(bench, "guesswork")
    assert bench.engine.last_batch == before


def test_a_city_whose_decision_names_what_is_no_estimator_any_more_refuses_by_name(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(bench)
    decide(bench, "blend")
    shipped = shipped_order()
    fewer = replace(shipped, rows={name: row for name, row in shipped.rows.items() if name != "blend"})
    monkeypatch.setattr(estimators, "shipped_order", lambda: fewer)
    with pytest.raises(BadInput, match="blend is no estimator") as caught:
        order_of(bench.pipeline.registry())
    assert "estimation order, electricity " in str(caught.value)
    assert "like_day" in caught.value.remedy, "it says what could stand there instead"
    with pytest.raises(BadInput, match="blend is no estimator"):
        bench.reopen()
    monkeypatch.undo()
    bench.reopen()
    bench.send(readings(Random(3), 24, []))


def test_a_decision_for_a_role_apart_is_for_its_channels_alone(bench: Any) -> None:
    register(bench)
    rows = readings(Random(3), 24 * 40, [(24 * 30, 24 * 31)])
    bench.send(rows)
    before = bench.effective()
    classes = bench.pipeline.meaning().order.classes
    records = [decision("electricity:generation", one.code, ["last_week"], ["last_week"], SAID) for one in classes]
    bench.pipeline.apply_records(records, kind=KIND, source="back-test", actor="test")
    assert bench.effective() == before
    with pytest.raises(BadInput, match="gardening is no role apart"):
        bench.pipeline.apply_records(
            [decision("electricity:gardening", "to_1d", ["flat"], ["flat"], SAID)], kind=KIND, source="t", actor="t"
        )


# assigned estimates


def rows_of(listed: list[tuple[int, int, int, int]]) -> IntervalRows:
    """Give rows from (channel, hour, value, quality)."""
    columns = np.array(sorted(listed), np.int64).reshape(-1, 4).T
    return IntervalRows(
        columns[0].astype(np.int32), columns[1] * HOUR_US, columns[2].copy(), columns[3].astype(np.uint8)
    )


@pytest.mark.parametrize("seed", range(20))
def test_measured_replaces_assigned_and_derived_estimates_do_not(seed: int) -> None:
    """Whatever stands and whatever evidence gives: the sums move by what stands after less what stood before."""
    dice = Random(seed)
    codes = ["valid", "questionable", "like_day", "rejected", "check_meter", "outage_zero"]
    keys = [(channel, hour) for channel in range(2) for hour in range(12)]
    stored = {key: (dice.randrange(100), ID[dice.choice(codes)]) for key in keys if dice.random() < 0.7}
    derived = {key: (dice.randrange(100), ID[dice.choice(codes[:4])]) for key in keys if dice.random() < 0.7}
    given, kept = (rows_of([(*key, *said[key]) for key in said]) for said in (derived, stored))
    change = against(given, kept, np.zeros(0, np.int64))
    stands = dict(stored)
    for channel, start, value, quality in zip(
        *(getattr(change.rows, n).tolist() for n in ("channel", "start_us", "value", "quality")), strict=True
    ):
        stands[channel, start // HOUR_US] = (value, quality)
    for key in keys:
        old, new = stored.get(key), derived.get(key)
        wins = new is not None and qualities_by_id()[new[1]].kind == "measured"
        if old is not None and qualities_by_id()[old[1]].assigned and not wins:
            assert stands[key] == old
        elif new is not None:
            assert stands[key] == new
        else:
            assert key not in stands or stands[key][1] == ID["withdrawn"]
    for name, weigh in (("value", COUNTED), ("arrived", ARRIVED), ("estimated", ESTIMATED)):
        sums = [
            sum(int(weigh[q]) * (v if name == "value" else 1) for v, q in said.values()) for said in (stands, stored)
        ]
        assert int(getattr(change, name).sum()) == sums[0] - sums[1]


def sums_of(bench: Any) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Sum what is effective by channel and day, as the rollups should say it."""
    out: dict[tuple[int, int], tuple[int, int, int]] = {}
    for channel, start, value, quality in bench.effective():
        key = (channel, start // (24 * HOUR_US))
        v, a, e = out.get(key, (0, 0, 0))
        counted = (int(COUNTED[quality]) * value, int(ARRIVED[quality]), int(ESTIMATED[quality]))
        out[key] = (v + counted[0], a + counted[1], e + counted[2])
    return {key: sums for key, sums in out.items() if any(sums)}


def test_assigned_values_stand_until_something_measured_comes(bench: Any) -> None:
    register(bench)
    rows = readings(Random(5), 24 * 12, [])
    (use,) = (c["channel"] for c in bench.pipeline.registry().channels().to_pylist() if c["name"] == "s/use")
    bench.send([row for row in rows if row[1] < START + 24 * 10 * HOUR])
    silent = [(use, START_US // HOUR_US + 24 * 10 + hour, 777, ID["check_meter"]) for hour in range(24)]
    found = rows_of([*silent, (use, START_US // HOUR_US, 1, ID["check_meter"])])
    assert assign(bench.pipeline, bench.engine, found, source="run", actor="test") is not None
    assert assign(bench.pipeline, bench.engine, found, source="run", actor="test") is None, (
        "a second run writes nothing"
    )
    standing = [row for row in bench.effective() if row[3] == ID["check_meter"]]
    assert len(standing) == 24, "the measured hour stays"
    assert bench.rollup_days() == sums_of(bench)
    for number in range(24 * 10, 24 * 10 + 30):
        bench.send([row for row in rows if row[1] == START + number * HOUR])
        assert bench.rollup_days() == sums_of(bench)
        if number % 7 == 0:
            bench.reopen()
    assert ID["check_meter"] not in {row[3] for row in bench.effective()}


def test_an_assigned_value_outlives_a_derived_estimate_and_can_be_lifted(bench: Any) -> None:
    register(bench)
    rows = readings(Random(9), 24 * 25, [(24 * 20, 24 * 20 + 8)])
    (use,) = (c["channel"] for c in bench.pipeline.registry().channels().to_pylist() if c["name"] == "s/use")
    bench.send(rows)
    before, sums = bench.effective(), bench.rollup_days()
    hours = range(START_US // HOUR_US + 24 * 20, START_US // HOUR_US + 24 * 20 + 8)
    found = rows_of([(use, hour, 5, ID["outage_zero"]) for hour in hours])
    assign(bench.pipeline, bench.engine, found, source="run", actor="test")
    bench.send([("use", START + 24 * 19 * HOUR, 3.3)])
    standing = [row for row in bench.effective() if row[3] == ID["outage_zero"]]
    assert len(standing) == 8, "evidence beside it derives the gap anew, and the assigned values stand"
    assert bench.rollup_days() == sums_of(bench)
    lift(bench.pipeline, bench.engine, found, source="run", actor="test")
    assert ID["outage_zero"] not in {row[3] for row in bench.effective()}
    assert bench.rollup_days() == sums_of(bench)
    bench.send(
        [("use", START + 24 * 19 * HOUR, next(v for n, at, v in rows if (n, at) == ("use", START + 24 * 19 * HOUR)))]
    )
    assert len(before) == len(bench.effective())
    assert sums.keys() == bench.rollup_days().keys()


def test_a_channel_that_was_never_heard_gets_nothing_and_a_derived_quality_is_refused(bench: Any) -> None:
    register(bench)
    bench.send(readings(Random(1), 24, []))
    bench.register(idle=("electricity", "kWh", "interval_sum", 60))
    idle = bench.pipeline.registry().channel_ids["s/idle"]
    found = rows_of([(idle, START_US // HOUR_US, 5, ID["class_profile"])])
    assert assign(bench.pipeline, bench.engine, found, source="run", actor="test") is None
    with pytest.raises(BadInput, match="not assigned"):
        assign(bench.pipeline, bench.engine, rows_of([(idle, 0, 5, ID["like_day"])]), source="run", actor="test")
