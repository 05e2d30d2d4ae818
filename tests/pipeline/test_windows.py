"""However readings arrive, over months: what stands is what all of them, committed at once, would give."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from quintet.pipeline.delivery import Delivery, Outcome
from quintet.terms.tables import QUARANTINE, READINGS

START = datetime(2025, 1, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = 84
LONG = "QUINTET_KILLS" in os.environ
"""Whether the long form runs (`make soak`)."""
METERS: dict[str, tuple[str, str, str, int, str | None]] = {
    "plate": ("electricity", "kWh", "interval_sum", 60, "10"),
    "water": ("water", "L", "interval_sum", 60, None),
    "slow": ("electricity", "kWh", "interval_sum", 240, "40"),
    "dial": ("gas", "m3", "register_cumulative", 60, "6"),
    "daily": ("electricity", "kWh", "register_daily_reset", 60, None),
    "event": ("water", "L", "event_sum", 60, "400"),
}
"""Meter: commodity, unit, kind, minutes, physical maximum an hour."""
Row = tuple[str, datetime, float]


def register(bench: Any) -> None:
    rows = [
        {"site": "s", "building": "b", "meter": name, "commodity": commodity, "unit": unit, "value_kind": kind,
         "cadence_min": cadence, "tz": bench.timezone, "role": "consumption", "plate_max": most}
        for name, (commodity, unit, kind, cadence, most) in METERS.items()
    ]  # fmt: skip
    bench.pipeline.register(pa.Table.from_pylist(rows), source="meters", actor="test")


@dataclass
class Play:
    """Meters of all kinds for some months, with what goes wrong: `rows` in the order of their moments."""

    dice: Random
    total: float = 100.0
    today: float = 0.0
    broken: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])

    def hour(self, number: int) -> list[Row]:
        """Give what the meters say of an hour: a meter may be broken for hours or days (silent, stuck, absurd)."""
        at, dice = START + number * HOUR, self.dice
        self.total = round(self.total + dice.randrange(1, 30) / 10, 1)
        self.today = round((0.0 if at.hour == 0 else self.today) + dice.randrange(1, 30) / 10, 1)
        value = {
            "plate": dice.randrange(1, 80) / 10, "water": float(dice.randrange(1, 60)), "dial": self.total,
            "daily": self.today, "event": float(dice.randrange(30)),
        }  # fmt: skip
        if at.hour % 4 == 0:
            value["slow"] = dice.randrange(1, 300) / 10
        rows: list[Row] = []
        for name, right in value.items():
            until, how = self.broken.get(name, (0, ""))
            if number >= until:
                how = ""
                if dice.random() < 0.012:
                    how = dice.choice(["silent", "stuck", "wrong"])
                    hours = dice.choice([1, 2, 3, 5, 9, 30, 60, 120, 200])
                    self.broken[name] = (number + hours, how)
            if how != "silent":
                said = {"": right, "stuck": 7.0, "wrong": -40.0 if name == "water" else right + 500.0}[how]
                rows.append((name, at, said))
        return rows


@dataclass
class Heard:
    """Which values stand at each moment: those of the newest commit that said something new of it."""

    stands: dict[tuple[str, datetime], set[float]] = field(default_factory=dict[tuple[str, datetime], set[float]])
    known: dict[tuple[str, datetime], set[float]] = field(default_factory=dict[tuple[str, datetime], set[float]])

    def take(self, rows: list[Row]) -> None:
        fresh: dict[tuple[str, datetime], set[float]] = {}
        for name, at, value in rows:
            if value not in self.known.setdefault((name, at), set()):
                fresh.setdefault((name, at), set()).add(value)
        for key, values in fresh.items():
            self.known[key] |= values
            self.stands[key] = values

    def rows(self) -> list[Row]:
        return [(name, at, value) for (name, at), values in self.stands.items() for value in sorted(values)]


def delivered(bench: Any, rows: list[Row]) -> None:
    """Commit rows through a group of two deliveries that do not contradict each other."""
    seen: dict[tuple[str, datetime], int] = {}
    halves: list[list[Row]] = [[], []]
    for number, row in enumerate(rows):
        halves[seen.setdefault(row[:2], number % 2)].append(row)
    columns = [
        {"site": "s", "meter": m, "at": at, "value": v, "commodity": None, "unit": None, "row": n}
        for half in halves
        for n, (m, at, v) in enumerate(half, start=1)
    ]
    table = pa.Table.from_pylist(columns, READINGS)
    first = len(halves[0])
    parts = [table.slice(0, first), table.slice(first)]
    out = bench.pipeline.commit_group([Delivery(one, QUARANTINE.empty_table(), "a", "http") for one in parts])
    assert all(isinstance(one, Outcome) for one in out)


def arrivals(seed: int) -> list[list[Row]]:
    """Give batches in the order they arrive: runs of hours, some rows up to 30 days late, corrected or doubted."""
    dice = Random(seed)
    play = Play(dice)
    hours = [play.hour(number) for number in range(DAYS * 24)]
    late: dict[int, list[Row]] = {}
    out: list[list[Row]] = []
    place = 0
    while place < len(hours):
        step = dice.choice([1, 1, 1, 5, 24, 24, 24 * 5, 24 * 8])
        rows: list[Row] = []
        for number in range(place, min(place + step, len(hours))):
            for row in [*hours[number], *late.pop(number, [])]:
                luck = dice.random()
                when = number + dice.choice([1, 2, 30, 24 * 9, 24 * 30])
                if luck < 0.004 and row in hours[number]:
                    late.setdefault(when, []).append(row)
                    continue
                rows.append(row)
                if luck > 0.996:
                    late.setdefault(when, []).append((row[0], row[1], round(row[2] + dice.choice([0.3, 600]), 1)))
                elif luck > 0.994:
                    rows.append((row[0], row[1], round(row[2] + 0.5, 1)))
        place += step
        out.append(rows)
    out.append([row for rows in late.values() for row in rows])
    return [rows for rows in out if rows]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12 if LONG else 1))
def test_months_of_arrivals_give_what_all_at_once_gives(new_bench: Callable[[], Any], seed: int) -> None:
    live, once = new_bench(), new_bench()
    heard, dice = Heard(), Random(seed)
    for bench in (live, once):
        register(bench)
    closed = False
    for rows in arrivals(seed):
        heard.take(rows)
        (live.send if dice.random() < 0.5 else lambda some: delivered(live, some))(rows)
        if dice.random() < 0.05:
            live.reopen()
        if not closed and rows[0][1] > START + timedelta(days=12):
            closed = bool(live.close_all())  # late readings find the lake, and each day costs files
    once.send(heard.rows())
    assert differences(live, once) == []
    assert live.rollup_days() == once.rollup_days()


def differences(live: Any, once: Any) -> list[tuple[str, Any]]:
    """List the first intervals that differ, by who has them."""
    ours, theirs = live.effective(), once.effective()
    names = {row["channel"]: row["name"] for row in live.pipeline.registry().channels().to_pylist()}
    odd = set(ours) ^ set(theirs)
    return [("live" if row in set(ours) else "once", names[row[0]], *row[1:]) for row in sorted(odd)[:12]]
