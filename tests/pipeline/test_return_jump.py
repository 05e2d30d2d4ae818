"""The jump of an interval meter that comes back after a hole: the hole's own use, spread, in whatever order it came."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from quintet.terms.quality import qualities

from .conftest import Bench, Row, moment

SCALED = qualities()["like_day_scaled"].id
HOLE = range(14 * 24 + 6, 14 * 24 + 20)
BACK = HOLE.stop
DAYS = 18


def use(hour: int) -> float:
    """Give a day's course in kWh, small differences from day to day."""
    return round(0.2 + 0.1 * (hour % 24 // 6) + (hour * 7 % 5) / 100, 3)


def at(hour: int) -> datetime:
    return moment(1) + timedelta(hours=hour)


def rows(lump: float) -> list[Row]:
    kept = [("m", at(hour), use(hour)) for hour in range(DAYS * 24) if hour not in HOLE and hour != BACK]
    return [*kept, ("m", at(BACK), lump)]


LUMP = round(sum(map(use, HOLE)) + use(BACK), 3)


def at_hours(bench: Bench) -> dict[int, tuple[int, int]]:
    start = int(moment(1).timestamp()) * 1_000_000
    return {(us - start) // 3_600_000_000: (value, quality) for _, us, value, quality in bench.effective()}


@pytest.fixture
def city(bench: Bench) -> Bench:
    bench.register(m=("electricity", "kWh", "interval_sum", 60))
    return bench


def test_the_holes_use_is_spread_over_it_and_nothing_is_lost(city: Bench) -> None:
    city.send(rows(LUMP))
    found = at_hours(city)
    span = [found[hour] for hour in (*HOLE, BACK)]
    assert sum(value for value, _ in span) == round(LUMP * 1_000_000)
    assert {quality for _, quality in span} == {SCALED}
    assert found[BACK][0] < 2 * max(use(hour) for hour in range(24)) * 1_000_000
    with city.engine.snapshot() as snapshot:
        noted = snapshot.rows("select rule, count(*) from finding group by rule")
    assert ("return_jump", 1) in noted
    assert "V07" not in dict(noted)


def test_an_ordinary_value_after_a_hole_stays_as_measured(city: Bench) -> None:
    city.send(rows(use(BACK)))
    assert at_hours(city)[BACK] == (round(use(BACK) * 1_000_000), qualities()["valid"].id)


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_arrival_does_not_matter(new_bench: Callable[[], Bench], seed: int) -> None:
    draw = random.Random(seed)
    whole, parts = new_bench(), new_bench()
    late = draw.choice([[], [("m", at(HOLE[3]), use(HOLE[3]))]])
    for one in (whole, parts):
        one.register(m=("electricity", "kWh", "interval_sum", 60))
    all_ = sorted(rows(LUMP), key=lambda row: row[1])
    whole.send(all_ + late)
    cut = draw.choice([BACK - len(HOLE), BACK - len(HOLE) + 1, BACK - len(HOLE) + 2, BACK + 20])
    order = [all_[:cut], all_[cut : cut + 1], all_[cut + 1 : cut + 30], all_[cut + 30 :], late]
    if seed % 2:
        draw.shuffle(order)
    for batch in order:
        if batch:
            parts.send(batch)
    assert parts.hash() == whole.hash()
    assert parts.rollup_days() == whole.rollup_days()
