"""A meter that counts nothing although this dwelling would use something, and somebody is at home.

What its own past says comes first: on days no colder than these, did it ever use nothing? A household that never used
any yet is compared with the homes of its complex, and only in the cold.
"""

import numpy as np

from quintet.access.home_hours import Floats, HoursSeen, Mask
from quintet.terms.alert import ONCE, alert_kinds
from quintet.terms.amount import Ints

from .chance import MILLION, in_a_row, of_share
from .found import NEVER_USED, NO_LIFE, NO_OUTDOOR, Fine, Found, Outcome, Unsaid
from .limits import limits
from .seen import Alike, HomeSeen, days_of, looked_for, nights, smallest_by_night, too_new, unheard, unseen

KIND = "dead_meter"
HOURS_A_DAY = 24
NO_USE = "no_use"
"""Why it has no won: nothing is used too much; what is owed is settled on the bill."""


def dead_meter(home: HomeSeen) -> list[Outcome]:
    """Look for meters that have stopped."""
    return [_look(home, commodity) for commodity in looked_for(KIND, home)]


def _look(home: HomeSeen, commodity: str) -> Outcome:
    refused = unseen(KIND, home, commodity)
    if refused is not None:
        return refused
    bounds, seen = limits(KIND), home.services[commodity]
    value, whole = days_of(seen, home.calendar)
    over = _whole_days(whole)
    if not over.any() or not whole[over][-1]:
        unsaid = unheard(KIND, home, seen, HOURS_A_DAY)
        return unsaid or too_new(KIND, home, commodity, bounds["least_days"], int((over & whole).sum()))
    run = _zero_days(value, whole, int(np.flatnonzero(over)[-1]))
    if int(run.sum()) < bounds["least_days"]:
        known = over & whole
        if home.since_us is not None and not (known & ~run).any():
            return too_new(KIND, home, commodity, bounds["least_days"], int(known.sum()))
        return Fine(KIND, commodity)
    life = run & _life(home, commodity)
    if int(life.sum()) < bounds["life_days"]:
        return Unsaid(KIND, commodity, NO_LIFE, {"days": int(run.sum()), "life_days": int(life.sum())})
    like = _like_days(home, commodity, run, whole)
    if like is None:
        return Unsaid(KIND, commodity, NO_OUTDOOR)
    count, used = int(like.sum()), int((like & (value > 0)).sum())
    told = {"days": int(run.sum()), "life_days": int(life.sum()), "like_days": count, "used_days": used}
    if count >= bounds["like_days"]:
        chance = in_a_row(count - used, count, int(life.sum()))
        if chance * MILLION <= bounds["chance_millionths"]:
            return _found(home, seen, run, chance, told)
    alike = _by_alike(home, commodity, run)
    if alike is not None:
        chance = of_share(alike.zero, alike.homes)
        said = {**told, "alike_homes": alike.homes, "alike_zero": alike.zero}
        return _found(home, seen, run, chance, said) if 10 * alike.zero <= alike.homes else Fine(KIND, commodity)
    if count >= bounds["like_days"]:
        return Fine(KIND, commodity)
    if not (whole & (value > 0)).any():
        return Unsaid(KIND, commodity, NEVER_USED, {"days": int(run.sum())})
    return too_new(KIND, home, commodity, bounds["like_days"], count)


def _whole_days(whole: Mask) -> Mask:
    """Name the days that are over: the one of now is not."""
    over = np.ones(len(whole), np.bool_)
    over[-1] = False
    return over


def _zero_days(value: Ints, whole: Mask, last: int) -> Mask:
    """Name the unbroken days of nothing up to the last day that is over; each must be beyond doubt."""
    zero = whole & (value == 0)
    run = np.zeros(len(zero), np.bool_)
    for day in range(last, -1, -1):
        if not zero[day]:
            break
        run[day] = True
    return run


def _life(home: HomeSeen, but: str) -> Mask:
    """Name the days on which another utility came to half of its usual at least: somebody was at home.

    What always runs, also while nobody is there, is taken off on both sides: the quietest hour, all day long.
    """
    out = np.zeros(home.calendar.days, np.bool_)
    whole_day = nights(home.calendar, 0, HOURS_A_DAY)
    for commodity, seen in home.services.items():
        if commodity == but:
            continue
        value, whole = days_of(seen, home.calendar)
        smallest, _ = smallest_by_night(seen, home.calendar, whole_day, HOURS_A_DAY)
        used = whole & (value > 0)
        if not used.any():
            continue
        base = HOURS_A_DAY * np.median(smallest[used])
        usual = np.median(value[used]) - base
        out |= whole & (usual > 0) & (100 * (value - base) >= limits(KIND)["life_percent"] * usual)
    return out


def _like_days(home: HomeSeen, commodity: str, run: Mask, whole: Mask) -> Mask | None:
    """Name the days before the run that tell whether it is ordinary; of heat, those that were no colder than its.

    On a colder day it is used the more: that it was, tells nothing of these. None where the weather is not known.
    """
    before = whole.copy()
    before[int(np.flatnonzero(run)[0]) :] = False
    if commodity not in alert_kinds()[KIND].weather:
        return before
    warmest = _warmest(home.outdoor_c, run)
    if warmest is None:
        return None
    return before & (home.outdoor_c >= warmest - limits(KIND)["warmer_tenths"] / 10)


def _warmest(outdoor_c: Floats, run: Mask) -> float | None:
    known = outdoor_c[run]
    known = known[np.isfinite(known)]
    return float(known.max()) if len(known) else None


def _by_alike(home: HomeSeen, commodity: str, run: Mask) -> Alike | None:
    """Give the other homes of the complex where they tell something: enough of them, cold enough, long enough."""
    bounds, alike = limits(KIND), home.alike.get(commodity)
    warmest = _warmest(home.outdoor_c, run)
    if (
        alike is None
        or commodity not in alert_kinds()[KIND].weather
        or warmest is None
        or 10 * warmest > bounds["cold_tenths"]
    ):
        return None
    enough = alike.homes >= bounds["alike_homes"] and int(run.sum()) >= bounds["alike_days"]
    return alike if enough else None


def _found(home: HomeSeen, seen: HoursSeen, run: Mask, chance: float, figures: dict[str, int]) -> Found:
    first = int(np.flatnonzero(run)[0])
    from_us = home.heard_from_us(seen)
    since_us = int(home.calendar.edges_us[first])
    return Found(KIND, seen.commodity, since_us, from_us, dict(figures), None, ONCE, NO_USE, 1 - chance)
