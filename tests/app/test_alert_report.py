"""How often alerts would be raised: no rate over days too few, and what is told once a month never more often."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from quintet.alerts.found import Found
from quintet.app.alert_report import raised_rows
from quintet.app.alert_trials import Spell, Trial
from quintet.terms.period import HOUR_US, day_start, to_us

TZ = ZoneInfo("Asia/Seoul")


def looked(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def spell(place: str, kind: str, day: date) -> Spell:
    at_us = to_us(day_start(day, TZ)) + 7 * HOUR_US
    figures = {"month": f"{day:%Y-%m}"} if kind == "tier" else {"hours": 80}
    return Spell(place, Found(kind, "water", at_us, at_us, figures, None, "month", "", 0.99), at_us, at_us)


def rate(kind: str, days: list[date], spells: list[Spell], homes: int = 2) -> tuple[float, int, float | None]:
    trial = Trial(homes, len(days), 0, 0, spells=spells, metered={"water": homes})
    (row,) = raised_rows(trial, days, TZ)
    assert row["kind"] == kind
    return row["home_months"], row["alerts"], row["alerts_per_home_month"]


def test_fewer_days_than_a_kind_needs_give_no_rate() -> None:
    first = date(2026, 10, 5)
    for kind, needed in (("water_leak", 4), ("dead_meter", 4), ("base_load", 14)):
        for count in (1, needed - 1, needed, needed + 1):
            found = rate(kind, looked(first, count), [spell("a", kind, first)])
            months = round(2 * count / 30.44, 1)
            assert found[:2] == (months, 1)
            assert found[2] == (round(30.44 / 2 / count, 4) if count >= needed else None)


def test_what_is_told_once_a_month_is_counted_by_whole_months_and_once_a_home() -> None:
    often = [spell(place, "tier", date(2026, 10, day)) for place in "ab" for day in (8, 20, 30)]
    assert rate("tier", looked(date(2026, 10, 8), 1), often[:1]) == (0, 1, None)
    assert rate("tier", looked(date(2026, 10, 9), 40), often) == (0, 6, None)  # the first day on which it can be told
    assert rate("tier", looked(date(2026, 10, 8), 24), often) == (2, 6, 1.0)
    assert rate("tier", looked(date(2026, 10, 1), 60), often[:3]) == (2, 3, 0.5)  # of November a day lacks
    assert rate("tier", looked(date(2026, 10, 1), 61), often[:3]) == (4, 3, 0.25)
