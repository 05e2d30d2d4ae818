"""Plans: what makes no city is refused; days and boundaries follow the city's own clock; chance is a pure function."""

from datetime import date

import numpy as np
import pytest

from quintet.simulate.plan import STEP_US, Chance, CityPlan, chance
from quintet.terms.errors import BadInput, NotFound

DAY = date(2026, 1, 14)


@pytest.mark.parametrize("wrong", [{"days": 0}, {"households": 0}, {"seed": -1}, {"tz": "Asia/Atlantis"}])
def test_what_makes_no_city_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        CityPlan(**{"start": DAY, "days": 1, **wrong})  # pyright: ignore[reportArgumentType]


def test_days_are_counted_from_the_start() -> None:
    plan = CityPlan(start=DAY, days=3)
    assert [plan.number(plan.day(i)) for i in range(3)] == [0, 1, 2]
    assert plan.last == date(2026, 1, 16)
    for outside in (date(2026, 1, 13), date(2026, 1, 17)):
        with pytest.raises(NotFound):
            plan.number(outside)


@pytest.mark.parametrize(
    ("tz", "day", "intervals"),
    [
        ("Asia/Seoul", date(2026, 3, 29), 96),
        ("Europe/Berlin", date(2026, 3, 29), 92),
        ("Europe/Berlin", date(2026, 10, 25), 100),
        ("Asia/Kathmandu", date(2026, 3, 29), 96),
    ],
)
def test_a_day_has_the_intervals_of_its_clock(tz: str, day: date, intervals: int) -> None:
    edges = CityPlan(start=day, days=1, tz=tz).edges(day)
    assert len(edges) == intervals + 1
    assert set(np.diff(edges).tolist()) == {STEP_US}


def test_the_standard_offset_ignores_summer_time() -> None:
    hour = 3_600_000_000
    for tz, hours in (("Asia/Seoul", 9), ("Europe/Berlin", 1), ("Australia/Sydney", 10)):
        assert CityPlan(start=DAY, days=1, tz=tz).standard_offset_us == hours * hour


def test_chance_depends_on_nothing_but_its_path() -> None:
    paths = [(1,), (1, 2), (2, 1)]
    draws = [
        chance(seed, kind, *p).random() for seed in (1, 2) for kind in (Chance.TOTALS, Chance.COURSE) for p in paths
    ]
    assert len(set(draws)) == len(draws)
    assert draws[0] == chance(1, Chance.TOTALS, 1).random()
