"""A home's Green Button feed, out of one city and into an empty one: the same numbers, gaps and kinds, none foreign."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from quintet.access import EVERYTHING
from quintet.app.answer import Answer
from quintet.app.city import City
from quintet.app.green_button import told
from quintet.app.operations import answer_request
from quintet.app.requests import GreenButton, Ingest, VeeRun
from quintet.ingest import find, ingest_dataset
from quintet.simulate import CityPlan, SimulatedCity, write_dataset
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.quality import qualities
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.views import Questions
from quintet.views.own_data import channels_of

from .peopled import HOMES, MOVE, START, Hand, Peopled, made
from .test_accounts import code_of

DAYS = 7
PLAN = CityPlan(seed=5, households=8, start=date(2025, 1, 1), days=DAYS)
SILENT = [
    (datetime(2025, 1, 3, 1, tzinfo=UTC), datetime(2025, 1, 3, 3, tzinfo=UTC)),
    (datetime(2025, 1, 5, 4, tzinfo=UTC), datetime(2025, 1, 6, 9, tzinfo=UTC)),
]
"""When nothing is heard of one home: what is estimated there is that home's best guess, no measurement."""
SPAN = ("2025-01-01", f"2025-01-{DAYS + 1:02d}")
Cell = tuple[datetime, Any, str | None]


def taken_in(city: City, *paths: Path) -> dict[str, Any]:
    found: dict[str, Any] = answer_request(city, Ingest([str(path) for path in paths], None, "test"), nothing).read()
    return found


def nothing(_step: object) -> None:
    """Nobody watches."""


def exported(city: City, place: str, target: Path, span: tuple[str, str] = SPAN) -> Answer:
    return answer_request(city, GreenButton(place, *span, str(target), "the household asked"), nothing)


def cells(city: City, place: str, span: tuple[str, str] = SPAN) -> dict[tuple[str, str], list[list[Cell]]]:
    """Give what each channel of a place says: start, exact value, measured or estimated."""
    questions = Questions(city.access(EVERYTHING), now=city.now)
    first, last = (datetime.fromisoformat(one).replace(tzinfo=city.engine.tz) for one in span)
    out: dict[tuple[str, str], list[list[Cell]]] = {}
    for one in told(channels_of(questions, place, first, last)):
        rows: list[Cell] = []
        for row in one.rows:
            known = row.value is not None and row.quality is not None
            rows.append((row.start, row.value, qualities()[str(row.quality)].kind if known else None))
        out.setdefault((one.meter.commodity, one.meter.role), []).append(rows)
    return {key: sorted(rows, key=str) for key, rows in out.items()}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Give a simulated city with all its faults, over which the rules of a longer time have run."""
    folder = tmp_path_factory.mktemp("simulated")
    write_dataset(SimulatedCity(PLAN), folder / "source")
    path = folder / "source" / "readings.parquet"
    rows = pq.read_table(path)
    at = rows["ts_utc"].cast(pa.timestamp("us", "UTC"))
    silent = pa.scalar(False)
    for first, last in SILENT:
        silent = pc.or_(silent, pc.and_(pc.greater_equal(at, pa.scalar(first)), pc.less(at, pa.scalar(last))))
    heard = pc.invert(pc.and_(silent, pc.match_substring(rows["meter"].cast(pa.string()), "0101")))
    pq.write_table(rows.filter(heard), path)
    city = City.create(folder / "city", timezone="Asia/Seoul")
    (dataset,) = find([folder / "source"])
    ingest_dataset(city.pipeline, dataset, actor="test")
    answer_request(city, VeeRun(), nothing)
    yield city
    city.close()


def test_homes_come_into_an_empty_city_with_the_same_numbers_gaps_and_kinds(simulated: City, tmp_path: Path) -> None:
    places = [one.place for one in Questions(simulated.access(EVERYTHING)).places(level="premise").places]
    seen: set[str | None] = set()
    utilities: set[str] = set()
    for number, place in enumerate(places[:2]):
        feed = tmp_path / f"{number}.xml"
        said = exported(simulated, place, feed).read()
        assert said["readings"] == feed.read_bytes().count(b"<e:IntervalReading>")
        empty = City.create(tmp_path / f"city-{number}", timezone="Asia/Seoul")
        assert taken_in(empty, feed)["quarantined"] == 0
        (site,) = {one.place for one in Questions(empty.access(EVERYTHING)).meters().meters}
        wanted = cells(simulated, place)
        assert cells(empty, site) == wanted
        again = taken_in(empty, feed)
        assert (again["accepted"], again["quarantined"]) == (0, 0)
        answer_request(empty, VeeRun(), nothing)
        assert cells(empty, site) == wanted
        utilities |= {commodity for commodity, _ in wanted}
        seen |= {kind for rows in wanted.values() for channel in rows for _, _, kind in channel}
        empty.close()
    assert utilities == {"electricity", "gas", "water", "heat", "hot_water"}
    assert {"measured", "estimated"} <= seen


BERLIN = ZoneInfo("Europe/Berlin")
METERS = (("water", "m3", 1440), ("electricity", "kWh", 15), ("gas", "m3", 60), ("heat", "kWh", 360))


@pytest.mark.parametrize("first", [date(2025, 3, 28), date(2025, 10, 24)])
def test_days_on_which_the_clock_changes_come_in_as_they_went_out(tmp_path: Path, first: date) -> None:
    """By the day as by the quarter hour, with a gap, and with readings that were corrected."""
    city, empty = (City.create(tmp_path / name, timezone=BERLIN.key) for name in ("from", "into"))
    meters = [
        {"site": "c", "building": "1", "premise": "1", "meter": commodity, "commodity": commodity, "unit": unit,
         "value_kind": "interval_sum", "cadence_min": minutes, "tz": BERLIN.key, "role": "consumption"}
        for commodity, unit, minutes in METERS
    ]  # fmt: skip
    city.pipeline.register(pa.Table.from_pylist(meters), source="test", actor="test")
    last = first + timedelta(days=6)
    for part, more in ((0, 0.0), (1, 0.25)):
        rows: list[dict[str, Any]] = []
        for commodity, _, minutes in METERS:
            for number, at in enumerate(moments(first, last, minutes)):
                heard = minutes == 1440 or at.astimezone(BERLIN).date() != first + timedelta(days=4)
                if heard and (not part or number % 5 == 0):
                    rows.append({"site": "c", "meter": commodity, "at": at, "value": number * 0.011 + 1 + more})
        table = pa.Table.from_pylist([{**row, "row": at} for at, row in enumerate(rows, 1)], READINGS)
        city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")
    span = (first.isoformat(), last.isoformat())
    exported(city, "c/1/1", tmp_path / "feed.xml", span)
    assert taken_in(empty, tmp_path / "feed.xml")["quarantined"] == 0
    (site,) = {one.place for one in Questions(empty.access(EVERYTHING)).meters().meters}
    wanted = cells(city, "c/1/1", span)
    assert cells(empty, site, span) == wanted
    assert None in {kind for *_, kind in wanted["electricity", "consumption"][0]}, "a gap stays one"
    city.close()
    empty.close()


def moments(first: date, last: date, minutes: int) -> list[datetime]:
    """Give when a meter's intervals begin: days at local midnight, shorter ones one after the other."""
    if minutes == 1440:
        days = range((last - first).days)
        return [datetime.combine(first + timedelta(days=one), time(), BERLIN).astimezone(UTC) for one in days]
    begin, end = (datetime.combine(one, time(), BERLIN).astimezone(UTC) for one in (first, last))
    return [
        begin + number * timedelta(minutes=minutes) for number in range((end - begin) // timedelta(minutes=minutes))
    ]


def test_an_export_has_a_reason_a_new_file_and_a_dwelling(simulated: City, tmp_path: Path) -> None:
    there = tmp_path / "there.xml"
    there.touch()
    for asked, code in (
        (GreenButton("c001/101/0101", *SPAN, str(tmp_path / "new.xml"), " "), "no_reason"),
        (GreenButton("c001/101/0101", *SPAN, str(there), "why"), "target_exists"),
        (GreenButton("c001", *SPAN, str(tmp_path / "new.xml"), "why"), "nothing_to_export"),
        (GreenButton("c001/101/0101", "2020-01-01", "2020-02-01", str(tmp_path / "new.xml"), "why"), "no_readings"),
    ):
        with pytest.raises(UsageError) as refused:
            answer_request(simulated, asked, nothing)
        assert refused.value.code == code
    assert not (tmp_path / "new.xml").exists()


def test_what_is_no_feed_stores_nothing_and_the_next_file_is_taken(simulated: City, tmp_path: Path) -> None:
    feed, broken = tmp_path / "feed.xml", tmp_path / "broken.xml"
    exported(simulated, "c001/101/0101", feed)
    broken.write_bytes(feed.read_bytes()[:-9])
    city = City.create(tmp_path / "city", timezone="Asia/Seoul")
    with pytest.raises(BadInput) as refused:
        taken_in(city, broken)
    assert refused.value.code == "broken_xml"
    assert not Questions(city.access(EVERYTHING)).meters().meters
    found = taken_in(city, broken, feed)
    assert (found["files"], len(found["failures"])) == (1, 1)
    city.close()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


def test_a_resident_takes_along_his_own_time_only(town: Peopled, tmp_path: Path) -> None:
    client = town.signed_in(town.person("newcomer", "resident", HOMES[1], MOVE))
    got = client.get("/api/v1/me/export", params={"form": "greenbutton"})
    assert (got.status_code, got.headers["content-type"]) == (200, "application/atom+xml")
    assert 'filename="readings.xml"' in got.headers["content-disposition"]
    starts = [int(one) for one in re.findall(r"</e:duration><e:start>(\d+)</e:start></e:timePeriod>", got.text)]
    assert min(starts) == int(MOVE.timestamp())
    (tmp_path / "own.xml").write_bytes(got.content)
    empty = City.create(tmp_path / "empty", timezone="Asia/Seoul")
    taken_in(empty, tmp_path / "own.xml")
    (site,) = {one.place for one in Questions(empty.access(EVERYTHING)).meters().meters}
    span = (MOVE.isoformat(), "2026-03-04T05:00:00+00:00")
    mine = cells_between(town.city, HOMES[1], *span)
    assert cells_between(empty, site, *span) == mine
    assert mine
    empty.close()
    for query, code in (
        ({"place": HOMES[0]}, (404, "not_here")),
        ({"from": START.isoformat()}, (403, "before_your_time")),
    ):
        assert code_of(client.get("/api/v1/me/export", params={"form": "greenbutton", **query})) == code


def cells_between(city: City, place: str, start: str, end: str) -> list[tuple[str, datetime, Any]]:
    questions = Questions(city.access(EVERYTHING), now=city.now)
    first, last = (datetime.fromisoformat(one) for one in (start, end))
    return sorted(
        (one.meter.commodity, row.start, row.value)
        for one in channels_of(questions, place, first, last)
        for row in one.rows
        if row.value is not None
    )


def test_who_lived_there_before_has_other_names_and_the_same_person_always_the_same(town: Peopled) -> None:
    old = town.signed_in(town.person("old", "resident", HOMES[1], START))
    new = town.signed_in(town.person("new", "resident", HOMES[1], MOVE))
    first, again, other = (one.get("/api/v1/me/export?form=greenbutton").text for one in (old, old, new))
    names = [set(re.findall(r"urn:uuid:([0-9a-f-]{36})", one)) for one in (first, again, other)]
    assert names[0] == names[1]
    assert not names[0] & names[2]
    assert HOMES[1] not in first


def test_an_operators_export_stands_in_the_read_log(town: Peopled, tmp_path: Path) -> None:
    client = town.signed_in(town.person("owner", "resident", HOMES[0], START))
    exported(town.city, HOMES[0], tmp_path / "feed.xml", ("2026-03-02", "2026-03-03"))
    reads = client.get("/api/v1/me/reads").json()["reads"]
    assert {one["reason"] for one in reads} == {"the household asked"}
    assert oct((tmp_path / "feed.xml").stat().st_mode & 0o777) == "0o600"
