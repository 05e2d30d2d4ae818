"""The short way gives what the long way gives, and is really taken."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from quintet.pipeline import effects
from quintet.pipeline.extend import Extension
from quintet.vee import rules

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


BEGINNERS = {
    **{f"e{n}": ("electricity", "kWh", "interval_sum", 15) for n in range(12)},
    **{f"p{n}": ("electricity", "W", "avg_power", 15) for n in range(4)},
    **{f"g{n}": ("gas", "m3", "register_cumulative", 15) for n in range(12)},
    **{f"w{n}": ("water", "m3", "register_cumulative", 60) for n in range(4)},
}


def beginnings(seed: int) -> list[list[Row]]:
    """Play two days and a half of meters that are heard for the first time at any moment, evenly but for some.

    One in four begins off the grid, lacks a reading soon, says zero, repeats itself, jumps, or is heard late once.
    """
    dice = Random(seed)
    played: list[list[Row]] = [[] for _ in range(240)]
    for name, (_, _, kind, minutes) in BEGINNERS.items():
        odd = dice.choice(["", "", "", "off", "gap", "zero", "stuck", "spike", "late", "before", "conflict"])
        total, step = 5.0, minutes // 15
        first = dice.choice([0, dice.randrange(90) // step * step])
        strange = first + step * dice.randrange(1, 30)
        for quarter in range(first, 240, step):
            at = START + timedelta(minutes=15 * quarter + (4 if odd == "off" and quarter == first else 0))
            used = 0.25 if odd == "stuck" and quarter < strange + 40 * step else dice.randrange(1, 200) / 100
            used = {"zero": 0.0, "spike": 900.0}.get(odd, used) if quarter == strange else used
            total = round(total + used, 2)
            value = total if kind == "register_cumulative" else used
            said = quarter + (7 if odd == "late" and quarter == strange else 0)
            if not (odd == "gap" and quarter == strange):
                played[min(said, 239)].append((name, at, value))
            if odd == "conflict" and quarter == strange:
                played[quarter].append((name, at, value + 1))
        if odd == "before":
            played[min(strange, 239)].append((name, START + timedelta(minutes=15 * (first - step)), 4.0))
    return [rows for rows in played if rows]


def found(bench: Any) -> list[tuple[Any, ...]]:
    """Give what rules found, whatever batch found it first."""
    with bench.engine.snapshot() as snapshot:
        return snapshot.rows("select distinct channel, at_us, until_us, rule from finding order by all")


@pytest.mark.parametrize("seed", range(4))
def test_first_readings_take_the_short_way_and_give_what_all_at_once_give(
    new_bench: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    short, begun, taken = effects.extend, set[int](), list[int]()

    def counted(*given: Any) -> Extension:
        out = short(*given)
        begun.update(out.begun.tolist())
        taken.append(len(out.rows))
        return out

    once, live = new_bench(), new_bench()
    for bench in (once, live):
        bench.register(**BEGINNERS)
    played = beginnings(seed)
    once.send([row for rows in played for row in rows])
    monkeypatch.setattr(effects, "extend", counted)
    dice = Random(seed)
    while played:
        some = dice.choice([1, 1, 2, 5, 40])
        live.send([row for rows in played[:some] for row in rows])
        del played[:some]
    assert live.effective() == once.effective()
    assert live.rollup_days() == once.rollup_days()
    assert set(found(live)) >= set(found(once))
    assert len(begun) > len(BEGINNERS) / 2
    assert sum(taken) > 0.4 * len(once.effective())


def test_a_rule_over_several_days_finds_live_what_it_finds_at_once(new_bench: Callable[[], Any]) -> None:
    longer = {"name": "days", "value": "3", "unit": "days", "source": "this test", "date": date(2026, 1, 1)}
    zeros = {("e", START + timedelta(minutes=15 * quarter), float(not 192 <= quarter < 576)) for quarter in range(864)}
    rows = sorted((name, at, value * (1 + at.hour)) for name, at, value in zeros)
    benches = once, live = new_bench(), new_bench()
    for bench in benches:
        bench.pipeline._rules = bench.pipeline._effects._rules = rules({"V10": {"parameter": [longer]}})
        bench.register(e=METERS["e"])
    late = rows[300]
    once.send(rows)
    while rows:
        live.send([row for row in rows[:16] if row != late])
        del rows[:16]
    assert not [rule for *_, rule in found(live) if rule == "V10"]
    live.send([late])
    assert live.effective() == once.effective()
    assert sum(quality == 2 for *_, quality in live.effective()) == 384
    assert [rule for *_, rule in found(once)] == ["V10"]
