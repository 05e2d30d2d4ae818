"""A city that is opened goes on the short way at once, and gives what it would have given without a stop."""

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
    "h": ("gas", "m3", "register_cumulative", 240),
    "n": ("electricity", "kWh", "interval_sum", 240),
    "r": ("water", "L", "event_sum", 15),
}
Row = tuple[str, datetime, float]


def quarters(seed: int, count: int) -> list[list[Row]]:
    """Play even meters quarter by quarter, with the faults that make the next reading depend on what came before."""
    dice = Random(seed)
    total = {"g": 10.0, "w": 20.0, "h": 30.0}
    held: list[Row] = []
    out: list[list[Row]] = []
    for quarter in range(count):
        at = START + timedelta(minutes=15 * quarter)
        rows: list[Row] = [("e", at, 1.5 if 150 < quarter < 190 else round(dice.random(), 3))]
        rows.append(("p", at, float(4 * dice.randrange(300))))
        if dice.random() < 0.1:
            rows.append(("r", at + timedelta(minutes=3), 2.0))
        for name, every in (("g", 1), ("w", 4), ("h", 16)):
            if quarter % every == 0:
                total[name] = round(total[name] + dice.randrange(1, 50) / 1000, 3)
                rows.append((name, at, total[name]))
        if quarter % 16 == 0:
            rows.append(("n", at, 2.5))
        if dice.random() < 0.02:
            name, moment, value = dice.choice(rows)
            rows.append((name, moment, round(value + 0.004, 3)))
        if dice.random() < 0.02:
            held.append(rows.pop(dice.randrange(len(rows))))
        if held and dice.random() < 0.1:
            rows += held
            held = []
        out.append(rows)
    return out


@pytest.mark.parametrize("seed", range(2))
def test_a_city_opened_again_and_again_gives_what_all_at_once_gives(new_bench: Callable[[], Any], seed: int) -> None:
    played = quarters(seed, 4 * 24 * 6)
    once, live = new_bench(), new_bench()
    for bench in (once, live):
        bench.register(**METERS)
    once.send([row for rows in played for row in rows])
    dice = Random(seed)
    place = 0
    while place < len(played):
        step = dice.choice([1, 1, 5, 40, 90])
        live.send([row for rows in played[place : place + step] for row in rows])
        place += step
        if dice.random() < 0.3:
            live.reopen()
        if dice.random() < 0.03:
            live.close_all()
    assert live.effective() == once.effective()
    assert live.rollup_days() == once.rollup_days()


def test_after_opening_even_channels_take_the_short_way_at_once(
    new_bench: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    short = effects.extend

    def counted(*given: Any) -> Extension:
        out = short(*given)
        taken.extend(out.channels.tolist())
        return out

    bench = new_bench()
    bench.register(**{name: METERS[name] for name in ("e", "g", "w")})
    even = [("e", START + timedelta(minutes=15 * q), q % 7 + 0.25) for q in range(4 * 24 * 3)]
    even += [("g", START + timedelta(minutes=15 * q), q * 0.5 + q % 3 * 0.125) for q in range(4 * 24 * 3)]
    even += [("w", START + timedelta(hours=hour), hour * 0.25 + hour % 3 * 0.125) for hour in range(24 * 3)]
    bench.send(even)
    monkeypatch.setattr(effects, "extend", counted)
    for closed in (False, True):
        if closed:
            bench.close_all()
        bench.reopen()
        taken.clear()
        at = START + timedelta(days=3, hours=int(closed))
        bench.send([("e", at + timedelta(minutes=15 * q), q + 0.5) for q in range(4)])
        bench.send([("g", at + timedelta(minutes=15 * q), 200 + q * 0.5 + 2.0 * closed) for q in range(4)])
        bench.send([("w", at, 18.0 + 0.25 * closed)])
        assert len(taken) == 3


def test_a_register_that_was_doubted_at_its_end_takes_the_long_way(new_bench: Callable[[], Any]) -> None:
    """What passed since a reading that a conflict was settled for is questionable, whoever asks when."""
    even = [("g", START + timedelta(minutes=15 * q), q * 0.5 + q % 3 * 0.125) for q in range(4 * 24 * 2)]
    last = START + timedelta(days=2)
    once, live = new_bench(), new_bench()
    for bench in (once, live):
        bench.register(g=METERS["g"])
    conflict = [("g", last, 96.0), ("g", last, 96.25)]
    after = [("g", last + timedelta(minutes=15), 97.0)]
    once.send(even + conflict + after)
    live.send(even)
    live.send(conflict)
    live.send(after)
    assert live.effective() == once.effective()
    assert live.effective()[-1][3] != live.effective()[0][3]
