"""What is told of a real store's month, attacked with linear algebra: homes move, fall silent, come late."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from tests import open_city
from tests.open_city import START, made

from quintet.access import EVERYTHING, floor_month
from quintet.access.floor import Floor
from quintet.access.floor_month import MonthFloor
from quintet.app.city import City
from quintet.registry import move_in, rewire

DAYS = 6
FIRST = date(2027, 7, 1)
TINY = Floor(customers=2, share=75, customers_fine=3, present=67, meter_error=5, settled=7)
POWER = ("electricity", "energy")
Make = Callable[..., City]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Give a function that makes a city of so few homes that each group of them can be tried, under a tiny floor."""
    opened: list[City] = []
    monkeypatch.setattr(floor_month, "floor", lambda: TINY)
    for name, count in (("TOWER", 4), ("HOUSE", 3), ("SMALL", 2)):
        monkeypatch.setattr(open_city, name, count)

    def start(silent: Sequence[str] = ()) -> City:
        opened.append(made(tmp_path / f"city{len(opened)}", silent=silent, hours=range(DAYS * 24)))
        return opened[-1]

    yield start
    for city in opened:
        city.close()


def told(city: City) -> MonthFloor:
    with city.access(EVERYTHING).asking("city") as asked:
        return floor_month.month_floor(asked, FIRST, FIRST + timedelta(days=DAYS - 1))


def lies_in(city: City, place: str) -> dict[str, npt.NDArray[np.bool_]]:
    """Give by home's meter the days on which it counts in a place: by the registry's own words, a day a question."""
    registry = city.registry()
    inside = registry.descendants(place)
    rows = registry.placements().to_pylist()
    names = {number: name for name, number in registry.channel_ids.items()}
    out: dict[str, npt.NDArray[np.bool_]] = {}
    for row in rows:
        name = names[row["channel"]]
        if row["flow"] != "consumption" or (row["commodity"], row["quantity"]) != POWER or "school" in name:
            continue
        noon = [int((START + timedelta(days=day, hours=12)).timestamp() * 1e6) for day in range(DAYS)]
        own = np.array([row["start_us"] <= at < row["end_us"] and row["place"] in inside for at in noon])
        out[name] = out.get(name, np.zeros(DAYS, np.bool_)) | own
    return out


def cells(city: City, found: MonthFloor, people: list[str]) -> npt.NDArray[np.float64]:
    """Give each told sum of use as what it is made of: a row a cell, a column a home's day."""
    months = found.month[POWER].customers["consumption"]
    fine = found.fine[POWER].customers["consumption"]
    out = [np.zeros(len(people) * DAYS)]
    for place in months:
        inside = lies_in(city, place)
        within = np.array([inside[name] for name in people], np.float64)
        out.append(within.reshape(-1))
        if place in fine:
            out += [np.where(np.arange(DAYS) == day, within, 0).reshape(-1) for day in range(DAYS)]
    return np.array(out)


def leaks(sums: npt.NDArray[np.float64], people: list[str]) -> list[str]:
    """Name the groups under the floor whose month, or one day, can be computed from told sums."""
    rank, out = np.linalg.matrix_rank(sums), list[str]()
    days = np.tile(np.arange(DAYS), len(people))
    owner = np.repeat(np.arange(len(people)), DAYS)
    for size in range(1, TINY.customers_fine):
        for group in combinations(range(len(people)), size):
            own = np.isin(owner, group)
            spans = [own & (days == day) for day in range(DAYS)] + ([own] if size < TINY.customers else [])
            if any(rank > np.linalg.matrix_rank(sums[:, ~span]) for span in spans):
                out.append(" ".join(people[one] for one in group))
    return out


@pytest.mark.parametrize("seed", range(4))
def test_homes_that_move_in_the_month_are_never_the_difference_of_told_sums(make: Make, seed: int) -> None:
    draw, city = Random(seed), make()
    people = sorted(lies_in(city, "city"))
    for name in draw.sample(people, 3):
        when = START + timedelta(days=draw.randrange(1, DAYS))
        records = rewire(city.registry(), name, valid_from=when, place=f"d1/{draw.choice(['tower', 'house', 'small'])}")
        city.pipeline.apply_records(records, kind="registry", source="test", actor="test")
    found = told(city)
    assert "city" in found.month[POWER].customers["consumption"]
    assert leaks(cells(city, found, people), people) == []


def test_the_same_attack_succeeds_where_every_place_is_told(make: Make) -> None:
    city = make()
    people = sorted(lies_in(city, "city"))
    places = ("city", "d1", "d1/tower", "d1/house", "d1/small")
    every = np.array([np.array([lies_in(city, one)[name] for name in people]).reshape(-1) for one in places], float)
    assert leaks(every, people) == [], "two homes are enough over a month"
    alone = lies_in(city, "d1/tower")
    less = np.array([alone[name] & (name != people[-1]) for name in people]).reshape(-1).astype(float)
    assert leaks(np.vstack([every, less]), people) != []


def test_a_silent_home_is_no_customer(make: Make) -> None:
    city = make(silent=["small-001"])
    found = told(city)
    assert "d1/small" not in found.month[POWER].customers["consumption"]
    assert found.month[POWER].customers["consumption"]["city"] == 8


def test_homes_of_one_occupant_are_one_customer(make: Make) -> None:
    city = make()
    for number in range(2):
        records = move_in(
            city.registry(), premise=f"d1/small/{number:03d}", occupant="Company A", at=START - timedelta(days=1)
        )
        city.pipeline.apply_records(records, kind="registry", source="test", actor="test")
    found = told(city)
    assert "d1/small" not in found.month[POWER].customers["consumption"]
    assert found.month[POWER].customers["consumption"]["city"] == 8
