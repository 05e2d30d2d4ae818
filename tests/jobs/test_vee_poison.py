"""A poisoned meter changes nothing for its neighbours or its place, after a run, beyond its own flagged share."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from quintet.access import EVERYTHING, Access
from quintet.store.read import intervals
from quintet.store.runs import standing_findings
from quintet.terms.period import to_us
from quintet.terms.quality import qualities_by_id
from quintet.views import Questions

from .conftest import City
from .homes import at, judge, readings, register

NewCity = Callable[..., City]
POISON = {
    "huge": lambda hour: [9e11, -9e11, 1e12][hour % 3],
    "1e308": lambda _hour: 1e308,
    "nan": lambda _hour: math.nan,
    "reversed": lambda hour: -1.2 - hour % 3,
    "full and empty": lambda hour: 99_999_999.0 if hour % 2 else 0.0,
}
DAY = 26


def lost(carrier: str, home: int, hours: int) -> bool:
    """Leave out five days of a neighbour's heat, so that an estimate is assigned from its class."""
    return carrier == "heat" and home == 1 and 48 <= hours < 7 * 24


def of_others(city: City) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Give findings and intervals of all channels but the poisoned one."""
    bad = city.pipeline.registry().channel_ids["s/h0-heat"]
    with city.engine.snapshot() as snapshot:
        found = [row for row in standing_findings(snapshot).to_pylist() if row["channel"] != bad]
        held = intervals(city.engine, snapshot, to_us(at(0)), to_us(at(28))).drop_columns(["batch"]).to_pylist()
    return found, [row for row in held if row["channel"] != bad]


def balance(city: City, commodity: str) -> tuple[float, float, float]:
    """Give a day's use of the building as the balance has it, its coverage and its estimated share."""
    access = Access(city.engine, lambda _: city.pipeline.registry(), city.pipeline.recent, EVERYTHING, "test")
    asked = Questions(access, now=lambda: to_us(at(28)))
    span = (at(DAY).date().isoformat(), at(DAY + 1).date().isoformat())
    (row,) = [row for row in asked.balances(*span, "day", "s/b").rows if row.commodity == commodity]
    return float(row.consumption or 0), float(row.coverage or 0), float(row.estimated_share or 0)


def own(city: City) -> list[tuple[int, str]]:
    """Give what stands of the poisoned channel on the day: amount and quality."""
    bad = city.pipeline.registry().channel_ids["s/h0-heat"]
    with city.engine.snapshot() as snapshot:
        table = intervals(city.engine, snapshot, to_us(at(DAY)), to_us(at(DAY + 1)), channels=[bad])
    codes = qualities_by_id()
    return [(row["value"], codes[row["quality"]].code) for row in table.to_pylist()]


@pytest.mark.parametrize("kind", POISON)
def test_neighbours_and_the_place_keep_what_they_had(new_city: NewCity, kind: str) -> None:
    clean, poisoned = new_city(), new_city()
    sound = readings(28, skip=lost)
    bad = [("h0-heat", at(DAY, hour), POISON[kind](hour)) for hour in range(24)]
    for city in (clean, poisoned):
        register(city)
    clean.send([row for row in sound if not (row[0] == "h0-heat" and at(DAY) <= row[1] < at(DAY + 1))])
    poisoned.send([row for row in sound if not (row[0] == "h0-heat" and at(DAY) <= row[1] < at(DAY + 1))] + bad)
    for city in (clean, poisoned):
        assert judge(city).assigned_changed > 0
    assert of_others(clean) == of_others(poisoned)
    for carrier in ("water", "hot_water"):
        assert balance(clean, carrier) == balance(poisoned, carrier)
    counted = [(value, quality) for value, quality in own(poisoned) if "rejected" not in quality]
    mine = sum(value for value, _ in counted) / 1_000_000
    without = balance(clean, "heat")[0] - sum(value for value, _ in own(clean)) / 1_000_000
    assert balance(poisoned, "heat")[0] == pytest.approx(without + mine)
    most = 2_200_000  # what no sound meter of these homes exceeds in an hour
    assert all(0 <= value <= most for value, quality in counted if quality == "valid" and value), "the rest is flagged"
