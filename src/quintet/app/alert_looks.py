"""Looking for alerts in an open city: which dwellings, by whose rights, and what is written down of it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from quintet.access import EVERYTHING, Access
from quintet.access.home_hours import household_since, looked_from
from quintet.access.mixing import homes_below
from quintet.alerts.evaluate import Looked, looked_at
from quintet.registry.alerts import News, Seen
from quintet.registry.stays import residents_since
from quintet.registry.tree import ROOT
from quintet.terms.alert import Alert

from .alert_forecast import PageForecast
from .city import City

AT_ONCE = 250
"""Dwellings whose outcomes are written in one batch."""


@dataclass
class Tally:
    """What some looks came to: how many dwellings, and what was raised and ended."""

    homes: int
    raised: list[Alert]
    ended: list[Alert]


def machine(city: City) -> Access:
    """Give the access of the machine that watches: no person reads, so no one's read log tells of it."""
    return Access(city.engine, city.registry, city.pipeline.recent, EVERYTHING, city.rule_set)


def homes_of(city: City, place: str = ROOT) -> Sequence[str]:
    """Name the dwellings at and below a place, those of one complex next to each other."""
    return homes_below(city.registry(), place)


def budgets_of(city: City, places: Sequence[str], rights: Mapping[str, int]) -> dict[str, int]:
    """Give the budgets of the present households of dwellings: one that somebody set who moved out counts no more.

    `rights` as of `looked_at`: where no move is recorded, what was set before counts for who lived there then.
    """
    every, registry, now_us = city.alerts.budgets(), city.registry(), city.now()
    out: dict[str, int] = {}
    for place in places:
        if place in every:
            found = city.alerts.budget(place, household_since(registry, place, now_us) or 0)
            begins_us = looked_from(registry, place, now_us, rights.get(place)) or 0
            if found is not None and found.won is not None and found.at_us >= begins_us:
                out[place] = found.won
    return out


def begins_of(city: City, places: Sequence[str]) -> dict[str, tuple[int | None, int | None]]:
    """Give from when on each of some dwellings is looked at for who lives there now; None: all that is known.

    And since when the last of those who have an account there may see it: when that changes, somebody came.
    """
    registry, now_us = city.registry(), city.now()
    first, last = (residents_since(registry, city.people, places, last=one) for one in (False, True))
    return {place: (looked_from(registry, place, now_us, first.get(place)), last.get(place)) for place in places}


def watched_of(city: City) -> dict[str, int]:
    """Give the dwellings where somebody is to be told that no water is used, and until when nobody is at home."""
    return {} if city.telling is None else city.telling.watched()


def look(
    city: City,
    places: Sequence[str],
    *,
    alike: bool,
    forecast: PageForecast | None = None,
    told: Callable[[News], None] | None = None,
    step: Callable[[int], None] | None = None,
    rest: Callable[[float], object] | None = None,
) -> Tally:
    """Look at dwellings and write down what changed; `told` gets the news of each batch, `step` how many are done.

    `forecast` is kept by who looks again and again. `rest` is called after each dwelling with the seconds it took: who
    answers people meanwhile waits for that one only.
    """
    tally = Tally(0, [], [])
    access = machine(city)
    ahead = PageForecast(access) if forecast is None else forecast
    rights, watched = residents_since(city.registry(), city.people, places), watched_of(city)
    budgets = budgets_of(city, places, rights)
    found = looked_at(access, places, city.now(), budgets, watched, alike=alike, forecast=ahead, rights=rights)
    for some in _some(found if rest is None else _resting(found, rest)):
        news = city.alerts.take([seen_of(one) for one in some])
        tally.homes += len(some)
        tally.raised += news.raised
        tally.ended += news.ended
        if told is not None and (news.raised or news.ended):
            told(news)
        if step is not None:
            step(tally.homes)
    return tally


def _resting(found: Iterator[Looked], rest: Callable[[float], object]) -> Iterator[Looked]:
    """Rest after each look."""
    began_s = time.monotonic()
    for one in found:
        rest(time.monotonic() - began_s)
        yield one
        began_s = time.monotonic()


def _some(found: Iterator[Looked]) -> Iterator[list[Looked]]:
    """Give looks in batches."""
    while part := list(islice(found, AT_ONCE)):
        yield part


def seen_of(one: Looked) -> Seen:
    """Give a look as the registry takes it."""
    return Seen(one.place, one.at_us, one.tenancy_us, one.found, one.fine, one.unsaid, one.begins_us, one.days)
