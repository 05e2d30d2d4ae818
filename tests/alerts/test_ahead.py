"""Where the month is heading: the tier that comes, its day and won, and a resident's budget; nothing before a week."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np

from quintet.alerts.ahead import budget, tier
from quintet.alerts.found import Fine, Unsaid
from quintet.alerts.seen import HomeSeen, MonthUse
from quintet.tariffs.ahead import Ahead
from quintet.terms.period import day_start, from_us, local_day, to_us
from quintet.terms.unit import units

from .homes import LAST, TZ, found, home, rates


def month(kwh_a_day: float, over: int = 15, start: date = date(2025, 10, 1)) -> MonthUse:
    """Give a month of electricity of which so many days are over, each a little different."""
    daily = np.array([round((kwh_a_day + (day % 3 - 1) * 0.2) * 10**6) for day in range(over)], np.int64)
    used = Fraction(int(daily.sum()), 10**6)
    end = (start + timedelta(days=32)).replace(day=1)
    return MonthUse(units()["kWh"], start, end, over, used, True, daily, used * 31 / max(over, 1))


def at(use: MonthUse, won: int | None = None, kwh_a_day: float = 8.0, apart: float | None = 10.0) -> HomeSeen:
    """Give a home whose days to come are said to use so much each, with a range of so many kWh (None: no range)."""

    def forecast(_place: str, _code: str, now_us: int, _since: int | None, end: date) -> tuple[Ahead | None, int]:
        left = (end - local_day(from_us(now_us), TZ)).days
        more = kwh_a_day * left * 10**6
        ends = (None, None) if apart is None else (more - apart * 10**6, more + apart * 10**6)
        return Ahead(more, *ends, 30, (kwh_a_day * 10**6,) * left), 15

    return replace(home({}, budget=won), month={"electricity": use}, forecast=forecast)


def test_a_tier_that_comes_is_told_with_its_day_and_what_comes_beyond() -> None:
    use = month(7.0, over=26)  # 182 kWh until the 26th: tier 2 from 200 kWh on
    one = found(tier(at(use)), "electricity")
    assert (one.figures["tier"], one.figures["limit"], one.figures["unit"]) == (2, 200.0, "kWh")
    assert one.figures["ends"] == 221.8
    assert one.figures["least"] == 211.8
    assert one.figures["day"] == (LAST + timedelta(days=2)).isoformat()
    asked = rates().asked("c1/101/1", "electricity", use.unit, use.start, use.end)
    assert one.won == rates().added(asked, Fraction(200), use.used + 40)[0]
    assert 0.99 < one.confidence < 1


def test_it_is_told_when_the_lower_end_is_beyond_and_until_the_forecast_is_not() -> None:
    use = month(7.0, over=26)
    assert tier(at(use, apart=25.0)) == [Fine("tier", "electricity", near=True)]
    assert tier(at(use, kwh_a_day=2.0)) == [Fine("tier", "electricity")]
    for refused in (tier(at(use, apart=None)), budget(at(use, 20_000, apart=None))):
        assert isinstance(refused[0], Unsaid)
        assert (refused[0].why, refused[0].figures) == ("gaps", {"days": 15, "needed_days": 20})


def test_a_month_within_its_tier_or_beyond_the_last_is_fine() -> None:
    for a_day in (5.0, 6.4, 30.0):
        assert tier(at(month(a_day, over=26), kwh_a_day=a_day)) == [Fine("tier", "electricity")]


def test_a_young_month_a_gap_and_no_contract_say_so() -> None:
    assert tier(at(month(8.0, over=3)))[0] == Unsaid("tier", "electricity", "too_early", {"days": 3, "needed_days": 7})
    moved = replace(at(month(8.0, over=3, start=date(2025, 10, 20))), since_us=1)
    outcome = tier(moved)[0]
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "moved_in"
    assert tier(at(replace(month(8.0), whole=False)))[0] == Unsaid("tier", "electricity", "gaps", {"days": 15})
    assert tier(replace(at(month(8.0)), rates=rates({})))[0] == Unsaid("tier", "electricity", "not_agreed")
    future = at(month(8.0, start=date(2031, 10, 1)))
    assert tier(future)[0] == Unsaid("tier", "electricity", "no_card")


def test_a_budget_is_told_when_the_month_is_heading_beyond_it() -> None:
    use = month(7.0, over=26)
    one = found(budget(at(use, 20_000)), "")
    ends = [won(use, use.used + more) for more in (40, 30)]
    assert [one.figures["ends"], one.figures["least"]] == ends
    assert one.won == ends[0] - 20_000 == one.figures["over"]
    assert LAST <= date.fromisoformat(str(one.figures["day"])) < date(2025, 11, 1)
    between = sum(ends) // 2
    assert budget(at(use, between)) == [Fine("budget", "", near=True)]
    assert budget(at(use, 400_000)) == [Fine("budget", "")]
    assert budget(at(use)) == [Unsaid("budget", "", "no_budget")]
    outcome = budget(replace(at(use, 20_000), rates=rates({})))[0]
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "no_price"


def won(use: MonthUse, amount: Fraction) -> int:
    bill = rates().price(rates().asked("c1/101/1", "electricity", use.unit, use.start, use.end), amount).bill
    assert bill is not None
    return int(bill.total)


def test_a_month_of_which_only_a_part_may_be_looked_at_is_not_judged() -> None:
    begins = to_us(day_start(LAST - timedelta(days=12), TZ))
    part = replace(month(7.0, over=26), own=False)
    one = replace(at(part, 30_000), since_us=begins)
    for said in (*tier(one), *budget(one)):
        assert isinstance(said, Unsaid)
        assert (said.why, said.figures, said.ends) == ("moved_in", {"days": 12, "needed_days": 26}, True)


def test_the_month_of_a_move_rests_on_nothing_before_its_hour() -> None:
    use = month(9.0, over=20, start=date(2025, 10, 1))
    moved_us = to_us(day_start(use.start, TZ)) + 15 * 3600 * 1_000_000
    one = replace(at(use, 1000), since_us=moved_us, stay_us=moved_us)
    assert [found(judged(one), code).from_us for judged, code in ((tier, "electricity"), (budget, ""))] == [
        moved_us
    ] * 2
