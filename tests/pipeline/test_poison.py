"""A poisoned meter changes nothing for its neighbours, nor for its place beyond its own share, which is flagged."""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from quintet.terms.quality import qualities

from .conftest import Bench, Row, moment

HOURS = 24 * 10
SOUND = ("a", "b", "c")
Kind = tuple[str, str, str, int]
VALID = qualities()["valid"].id
MOST_USED = 14_000_000
"""More than any sound meter shows in an hour, in mWh."""
MOST_COUNTED = 10_000_000_000 // 24
"""What a register of four dials (kWh) can count in an hour: one that shows anything at all may seldom fall."""
REGISTER = ("electricity", "kWh", "register_cumulative", 60)
SUMS = ("electricity", "kWh", "interval_sum", 60)


def hours() -> list[Any]:
    return [moment(1) + timedelta(hours=hour) for hour in range(HOURS)]


def sound(name: str, register: bool) -> list[Row]:
    """Give a sound meter: 1, 1.25, 1.5, ... kWh an hour, in a daily course."""
    uses = [1 + (hour % 24) / 4 + ord(name[0]) % 7 for hour in range(HOURS)]
    counted = [sum(uses[:hour]) for hour in range(HOURS)]
    return [(name, at, value) for at, value in zip(hours(), counted if register else uses, strict=True)]


POISON: dict[str, Callable[[int, float], float]] = {
    "p-nan": lambda hour, value: math.nan if hour % 3 == 0 else value,
    "p-infinite": lambda hour, value: math.inf if hour % 5 == 0 else value,
    "p-1e308": lambda hour, value: 1e308 if 48 <= hour < 72 else value,
    "p-trillion": lambda hour, value: 1e12 if hour == 50 else value,
    "p-reversed": lambda _hour, value: -value,
    "p-every-other": lambda hour, value: 1e9 if hour % 2 else value,
}
ON_REGISTERS: dict[str, Callable[[int, float], float]] = {
    "p-rolls-hourly": lambda hour, value: value if hour % 2 else 99_999.9,
    "p-backwards": lambda _hour, value: 5_000 - value,
    "p-zero-hourly": lambda hour, value: value if hour % 2 else 0,
    "p-quarter-turns": lambda hour, _value: hour * 2499.9 % 10_000,
    "p-half-turns": lambda hour, _value: hour * 4999 % 10_000,
    "p-random": lambda hour, _value: (hour * 7919 + hour * hour * 104_729) % 10_007 % 10_000,
    "p-full-dials": lambda hour, _value: 0 if hour % 4 else 9_999.999,
}


TURNING = {"p-quarter-turns", "p-half-turns", "p-random", "p-full-dials"}
"""Registers of four dials, which hold no more."""


def channels(bench: Bench) -> dict[str, int]:
    return {row["meter"]: row["channel"] for row in bench.pipeline.registry().channels().to_pylist()}


def findings_of(bench: Bench) -> dict[str, set[str]]:
    """Give the rules that found something, and the reasons for which rows were set aside, by meter."""
    names = {number: name for name, number in channels(bench).items()}
    out: dict[str, set[str]] = {}
    with bench.engine.snapshot() as snapshot:
        for channel, rule in snapshot.rows("select channel, rule from finding"):
            out.setdefault(names[channel], set()).add(rule)
        for meter, code in snapshot.rows("select meter, code from quarantine"):
            out.setdefault(meter, set()).add(code)
    return out


def fed(bench: Bench, kind: Kind, poison: dict[str, Callable[[int, float], float]], *, daily: bool) -> Bench:
    """Feed sound meters and poisoned ones, all at once or a day at a time."""
    register = kind is REGISTER
    bench.register(**dict.fromkeys([*SOUND, *poison], kind) | dict.fromkeys(poison.keys() & TURNING, (*kind, 4)))
    rows = [row for name in SOUND for row in sound(name, register)]
    for name, change in poison.items():
        rows += [(name, at, change(hour, value)) for hour, (_, at, value) in enumerate(sound(name, register))]
    each = timedelta(hours=24 if daily else HOURS)
    for first in range(0, HOURS, 24 if daily else HOURS):
        since = moment(1) + timedelta(hours=first)
        bench.send([row for row in rows if since <= row[1] < since + each])
    return bench


@pytest.mark.parametrize("kind", [REGISTER, SUMS], ids=["register", "sums"])
@pytest.mark.parametrize("daily", [False, True], ids=["at once", "day by day"])
def test_neighbours_are_as_without_it_and_its_own_share_is_all_that_changes(
    new_bench: Callable[[], Bench], kind: Kind, daily: bool
) -> None:
    poison = POISON | (ON_REGISTERS if kind is REGISTER else {})
    alone, beside = fed(new_bench(), kind, {}, daily=daily), fed(new_bench(), kind, poison, daily=daily)
    numbers, before = channels(beside), channels(alone)
    effective = beside.effective()
    for name in SOUND:
        own = [row[1:] for row in effective if row[0] == numbers[name]]
        assert own == [row[1:] for row in alone.effective() if row[0] == before[name]], name
    said = findings_of(beside)
    assert set(said) == set(poison)
    assert [name for name in said if not said[name] - {"V03_gap"}] == []
    # The place's total by day: what the sound meters used, and the poisoned ones' own rows, of which none is absurd.
    sums, poisoned = beside.rollup_days(), {numbers[name] for name in poison}
    without = alone.rollup_days()
    for day in {day for _, day in sums}:
        total = sum(value for (_, at), (value, _, _) in sums.items() if at == day)
        share = sum(value for (channel, at), (value, _, _) in sums.items() if at == day and channel in poisoned)
        assert total - share == sum(value for (_, at), (value, _, _) in without.items() if at == day)
    unflagged: dict[int, int] = {}
    for channel, _, value, quality in effective:
        if channel in poisoned and quality == VALID:
            unflagged[channel] = max(unflagged.get(channel, 0), abs(value))
    # Whatever passes as valid is an amount that a sound meter showed too.
    most = {name: MOST_COUNTED if name == "p-random" else MOST_USED for name in poison}
    assert {name for name in poison if unflagged.get(numbers[name], 0) > most[name]} == set()
