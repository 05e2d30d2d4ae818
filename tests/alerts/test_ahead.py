"""Where the month is heading: the tier that comes, its day and won, and a resident's budget; nothing before a week."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np

from quintet.alerts.ahead import budget, month_ahead, tier
from quintet.alerts.found import Fine, Unsaid
from quintet.alerts.seen import HomeSeen, MonthUse
from quintet.terms.unit import units

from .homes import LAST, found, home, only, rates


def month(kwh_a_day: float, over: int = 15, start: date = date(2025, 10, 1)) -> MonthUse:
    """Give a month of electricity of which so many days are over, each a little different."""
    daily = np.array([round((kwh_a_day + (day % 3 - 1) * 0.2) * 10**6) for day in range(over)], np.int64)
    used = Fraction(int(daily.sum()), 10**6)
    end = (start + timedelta(days=32)).replace(day=1)
    return MonthUse(units()["kWh"], start, end, over, used, True, daily, used * 31 / max(over, 1))


def at(use: MonthUse, won: int | None = None) -> HomeSeen:
    return replace(home({}, budget=won), month={"electricity": use})


def test_a_tier_that_comes_is_told_with_its_day_and_what_comes_beyond() -> None:
    one = found(tier(at(month(8.0))), "electricity")  # 248 kWh: tier 2 from 200 kWh on
    assert (one.figures["tier"], one.figures["limit"], one.figures["unit"]) == (2, 200.0, "kWh")
    assert one.figures["day"] == max(date(2025, 10, 26), LAST).isoformat()
    use = month(8.0)
    asked = rates().asked("c1/101/1", "electricity", use.unit, use.start, use.end)
    assert one.won == rates().added(asked, Fraction(200), use.used * 31 / 15)[0]
    assert one.confidence > 0.95


def test_a_month_within_its_tier_or_beyond_the_last_is_fine() -> None:
    for a_day in (5.0, 6.4, 30.0):
        assert tier(at(month(a_day))) == [Fine("tier", "electricity")]


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
    use = month(8.0)
    ends = month_ahead(at(use)).ends
    assert ends is not None
    one = found(budget(at(use, 20_000)), "")
    assert one.won == round(ends) - 20_000 == one.figures["over"]
    assert date.fromisoformat(str(one.figures["day"])) < date(2025, 11, 1)
    assert budget(at(use, 400_000)) == [Fine("budget", "")]
    assert budget(at(use)) == [Unsaid("budget", "", "no_budget")]
    outcome = budget(replace(at(use, 20_000), rates=rates({})))[0]
    assert isinstance(outcome, Unsaid)
    assert outcome.why == "no_price"


def test_the_nearer_the_end_the_surer() -> None:
    spread = [month_ahead(at(month(8.0, over=over))).spread for over in (8, 15, 28)]
    assert spread == sorted(spread, reverse=True)
    assert only(budget(at(month(8.0, over=28), 1_000_000)), "") == Fine("budget", "")
