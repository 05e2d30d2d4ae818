"""One dwelling as conditions are shown it, made of plain hours: ordinary days, and what the test puts there."""

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np

from quintet.access.home_hours import Calendar, Floats, HoursSeen, Mask
from quintet.alerts.found import Found, Outcome
from quintet.alerts.seen import Alike, Forecast, HomeSeen, MonthUse
from quintet.registry import Registry
from quintet.store.records import ALWAYS, Record
from quintet.tariffs.agreements import TERMS, terms_key
from quintet.tariffs.home_rates import HomeRates
from quintet.terms.amount import Ints
from quintet.terms.period import HOUR_US, day_start, edges_between, to_us
from quintet.terms.unit import units

TZ = ZoneInfo("Asia/Seoul")
PLACE = "c1/101/1"
DAYS = 57
LAST = date(2025, 10, 27)
"""The local day of now, at seven in the morning."""
NOW_HOUR = 7
LITRE, WATT_HOUR = 1000, 1000
UNIT = {"water": "m3", "gas": "m3", "hot_water": "m3", "heat": "kWh", "electricity": "kWh"}
BILLED = {
    "electricity": {"contract": "low_voltage", "source": "test"},
    "water": {"contract": "household", "card_city": "ansan", "pipe_mm": "13", "source": "test"},
    "gas": {"unit_price": "22.4", "base_won": "1000", "calorific": "42.7", "correction": "1", "source": "test"},
}


def rates(billed: Mapping[str, Mapping[str, str]] = BILLED) -> HomeRates:
    """Give the prices of the dwelling."""
    levels = (("c1", "complex", "city"), ("c1/101", "building", "c1"), (PLACE, "premise", "c1/101"))
    records = [Record("place", place, ALWAYS, {"level": level, "parent": above}) for place, level, above in levels]
    records += [Record(TERMS, terms_key("city", commodity), ALWAYS, dict(body)) for commodity, body in billed.items()]
    city = Record("city", "city", ALWAYS, {"name_en": "C", "name_ko": "C", "timezone": TZ.key, "simulated": True})
    return HomeRates(Registry.from_records([city, *sorted(records, key=lambda one: (one.kind, one.key))]))


def calendar(last: date = LAST, days: int = DAYS, hour: int = NOW_HOUR) -> Calendar:
    """Give the hours of some local days, the last one until `hour`."""
    first = last - timedelta(days=days)
    start, end = to_us(day_start(first, TZ)), to_us(day_start(last, TZ)) + hour * HOUR_US
    starts = start + HOUR_US * np.arange((end - start) // HOUR_US, dtype=np.int64)
    _, edges = edges_between(first, last, TZ)
    day = np.searchsorted(edges, starts, side="right") - 1
    return Calendar(starts, day.astype(np.int64), (starts - edges[day]) // HOUR_US, edges)


def ordinary(at: Calendar, most: int, night: int = 0) -> Ints:
    """Give hours of an ordinary dwelling: `most` in waking hours, other amounts each, `night` in those of the night."""
    waking = (at.hour >= 6) & (at.hour < 23)
    return np.where(waking, most + (at.day * 7 + at.hour * 3) % 11 * (most // 50 or 1), night).astype(np.int64)


def seen(commodity: str, value: Ints, sound: Mask | None = None) -> HoursSeen:
    """Give a utility's hours; those that are not sound are known, but doubted or estimated."""
    every = np.ones(len(value), np.bool_)
    good = every if sound is None else sound
    step = int(np.gcd.reduce(value[good])) if good.any() else 0
    return HoursSeen(commodity, units()[UNIT[commodity]], value, every, every, good, step)


def home(
    services: Mapping[str, HoursSeen],
    *,
    at: Calendar | None = None,
    outdoor_c: Floats | None = None,
    since_us: int | None = None,
    budget: int | None = None,
    alike: Mapping[str, Alike] | None = None,
    priced: HomeRates | None = None,
    forecast: Forecast | None = None,
) -> HomeSeen:
    """Give the dwelling; its month is what its hours come to."""
    held = at or calendar()
    now_us = int(held.start_us[-1]) + HOUR_US
    carriers = ("electricity", "gas", "water", "heat", "hot_water")
    weather = np.full(held.days, 12.0) if outdoor_c is None else outdoor_c
    month = {code: month_of(one, held) for code, one in services.items()}
    return HomeSeen(
        PLACE, now_us, TZ, since_us, held, services, frozenset(), carriers, weather, month, priced or rates(),
        alike or {}, budget, forecast=forecast,
    )  # fmt: skip


def month_of(one: HoursSeen, at: Calendar, last: date = LAST) -> MonthUse:
    """Give a utility's month under way."""
    start = last.replace(day=1)
    end = (start + timedelta(days=32)).replace(day=1)
    over = (last - start).days
    daily = np.bincount(at.day, weights=one.value, minlength=at.days).astype(np.int64)[at.days - 1 - over : -1]
    used = Fraction(int(daily.sum())) / one.unit.ratio
    return MonthUse(one.unit, start, end, over, used, True, daily, used * (end - start).days / max(over, 1))


def only(outcomes: list[Outcome], commodity: str) -> Outcome:
    """Give what was said of one utility."""
    (one,) = [outcome for outcome in outcomes if outcome.commodity == commodity]
    return one


def found(outcomes: list[Outcome], commodity: str) -> Found:
    """Give what was found of one utility; fails where nothing was."""
    one = only(outcomes, commodity)
    assert isinstance(one, Found), one
    return one
