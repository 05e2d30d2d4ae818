"""What is summed already is what every interval says: now, as known at every batch, and by every registry there was."""

from datetime import date, datetime
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quintet.access import Access
from quintet.access.tree_flows import tree_flows
from quintet.jobs.closing import refresh_closed
from quintet.jobs.doctor import wrong_rollups
from quintet.registry import rewire
from quintet.store.schema import FOLDED_MONTHS
from quintet.terms.period import Resolution, Span
from quintet.views.tree import table_of

from .conftest import METERS, SETTINGS, City, NewCity, played, small_city, us, utc


def spans(tz: ZoneInfo) -> tuple[Span, Span]:
    """Give January and February 2025, whole, and some hours of them."""
    whole = Span(datetime(2025, 1, 1, tzinfo=tz), datetime(2025, 3, 1, tzinfo=tz))
    return whole, Span(utc(30, 7), utc(33, 5))


FEEDER = {"id": "zone", "commodity": "electricity", "place": "d1", "supply": ["s1/school-lifts"], "level": "zone"}
STEPS = ("late", "late", "close", "one day", "fresh", "rewire", "describe", "restart", "another meter", "refresh")


def step(city: City, dice: Random) -> None:
    """Do one thing that happens to a city."""
    chosen = dice.choice(STEPS)
    if chosen in ("late", "fresh"):
        rows = played(city, utc(dice.randrange(30, 35)), 1, dice)
        city.send(dice.sample(rows, 9 if chosen == "late" else len(rows) // 2))
    elif chosen == "close":
        city.close_all()
    elif chosen == "one day":
        city.close_all(but=us(utc(dice.randrange(30, 35))) // 86_400_000_000)
    elif chosen == "rewire":
        moment = utc(dice.randrange(29, 36), dice.choice([0, 5]), dice.choice([0, 30]))
        name, place = dice.choice([("s1/left", "s2/b1"), ("s1/school", "s1/b1/2"), ("s2/flat", "s1/b1/1")])
        city.apply(rewire(city.pipeline.registry(), name, valid_from=moment, place=place))
    elif chosen == "describe":
        city.describe(**SETTINGS, feeder=[FEEDER])
    elif chosen == "another meter":
        city.register({"site": "s1", "building": "b1", "meter": f"new-{city.engine.last_batch}"})
    elif chosen == "refresh":
        refresh_closed(city.engine, city.pipeline.registry(), city.tick())
    elif chosen == "restart":
        city.reopen()


def same(access: Access, known_at: datetime | None) -> str:
    """Compare what stored sums give with what intervals give; give what was found, to tell moments apart."""
    scratch, said = access.from_intervals(), ""
    months, cut = spans(access.registry().tz)
    for place in ("city", "d1", "s1/b1/1", "s2/b1"):
        for span, resolution in ((months, Resolution.MONTH), (cut, Resolution.HOUR), (months, Resolution.DAY)):
            quick = access.flows(place, span, resolution, known_at)
            assert quick.flows.equals(scratch.flows(place, span, resolution, known_at).flows), (place, resolution)
            said += repr(quick.flows.select(["value", "arrived_min"]).to_pylist())
    for span, resolution in ((months, Resolution.MONTH), (months, Resolution.DAY), (cut, Resolution.MONTH)):
        rows = [
            table_of(tree_flows(one, "city", span, resolution, known_at), None, access.registry().commodities)
            for one in (access, scratch)
        ]
        assert rows[0].equals(rows[1]), resolution
    days = [one.place_days("city", date(2025, 1, 29), date(2025, 2, 5), known_at) for one in (access, scratch)]
    for name in ("value", "due", "whole", "estimated", "expected_min", "arrived_min", "estimated_min"):
        assert np.array_equal(*(getattr(one, name) for one in days), equal_nan=name == "estimated"), name
    return said


def months_hold(city: City) -> None:
    """Compare the monthly rollup with the daily ones that were folded."""
    with city.engine.snapshot() as snapshot:
        folded = snapshot.rows(f"select * from ({FOLDED_MONTHS}) order by all")
        assert snapshot.rows("select * from rollup_month order by all") == folded


@pytest.mark.parametrize("seed", range(3))
def test_stored_sums_are_the_intervals_whatever_happened(new_city: NewCity, seed: int) -> None:
    city, dice = small_city(new_city("UTC" if seed else "Asia/Seoul"), utc(30), 4, seed), Random(seed)
    moments = [city.now]
    for _ in range(7):
        step(city, dice)
        city.tick()
        months_hold(city)
        moments.append(city.now)
    assert same(city.access(), None)
    found = {same(city.access(), moment) for moment in moments}
    assert len(found) > 1, "something changed in between"
    assert len({same(city.access().as_registered(moment), None) for moment in moments[::3]}) >= 1


def test_sums_known_before_a_correction_are_read_without_the_days_that_did_not_change(city: City) -> None:
    small_city(city, utc(30), 4)
    city.close_all()
    known = city.now
    city.tick()
    city.send([("s1/left", utc(31, 4), 7.5)])
    city.close_all()
    asked: list[int] = []
    real = city.engine.files.path

    def path(lake: str, name: str, digest: str) -> str:
        asked.append(int(name.split("/")[0].split("-")[-1]))
        return real(lake, name, digest)

    city.engine.files.path = path  # type: ignore[method-assign]
    with city.access().asking("city", known) as moment:
        assert moment.batch is not None
    before = len(asked)
    city.access().place_days("s1/b1/1", date(2025, 1, 30), date(2025, 2, 2), known)
    assert set(asked[before:]) == {31}


def test_a_day_is_in_its_month_once_however_often_it_is_closed(city: City) -> None:
    city.register(*METERS)
    for value in (1.5, 2.5, 2.5, 4.0):
        city.send([("s1/left", utc(31, hour), value) for hour in range(6)])
        city.close_all()
        months_hold(city)
    number = city.pipeline.registry().channel_ids["s1/left"]
    with city.engine.snapshot() as snapshot:
        found = snapshot.rows("select month, value from rollup_month where channel = ?", [number])
    assert found == [(2025 * 12, 24_000_000)]


def test_a_wrong_sum_of_a_month_is_seen(city: City) -> None:
    small_city(city, utc(30), 4)
    city.close_all()
    assert same(city.access(), None)
    with city.engine.writing("test", "test", "test", city.tick()) as writing:
        writing.execute("update rollup_month set value = value + 1")
    with pytest.raises(AssertionError):
        same(city.access(), None)
    assert {finding.place for finding in wrong_rollups(city.engine)} == {"2025-01", "2025-02"}
