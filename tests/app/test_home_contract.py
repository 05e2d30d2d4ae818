"""A contract that changes within a month: page, bills, tiles and what less use would save are of both its bills."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from quintet.access import EVERYTHING, Access
from quintet.app.answer import no_progress
from quintet.app.operations import answer_request
from quintet.app.requests_bills import BillAgree, BillIssue
from quintet.tariffs.home_rates import rates_of
from quintet.terms.unit import units
from quintet.views import Questions
from quintet.views.answers_bills import UtilityBill
from quintet.views.answers_home import BillLine, HomeBill
from quintet.views.bills import dwelling_bills
from quintet.views.home import HomeQuestions

from .billed_city import SEOUL, UNITS
from .test_home_moves import HOME, OCTOBER, Town, at, reader

POWER = "electricity"
HIGH = {"contract": "high_voltage"}
FREE = {"contract": "general", "unit_price": "50", "base_won": "100"}


@pytest.fixture(params=[60, 1440], ids=["hourly", "daily"])
def town_at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[datetime], Town]]:
    with ExitStack() as stack:

        def make(now: datetime) -> Town:
            out = Town(tmp_path / "city", request.param, now)
            stack.callback(out.city.close)
            return out

        yield make


def agree(town: Town, day: int, said: dict[str, str], commodity: str = POWER, month: int = 10) -> None:
    """State what holds from a day of a month on."""
    since = date(2025, month, day).isoformat()
    answer_request(town.city, BillAgree(HOME, commodity, said, since, f"contract {day}"), no_progress)


BY_THE_DAY = pytest.mark.parametrize("town_at", [1440], indirect=True, ids=["daily"])


def home_of(town: Town, access: Access) -> HomeQuestions:
    return Questions(access, now=town.city.now).home


def line_of(page: HomeBill) -> BillLine:
    return next(one for one in page.lines if one.commodity == POWER)


def bills_of(access: Access, month: str = OCTOBER) -> list[UtilityBill]:
    """Give the bills of power, in order of their days."""
    return [one for one in dwelling_bills(access, HOME, month, None, SEOUL).bills if one.commodity == POWER]


def same(town: Town, access: Access, count: int) -> tuple[BillLine, list[UtilityBill]]:
    """Hold the page's line beside the bills of its stretches."""
    page, bills = home_of(town, access).bill(HOME, OCTOBER), bills_of(access)
    line, told = line_of(page), [one for one in bills if one.due_won is not None]
    assert len(bills) == count
    assert line.won == sum(one.due_won or 0 for one in told)
    assert line.use == sum((one.use for one in told if one.use is not None), 0)
    assert (page.first, page.last) == (bills[0].start, bills[-1].end - timedelta(days=1))
    assert sum(item.won or 0 for item in line.items) == line.won
    assert ("contract_changed" in line.why) == (count > 1)
    return line, bills


def test_a_month_that_is_over_adds_up_both_bills(town_at: Callable[[datetime], Town]) -> None:
    town = town_at(at(2, month=11))
    access = town.city.access(EVERYTHING)
    before, _ = same(town, access, 1)
    agree(town, 16, HIGH)
    line, bills = same(town, town.city.access(EVERYTHING), 2)
    assert line.won != before.won
    assert line.use == before.use
    assert (line.days_known, line.known, line.gaps, line.tier) == (31, 1.0, False, None)
    assert line.card_name_en == "KEPCO residential, high voltage"
    assert [(one.start.day, (one.end - one.start).days) for one in bills] == [(1, 15), (16, 16)]


@pytest.mark.parametrize("changed", [10, 20])
def test_it_does_so_for_each_household_of_the_month(town_at: Callable[[datetime], Town], changed: int) -> None:
    town = town_at(at(2, month=11))
    town.moves(at(15, 12))
    agree(town, changed, HIGH)
    same(town, reader(town.city, at(1, month=8), at(15, 12)), 2 if changed < 15 else 1)
    same(town, reader(town.city, at(15, 12)), 1 if changed < 15 else 2)


@pytest.mark.parametrize("changed", [13, 14, 21])
def test_a_month_that_goes_on_stands_as_its_bills_do(town_at: Callable[[datetime], Town], changed: int) -> None:
    town = town_at(at(14, 18))
    agree(town, changed, FREE if changed == 13 else HIGH)
    line, bills = same(town, town.city.access(EVERYTHING), 2)
    assert line.ahead is not None
    assert line.ahead.won is not None
    assert line.ahead.won > (line.won or 0)
    assert line.ahead.use == pytest.approx(10 * 31, rel=0.2)
    rows = home_of(town, town.city.access(EVERYTHING)).less(HOME).rows
    steps = next(one for one in rows if one.commodity == POWER).steps
    assert (steps[0].won, steps[0].saved) == (line.ahead.won, 0)
    assert steps[0].use == pytest.approx(line.ahead.use, abs=0.01)
    assert all(early.won >= late.won for early, late in pairwise(steps))
    assert steps[-1].use > float(line.use or 0), "what was used is not saved any more"
    if changed == 14 and bills[1].due_won is not None:
        # of the running contract: 200 kWh a month, of 18 days
        assert line.tier is not None
        assert line.tier.limits[0] == pytest.approx(200 * 18 / 31)
    assert [one.start.day for one in bills] == [1, changed]


def test_the_price_of_today_is_that_of_todays_contract(town_at: Callable[[datetime], Town]) -> None:
    town = town_at(at(14, 18))
    agree(town, 10, FREE)
    registry = town.city.registry()
    tile = next(one for one in home_of(town, town.city.access(EVERYTHING)).now(HOME).tiles if one.commodity == POWER)
    if tile.use is None:  # read by the day: nothing of today is there yet
        assert tile.won is None
        return
    low, high = rates_of(registry).stretches(HOME, POWER, date(2025, 10, 1), date(2025, 11, 1))
    assert (low[1], high) == (date(2025, 10, 10), (date(2025, 10, 10), date(2025, 11, 1)))
    asked = rates_of(registry).asked(HOME, POWER, units()["kWh"], *high)
    assert asked is not None
    assert asked.contract == "general"
    # 50 won a kWh and 14 of climate and fuel charge, VAT and fund with it, and no tiers
    assert tile.won == pytest.approx(float(tile.use) * 64 * 1.127, abs=1)


@BY_THE_DAY
def test_what_is_stated_again_cuts_no_bill(town_at: Callable[[datetime], Town]) -> None:
    town = town_at(at(2, month=11))
    before = bills_of(town.city.access(EVERYTHING))
    agree(town, 9, {"contract": "apartment_total"})
    agree(town, 16, {"contract": "apartment_total", "share": "equal"})
    after = bills_of(town.city.access(EVERYTHING))
    assert [(one.start, one.end, one.due_won) for one in after] == [
        (one.start, one.end, one.due_won) for one in before
    ]  # fmt: skip


@BY_THE_DAY
def test_a_stretch_that_was_held_back_stands_beside_the_issued_one(town_at: Callable[[datetime], Town]) -> None:
    town = town_at(at(2, month=11))
    # the facts of the second contract are not whole: its bill is held back
    agree(town, 16, {"contract": "general_low"})
    access = town.city.access(EVERYTHING)
    before, bills = same(town, access, 2)
    assert "lacks" in before.why
    answer_request(town.city, BillIssue("city", OCTOBER), no_progress)
    line = line_of(home_of(town, town.city.access(EVERYTHING)).bill(HOME, OCTOBER))
    assert line.issued is not None
    assert [one.first.day for one in line.issued] == [1]
    assert (line.won, line.use) == (sum(one.due_won or 0 for one in bills), before.use)
    assert "lacks" in line.why


@BY_THE_DAY
def test_an_operator_sees_the_present_households_month_and_is_told(town_at: Callable[[datetime], Town]) -> None:
    town = town_at(at(2, month=11))
    access = town.city.access(EVERYTHING)
    assert home_of(town, access).bill(HOME, OCTOBER).moved is None
    town.moves(at(15, 12))
    for reads in (town.city.access(EVERYTHING), reader(town.city, at(15, 12))):
        page = home_of(town, reads).bill(HOME, OCTOBER)
        last = {one.commodity: one for one in dwelling_bills(reads, HOME, OCTOBER, None, SEOUL).bills}
        assert (page.first, len(page.lines)) == (date(2025, 10, 15), len(UNITS))
        assert {one.commodity: one.won for one in page.lines} == {code: one.due_won for code, one in last.items()}
    operators = home_of(town, town.city.access(EVERYTHING))
    assert operators.bill(HOME, OCTOBER).moved == date(2025, 10, 15)
    assert operators.bill(HOME, OCTOBER).since is None
    assert (operators.bill(HOME, "2025-11").moved, operators.bill(HOME, "2025-09").moved) == (None, None)


def test_an_operators_month_that_goes_on_is_the_present_households(town_at: Callable[[datetime], Town]) -> None:
    town = town_at(at(20, 14))
    town.moves(at(15, 12))
    own, all_ = (home_of(town, one) for one in (reader(town.city, at(15, 12)), town.city.access(EVERYTHING)))
    mine, seen = own.bill(HOME), all_.bill(HOME)
    assert seen.moved == date(2025, 10, 15)
    assert (seen.first, seen.won, seen.won_ahead, seen.lines) == (mine.first, mine.won, mine.won_ahead, mine.lines)
    assert {one.commodity: one.won for one in all_.now(HOME).tiles} == {
        one.commodity: one.won for one in own.now(HOME).tiles
    }
