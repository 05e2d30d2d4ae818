"""Rollups are sums of differences: by hour and by local day they equal sums over the effective intervals, always."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from quintet.pipeline.commit import Pipeline
from quintet.store.closing import open_days
from quintet.terms.period import grid_phase, local_day
from quintet.terms.quality import qualities_by_id
from quintet.terms.reading import clock
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.vee import rules

from .conftest import HOUR, Store

START = datetime(2025, 3, 28, 20, tzinfo=UTC)
METERS = {"e": ("electricity", "kWh", "interval_sum", 15), "w": ("water", "m3", "register_cumulative", 60)}
Sums = dict[tuple[int, int], tuple[int, int, int]]


def pipeline_of(store: Store) -> Pipeline:
    out = Pipeline(store.engine, rules(), now=lambda: store.tick() + 10**14)
    names = ("site", "building", "meter", "commodity", "unit", "value_kind", "cadence_min", "tz", "role")
    rows = [("s", "b", m, c, u, kind, n, store.timezone, "consumption") for m, (c, u, kind, n) in METERS.items()]
    meters = pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})
    out.register(meters, source="meters", actor="test")
    return out


def send(pipeline: Pipeline, rows: list[tuple[str, datetime, float]]) -> None:
    columns: dict[str, Any] = {
        "site": ["s"] * len(rows), "meter": [row[0] for row in rows], "at": [row[1] for row in rows],
        "value": [row[2] for row in rows], "commodity": [None] * len(rows), "unit": [None] * len(rows),
        "row": range(1, len(rows) + 1),
    }  # fmt: skip
    table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
    pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")


def history(dice: Random) -> list[tuple[str, datetime, float]]:
    rows, total = [], 0.0
    for step in range(4 * 24 * 4):
        at = START + timedelta(minutes=15 * step)
        if dice.random() > 0.06:
            rows.append(("e", at, round(dice.random() * 2, 3)))
        if step % 4 == 0 and dice.random() > 0.06:
            total += round(dice.random(), 3)
            rows.append(("w", at + timedelta(seconds=dice.randrange(200)), round(total, 3)))
    return rows


def recomputed(store: Store, period: Callable[[int], int], known_batch: int | None = None) -> Sums:
    """Sum effective intervals in plain Python by channel and period."""
    value, arrived, estimated = Counter[tuple[int, int]](), Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for channel, start, amount, quality in store.effective(known_batch, low=0, high=3 * 10**15):
        kind, key = qualities_by_id()[quality].kind, (channel, period(start))
        value[key] += amount if kind != "rejected" else 0
        arrived[key] += kind == "measured"
        estimated[key] += kind == "estimated"
    return {
        key: (value[key], arrived[key], estimated[key])
        for key in sorted(value)
        if value[key] or arrived[key] or estimated[key]
    }


def stored(store: Store, table: str, period: str, known_batch: int = 2**31 - 1) -> Sums:
    found = store.rows(
        f"select channel, {period}, sum(value), sum(arrived), sum(estimated) from {table} where batch <= {known_batch} "
        "group by all order by all"
    )
    return {(channel, at): (int(v), int(a), int(e)) for channel, at, v, a, e in found if v or a or e}


@pytest.mark.parametrize("seed", range(3))
def test_rollups_are_the_sums_of_the_effective_intervals(new_store: Callable[..., Store], seed: int) -> None:
    store, dice = new_store("Europe/Madrid"), Random(seed)
    pipeline, tz = pipeline_of(store), clock("Europe/Madrid")
    phase, rows = grid_phase(tz, HOUR), history(dice)
    late = [rows.pop(dice.randrange(len(rows))) for _ in range(30)]
    corrected = [
        (meter, at, round(value + 0.001, 3)) for meter, at, value in dice.sample([r for r in rows if r[0] == "e"], 20)
    ]
    cut = len(rows) // 2
    closed: set[int] = set()

    def day(start: int) -> int:
        return (local_day(datetime.fromtimestamp(start / 1e6, UTC), tz) - datetime(1970, 1, 1, tzinfo=UTC).date()).days

    def hour(start: int) -> int:
        return start - (start + phase) % HOUR

    for batch in (rows[:cut], late[:15], rows[cut:], corrected, late[15:]):
        send(pipeline, batch)
        assert stored(store, "rollup_day", "day") == recomputed(store, day)
        expected = recomputed(store, hour)
        if not closed:
            assert stored(store, "rollup_hour", "hour_us") == expected
        with store.engine.snapshot() as snapshot:
            last = open_days(store.engine, snapshot)[0]
        store.close_day(last)
        closed.add(last)
        assert stored(store, "rollup_day", "day") == recomputed(store, day)
    still_open = {key: sums for key, sums in recomputed(store, hour).items() if day(key[1]) not in closed}
    assert {
        key: sums for key, sums in stored(store, "rollup_hour", "hour_us").items() if day(key[1]) not in closed
    } == still_open


def test_rollups_as_known_at_a_batch_are_the_sums_known_then(new_store: Callable[..., Store]) -> None:
    store = new_store("UTC")
    pipeline, rows = pipeline_of(store), history(Random(9))
    for part in (0, 1, 2):
        send(pipeline, rows[part::3])
    for batch in range(store.engine.last_batch + 1):
        assert stored(store, "rollup_hour", "hour_us", batch) == recomputed(store, lambda us: us - us % HOUR, batch)
