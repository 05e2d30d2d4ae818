"""The base load of electricity: what the quietest hour of the night draws, risen for weeks, or most of all use."""

import numpy as np

from quintet.access.home_hours import Floats, HoursSeen, Mask
from quintet.terms.alert import MONTH

from .chance import MILLION, rises
from .found import Fine, Found, Outcome
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
    refused = unseen(KIND, home, commodity) or unheard(KIND, home.services[commodity], HOURS_A_DAY)
    if refused is not None:
        return refused
    seen, days = home.services[commodity], home.calendar.days
    night = nights(home.calendar, bounds["night_from"], bounds["night_until"])
    smallest, whole = smallest_by_night(seen, home.calendar, night, bounds["night_until"] - bounds["night_from"])
    recent, past = np.zeros(days, np.bool_), np.zeros(days, np.bool_)
    recent[max(days - bounds["recent_days"], 0) :] = True
    past[max(days - bounds["recent_days"] - bounds["past_days"], 0) : max(days - bounds["recent_days"], 0)] = True
    recent, past = recent & whole, past & whole
    if int(recent.sum()) < bounds["needed_days"]:
        return too_new(KIND, home, commodity, bounds["needed_days"], int(recent.sum()))
    watts = smallest.astype(np.float64) / float(seen.unit.ratio) * 1000
    like = past & _as_warm(home.outdoor_c, recent)
    rise = _rise(watts, recent, like) if int(like.sum()) >= bounds["needed_days"] else None
    if rise is not None:
        return _found(home, seen, watts, (recent, like), *rise)
    share = _share(home, seen, watts, recent)
    if share >= bounds["share_percent"] and float(np.median(watts[recent])) >= bounds["share_watts"]:
        return _whole_base(home, seen, watts, recent, share)
    if int(like.sum()) < bounds["needed_days"]:
        return too_new(KIND, home, commodity, bounds["needed_days"], int(like.sum()))
    return Fine(KIND, commodity)


def _as_warm(outdoor_c: Floats, recent: Mask) -> Mask:
    """Name the days that were about as warm as the recent ones; all, where the weather is not known."""
    known = outdoor_c[recent]
    known = known[np.isfinite(known)]
    if not len(known):
        return np.ones(len(outdoor_c), np.bool_)
    beyond = limits(KIND)["warmer_tenths"] / 10
    return (outdoor_c >= known.min() - beyond) & (outdoor_c <= known.max() + beyond)


def _rise(watts: Floats, recent: Mask, past: Mask) -> tuple[float, float] | None:
    """Give by how many watts the base has risen, and the chance that it has not; None where it has not."""
    bounds = limits(KIND)
    rise = float(np.median(watts[recent]) - np.median(watts[past]))
    chance = rises(watts[recent], watts[past])
    if rise < bounds["rise_watts"] or chance * MILLION > bounds["chance_millionths"]:
        return None
    return rise, chance


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


def _whole_base(home: HomeSeen, seen: HoursSeen, watts: Floats, recent: Mask, share: float) -> Found:
    base = float(np.median(watts[recent]))
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
