"""The short way gives what the long way gives, and is really taken."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from quintet.pipeline import effects
from quintet.pipeline.extend import Extension

START = datetime(2025, 1, 3, tzinfo=UTC)
METERS = {
    "e": ("electricity", "kWh", "interval_sum", 15),
    "p": ("electricity", "W", "avg_power", 15),
    "g": ("gas", "m3", "register_cumulative", 15),
    "w": ("water", "m3", "register_cumulative", 60),
    "t": ("electricity", "W", "avg_power", 1),
    "c": ("electricity", "W", "avg_power", 5),
}
Row = tuple[str, datetime, float]


def rounds(seed: int, quarters: int) -> list[list[Row]]:
    """Play quarter-hours of even meters: now and then a stuck value, a spike, a late row, a conflict, a fall."""
    dice = Random(seed)
    total = {"g": 10.0, "w": 20.0}
    out: list[list[Row]] = []
    late: list[Row] = []
    for quarter in range(quarters):
        at = START + timedelta(minutes=15 * quarter)
        stuck = 40 < quarter % 150 < 90
        rows: list[Row] = [("e", at, 1.5 if stuck else round(dice.random(), 3))]
        rows.append(("p", at, float(dice.randrange(900)) + (5000 if quarter == 130 else 0)))
        rows += [("t", at + timedelta(minutes=m), float(3 * dice.randrange(300))) for m in range(15)]
        rows += [("c", at + timedelta(minutes=m), float(dice.randrange(9))) for m in (0, 5, 10)]
        total["g"] = round(total["g"] + dice.randrange(3) / 100, 2)
        rows.append(("g", at, 0.0 if quarter == 200 else total["g"]))
        if quarter % 4 == 0:
            total["w"] = round(total["w"] + dice.randrange(50) / 1000, 3)
            rows.append(("w", at, total["w"]))
        if quarter in (60, 240):
            late.append(rows.pop(0))
        if quarter in (100, 300):
            rows += late
            late = []
        if quarter == 260:
            rows.append(("e", at, 9.0))
        out.append(rows)
    return out


@pytest.mark.parametrize("seed", range(1))
def test_readings_one_quarter_at_a_time_give_what_all_at_once_give(
    new_bench: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    taken: list[int] = []
    short = effects.extend

    def counted(*given: Any) -> Extension:
        out = short(*given)
        taken.append(len(out.rows))
        return out

    played = rounds(seed, 4 * 24 * 4)
    once, live = new_bench(), new_bench()
    for bench in (once, live):
        bench.register(**METERS)
    once.send([row for rows in played for row in rows])
    monkeypatch.setattr(effects, "extend", counted)
    for number, rows in enumerate(played):
        live.send(rows)
        if number == 250:
            live.close_all()
    assert live.effective() == once.effective()
    assert live.rollup_days() == once.rollup_days()
    assert sum(taken) > 0.3 * len(once.effective())
