"""Alerts of a dwelling are told to whose time they lie in: who moved in sees none of before, and no budget either."""

from typing import Any

import pytest

from quintet.access import EVERYTHING, Scope
from quintet.access.alerts import HomeAlerts
from quintet.access.roles import roles
from quintet.access.scope import Grant
from quintet.registry.alerts import Seen, StandingAlerts
from quintet.terms.alert import Alert
from quintet.terms.errors import Forbidden, NotFound
from quintet.terms.period import HOUR_US, to_us

from .conftest import City, small_city, utc

HOME = "s1/b1/1"
DAY_US = 24 * HOUR_US


def alert(from_us: int, at_us: int, commodity: str = "water") -> Alert:
    figures: dict[str, Any] = {"hours": 80, "flow": 10.0}
    return Alert("", HOME, "water_leak", commodity, at_us - DAY_US, from_us, 0, at_us, figures, None, "day", "", 0.99)


def test_who_moved_in_sees_no_alert_of_before(city: City) -> None:
    small_city(city, utc(2), 2)
    move = to_us(utc(10))
    alerts = StandingAlerts(city.engine)
    alerts.take([Seen(HOME, move - DAY_US, 0, [alert(move - 9 * DAY_US, move - DAY_US)], [], [])])
    alerts.take([Seen(HOME, move + DAY_US, 0, [alert(move - DAY_US, move + DAY_US, "hot_water")], [], [])])
    alerts.take([Seen(HOME, move + 9 * DAY_US, 0, [alert(move, move + 9 * DAY_US, "gas")], [], [])])
    grant = Grant(HOME, roles()["resident"], move)
    after = city.access(Scope("new", frozenset(), (grant,)))
    assert [one.commodity for one in after.alerts(HOME).alerts] == ["gas"]
    before = city.access(Scope("old", frozenset(), (Grant(HOME, roles()["resident"], 0, move),)))
    assert [one.commodity for one in before.alerts(HOME).alerts] == ["water"]
    assert len(city.access(EVERYTHING).alerts(HOME).alerts) == 3
    with pytest.raises(NotFound):
        after.alerts("s1/b1/2")


def test_a_budget_and_what_cannot_be_judged_are_of_the_present_household(city: City) -> None:
    small_city(city, utc(2), 1)
    alerts = StandingAlerts(city.engine)
    alerts.take([Seen(HOME, to_us(utc(3)), 0, [], [], [("dead_meter", "heat", "no_meter", {})])])
    alerts.set_budget(HOME, 50_000, tenancy_us=0, by="p1")
    found = city.access(Scope("kim", frozenset({HOME}))).alerts(HOME)
    assert found.budget is not None
    assert (found.budget.won, found.unsaid) == (50_000, (("dead_meter", "heat", "no_meter", {}),))
    assert found.metered == {"electricity", "gas"}
    gone = city.access(Scope("old", frozenset(), (Grant(HOME, roles()["resident"], 0, to_us(utc(3))),)))
    assert (gone.alerts(HOME).budget, gone.alerts(HOME).unsaid) == (None, ())


def test_a_manager_sees_none_of_what_is_finer_than_a_month(city: City) -> None:
    small_city(city, utc(2), 1)
    now = to_us(utc(9))
    StandingAlerts(city.engine).take([Seen(HOME, now, 0, [alert(now - 9 * DAY_US, now)], [], [])])
    manager = city.access(Scope("m", frozenset(), (Grant("s1", roles()["building_manager"]),)))
    with pytest.raises(Forbidden):
        manager.alerts(HOME)


def test_a_reason_written_before_a_readers_time_comes_without_its_figures(city: City) -> None:
    small_city(city, utc(2), 1)
    alerts = StandingAlerts(city.engine)
    alerts.take([Seen(HOME, to_us(utc(3)), 0, [], [], [("base_load", "electricity", "silent", {"hours": 30})], 0, 58)])
    now_us = city.engine.clock_us()

    def seen_by(low_us: int, looked_us: int | None = None) -> HomeAlerts:
        return city.access(Scope("p", frozenset(), (Grant(HOME, roles()["resident"], low_us),))).alerts(HOME, looked_us)

    always = seen_by(0)
    assert (always.noted_us, always.unsaid[0][3], always.lately) == (to_us(utc(3)), {"hours": 30}, None)
    assert (seen_by(to_us(utc(4))).noted_us, seen_by(to_us(utc(4))).unsaid) == (None, ())
    late = seen_by(now_us - 20 * DAY_US, now_us)
    assert (late.noted_us, late.unsaid, late.lately) == (now_us, (), (20, 58))
    whole = seen_by(now_us - 58 * DAY_US, now_us)
    assert (whole.unsaid, whole.lately) == ((("base_load", "electricity", "silent", {}),), None)
