"""A missing meter never looks like a saving: every answer says what it covers, before a run and after it."""

from collections.abc import Callable

import pytest

from quintet.access import EVERYTHING, Access
from quintet.views import Questions

from .conftest import City
from .homes import HOMES, at, judge, readings, register

LOST = 13
"""The day of which a meter is missing: nothing is like it, for heat was never read before."""


def lost(carrier: str, home: int, hours: int) -> bool:
    return carrier == "heat" and home == 0 and hours < 20 * 24


@pytest.fixture
def questions(new_city: Callable[..., City]) -> tuple[City, Questions]:
    city = new_city()
    register(city)
    city.send([*readings(21, skip=lost), ("h0-heat", at(0), 1.0)])
    access = Access(city.engine, lambda _: city.pipeline.registry(), city.pipeline.recent, EVERYTHING, "test")
    return city, Questions(access, now=lambda: int(at(21).timestamp()) * 1_000_000)


def test_balance_dwelling_and_city_say_what_they_cover(questions: tuple[City, Questions]) -> None:
    city, asked = questions
    day = at(LOST).date().isoformat()
    span = (day, at(LOST + 1).date().isoformat())

    def heat() -> tuple[float, float, float]:
        (row,) = [row for row in asked.balances(*span, "day", "s/b").rows if row.commodity == "heat"]
        assert row.consumption is not None
        return float(row.consumption), float(row.coverage or 0), float(row.estimated_share or 0)

    def home() -> tuple[float | None, float | None]:
        (one,) = [one for one in asked.dwelling("s/b/h0", day).utilities if one.channel.endswith("heat")]
        return one.coverage, one.estimated_share

    before, covered, estimated = heat()
    assert (covered, estimated) == (pytest.approx((HOMES - 1) / HOMES), 0)
    assert home() == (0.0, None)
    assert asked.city_today(day).coverage == pytest.approx((3 * HOMES - 1) / (3 * HOMES))
    assert judge(city).assigned_changed > 0
    after, still, share = heat()
    assert after > before
    assert still == covered
    assert share == pytest.approx(1 / HOMES)
    assert home() == (0.0, 1.0)
    assert asked.city_today(day).coverage == pytest.approx((3 * HOMES - 1) / (3 * HOMES))
