"""The rights: whoever asks for a place that is not his is refused, by every way of asking."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from quintet.access import EVERYTHING, Access, Scope
from quintet.terms.errors import Forbidden, NotFound
from quintet.terms.period import Resolution, Span, from_us

from .conftest import PARENT, City, small_city, utc

DAY = Span(utc(2), utc(3))
CHANNEL_AT = {
    "s1/left": "s1/b1/1",
    "s1/right": "s1/b1/2",
    "s1/school": "s1/b2",
    "s2/flat": "s2/b1",
    "city/grid": "city",
}


def latest(access: Access) -> datetime:
    """Give the present moment by the clock of the city that is read."""
    return from_us(access._engine.clock_us())  # the store's own clock, which a reader has no other way to ask


def last_second(access: Access) -> tuple[datetime, datetime]:
    """Give two moments of knowledge."""
    return latest(access) - timedelta(seconds=1), latest(access)


def asked_at(access: Access, channel: str) -> int:
    with access.asking(CHANNEL_AT[channel]) as moment:
        return moment.known_us


WAYS: dict[str, Callable[[Access, str], object]] = {
    "may_read": lambda access, channel: access.may_read(CHANNEL_AT[channel]),
    "channel": lambda access, channel: access.channel(channel),
    "alike": lambda access, channel: access.alike(CHANNEL_AT[channel]),
    "ahead": lambda access, channel: access.ahead([channel], DAY),
    "having": lambda access, channel: access.having(access.ahead([channel], DAY)).series(channel, DAY, Resolution.DAY),
    "utilities": lambda access, channel: access.utilities(CHANNEL_AT[channel]),
    "clip": lambda access, channel: access.clip(CHANNEL_AT[channel], DAY),
    "series": lambda access, channel: access.series(channel, DAY, Resolution.DAY),
    "series known": lambda access, channel: access.series(channel, DAY, Resolution.DAY, latest(access)),
    "daily": lambda access, channel: access.daily([channel], date(2025, 1, 2), date(2025, 1, 2)),
    "flows": lambda access, channel: access.flows(CHANNEL_AT[channel], DAY, Resolution.DAY),
    "flows known": lambda access, channel: access.flows(CHANNEL_AT[channel], DAY, Resolution.DAY, latest(access)),
    "hours_of": lambda access, channel: access.hours_of(
        [CHANNEL_AT[channel]], DAY, {"electricity"}, latest(access), told=Resolution.DAY
    ),
    "as_known": lambda access, channel: access.as_known(latest(access)).series(channel, DAY, Resolution.DAY),
    "difference": lambda access, channel: access.difference(DAY, *last_second(access), place=CHANNEL_AT[channel]),
    "asking": asked_at,
    "as_registered": lambda access, channel: access.as_registered(latest(access)).series(channel, DAY, Resolution.DAY),
    "from_intervals": lambda access, channel: access.from_intervals().flows(CHANNEL_AT[channel], DAY, Resolution.DAY),
    "place_days": lambda access, channel: access.place_days(CHANNEL_AT[channel], date(2025, 1, 2), date(2025, 1, 2)),
    "neighbours": lambda access, channel: access.neighbours(CHANNEL_AT[channel], date(2025, 1, 1), date(2025, 1, 31)),
    "outdoor": lambda access, channel: access.outdoor(CHANNEL_AT[channel], DAY),
    "findings": lambda access, channel: access.findings(channel, None, DAY),
    "findings of a place": lambda access, channel: access.findings(None, CHANNEL_AT[channel], DAY),
    "alerts": lambda access, channel: access.alerts(CHANNEL_AT[channel]),
    "difference of one": lambda access, channel: access.difference(DAY, *last_second(access), channel=channel),
}
"""Every way of asking that answers about a place or a channel; a new one must be added here."""


LISTED = ("exceptions", "exception", "sees", "horizon")
"""Ways of asking that leave out what is not the reader's (app/test_exceptions.py, app/test_accounts.py)."""


def reader(city: City, *places: str) -> Access:
    return city.access(Scope("kim", frozenset(places)))


def test_every_way_of_asking_is_tried() -> None:
    public = {name for name in vars(Access) if not name.startswith("_")}
    assert public == {"registry", *LISTED, *(way.split()[0] for way in WAYS)}


@pytest.mark.parametrize("way", WAYS)
def test_a_place_is_readable_to_those_above_it_and_to_nobody_else(city: City, way: str) -> None:
    small_city(city, utc(2), 1)
    ask = WAYS[way]
    for granted in PARENT:
        access = reader(city, granted)
        for channel, place in CHANNEL_AT.items():
            above, at = set(), place
            while at is not None:
                above.add(at)
                at = PARENT[at]
            if granted in above:
                ask(access, channel)
                continue
            with pytest.raises(Forbidden, match="not yours to read") as caught:
                ask(access, channel)
            assert (caught.value.place, caught.value.status) == (place, 403)


@pytest.mark.parametrize("way", WAYS)
def test_nobody_without_a_place_reads_anything_and_the_operator_all(city: City, way: str) -> None:
    small_city(city, utc(2), 1)
    for channel in CHANNEL_AT:
        with pytest.raises(Forbidden):
            WAYS[way](reader(city), channel)
        WAYS[way](city.access(EVERYTHING), channel)


def test_a_neighbours_flat_is_forbidden_and_several_places_may_be_granted(city: City) -> None:
    small_city(city, utc(2), 1)
    access = reader(city, "s1/b1/1", "s2")
    access.series("s1/left", DAY, Resolution.HOUR)
    access.flows("s2/b1", DAY, Resolution.DAY)
    for place in ("s1/b1/2", "s1/b1", "s1", "d1", "city"):
        with pytest.raises(Forbidden):
            access.flows(place, DAY, Resolution.DAY)


def test_a_name_that_begins_like_a_granted_one_is_not_granted(city: City) -> None:
    city.register({"site": "s", "building": "b1", "meter": "m"}, {"site": "s", "building": "b10", "meter": "n"})
    access = reader(city, "s/b1")
    access.series("s/m", DAY, Resolution.DAY)
    with pytest.raises(Forbidden):
        access.series("s/n", DAY, Resolution.DAY)


def test_what_does_not_exist_is_not_found(city: City) -> None:
    small_city(city, utc(2), 1)
    with pytest.raises(NotFound):
        city.access().flows("s1/b9", DAY, Resolution.DAY)
    with pytest.raises(NotFound):
        city.access().series("s1/nobody", DAY, Resolution.DAY)
    with pytest.raises(NotFound):
        city.access().may_read("nowhere")


def test_a_meter_found_elsewhere_is_read_by_those_of_its_place(city: City) -> None:
    small_city(city, utc(2), 1)
    city.describe(storage=[{"id": "battery", "place": "d1", "channels": ["s1/battery"]}])
    assert city.registry_at(None).place_of(city.registry_at(None).channel_ids["s1/battery"]) == "s1"
    with pytest.raises(Forbidden):
        reader(city, "s1/b1").series("s1/battery", DAY, Resolution.DAY)
    reader(city, "s1").series("s1/battery", DAY, Resolution.DAY)
