"""Rights with bounds: of time, of fineness, of carriers; and meters that stood elsewhere before."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from quintet.access import Access, Scope
from quintet.access.roles import minutes_of, role_named, roles
from quintet.access.scope import Grant
from quintet.registry.changes import move_in, move_out, rewire
from quintet.registry.households import moved_in, own_time
from quintet.registry.standing import stood
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.errors import BadInput, Forbidden, NotFound
from quintet.terms.period import Resolution, Span, to_us

from .conftest import City, small_city, utc

LEFT, RIGHT = "s1/b1/1", "s1/b1/2"
DAY = Span(utc(2), utc(3))


def holder(city: City, role: str, place: str, start: datetime | None = None, end: datetime | None = None) -> Access:
    bounds = (ALWAYS if start is None else to_us(start), FOREVER if end is None else to_us(end))
    return city.access(Scope("kim", frozenset(), (Grant(place, role_named(role), *bounds),)))


def refused(work: Callable[[], object]) -> str:
    with pytest.raises((Forbidden, NotFound)) as caught:
        work()
    return caught.value.code


def test_a_meter_that_came_from_another_flat_brings_none_of_its_readings(city: City) -> None:
    small_city(city, utc(2), 4)
    registry = city.registry_at(None)
    moved = rewire(registry, "s1/left", valid_from=utc(4), place=RIGHT)
    city.pipeline.apply_records(moved, kind="registry", source="t", actor="t")
    assert [one.place for one in stood(city.registry_at(None), "s1/left")] == [LEFT, RIGHT]
    new, old = holder(city, "resident", RIGHT), holder(city, "resident", LEFT)
    whole = Span(utc(2), utc(6))
    new.series("s1/left", Span(utc(4), utc(6)), Resolution.HOUR)
    old.series("s1/left", Span(utc(2), utc(4)), Resolution.HOUR)
    told = {
        access: access.series("s1/left", whole, Resolution.HOUR).select(["value", "coverage"]).to_pylist()
        for access in (new, old)
    }
    for access, own in ((new, slice(48, 96)), (old, slice(0, 48))):
        assert refused(lambda access=access: access.findings("s1/left", None, whole)) == "stood_elsewhere"
        assert (
            refused(lambda access=access: access.difference(whole, utc(1), utc(2), channel="s1/left"))
            == "stood_elsewhere"
        )
        rows = told[access]
        assert any(row["value"] is not None for row in rows[own])
        assert [row for row in rows if row["coverage"] is not None] == rows[own], "elsewhere nothing was due"
        assert all(row in rows[own] for row in rows if row["value"] is not None)
    assert new.daily(["s1/left"], utc(2).date(), utc(2).date())["value"].to_pylist() == [None]


def test_of_the_day_on_which_a_meter_came_its_own_hours_are_told(city: City) -> None:
    small_city(city, utc(2), 4)
    came = utc(4) + timedelta(hours=6, minutes=20)
    moved = rewire(city.registry_at(None), "s1/left", valid_from=came, place=RIGHT)
    city.pipeline.apply_records(moved, kind="registry", source="t", actor="t")
    new, old = holder(city, "resident", RIGHT), holder(city, "resident", LEFT)
    first, last = utc(3).date(), utc(5).date()
    for access, first_hour, last_hour in ((new, 31, 72), (old, 0, 31)):
        days = access.daily(["s1/left"], first, last).select(["value", "arrived", "estimated"]).to_pylist()
        hours = access.series("s1/left", Span(utc(3), utc(6)), Resolution.HOUR)["value"].to_pylist()
        assert [at for at, one in enumerate(hours) if one is not None and not first_hour <= at < last_hour] == []
        assert sum(day["arrived"] + day["estimated"] for day in days) == len([one for one in hours if one is not None])
        sums = [sum(one or 0 for one in hours[at : at + 24]) for at in (0, 24, 48)]
        assert [day["value"] or 0 for day in days] == sums
        by_day = access.series("s1/left", Span(utc(3), utc(6)), Resolution.DAY)["value"].to_pylist()
        assert [one or 0 for one in by_day] == sums


def test_an_older_belief_opens_nothing(city: City) -> None:
    """A meter was taken for that of one flat and is known now to have been its neighbour's all the time."""
    small_city(city, utc(2), 2)
    before = city.now
    wrong = rewire(
        city.registry_at(None), "s1/left", valid_from=datetime(2000, 1, 1, tzinfo=utc(1).tzinfo), place=RIGHT
    )
    city.tick()
    city.pipeline.apply_records(wrong, kind="registry", source="t", actor="t")
    access = holder(city, "resident", LEFT)
    access.flows(LEFT, DAY, Resolution.DAY)
    assert refused(lambda: access.flows(LEFT, DAY, Resolution.DAY, before)) == "stood_elsewhere"
    assert refused(lambda: access.as_known(before).flows(LEFT, DAY, Resolution.DAY)) == "stood_elsewhere"
    assert refused(lambda: access.as_registered(before).flows(LEFT, DAY, Resolution.DAY)) == "stood_elsewhere"
    assert refused(lambda: access.difference(DAY, before, city.now, place=LEFT)) == "stood_elsewhere"


def test_a_window_is_refused_at_both_ends_and_clipped_where_asked(city: City) -> None:
    small_city(city, utc(2), 4)
    access = holder(city, "resident", LEFT, utc(3), utc(5))
    access.series("s1/left", Span(utc(3), utc(5)), Resolution.HOUR)
    for span, code in ((Span(utc(2), utc(4)), "before_your_time"), (Span(utc(4), utc(6)), "after_your_time")):
        assert refused(lambda span=span: access.series("s1/left", span, Resolution.HOUR)) == code
        assert refused(lambda span=span: access.flows(LEFT, span, Resolution.DAY)) == code
        assert refused(lambda span=span: access.findings(None, LEFT, span)) == code
    assert access.clip(LEFT, Span(utc(2), utc(6))) == Span(utc(3), utc(5))
    assert access.clip(LEFT, Span(utc(5), utc(6))) is None
    assert refused(lambda: access.asking(LEFT).__enter__()) == "before_your_time", "no span named is all of time"
    assert access.horizon() == {LEFT}
    assert (access.sees(LEFT), access.sees(RIGHT), access.sees("s1/b1")) == (True, False, False)


def test_the_bounds_of_ones_time_are_named_on_the_citys_clock_in_two_languages(new_city: Callable[[str], City]) -> None:
    city = new_city("Asia/Seoul")
    small_city(city, utc(2), 4)
    access = holder(city, "resident", LEFT, utc(3), utc(5))
    for span, moment, name in ((Span(utc(2), utc(4)), utc(3), "since"), (Span(utc(4), utc(6)), utc(5), "until")):
        with pytest.raises(Forbidden) as caught:
            access.flows(LEFT, span, Resolution.DAY)
        local = moment.astimezone(city.engine.tz)
        assert local.utcoffset()
        assert local.isoformat() in caught.value.remedy
        assert caught.value.said == {name: local.isoformat()}


def test_who_may_read_how_fine_is_as_the_table_of_roles_says(city: City) -> None:
    small_city(city, utc(2), 2)
    month = Span(datetime(2025, 1, 1, tzinfo=utc(1).tzinfo), datetime(2025, 2, 1, tzinfo=utc(1).tzinfo))
    manager = holder(city, "building_manager", "s1")
    manager.series("s1/left", month, Resolution.MONTH)
    assert refused(lambda: manager.series("s1/left", DAY, Resolution.DAY)) == "too_fine_for_role"
    assert refused(lambda: manager.flows("s1/b1", DAY, Resolution.DAY)) == "too_fine_for_role", "two flats are few"
    operator = holder(city, "operator", "s1")
    operator.series("s1/left", DAY, Resolution.DAY)
    assert refused(lambda: operator.series("s1/left", DAY, Resolution.HOUR)) == "reason_needed"
    operator.series("s1/school", DAY, Resolution.HOUR)
    assert refused(lambda: holder(city, "analyst", "city").series("s1/school", DAY, Resolution.DAY)) == "below_floor"
    assert set(roles()) == {"resident", "building_manager", "operator", "analyst", "integrator"}
    assert minutes_of(Resolution.MONTH) > minutes_of(Resolution.DAY) > minutes_of(Resolution.HOUR)
    with pytest.raises(BadInput, match="there is no role"):
        role_named("king")


def test_a_households_time_is_what_the_registry_says(city: City) -> None:
    small_city(city, utc(2), 1)

    def say(records: object) -> None:
        city.pipeline.apply_records(records, kind="registry", source="t", actor="t")

    say(move_in(city.registry_at(None), premise=LEFT, occupant="a", at=utc(2)))
    say(move_out(city.registry_at(None), premise=LEFT, at=utc(5)))
    say(move_in(city.registry_at(None), premise=LEFT, occupant="b", at=utc(7)))
    registry = city.registry_at(None)
    at = {day: to_us(utc(day)) for day in range(1, 10)}
    assert own_time(registry, LEFT, at[2], FOREVER) == (at[2], at[5])
    assert own_time(registry, LEFT, at[3], at[4]) == (at[3], at[4])
    assert own_time(registry, LEFT, at[6], FOREVER) == (at[6], at[7]), "nobody is known to live there: until others do"
    assert own_time(registry, LEFT, at[8], FOREVER) == (at[8], FOREVER)
    assert own_time(registry, "nowhere", at[1], at[2]) is None
    assert moved_in(registry, LEFT, at[9], None) == at[7]
    assert moved_in(registry, RIGHT, at[9], None) == at[9]
    with pytest.raises(BadInput, match="others lived there"):
        moved_in(registry, LEFT, at[9], at[3])
    with pytest.raises(BadInput, match="no dwelling"):
        moved_in(registry, "s1/b1", at[9], None)
