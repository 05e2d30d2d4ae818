"""What the resident's page asks: true figures, honest comparisons, and a helpful word where there is no figure."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.tariffs import Asked, compute
from quintet.terms.errors import BadInput, Forbidden, Lacking, NotFound, UsageError
from quintet.views import Questions
from quintet.views.answers_home import BillLine, HomeNow, Tile
from quintet.views.bills import dwelling_bills
from quintet.views.home import HomeQuestions
from quintet.web.site import build

from .home_city import COURSE, HEARD, NEW, NOW, ONE, STEP, STOPPED, TWO, commit, make_city, resident, wh

TODAY = Decimal(sum(COURSE[:58])) / 1000
"""kWh from midnight to 14:30, a working day."""


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    city = make_city(tmp_path_factory.mktemp("home") / "city")
    yield city
    city.close()


@pytest.fixture
def home(homes: City) -> HomeQuestions:
    return Questions(homes.access(EVERYTHING), now=homes.now).home


@pytest.fixture(scope="module")
def asked(homes: City, serve: Callable[[FastAPI], str]) -> Iterator[httpx.Client]:
    site: FastAPI = build(Questions(homes.access(EVERYTHING), now=homes.now), health=dict)
    with httpx.Client(base_url=serve(site), timeout=60) as out:
        yield out


NOVEMBER = (date(2026, 11, 1), date(2026, 12, 1))


def tile(now: HomeNow, commodity: str) -> Tile:
    return next(one for one in now.tiles if one.commodity == commodity)


def line(lines: list[BillLine], commodity: str) -> BillLine:
    return next(one for one in lines if one.commodity == commodity)


def test_today_is_what_the_meter_counted_and_stands_beside_like_days(home: HomeQuestions) -> None:
    power = tile(home.now(ONE), "electricity")
    assert power.state == "fine"
    assert power.as_of == HEARD
    assert power.use == power.usual == TODAY
    assert power.usual_days == 20  # the working days of four weeks
    assert power.marks == ["measured"] * 15 + [""] * 9
    assert power.values[:14] == power.usual_values[:14]
    assert power.values[14] == Decimal(COURSE[56] + COURSE[57]) / 1000
    assert power.coverage == 1.0


def test_todays_won_is_what_it_adds_to_the_months_bill(home: HomeQuestions) -> None:
    power = tile(home.now(ONE), "electricity")
    past = wh(date(2026, 11, 1), date(2026, 11, 23)) / 1000

    def bill(use: Fraction) -> Fraction:
        of = compute(Asked("electricity", use, "kWh", *NOVEMBER, "low_voltage", provisional=True))
        return sum((piece.won for one in of.lines for piece in one.pieces), Fraction(0))

    assert power.won == power.won_usual == round(bill(past + Fraction(TODAY)) - bill(past))
    now = home.now(ONE)
    assert now.won == power.won
    assert now.unpriced == ["water", "heat"]
    assert tile(now, "water").won_reason == "not_agreed"


def test_a_meter_that_stopped_is_no_praise(home: HomeQuestions) -> None:
    heat = tile(home.now(ONE), "heat")
    assert (heat.state, heat.use, heat.zero_since) == ("stopped", 0, STOPPED)
    assert (heat.usual, heat.usual_reason, heat.won) == (None, "stopped", None)


def test_a_meter_dead_for_a_month_has_no_figure_and_says_since_when(home: HomeQuestions) -> None:
    power = tile(home.now(TWO), "electricity")
    assert (power.state, power.use, power.won, power.usual_reason) == ("silent", None, None, "no_reading_today")
    assert power.last_heard == datetime(2026, 10, 23, 15, tzinfo=UTC)
    found = home.bill(TWO)
    assert (line(found.lines, "electricity").use, line(found.lines, "electricity").won) == (None, None)
    assert line(found.lines, "electricity").why == ["silent"]
    assert found.won is None


def test_a_home_without_gas_and_one_without_any_reading_are_told_so(home: HomeQuestions) -> None:
    assert tile(home.now(ONE), "gas").state == "none"
    now = home.now(NEW)
    assert {one.commodity: one.state for one in now.tiles} == {
        "electricity": "new", "gas": "none", "water": "none", "heat": "none",
    }  # fmt: skip
    assert (now.won, now.as_of) == (None, None)
    assert line(home.bill(NEW).lines, "electricity").won is None


def test_the_bill_is_the_tariffs_own_and_its_forecast_that_of_even_days(home: HomeQuestions) -> None:
    found = home.bill(ONE)
    power = line(found.lines, "electricity")
    whole = wh(date(2026, 11, 1), date(2026, 11, 30)) / 1000
    used = wh(date(2026, 11, 1), date(2026, 11, 23)) / 1000 + Fraction(TODAY)

    def total(use: Fraction) -> int:
        return int(compute(Asked("electricity", use, "kWh", *NOVEMBER, "low_voltage", provisional=True)).total)

    assert (found.days, found.days_over, found.month) == (30, 23, "2026-11")
    assert Fraction(power.use or 0) == used
    assert power.won == found.won == total(used)
    assert power.why == ["provisional"]
    assert power.ahead is not None
    assert power.ahead.use == pytest.approx(float(whole), abs=0.001)
    assert power.ahead.won == total(whole)
    assert (power.ahead.use_low, power.ahead.use_high) == (power.ahead.use, power.ahead.use)  # every trial was right
    assert power.tier is not None
    assert (power.tier.number, power.tier.limits) == (2, [200.0, 400.0])
    assert power.tier.left == pytest.approx(float(400 - used), abs=0.001)
    assert power.tier.day is None  # at this pace not this month
    assert line(found.lines, "water").why == ["not_agreed"]
    assert found.unpriced == ["water", "heat"]


def test_using_less_of_what_is_to_come_saves_what_the_tariff_says(home: HomeQuestions) -> None:
    power = line(home.bill(ONE).lines, "electricity")
    found = home.less(ONE)
    (row,) = found.rows  # water and heat have no price
    assert (found.month, found.last, row.commodity, len(row.steps)) == (
        "2026-11",
        date(2026, 11, 30),
        "electricity",
        11,
    )
    assert power.ahead is not None
    assert (row.steps[0].share, row.steps[0].won, row.steps[0].saved) == (0.0, power.ahead.won, 0)
    half = Fraction(str(power.ahead.use)) - (Fraction(str(power.ahead.use)) - Fraction(power.use or 0)) / 2
    total = compute(Asked("electricity", half, "kWh", *NOVEMBER, "low_voltage", provisional=True)).total
    assert (row.steps[-1].share, row.steps[-1].won) == (0.5, int(total))
    assert [step.saved for step in row.steps] == sorted(step.saved for step in row.steps)


def test_a_month_that_is_over_is_whole_and_one_to_come_is_none(home: HomeQuestions) -> None:
    october = home.bill(ONE, "2026-10")
    power = line(october.lines, "electricity")
    assert Fraction(power.use or 0) == wh(date(2026, 10, 1), date(2026, 10, 31)) / 1000
    assert (power.ahead, power.gaps, october.won_ahead) == (None, False, None)
    for month in ("2026-12", "2026-13", "nonsense", "2026-1"):
        with pytest.raises(UsageError):
            home.bill(ONE, month)


@pytest.mark.parametrize("month", ["2026-10", "2026-11"])
@pytest.mark.parametrize("place", [ONE, TWO])
def test_the_page_says_the_won_of_the_citys_own_bills(homes: City, home: HomeQuestions, place: str, month: str) -> None:
    reckoned = dwelling_bills(homes.access(EVERYTHING), place, month, None, homes.registry().tz).bills
    said = {one.commodity: one.won for one in home.bill(place, month).lines}
    assert {one.commodity: one.due_won for one in reckoned} == said


def test_history_compares_only_what_is_known_whole_in_both_years(home: HomeQuestions) -> None:
    day = home.history(ONE)
    assert (day.commodity, day.length, len(day.rows)) == ("electricity", "day", 24)
    assert day.rows[13].value == Decimal(sum(COURSE[52:56])) / 1000
    assert [row.mark for row in day.rows[14:]] == ["measured", *[""] * 9]
    assert (day.total_alike, day.before_alike, day.later) == (None, None, None)
    week = home.history(ONE, "water", "week", "2026-11-12")
    assert (week.first, week.last, week.earlier) == (date(2026, 11, 9), date(2026, 11, 15), date(2026, 11, 8))
    assert [row.value for row in week.rows] == [Decimal("0.032")] * 7
    year = home.history(ONE, "electricity", "year")
    assert [row.mark for row in year.rows] == [*["missing"] * 8, "questionable", "measured", "measured", ""]
    silent = home.history(TWO, "electricity", "month", "2026-11-01")
    assert {row.mark for row in silent.rows[:23]} == {"missing"}
    assert (silent.total, silent.rows[0].value) == (None, None)
    assert (week.known, silent.known) == (1, 0)
    assert day.known == pytest.approx(14.5 / 14.675, abs=0.01), "what is on its way is not there yet"
    assert year.known is not None
    assert 0.15 < year.known < 0.25, "of a year of which all before autumn is unknown the sum is none of the year"


def test_what_cannot_be_asked_is_refused_in_words(home: HomeQuestions) -> None:
    with pytest.raises(UsageError, match="holds other places"):
        home.now("c1/101")
    with pytest.raises(Lacking, match="no meter of gas") as lacking:
        home.history(ONE, "gas")
    assert (lacking.value.code, lacking.value.remedy) == ("no_meter", "It has electricity, water, heat.")
    with pytest.raises(BadInput, match="no utility 'gold'") as unknown:
        home.history(ONE, "gold")
    assert (unknown.value.code, unknown.value.place) == ("unknown_commodity", "utility")
    assert "gas" in unknown.value.remedy
    with pytest.raises(UsageError, match="no length"):
        home.history(ONE, None, "decade")
    with pytest.raises(NotFound):
        home.now("c1/101/9")


def test_few_homes_are_not_compared_and_say_why(home: HomeQuestions) -> None:
    found = home.compare(ONE)
    assert (found.month, found.reason, found.homes) == ("2026-10", None, 0)
    assert {(row.mean, row.reason) for row in found.rows} == {(None, "too_few_homes")}
    assert found.rows[0].own_whole


def test_a_month_of_which_nothing_is_known_is_told_apart_from_a_part(home: HomeQuestions) -> None:
    part = home.compare(TWO)
    rows = {row.commodity: (row.own is None, row.own_whole, row.own_reason) for row in part.rows}
    assert part.reason is None
    assert rows == {"electricity": (False, False, "month_part"), "gas": (False, True, None)}
    nothing = home.compare(NEW)
    assert (nothing.month, nothing.reason) == ("2026-10", "month_unknown")
    assert [(row.own, row.own_whole, row.own_reason) for row in nothing.rows] == [(None, False, "month_unknown")]


def test_who_moved_in_yesterday_sees_only_his_own_time_and_is_told_so(homes: City) -> None:
    moved = datetime(2026, 11, 23, 3, tzinfo=UTC)  # noon in Seoul
    home = Questions(resident(homes, ONE, moved), now=homes.now).home
    now = home.now(ONE)
    power = tile(now, "electricity")
    assert now.since == date(2026, 11, 23)
    assert power.use == TODAY
    assert (power.usual, power.usual_reason) == (None, "too_few_days")
    bill = home.bill(ONE)
    assert (bill.first, bill.days_over) == (date(2026, 11, 23), 1)
    assert line(bill.lines, "electricity").use == Decimal(sum(COURSE[48:])) / 1000 + TODAY
    assert line(bill.lines, "electricity").ahead is None
    week = home.history(ONE, "electricity", "week")
    assert [row.mark for row in week.rows] == ["questionable", "measured", *[""] * 5]
    assert week.rows[0].value == Decimal(sum(COURSE[48:])) / 1000
    assert (week.earlier, home.compare(ONE).reason) == (None, "no_whole_month")
    with pytest.raises(UsageError):
        home.bill(ONE, "2026-10")
    with pytest.raises((NotFound, Forbidden)):
        home.now(TWO)


def test_who_moved_in_today_has_a_day_that_begins_then(homes: City) -> None:
    home = Questions(resident(homes, ONE, NOW - timedelta(hours=2, minutes=31)), now=homes.now).home
    power = tile(home.now(ONE), "electricity")
    assert power.use == Decimal(sum(COURSE[48:58])) / 1000
    assert (power.usual, power.usual_reason) == (None, "moved_in_today")
    assert power.marks[:11] == [""] * 11


def test_a_reading_that_arrives_changes_the_answer(tmp_path: Path, asked: httpx.Client) -> None:
    city = make_city(tmp_path / "city")
    try:
        home = Questions(city.access(EVERYTHING), now=city.now).home
        before = tile(home.now(ONE), "electricity").use
        commit(city, ("power", HEARD - STEP, 0.6))
        assert before is not None
        assert tile(home.now(ONE), "electricity").use == before + Decimal("0.6") - Decimal(COURSE[57]) / 1000
    finally:
        city.close()


@pytest.mark.parametrize("name", ["now", "bill", "less", "history", "compare"])
def test_every_address_has_a_tag_and_refuses_as_a_problem(asked: httpx.Client, name: str) -> None:
    answer = asked.get(f"/api/v1/home/{name}", params={"place": ONE})
    assert answer.status_code == 200
    tag = {"If-None-Match": answer.headers["etag"]}
    assert asked.get(f"/api/v1/home/{name}", params={"place": ONE}, headers=tag).status_code == 304
    wrong = asked.get(f"/api/v1/home/{name}", params={"place": "nowhere"})
    assert (wrong.status_code, wrong.headers["content-type"]) == (404, "application/problem+json")
    assert asked.get(f"/api/v1/home/{name}").status_code == 400
