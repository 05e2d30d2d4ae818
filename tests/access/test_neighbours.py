"""Homes beside homes like them: classes that do not overlap, and no mean that gives one away."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from quintet.access.day_sums import PlaceDays
from quintet.access.neighbours import in_steps, limits, month_of_homes

DAYS = 30
POWER, HEAT = ("electricity", "energy"), ("heat", "energy")


def registry(areas: dict[str, float | None]) -> Any:
    bodies = {place: {} if area is None else {"floor_area_m2": area} for place, area in areas.items()}
    return SimpleNamespace(tree=SimpleNamespace(bodies=bodies), occupancies=lambda _place: [])


def month(use: dict[tuple[str, tuple[str, str]], int], unknown: frozenset[str] = frozenset()) -> PlaceDays:
    """Give a month in which each home used so much a day; `unknown` homes lack a day."""
    rows = [
        {"place": place, "level": "premise", "flow": "consumption", "commodity": what[0], "quantity": what[1],
         "renewable": False} for place, what in use
    ]  # fmt: skip
    shape = (len(rows), DAYS)
    estimated = np.zeros(shape)
    for at, row in enumerate(rows):
        if row["place"] in unknown:
            estimated[at, 3] = np.nan
    value = np.array([[amount] * DAYS for amount in use.values()], np.int64)
    due, minutes = np.ones(shape, np.bool_), np.full(shape, 1440)
    known_at = datetime(2026, 11, 1, tzinfo=UTC)
    return PlaceDays(
        pa.Table.from_pylist(rows), date(2026, 10, 1), value, due, due, estimated, minutes, minutes, minutes * 0,
        known_at, "rules",
    )  # fmt: skip


def city(count: int, amount: int = 1000, area: float | None = 70.0, **more: Any) -> Any:
    homes = {f"h{at}": area for at in range(count)}
    use = {(place, POWER): amount for place in homes}
    return month_of_homes(registry(homes | more.get("areas", {})), month(use | more.get("use", {})), 0)


def test_enough_homes_get_the_mean_of_their_class_in_steps() -> None:
    found = city(limits()["homes"]).around("h0")
    assert found is not None
    assert (found.homes, found.of.area_low_m2, found.of.area_high_m2) == (40, 60, 85)
    assert found.means[0].mean == in_steps(1000 * DAYS)
    assert found.means[0].mean == pytest.approx(1000 * DAYS, rel=limits()["step"] / 100)


def test_one_home_fewer_gets_none_and_is_told_why() -> None:
    found = city(limits()["homes"] - 1).around("h0")
    assert found is not None
    assert (found.means[0].mean, found.means[0].reason) == (None, "too_few_homes")


def test_a_home_whose_month_is_not_known_whole_does_not_count() -> None:
    homes = {f"h{at}": 70.0 for at in range(40)}
    table = month({(place, POWER): 1000 for place in homes}, frozenset({"h7"}))
    found = month_of_homes(registry(dict(homes)), table, 0).around("h0")
    assert found is not None
    assert found.means[0].reason == "too_few_homes"


def test_one_home_that_used_most_of_it_hides_the_mean() -> None:
    found = city(50, areas={"big": 70.0}, use={("big", POWER): 20_000}).around("h0")
    assert found is not None
    assert found.means[0].reason == "one_is_most"


def test_classes_part_by_area_and_by_what_is_metered() -> None:
    found = city(
        50, areas={"large": 85.0, "warm": 70.0}, use={("large", POWER): 1, ("warm", POWER): 1, ("warm", HEAT): 1}
    )
    large, warm = found.around("large"), found.around("warm")
    assert large is not None
    assert warm is not None
    assert (large.of.area_low_m2, large.homes, warm.homes) == (85, 0, 0)
    assert [mean.carrier for mean in warm.means] == [POWER, HEAT]
    assert found.around("nobody") is None


def test_a_mean_is_told_so_coarsely_that_one_home_more_changes_nothing_exactly() -> None:
    sums = {in_steps(total / 50) for total in np.linspace(50_000, 51_000, 40)}
    assert len(sums) <= 2
