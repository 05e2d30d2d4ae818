"""What listeners are told is what was committed: any commits, any place, any point of return, under any rights."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quintet.access import EVERYTHING, Change, Changes, Feed, Mark, Scope, Watch
from quintet.access.changes import Limits
from quintet.access.flows import counted_at, flows_table, minutes_of
from quintet.access.hour_sums import sums
from quintet.access.totals import QUARTER_US
from quintet.terms.errors import Forbidden, NotFound
from quintet.terms.period import day_number, from_us, local_day
from quintet.terms.quality import qualities, qualities_by_id
from quintet.terms.reading import clock

from .conftest import COUNTED, METERS, City, NewCity, Reading, played, small_city, us, utc

DWELLINGS = ("s1/b1/1", "s1/b1/2")
ABOVE = ("city", "d1", "s1", "s1/b1", "s1/b2", "s2", "s2/b1")
Told = dict[tuple[object, ...], tuple[object, ...]]


def feed_of(city: City, **limits: int) -> Feed:
    """Give a feed that hears a city's commits."""
    shipped = Limits.shipped()
    given = {name: limits.get(name, getattr(shipped, name)) for name in Limits.__slots__}
    feed = Feed(city.engine, city.pipeline.registry, city.pipeline.recent, Limits(**given))
    city.pipeline.listeners.append(feed.take)
    return feed


class Listener:
    """Keeps what it is told, as a client does."""

    def __init__(self, feed: Feed, place: str, scope: Scope = EVERYTHING) -> None:
        self.feed = feed
        self.watch: Watch = feed.subscribe(scope, place)
        self.mark = self.watch.mark
        self.told: Told = {}
        self.days: set[int] = set()
        self.anew = 0

    def listen(self) -> Changes:
        (found,) = self.feed.news([self.watch])
        return self._take(Changes(self.watch.mark) if found is None else found)

    def come_back(self) -> Changes:
        """Begin again after the last that was heard, as after a broken connection."""
        self.watch = self.feed.subscribe(EVERYTHING, self.watch.place)
        return self._take(self.feed.resume(self.watch, Mark.read(str(self.mark)) or Mark(0, 0)))

    def _take(self, changes: Changes) -> Changes:
        self.mark = changes.mark
        self.anew += changes.anew
        self.days |= set(changes.days)
        for one in changes.intervals:
            self.told[one.channel, one.start_us] = (one.value, one.quality)
        for one in changes.totals:
            self.told[one.start_us, *one.key] = (one.value, one.expected_min, one.arrived_min, one.estimated_min)
        return changes


def stored(city: City, place: str) -> Told:
    """Give what stands in the store for a dwelling's channels."""
    own = {name for name, (counted, _, _) in COUNTED.items() if counted == place}
    table = qualities_by_id()
    return {
        (name, start): (None if table[quality].kind == "rejected" else value, table[quality].code)
        for name, start, value, quality in city.effective()
        if name in own
    }


def summed(city: City, place: str, starts: set[int]) -> Told:
    """Give a place's flows in some quarter hours, from the intervals that begin in each, however long they are."""
    out: Told = {}
    edges_us = np.arange(min(starts), max(starts) + 2 * QUARTER_US, QUARTER_US, dtype=np.int64)
    access = city.access()
    with access.asking(place) as moment:
        counted = counted_at(moment.registry, place)
        found = sums(moment.engine, moment.snapshot, counted, edges_us)
        owed = (minutes_of(times, edges_us, moment.until_us) for times in (counted.due, counted.standing))
        table = flows_table(found, [from_us(int(one)) for one in edges_us], edges_us, *owed)
    for row in table.to_pylist():
        key = (us(row["start"]), row["flow"], row["commodity"], row["quantity"], row["renewable"])
        value = None if row["value"] is None else int(row["value"])
        out[key] = (value, row["expected_min"], row["arrived_min"], row["estimated_min"])
    return out


def check_dwelling(city: City, listener: Listener, before: Told) -> None:
    """Compare what a listener knows (what stood before, and what it was told) with what stands."""
    known = {**before, **listener.told}
    gone = qualities()["withdrawn"].code
    assert {key: value for key, value in known.items() if value[1] != gone} == stored(city, listener.watch.place)


def check_above(city: City, listener: Listener) -> None:
    starts = {int(str(key[0])) for key in listener.told}
    found = summed(city, listener.watch.place, starts)
    # the moment of asking moves on: what is due by now is not what was due when it was told
    assert {key: (value[0], *value[2:]) for key, value in listener.told.items()} == {
        key: (found[key][0], *found[key][2:]) for key in listener.told
    }


@pytest.mark.parametrize("seed", range(3))
def test_what_is_told_is_what_stands(new_city: NewCity, seed: int) -> None:
    dice = Random(seed)
    city = small_city(new_city("Asia/Seoul"), utc(1), 2, seed)
    feed = feed_of(city, ring_batches=dice.choice([2, 4096]))
    places = [*DWELLINGS, *ABOVE]
    listeners = [Listener(feed, place) for place in places]
    before = {place: stored(city, place) for place in DWELLINGS}
    heard: set[str] = set()
    for round_ in range(8):
        city.send(some_readings(city, dice))
        for listener in listeners:
            if dice.random() < 0.5:
                if dice.random() < 0.4:
                    listener.come_back()
                else:
                    listener.listen()
            if listener.anew:  # a client reads all anew then
                place = listener.watch.place
                before[place] = stored(city, place) if place in DWELLINGS else {}
                listener.told, listener.anew = {}, 0
        if round_ == 4:
            city.close_all()
    for listener in listeners:
        listener.come_back()
        if listener.anew:
            continue
        if listener.watch.place in DWELLINGS:
            check_dwelling(city, listener, before[listener.watch.place])
        elif listener.told:
            check_above(city, listener)
            heard.add(listener.watch.place)
    assert len(heard) >= 3


def some_readings(city: City, dice: Random) -> list[Reading]:
    """Give readings of the newest days, and now and then corrections and a late one."""
    meters = dice.sample(METERS, dice.randrange(2, len(METERS)))
    names = {f"{meter['site']}/{meter['meter']}" for meter in meters}
    start = utc(3) + timedelta(hours=dice.randrange(0, 30))
    rows = [row for row in played(city, start, 1, dice) if row[0] in names]
    return rows[: dice.randrange(1, 60)] or rows


def test_a_late_reading_of_a_day_long_past_names_the_day(city: City) -> None:
    small_city(city, utc(1), 9)
    listener = Listener(feed_of(city), "s1")
    city.send([("s1/school", utc(2, 10), 7.5), ("s1/school", utc(9, 10), 7.5)])
    changes = listener.listen()
    assert changes.days == [day_number(local_day(utc(2, 10), clock("UTC")))]
    assert {one.start_us for one in changes.totals} == {int(utc(9, 10).timestamp() * 1e6)}
    check_above(city, listener)


def test_an_interval_that_is_withdrawn_is_said(city: City) -> None:
    city.register({"site": "s", "building": "b", "premise": "1", "meter": "w", "value_kind": "register_cumulative"})
    city.send([("s/w", utc(1, hour), float(hour)) for hour in range(6)])
    listener = Listener(feed_of(city), "s/b/1")
    before = {key[1]: value for key, value in stored_of(city, "s/w").items()}
    # the register is corrected in the middle so that hours before and after it say something else
    city.send([("s/w", utc(1, 3), 900_000.0)])
    listener.listen()
    now = stored_of(city, "s/w")
    known = {**{("s/w", start): value for start, value in before.items()}, **listener.told}
    assert {key: value for key, value in known.items() if value[1] != "withdrawn"} == now
    assert listener.told


def stored_of(city: City, channel: str) -> Told:
    table = qualities_by_id()
    return {
        (name, start): (None if table[quality].kind == "rejected" else value, table[quality].code)
        for name, start, value, quality in city.effective()
        if name == channel
    }


def test_nothing_of_another_dwelling_is_told(city: City) -> None:
    small_city(city, utc(1), 1)
    feed = feed_of(city)
    mine = Scope("someone", frozenset({"s1/b1/1"}))
    listener = Listener(feed, "s1/b1/1", mine)
    for place in ("s1/b1/2", "s1/b1", "city"):
        with pytest.raises(Forbidden):
            feed.subscribe(mine, place)
    with pytest.raises(NotFound):
        feed.subscribe(mine, "nowhere")
    city.send([("s1/right", utc(2), 1.0), ("s1/school", utc(2), 1.0)])
    assert not listener.listen()
    city.send([("s1/left", utc(2), 1.5), ("s1/right", utc(2, 1), 1.0)])
    changes = listener.listen()
    assert [one.channel for one in changes.intervals] == ["s1/left"]
    assert isinstance(changes.intervals[0], Change)
    assert str(changes.intervals[0].unit.to_decimal(changes.intervals[0].value or 0)) == "1.5"


def test_a_new_meter_means_all_anew_and_only_where_it_counts(city: City) -> None:
    small_city(city, utc(1), 1)
    feed = feed_of(city)
    near, above, far = (Listener(feed, place) for place in ("s1/b1/1", "s1", "s2"))
    city.register({"site": "s1", "building": "b1", "premise": "1", "meter": "second"})
    assert [one.listen().anew for one in (near, above, far)] == [True, True, False]
    city.send([("s1/second", utc(2), 2.0)])
    assert [one.channel for one in near.listen().intervals] == ["s1/second"]
    assert above.listen().totals
    assert not far.listen()


def test_who_comes_back_across_a_change_of_the_registry_reads_anew(city: City) -> None:
    small_city(city, utc(1), 1)
    feed = feed_of(city)
    listener = Listener(feed, "s1/b1/1")
    city.send([("s1/left", utc(2), 1.5)])
    city.register({"site": "s1", "building": "b1", "premise": "1", "meter": "second"})
    assert listener.come_back().anew


@pytest.mark.parametrize("text", ["", "x", "1", "1-", "-1", "1-x", "9" * 30 + "-1", "１-２"])
def test_what_is_no_mark_is_none(text: str) -> None:
    assert Mark.read(text) is None


def test_a_mark_of_another_city_or_of_the_future_is_not_believed(city: City) -> None:
    small_city(city, utc(1), 1)
    feed = feed_of(city, ring_batches=1)
    watch = feed.subscribe(EVERYTHING, "s1/b1/1")
    old = feed.newest
    for hour in range(3):
        city.send([("s1/left", utc(2, hour), 1.5)])
    assert len(feed.resume(watch, old).intervals) == 3
    for strange in (Mark(old.batch, old.stamp_us + 1), Mark(old.batch + 999, 1), Mark(feed.newest.batch, 1)):
        assert feed.resume(watch, strange).anew


def test_more_than_an_event_holds_is_read_anew(city: City) -> None:
    small_city(city, utc(1), 1)
    feed = feed_of(city, event_rows=10, resume_rows=20, ring_rows=40)
    listener = Listener(feed, "s1/b1/1")
    start = feed.newest
    city.send([("s1/left", utc(2, hour), 1.0 + hour / 10) for hour in range(11)])
    assert listener.listen().anew
    city.send([("s1/left", utc(3, hour), 1.0 + hour / 10) for hour in range(10)])
    assert len(listener.listen().intervals) == 10
    city.send(played(city, utc(4), 1, Random(1)))  # more than the ring holds
    assert listener.listen().anew
    assert feed.resume(listener.watch, start).anew


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.data())
def test_marks_are_read_as_they_are_written(numbers: list[int], data: st.DataObject) -> None:
    marks = [Mark(number, data.draw(st.integers(0, 10**17))) for number in numbers]
    assert [Mark.read(str(mark)) for mark in marks] == marks
    assert max(marks).batch == max(numbers)


def test_who_wants_to_be_woken_is_and_no_longer_when_he_leaves(city: City) -> None:
    small_city(city, utc(1), 1)
    feed = feed_of(city)
    heard: list[Mark] = []
    end: Callable[[], None] = feed.on_commit(lambda: heard.append(feed.newest))
    city.send([("s1/left", utc(2), 1.5)])
    end()
    city.send([("s1/left", utc(2, 1), 1.5)])
    assert len(heard) == 1
