"""No rule that looks back speaks of a meter that began within the weeks it looks at: through a real run."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from quintet.store.runs import standing_findings
from quintet.terms.period import to_us

from .conftest import City, Reading
from .homes import judge

NewCity = Callable[..., City]
START = datetime(2025, 1, 6, tzinfo=UTC)
"""A Monday: the first week that is judged begins with it, and nothing stands before."""
LOOKING_BACK = {"D01", "D03", "Q01", "Q02", "R01", "P01", "S01", "Z01", "Z02", "V08", "V09", "V15"}


def odd(usual: list[float]) -> dict[str, list[float]]:
    """Give days that are unlike a usual one, by meter."""
    return {
        "high": [9 * value for value in usual],
        "low": [value / 9 for value in usual],
        "zero": [*usual[:8], *[0.0] * 12, *usual[20:]],
        "again": usual,
        "scaled": [round(value / 7, 5) for value in usual],
        "peak": [*usual[:12], 50.0, *usual[13:]],
    }


def readings(began: int, days: int) -> list[Reading]:
    """Give hours of whole steps of 10 Wh from a day on; the last day is another than all before, by meter."""
    usual = [[random.Random(f"{day} {hour}").randint(100, 200) / 100 for hour in range(24)] for day in range(days)]
    rows: list[Reading] = []
    for meter, last in odd(usual[days - 2]).items():
        held = [*usual[: days - 1], last]
        rows += [
            (meter, START + timedelta(days=day, hours=hour), held[day][hour])
            for day in range(began, days)
            for hour in range(24)
        ]
    return rows


def named(city: City) -> set[tuple[str, str]]:
    """Give which rule named which meter."""
    names = {number: name.removeprefix("s/") for name, number in city.pipeline.registry().channel_ids.items()}
    with city.engine.snapshot() as snapshot:
        rows = standing_findings(snapshot).to_pylist()
    return {(names[row["channel"]], row["rule"]) for row in rows if row["rule"] in LOOKING_BACK}


@pytest.mark.parametrize(("began", "days"), [(0, 4), (0, 9), (3, 12), (5, 14)])
def test_no_rule_speaks_without_its_history(new_city: NewCity, began: int, days: int) -> None:
    city = new_city()
    city.register(*odd([0.0] * 24))
    city.send(readings(began, days))
    judge(city)
    assert named(city) == set()


def test_with_three_weeks_they_do(new_city: NewCity) -> None:
    city = new_city()
    city.register(*odd([0.0] * 24))
    city.send(readings(0, 22))
    judge(city)
    said = named(city)
    assert said >= {("high", "D01"), ("low", "D01"), ("zero", "Z01"), ("zero", "Z02"), ("again", "R01")}
    assert said >= {("scaled", "Q01"), ("peak", "P01"), ("high", "S01")}
    last = to_us(START + timedelta(days=21))
    with city.engine.snapshot() as snapshot:
        assert all(r["until_us"] > last for r in standing_findings(snapshot).to_pylist() if r["rule"] in LOOKING_BACK)


def rising(days: int, since: int) -> list[Reading]:
    """Give hours of meter `high`, with 1 kWh more in each from a day on."""
    usual = [0.5 + random.Random(f"{hour}").randint(0, 20) / 100 for hour in range(days * 24)]
    return [
        ("high", START + timedelta(hours=hour), round(value + (hour >= since * 24), 2))
        for hour, value in enumerate(usual)
    ]


def days_named(city: City) -> dict[str, set[int]]:
    """Give the days that each rule names, counted from the start."""
    out: dict[str, set[int]] = {}
    day_us, start = 86_400_000_000, to_us(START)
    with city.engine.snapshot() as snapshot:
        for row in standing_findings(snapshot).to_pylist():
            own = range((row["at_us"] - start) // day_us, (row["until_us"] - 1 - start) // day_us + 1)
            out.setdefault(row["rule"], set()).update(own)
    return out


@pytest.mark.parametrize("since", [32, 35, 38])
def test_each_day_of_a_fault_that_goes_on_is_named_whenever_the_run_comes(new_city: NewCity, since: int) -> None:
    rows = rising(54, since)
    at_once, by_and_by = new_city(), new_city()
    for city in (at_once, by_and_by):
        city.register("high")
    at_once.send(rows)
    judge(at_once)
    for day in range(0, 54, 6):
        by_and_by.send(rows[day * 24 : (day + 6) * 24])
        judge(by_and_by)
    said = days_named(at_once)
    assert said == days_named(by_and_by)
    assert said["D01"] == said["S01"] == set(range(since, since + 14))
