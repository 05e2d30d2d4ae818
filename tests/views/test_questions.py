"""Every question on a city whose numbers are known, and every question that cannot be asked."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from quintet.access import EVERYTHING, Scope
from quintet.app.answers_balance import BALANCE_COLUMNS
from quintet.app.city import City
from quintet.terms.errors import BadInput, Forbidden, NotFound, QuintetError, UsageError
from quintet.views import Questions
from quintet.views.answers import BalanceRow

DAY = ("2025-02-01", "2025-02-02")


def test_places_are_paged_in_order_and_each_once(questions: Questions) -> None:
    whole = [row.place for row in questions.places().places]
    assert whole == sorted(whole)
    assert {"city", "c1", "c1/101", "c1/roof"} <= set(whole)
    paged: list[str] = []
    cursor = None
    while True:
        page = questions.places(limit=2, cursor=cursor)
        paged += [row.place for row in page.places]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert paged == whole


def test_places_are_filtered_by_level_and_parent(questions: Questions) -> None:
    assert [row.place for row in questions.places(level="premise").places] == ["c1/101"]
    assert [row.place for row in questions.places(parent="c1").places] == ["c1/101", "c1/roof"]
    assert questions.places(level="district").places == []


def test_meters_say_what_they_mean_and_where_they_count(questions: Questions) -> None:
    meters = {row.channel: row for row in questions.meters().meters}
    assert list(meters) == ["c1/home", "c1/home-water", "c1/roof", "city/grid"]
    roof = meters["c1/roof"]
    assert (roof.commodity, roof.display_unit, roof.role, roof.place, roof.flow) == (
        "electricity", "kWh", "generation", "c1/roof", "local_generation",
    )  # fmt: skip
    assert [row.channel for row in questions.meters(place="c1/101").meters] == ["c1/home", "c1/home-water"]
    assert [row.channel for row in questions.meters(commodity="water").meters] == ["c1/home-water"]


def test_a_cursor_continues_only_its_own_question(questions: Questions) -> None:
    cursor = questions.places(limit=1).next_cursor
    for ask in (
        lambda: questions.meters(cursor=cursor),
        lambda: questions.places(level="premise", cursor=cursor),
        lambda: questions.places(cursor="nonsense"),
        lambda: questions.places(cursor="ä"),
        lambda: questions.places(cursor=""),
    ):
        with pytest.raises(UsageError) as error:
            ask()
        assert error.value.code == "bad_cursor"


def test_intervals_are_exact_and_on_the_citys_clock(questions: Questions) -> None:
    series = questions.intervals("c1/home", *DAY, "hour")
    assert [row.value for row in series.rows] == [Decimal(1)] * 24
    assert series.rows[0].start.isoformat() == "2025-02-01T00:00:00+09:00"
    assert (series.unit, series.downsampled, series.rows[0].quality) == ("kWh", False, "valid")
    assert questions.intervals("city/grid", *DAY, "day").rows[0].value == Decimal("28.8")


def test_a_period_that_nothing_is_known_of_is_null_and_no_zero(questions: Questions) -> None:
    before = questions.intervals("c1/home", "2025-01-31", "2025-02-01", "day").rows[0]
    assert (before.value, before.quality, before.coverage) == (None, None, 0.0)
    after = questions.intervals("c1/home", "2025-02-03", "2025-02-04", "day").rows[0]
    assert (after.value, after.coverage) == (None, None)


def test_many_points_are_thinned_and_say_so(questions: Questions) -> None:
    series = questions.intervals("c1/home", *DAY, "15min", max_points=9)
    assert series.downsampled
    assert len(series.rows) <= 9


def test_a_balance_has_the_rows_of_the_contract(questions: Questions) -> None:
    answer = questions.balances(*DAY, "day")
    row = next(row for row in answer.rows if row.commodity == "electricity")
    assert (row.import_, row.local_generation, row.consumption) == (Decimal("28.8"), Decimal("0.96"), Decimal(24))
    assert (row.closure_error, row.derived, row.coverage) == (Decimal("5.76"), [], 1.0)
    assert answer.rule_set.startswith("vee-")
    water = next(row for row in answer.rows if row.commodity == "water")
    assert (water.derived, water.closure_error, water.import_) == (["import"], None, Decimal("0.192"))


def test_a_balance_row_is_written_under_the_names_of_the_command_line(questions: Questions) -> None:
    row = msgspec.to_builtins(questions.balances(*DAY, "day").rows[0])
    assert list(row) == BALANCE_COLUMNS
    assert msgspec.structs.fields(BalanceRow)[4].encode_name == "import"


def test_the_city_today_ends_where_its_readings_end(questions: Questions) -> None:
    today = questions.city_today()
    assert today.as_of is not None
    assert (today.day, today.is_today, today.stale) == (date(2025, 2, 2), True, False)
    assert today.as_of.isoformat() == "2025-02-02T14:30:00+09:00"
    assert today.until == today.as_of
    assert today.coverage == 1.0
    carriers = {carrier.commodity: carrier for carrier in today.carriers}
    assert list(carriers) == ["electricity", "water"]
    power = carriers["electricity"]
    assert (power.supply, power.use) == (Decimal("17.98"), Decimal("14.5"))
    assert [hour.consumption for hour in power.hours] == [Decimal(1)] * 14 + [Decimal("0.5")]
    assert sum(hour.consumption or 0 for hour in power.hours) == power.total.consumption


def test_the_city_today_and_the_balance_say_the_same(questions: Questions) -> None:
    today = questions.city_today()
    assert today.until is not None
    rows = questions.balances("2025-02-02", today.until.isoformat(), "day").rows
    assert {carrier.commodity: carrier.total for carrier in today.carriers} == {row.commodity: row for row in rows}
    hours = questions.balances("2025-02-02", today.until.isoformat(), "hour").rows
    listed = [row for carrier in today.carriers for row in carrier.hours]
    assert sorted(listed, key=lambda row: (row.start, row.commodity)) == hours


def test_self_sufficiency_is_matched_hour_by_hour(questions: Questions) -> None:
    found = {one.id: one for one in questions.city_today("2025-02-01").self_sufficiency}
    assert {"power_renewable", "interval_autarky"} <= found.keys()
    renewable = found["power_renewable"]
    assert (renewable.value, renewable.interval, renewable.matched) == (Decimal("0.04"), "hour", 24)
    assert found["interval_autarky"].value == Decimal("-0.2")


def test_a_dwelling_is_shown_by_its_own_interval(questions: Questions) -> None:
    home = questions.dwelling("c1/101")
    assert [one.channel for one in home.utilities] == ["c1/home", "c1/home-water"]
    power = home.utilities[0]
    assert (power.resolution, len(power.rows), power.total) == ("15min", 96, Decimal("14.5"))
    assert (power.coverage, power.estimated_share) == (1.0, 0.0)
    assert home.as_of is not None
    assert home.as_of.isoformat() == "2025-02-02T14:30:00+09:00"
    assert [row.value for row in power.rows[57:59]] == [Decimal("0.26"), None]
    assert power.rows[58].coverage is None


def test_a_day_to_come_is_today(questions: Questions) -> None:
    assert questions.city_today("2099-01-01").day == date(2025, 2, 2)


Ask = Callable[[Questions], Any]


@pytest.mark.parametrize(
    ("ask", "kind", "code"),
    [
        (lambda q: q.balances(*DAY, "week"), UsageError, "bad_resolution"),
        (lambda q: q.balances("2025-02-02", "2025-02-02", "day"), UsageError, "empty_range"),
        (lambda q: q.balances("2025-02-02", "2025-02-01", "day"), UsageError, "empty_range"),
        (lambda q: q.balances("2025-02-01T00:00:00", "2025-02-02", "day"), UsageError, "naive_time"),
        (lambda q: q.balances("yesterday", "2025-02-02", "day"), UsageError, "bad_time"),
        (lambda q: q.balances("0001-01-01", "2025-02-02", "day"), UsageError, "bad_time"),
        (lambda q: q.balances("2025-02-01", "9999-12-31", "day"), UsageError, "bad_time"),
        (lambda q: q.balances("1901-01-01", "2025-02-02", "15min"), UsageError, "range_too_long"),
        (lambda q: q.balances(*DAY, "day", place="c1/102"), NotFound, "unknown_place"),
        (lambda q: q.balances(*DAY, "day", known_at="2025-02-01T00:00"), UsageError, "naive_time"),
        (lambda q: q.intervals("c1/none", *DAY, "day"), NotFound, "unknown_channel"),
        (lambda q: q.intervals("c1/home", "1901-01-01", "2190-01-01", "15min"), UsageError, "range_too_long"),
        (lambda q: q.intervals("c1/home", *DAY, "day", max_points=2), UsageError, "bad_max_points"),
        (lambda q: q.meters(place="nowhere"), NotFound, "unknown_place"),
        (lambda q: q.meters(commodity="plasma"), BadInput, "unknown_commodity"),
        (lambda q: q.places(parent="nowhere"), NotFound, "unknown_place"),
        (lambda q: q.places(level="street"), UsageError, "unknown_level"),
        (lambda q: q.places(limit=0), UsageError, "bad_limit"),
        (lambda q: q.city_today("2025-02-30"), UsageError, "bad_day"),
        (lambda q: q.city_today("20250201"), UsageError, "bad_day"),
        (lambda q: q.dwelling("nowhere"), NotFound, "unknown_place"),
    ],
)
def test_what_cannot_be_asked_is_said_with_a_remedy(
    questions: Questions, ask: Ask, kind: type[QuintetError], code: str
) -> None:
    with pytest.raises(kind) as error:
        ask(questions)
    assert error.value.code == code
    assert error.value.remedy


def test_a_reader_sees_only_what_is_his(city: City) -> None:
    mine = Questions(city.access(Scope("resident", frozenset({"c1/101"}))), now=city.now)
    assert [row.place for row in mine.places().places] == ["c1/101"]
    assert [row.channel for row in mine.meters().meters] == ["c1/home", "c1/home-water"]
    for ask in (
        mine.city_today,
        lambda: mine.balances(*DAY, "day"),
        lambda: mine.intervals("city/grid", *DAY, "day"),
        lambda: mine.dwelling("c1/roof"),
        lambda: mine.meters(place="c1"),
    ):
        with pytest.raises(Forbidden):
            ask()


def test_what_was_known_at_a_moment_stays_known(new_city: Callable[[datetime], City]) -> None:
    now = datetime.fromisoformat("2025-02-02T05:31:00+00:00")
    empty = new_city(now)
    questions = Questions(empty.access(EVERYTHING), now=empty.now)
    rows = questions.balances(*DAY, "day", known_at=(now - timedelta(days=1)).isoformat()).rows
    assert [row.consumption for row in rows if row.consumption is not None] == []
