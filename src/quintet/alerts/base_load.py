"""The base load of electricity: what the quietest hour of the day draws, risen for weeks, or most of all use.

The whole day is looked at: what runs at night only (a heater, a car that charges) does not run all day.

Whether it has risen is judged only by nights of days as warm, and whether it is most of all use only by days on which
nobody heats or cools: without the outdoor temperature a heater in winter passes for what always runs, so that nothing
is said then. What stands ends only when it has fallen well below what raised it.
"""

import numpy as np

from quintet.access.home_hours import Floats, HoursSeen, Mask
from quintet.terms.alert import MONTH

from .chance import MILLION, rises
from .found import NO_LIKE_DAYS, NO_OUTDOOR, Fine, Found, Outcome, Unsaid
from .limits import limits
from .seen import HomeSeen, days_of, looked_for, nights, smallest_by_night, too_new, unheard, unseen

KIND = "base_load"
MONTH_DAYS = 30
"""Days for which a month's won are said."""
HOURS_A_DAY = 24
TOP = 100.0


def base_load(home: HomeSeen) -> list[Outcome]:
    """Look for a base load that has risen, or is most of all use."""
    return [_look(home, commodity) for commodity in looked_for(KIND, home)]


def _look(home: HomeSeen, commodity: str) -> Outcome:
    bounds = limits(KIND)
    refused = unseen(KIND, home, commodity) or unheard(KIND, home, home.services[commodity], HOURS_A_DAY)
    if refused is not None:
        return refused
    seen, days = home.services[commodity], home.calendar.days
    whole_day = nights(home.calendar, 0, HOURS_A_DAY)
    smallest, whole = smallest_by_night(seen, home.calendar, whole_day, HOURS_A_DAY)
    recent, past = np.zeros(days, np.bool_), np.zeros(days, np.bool_)
    recent[max(days - bounds["recent_days"], 0) :] = True
    past[max(days - bounds["recent_days"] - bounds["past_days"], 0) : max(days - bounds["recent_days"], 0)] = True
    recent, past = recent & whole, past & whole
    if int(recent.sum()) < bounds["needed_days"]:
        return too_new(KIND, home, commodity, bounds["needed_days"], int(recent.sum()))
    watts = smallest.astype(np.float64) / float(seen.unit.ratio) * 1000
    by_weather = _by_weather(home, seen, watts, recent, past)
    if isinstance(by_weather, Found):
        return by_weather
    mild = recent & _mild(home.outdoor_c)
    if int(mild.sum()) >= bounds["needed_days"] and _most(home, seen, watts, mild, "share_percent", "share_watts"):
        return _whole_base(home, seen, watts, mild)
    if isinstance(by_weather, Fine) and _most(home, seen, watts, recent, "ends_share_percent", "ends_share_watts"):
        return Fine(KIND, commodity, near=True)
    return by_weather


def _mild(outdoor_c: Floats) -> Mask:
    """Name the days on which nobody heats or cools: what runs then runs in any weather."""
    bounds = limits(KIND)
    return (outdoor_c >= bounds["mild_from_tenths"] / 10) & (outdoor_c <= bounds["mild_until_tenths"] / 10)


def _most(home: HomeSeen, seen: HoursSeen, watts: Floats, days: Mask, percent: str, least: str) -> bool:
    """Tell whether the base is as large a part of all use, and as large, as two limits say."""
    bounds = limits(KIND)
    return _share(home, seen, watts, days) >= bounds[percent] and float(np.median(watts[days])) >= bounds[least]


def _by_weather(home: HomeSeen, seen: HoursSeen, watts: Floats, recent: Mask, past: Mask) -> Outcome:
    """Look for a rise above the nights before of days as warm."""
    bounds, commodity = limits(KIND), seen.commodity
    told = recent & np.isfinite(home.outdoor_c)
    if int(told.sum()) < bounds["needed_days"]:
        return Unsaid(KIND, commodity, NO_OUTDOOR, {"days": int(told.sum()), "needed_days": bounds["needed_days"]})
    like = past & _as_warm(home.outdoor_c, told)
    if int(like.sum()) < bounds["needed_days"]:
        return Unsaid(KIND, commodity, NO_LIKE_DAYS, {"days": int(like.sum()), "needed_days": bounds["needed_days"]})
    rise = float(np.median(watts[told]) - np.median(watts[like]))
    chance = rises(watts[told], watts[like])
    if rise >= bounds["rise_watts"] and chance * MILLION <= bounds["chance_millionths"]:
        return _found(home, seen, watts, (told, like), rise, chance)
    still = rise >= bounds["ends_watts"] and chance * MILLION <= bounds["ends_millionths"]
    return Fine(KIND, commodity, near=still)


def _as_warm(outdoor_c: Floats, recent: Mask) -> Mask:
    """Name the days that were about as warm as the recent ones, all of whose weather is known."""
    known = outdoor_c[recent]
    beyond = limits(KIND)["warmer_tenths"] / 10
    return (outdoor_c >= known.min() - beyond) & (outdoor_c <= known.max() + beyond)


def _share(home: HomeSeen, seen: HoursSeen, watts: Floats, recent: Mask) -> float:
    """Give the percent of the recent days' use that the quietest hour makes, all day long."""
    value, whole = days_of(seen, home.calendar)
    held = recent & whole
    if not held.any():
        return 0.0
    used = float(np.median(value[held])) / float(seen.unit.ratio) * 1000
    return min(TOP * HOURS_A_DAY * float(np.median(watts[held])) / used, TOP) if used > 0 else 0.0


def _found(
    home: HomeSeen, seen: HoursSeen, watts: Floats, days: tuple[Mask, Mask], rise: float, chance: float
) -> Found:
    """State a rise; since when is the first recent night that is above all that was usual before."""
    recent, past = days
    base, before = (float(np.median(watts[one])) for one in days)
    risen = np.flatnonzero(recent & (watts > (base + before) / 2))
    first = int(risen[0]) if len(risen) else int(np.flatnonzero(recent)[0])
    figures = {"base": round(base), "before": round(before), "rise": round(rise), "nights": int(recent.sum()),
               "past_nights": int(past.sum()), "kwh_month": round(rise * HOURS_A_DAY * MONTH_DAYS / 1000)}  # fmt: skip
    return _stated(home, seen, first, figures, rise, 1 - chance)


def _whole_base(home: HomeSeen, seen: HoursSeen, watts: Floats, recent: Mask) -> Found:
    base, share = float(np.median(watts[recent])), _share(home, seen, watts, recent)
    figures = {"base": round(base), "share": round(share), "nights": int(recent.sum()),
               "kwh_month": round(base * HOURS_A_DAY * MONTH_DAYS / 1000)}  # fmt: skip
    return _stated(home, seen, int(np.flatnonzero(recent)[0]), figures, base, 1.0)


def _stated(
    home: HomeSeen, seen: HoursSeen, first: int, figures: dict[str, int], watts: float, confidence: float
) -> Found:
    """Price so many watts over a month: what they add to it, as it is heading."""
    sub_units = watts * HOURS_A_DAY * MONTH_DAYS / 1000 * float(seen.unit.ratio)
    won, reason = home.added_won(seen.commodity, sub_units, less=True)
    from_us = home.heard_from_us(seen)
    since_us = int(home.calendar.edges_us[first])
    return Found(KIND, seen.commodity, since_us, from_us, dict(figures), won, MONTH, reason, confidence)
