"""A dwelling that has used no water for a day, for who is to look in: only where that was agreed to.

Each hour must be there, measured and undoubted: an hour that is missing is no zero, and a meter that was not heard of
lately says nothing. A tap of hot water that ran says that somebody is at home, and that the meter may have stopped.
"""

from functools import cache

import numpy as np

from quintet.access.home_hours import HoursSeen
from quintet.terms.alert import ONCE, WELFARE
from quintet.terms.catalogue import check_keys, read_toml

from .chance import of_share
from .found import COARSE, GAPS, NO_LIFE, Fine, Found, Outcome, Unsaid
from .limits import limits
from .seen import HomeSeen, days_of, looked_for, unheard, unseen

NO_CONSENT, AWAY = "no_consent", "away"
NO_USE = "no_use"
"""Why it has no won: nothing is used."""


def no_water(home: HomeSeen) -> list[Outcome]:
    """Look for a dwelling without water."""
    return [_look(home, commodity) for commodity in looked_for(WELFARE, home)]


def _look(home: HomeSeen, commodity: str) -> Outcome:
    if not home.watched:
        return Unsaid(WELFARE, commodity, NO_CONSENT)
    if home.now_us < home.away_until_us:
        return Unsaid(WELFARE, commodity, AWAY)
    refused = unseen(WELFARE, home, commodity)
    if refused is not None:
        return refused
    bounds, seen = limits(WELFARE), home.services[commodity]
    silent = unheard(WELFARE, home, seen, bounds["late_hours"])
    if silent is not None:
        return silent
    first, until = _run(home, seen)
    hours = until - first
    if hours < bounds["hours"]:
        return Fine(WELFARE, commodity)
    return (
        _coarse_or_empty(home, seen, first)
        or _tapped(home, commodity, first, until)
        or _found(home, seen, first, until)
    )


def _run(home: HomeSeen, seen: HoursSeen) -> tuple[int, int]:
    """Give the hours [first, until) of nothing up to the last that was heard; each is beyond doubt.

    Hours in which somebody said that he is away do not count.
    """
    until = int(np.flatnonzero(seen.sound)[-1]) + 1
    broken = np.flatnonzero(~seen.sound[:until] | (seen.value[:until] != 0))
    first = int(broken[-1]) + 1 if len(broken) else 0
    back = int(np.searchsorted(home.calendar.start_us, max(home.away_until_us, home.begins_us)))
    return min(max(first, back), until), until


def _coarse_or_empty(home: HomeSeen, seen: HoursSeen, first: int) -> Unsaid | None:
    """Say that the meter counts too coarsely to tell, or that nobody lives there, or that it counts nothing at all."""
    bounds = limits(WELFARE)
    value, whole = days_of(seen, home.calendar)
    before = np.arange(home.calendar.days) < int(home.calendar.day[first])
    known = np.flatnonzero(before & whole)[-bounds["lived_days"] :]
    used = value[known][value[known] > 0]
    if len(known) < bounds["lived_least"]:
        return Unsaid(WELFARE, seen.commodity, GAPS, {"days": len(known), "needed_days": bounds["lived_least"]})
    if len(used) < bounds["lived_least"]:
        return Unsaid(WELFARE, seen.commodity, NO_LIFE, {"days": len(known), "life_days": len(used)})
    if seen.step * bounds["steps_a_day"] > np.median(used):
        return Unsaid(WELFARE, seen.commodity, COARSE)
    return None


def _tapped(home: HomeSeen, commodity: str, first: int, until: int) -> Fine | None:
    """Tell that somebody opened another tap meanwhile."""
    for other in taps():
        seen = home.services.get(other)
        if other != commodity and seen is not None and bool((seen.sound & (seen.value > 0))[first:until].any()):
            return Fine(WELFARE, commodity)
    return None


def _found(home: HomeSeen, seen: HoursSeen, first: int, until: int) -> Found:
    """Say it, with how often a day without water came about here before."""
    value, whole = days_of(seen, home.calendar)
    before = whole & (np.arange(home.calendar.days) < int(home.calendar.day[first]))
    zero = int((value[before] == 0).sum())
    figures = {"hours": until - first, "days": int(before.sum()), "zero_days": zero}
    since_us = int(home.calendar.start_us[first])
    from_us = max(int(home.calendar.start_us[0]), home.begins_us)
    return Found(
        WELFARE, seen.commodity, since_us, from_us, figures, None, ONCE, NO_USE, 1 - of_share(zero, int(before.sum()))
    )


@cache
def taps() -> tuple[str, ...]:
    """Name the utilities that only a person in the dwelling uses."""
    table = read_toml("quintet.alerts", "taps.toml")
    check_keys(table, required={"source", "taps"}, optional=set(), place="taps.toml")
    return tuple(table["taps"])
