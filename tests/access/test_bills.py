"""What a bill reads: each dwelling's own meters over its own days, no more, as anybody would add them up by hand."""

from datetime import date, datetime

import pytest

from quintet.access import EVERYTHING, Access, Scope
from quintet.access.bills import COMMON, DWELLINGS, HEAD, premise_use, tenancies
from quintet.access.roles import MONTH_MIN, roles
from quintet.access.scope import Grant
from quintet.registry import move_in, move_out
from quintet.terms.errors import Forbidden, NotFound
from quintet.terms.period import Span
from quintet.terms.premise_use import PremiseUse

from .conftest import City, small_city, us, utc

FIRST, END = date(2025, 1, 2), date(2025, 1, 6)
LEFT, RIGHT = "s1/b1/1", "s1/b1/2"


def used(access: Access, place: str, what: str = DWELLINGS, first: date = FIRST, end: date = END) -> list[PremiseUse]:
    span = Span(utc(first.day), utc(end.day))
    with access.asking(place, None, span, MONTH_MIN, each=place not in (LEFT, RIGHT)) as asked:
        return premise_use(asked, place, first, end, None, what)


def by_hand(city: City, channel: str, first: datetime, end: datetime) -> int:
    return sum(value for name, at, value, _ in city.effective() if name == channel and us(first) <= at < us(end))


@pytest.mark.parametrize("closed", [False, True])
def test_each_dwelling_is_its_own_meters_sum(city: City, closed: bool) -> None:
    small_city(city, utc(2), 4)
    if closed:
        city.close_all()
    rows = {(row.place, row.commodity): row for row in used(city.access(EVERYTHING), "city")}
    assert set(rows) == {(LEFT, "electricity"), (LEFT, "gas"), (RIGHT, "electricity")}
    for key, channel, cadence in (
        ((LEFT, "electricity"), "s1/left", 60),
        ((LEFT, "gas"), "s1/left-gas", 60),
        ((RIGHT, "electricity"), "s1/right", 15),
    ):  # fmt: skip
        row = rows[key]
        assert row.value == by_hand(city, channel, utc(2), utc(6))
        heard = [name for name, at, _, _ in city.effective() if name == channel]
        assert row.arrived_min + row.estimated_min == len(heard) * cadence
        assert (row.expected_min, row.channels, row.tenancy_us) == (4 * 1440, (channel,), None)


def test_the_common_parts_and_the_head_are_told_apart(city: City) -> None:
    small_city(city, utc(2), 4)
    access = city.access(EVERYTHING)
    (common,) = [row for row in used(access, "s1", COMMON) if row.commodity == "electricity"]
    assert (common.place, common.value) == ("s1", by_hand(city, "s1/school", utc(2), utc(6)))
    (head,) = used(access, "s1", HEAD)
    assert (head.channels, head.value) == (("s1/gate",), by_hand(city, "s1/gate", utc(2), utc(6)))
    assert used(access, "d1", HEAD) == []


def test_a_move_parts_the_days(city: City) -> None:
    small_city(city, utc(2), 4)
    city.apply(move_in(city.pipeline.registry(), premise=LEFT, occupant="a", at=utc(1)))
    city.apply(move_out(city.pipeline.registry(), premise=LEFT, at=utc(3, 12)))
    city.apply(move_in(city.pipeline.registry(), premise=LEFT, occupant="b", at=utc(4, 18)))
    rows = [row for row in used(city.access(EVERYTHING), LEFT) if row.commodity == "electricity"]
    assert [(row.first.day, row.end.day, row.tenancy_us) for row in rows] == [
        (2, 3, us(utc(1))), (3, 4, None), (4, 6, us(utc(4, 18))),
    ]  # fmt: skip
    moments = [utc(2), utc(3, 12), utc(4, 18), utc(6)]
    for row, begin, stop in zip(rows, moments, moments[1:], strict=False):
        assert row.value == by_hand(city, "s1/left", begin, stop)
        assert row.expected_min == (stop - begin).total_seconds() / 60
    spans = tenancies(city.pipeline.registry(), LEFT, us(utc(2)), us(utc(6)))
    assert [(start, end) for start, end, _ in spans] == [
        (us(utc(2)), us(utc(3))), (us(utc(3)), us(utc(4))), (us(utc(4)), us(utc(6))),
    ]  # fmt: skip


@pytest.mark.parametrize(("out", "into"), [(utc(2, 9), utc(2, 9)), (utc(2, 9), utc(2, 15)), (utc(3, 9), utc(5, 23))])
def test_each_household_is_billed_for_its_own_hours_and_sees_the_same(
    city: City, out: datetime, into: datetime
) -> None:
    small_city(city, utc(2), 4)
    city.apply(move_in(city.pipeline.registry(), premise=LEFT, occupant="a", at=utc(1)))
    city.apply(move_out(city.pipeline.registry(), premise=LEFT, at=out))
    city.apply(move_in(city.pipeline.registry(), premise=LEFT, occupant="b", at=into))
    rows = [row for row in used(city.access(EVERYTHING), LEFT) if row.commodity == "electricity"]
    assert sum(row.value for row in rows) == by_hand(city, "s1/left", utc(2), utc(6)), "nothing is lost between them"
    assert [row.end for row in rows[:-1]] == [row.first for row in rows[1:]]
    assert (rows[0].first, rows[-1].end) == (FIRST, END)
    resident = roles()["resident"]
    for grant, row in (
        (Grant(LEFT, resident, from_us=us(utc(1)), until_us=us(out)), rows[0]),
        (Grant(LEFT, resident, from_us=us(into)), rows[-1]),
    ):
        own = city.access(Scope("kim", frozenset(), (grant,)))
        part = own.clip(LEFT, Span(utc(2), utc(6)))
        assert part is not None
        with own.asking(LEFT, None, part, MONTH_MIN) as asked:
            found = premise_use(asked, LEFT, FIRST, END, within=part)
        (seen,) = [one for one in found if one.commodity == "electricity"]
        assert (seen.first, seen.end) == (row.first, row.end)
        assert seen.value == by_hand(city, "s1/left", part.start, part.end)
        if out == into or grant.from_us == us(into):
            assert seen.value == row.value


def test_a_cut_parts_the_days_too(city: City) -> None:
    small_city(city, utc(2), 4)
    with city.access(EVERYTHING).asking("city", None, Span(utc(2), utc(6)), MONTH_MIN) as asked:
        rows = premise_use(asked, "city", FIRST, END, lambda place, _: [us(utc(4))] if place == RIGHT else [])
    own = [row for row in rows if row.place == RIGHT]
    assert [(row.first.day, row.end.day) for row in own] == [(2, 4), (4, 6)]
    assert sum(row.value for row in own) == by_hand(city, "s1/right", utc(2), utc(6))


def test_nobody_reads_another_dwelling(city: City) -> None:
    small_city(city, utc(2), 4)
    resident = roles()["resident"]
    mine = city.access(Scope("kim", frozenset(), (Grant(LEFT, resident, from_us=us(utc(4))),)))
    assert [row.place for row in used(mine, LEFT, first=date(2025, 1, 4))] == [LEFT, LEFT]
    with pytest.raises(Forbidden) as error:
        used(mine, LEFT)
    assert error.value.code == "before_your_time"
    for place in (RIGHT, "s1", "city"):
        with pytest.raises((Forbidden, NotFound)):
            used(mine, place)
