"""Channels that keep taking the long way ask the store for their evidence once, and get what the store has."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from quintet.pipeline import evidence, recall

from .test_windows import Heard

START = datetime(2025, 1, 3, tzinfo=UTC)
METERS = {
    "r": ("water", "L", "event_sum", 15),
    "f": ("water", "L/h", "inst_flow", 15),
    "d": ("electricity", "kWh", "register_daily_reset", 15),
}
Row = tuple[str, datetime, float]


def quarters(seed: int, count: int) -> list[list[Row]]:
    """Play meters of kinds that always take the long way; some readings come late, some are said anew."""
    dice = Random(seed)
    said: list[Row] = []
    out: list[list[Row]] = []
    today = 0.0
    for quarter in range(count):
        at = START + timedelta(minutes=15 * quarter)
        rows: list[Row] = [("r", at + timedelta(minutes=dice.randrange(15)), 1.0)]
        rows += [("f", at + timedelta(minutes=m), float(dice.randrange(40))) for m in (0, 7)]
        today = round(today + dice.randrange(1, 9) / 10, 1)
        rows.append(("d", at, today))
        today = 0.0 if quarter % 96 == 0 else today
        if said and dice.random() < 0.15:
            name, moment, _ = dice.choice(said[-300:])
            rows.append((name, moment, float(dice.randrange(5))))
        said += rows
        out.append(rows)
    return out


def test_what_is_recalled_gives_what_the_store_gives(
    new_bench: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    played = quarters(3, 4 * 24 + 30)
    once, live, forgetful = new_bench(), new_bench(), new_bench()
    heard = Heard()
    for bench in (once, live, forgetful):
        bench.register(**METERS)
    for number, rows in enumerate(played):
        heard.take(rows)
        for bench, most_rows in ((live, 1_000_000), (forgetful, 300)):
            monkeypatch.setattr(recall, "MOST_ROWS", most_rows)
            bench.send(rows)
            if number == 100:
                bench.close_all()
    once.send(heard.rows())
    for bench in (live, forgetful):
        assert bench.effective() == once.effective()
        assert bench.rollup_days() == once.rollup_days()


def test_the_second_reading_asks_the_store_for_no_evidence(
    new_bench: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = new_bench()
    bench.register(**METERS)
    played = quarters(1, 4 * 24 * 2)
    bench.send([row for rows in played[:-2] for row in rows])
    bench.send(played[-2])
    asked: list[int] = []
    read = evidence.raw_readings

    def counted(*given: Any, **named: Any) -> Any:
        asked.append(1)
        return read(*given, **named)

    monkeypatch.setattr(evidence, "raw_readings", counted)
    bench.send([("r", START + timedelta(days=2, minutes=1), 1.0), ("f", START + timedelta(days=2), 3.0)])
    assert not asked
