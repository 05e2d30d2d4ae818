"""Live push through a real server: events as committed, exact after a break, and nobody waits for a stalled one."""

import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from fastapi import FastAPI

from quintet.access import EVERYTHING, Feed, Scope
from quintet.app.city import City
from quintet.terms.errors import CityError
from quintet.terms.period import to_us
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.views import Questions
from quintet.views.live import Live, News, Watch
from quintet.web.live import LivePart
from quintet.web.live_limits import Limits
from quintet.web.site import build

PATIENCE_S = 60
NOW = datetime(2026, 11, 4, 5, 31, tzinfo=UTC)
SLOT = timedelta(minutes=15)
METERS = [
    {"site": "c1", "building": "101", "premise": "1", "meter": "power", "commodity": "electricity", "unit": "kWh"},
    {"site": "c1", "building": "101", "premise": "2", "meter": "other", "commodity": "electricity", "unit": "kWh"},
]


@dataclass
class Event:
    """One event as a browser would hand it on; `name` is empty for what only moves the id."""

    id: str = ""
    name: str = ""
    data: Any = None


@dataclass
class Stream:
    """A client of server-sent events on a raw socket."""

    address: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    buffer: int = 0

    def __post_init__(self) -> None:
        host, _, port = self.address.removeprefix("http://").rpartition(":")
        self.socket = socket.socket()
        if self.buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect((host, int(port)))
        lines = [f"GET /api/v1/live?{self.query} HTTP/1.1", f"Host: {host}:{port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.head: dict[str, str] = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            self.head[name.lower()] = value
        self.last_id = ""
        self.events = self._events()

    def chunks(self) -> Iterator[bytes]:
        while line := self.file.readline().strip():
            if line == b"0":
                return
            yield self.file.read(int(line, 16))
            self.file.readline()
        raise ConnectionResetError("cut, not ended in order")

    def _events(self) -> Iterator[Event]:
        """Give events until the stream ends."""
        rest = b""
        for chunk in self.chunks():
            *whole, rest = (rest + chunk).split(b"\n\n")
            for one in whole:
                event = Event(self.last_id)
                for line in one.decode().split("\n"):
                    key, _, value = line.partition(": ")
                    if key == "id":
                        event.id = self.last_id = value
                    elif key == "event":
                        event.name = value
                    elif key == "data":
                        event.data = json.loads(value)
                yield event

    def next(self) -> Event:
        """Give the next event that says something."""
        return next(event for event in self.events if event.name)

    def ready(self) -> "Stream":
        """Wait until the stream is fed: its first id has come."""
        next(event for event in self.events if event.id)
        return self

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@dataclass
class Site:
    """A served city with live push."""

    city: City
    address: str
    part: LivePart

    def stream(self, query: str = "", **more: Any) -> Stream:
        return Stream(self.address, query, **more)


MakeSite = Callable[..., Site]


def send(city: City, *rows: tuple[str, datetime, float]) -> None:
    """Commit readings (channel, start, kWh) as one batch."""
    columns = {
        "site": [name.split("/")[0] for name, _, _ in rows], "meter": [name.split("/")[1] for name, _, _ in rows],
        "at": [at for _, at, _ in rows], "value": [value for _, _, value in rows], "commodity": [None] * len(rows),
        "unit": [None] * len(rows), "row": list(range(1, len(rows) + 1)),
    }  # fmt: skip
    table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
    assert city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test").quarantined == 0


def slot(number: int) -> datetime:
    return datetime(2026, 11, 3, 15, tzinfo=UTC) + number * SLOT


def limits(**given: int) -> Limits:
    shipped = Limits.shipped()
    return Limits(**{name: given.get(name, getattr(shipped, name)) for name in Limits.__slots__})


@pytest.fixture
def make_site(tmp_path: Path, serve: Callable[[FastAPI], str]) -> Iterator[MakeSite]:
    """Give a maker of a served city of two dwellings."""
    made: list[Site] = []

    def make(scope: Scope = EVERYTHING, kind: type[Live] = Live, **bounds: int) -> Site:
        folder = tmp_path / f"city-{len(made)}"
        City.create(folder, name_en="Naju", name_ko="나주", timezone="Asia/Seoul").close()
        city = City.open(folder, now=lambda: to_us(NOW))
        rest = {"value_kind": "interval_sum", "cadence_min": 15, "tz": "Asia/Seoul", "role": "consumption"}
        city.pipeline.register(pa.Table.from_pylist([{**row, **rest} for row in METERS]), source="meters", actor="test")
        feed = Feed(city.engine, city.pipeline.registry, city.pipeline.recent)
        city.pipeline.listeners.append(feed.take)
        part = LivePart(kind(feed, scope), limits(**bounds))
        site = build(Questions(city.access(scope), now=city.now), health=dict, parts=[part])
        made.append(Site(city, serve(site), part))
        return made[-1]

    yield make
    for site in made:
        site.part.stop()
        wait(lambda site=site: site.part.hub.listeners == 0)
        site.city.close()


def wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_dwelling_hears_its_own_intervals_exactly(make_site: MakeSite) -> None:
    site = make_site()
    with closing(site.stream("place=c1/101/1").ready()) as stream:
        assert stream.status == 200
        assert stream.head["content-type"] == "text/event-stream"
        assert stream.head["cache-control"] == "no-store"
        assert "content-security-policy" in stream.head
        send(site.city, ("c1/power", slot(0), 0.251), ("c1/other", slot(0), 9.0))
        event = stream.next()
    assert event.name == "intervals"
    assert event.data["place"] == "c1/101/1"
    assert event.id.startswith(f"{event.data['batch']}-")
    assert event.data["totals"] == event.data["days"] == []
    assert event.data["intervals"] == [
        {"channel": "c1/power", "start": "2026-11-04T00:00:00+09:00", "value": 0.251, "unit": "kWh", "quality": "valid"}
    ]


def test_a_place_hears_totals_as_the_balance_has_them(make_site: MakeSite) -> None:
    site = make_site()
    with closing(site.stream().ready()) as stream:
        send(site.city, ("c1/power", slot(0), 0.25), ("c1/other", slot(0), 1.5))
        first = stream.next().data
        send(site.city, ("c1/other", slot(0), 2.5))
        second = stream.next().data
    assert first["intervals"] == []
    assert [(row["flow"], row["value"], row["coverage"]) for row in first["totals"]] == [("consumption", 1.75, 1.0)]
    query = {"from": slot(0).isoformat(), "to": slot(1).isoformat(), "resolution": "15min"}
    rows = httpx.get(f"{site.address}/api/v1/balances", params=query).json()["rows"]
    assert [row["value"] for row in second["totals"]] == [row["consumption"] for row in rows] == [2.75]


@pytest.mark.parametrize("how", ["header", "query"])
def test_who_comes_back_hears_what_he_missed_and_nothing_twice(make_site: MakeSite, how: str) -> None:
    site = make_site()
    with closing(site.stream("place=c1/101/1").ready()) as stream:
        send(site.city, ("c1/power", slot(0), 0.1))
        kept = stream.next().id
    for number in (1, 2):
        send(site.city, ("c1/power", slot(number), 0.1 + number))
    again = {"headers": {"Last-Event-ID": kept}} if how == "header" else {}
    query = "place=c1/101/1" + (f"&last_event_id={kept}" if how == "query" else "")
    with closing(site.stream(query, **again)) as stream:
        missed = stream.next()
        assert [row["value"] for row in missed.data["intervals"]] == [1.1, 2.1]
        stream.ready()
        send(site.city, ("c1/power", slot(3), 3.5))
        assert [row["value"] for row in stream.next().data["intervals"]] == [3.5]


def test_who_missed_more_than_he_may_be_given_is_told_to_read_anew(make_site: MakeSite) -> None:
    site = make_site(queue_bytes=600)
    with closing(site.stream("place=c1/101/1").ready()) as stream:
        kept = stream.last_id
    send(site.city, *(("c1/power", slot(number), 0.1) for number in range(40)))
    with closing(site.stream("place=c1/101/1", headers={"Last-Event-ID": kept})) as stream:
        event = stream.next()
        assert (event.name, event.data["place"]) == ("reset", "c1/101/1")
        assert event.id != kept
        stream.ready()
        send(site.city, ("c1/power", slot(50), 3.5))
        assert [row["value"] for row in stream.next().data["intervals"]] == [3.5]


def test_a_stream_takes_one_file_handle(make_site: MakeSite) -> None:
    site = make_site()
    own = Path("/proc/self/fd")
    if not own.exists():
        pytest.skip("no /proc here")
    with closing(site.stream().ready()):
        before = len(list(own.iterdir()))
        streams = [site.stream().ready() for _ in range(20)]
        # this process is both ends of each
        assert len(list(own.iterdir())) - before <= 2 * 20 + 5
        for stream in streams:
            stream.close()


def test_an_id_that_means_nothing_here_says_read_anew(make_site: MakeSite) -> None:
    site = make_site()
    for strange in ("nonsense", "99999999-1"):
        with closing(site.stream(headers={"Last-Event-ID": strange})) as stream:
            event = stream.next()
            assert (event.name, event.data["place"]) == ("reset", "city")


def test_a_changed_registry_says_read_anew_where_it_matters(make_site: MakeSite) -> None:
    site = make_site()
    new = {**METERS[0], "meter": "second", "value_kind": "interval_sum", "cadence_min": 15, "tz": "Asia/Seoul"}
    with closing(site.stream("place=c1/101/1").ready()) as near, closing(site.stream("place=c1/101/2").ready()) as far:
        site.city.pipeline.register(pa.Table.from_pylist([{**new, "role": "consumption"}]), source="m", actor="test")
        assert near.next().name == "reset"
        send(site.city, ("c1/other", slot(0), 0.5))
        assert far.next().name == "intervals"


def test_heartbeats_come_when_nothing_happens_and_say_how_far_one_is(make_site: MakeSite) -> None:
    site = make_site(heartbeat_s=0)
    with closing(site.stream()) as stream:
        raw = b"".join(chunk for chunk, _ in zip(stream.chunks(), range(3), strict=False))
    assert raw.startswith(b"retry: ")
    assert raw.count(b": beat\nid: ") >= 2


def test_what_is_wrong_is_answered_as_a_problem(make_site: MakeSite) -> None:
    site = make_site(Scope("someone", frozenset({"c1/101/1"})))
    for query, status, code in (
        ("place=nowhere", 404, "unknown_place"),
        ("place=c1/101/2", 403, "forbidden"),
        ("", 403, "forbidden"),
        ("plaice=city", 400, "unknown_parameter"),
        ("place=", 400, "bad_parameter"),
    ):
        answer = httpx.get(f"{site.address}/api/v1/live?{query}")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert httpx.head(f"{site.address}/api/v1/live?place=c1/101/1").status_code == 200


def test_more_listeners_than_allowed_are_told_to_come_later(make_site: MakeSite) -> None:
    site = make_site(listeners=2)
    with closing(site.stream().ready()), closing(site.stream().ready()) as second:
        answer = httpx.get(f"{site.address}/api/v1/live")
        assert (answer.status_code, answer.json()["code"]) == (503, "too_many_listeners")
        assert int(answer.headers["retry-after"]) > 0
        second.close()
        wait(lambda: site.part.hub.listeners == 1)
        with closing(site.stream().ready()) as third:
            assert third.status == 200


def test_when_the_site_stops_every_stream_ends_with_bye(make_site: MakeSite) -> None:
    site = make_site()
    with closing(site.stream().ready()) as stream:
        site.part.stop()
        assert [(event.name, event.data) for event in stream.events] == [("bye", {"reason": "stopping"})]
    assert httpx.get(f"{site.address}/api/v1/live").status_code == 503


def test_a_stalled_listener_is_dropped_and_the_others_hear_everything(make_site: MakeSite) -> None:
    site = make_site(stall_s=1, socket_bytes=4096, queue_events=8, queue_bytes=64_000, place_pause_ms=1)
    stalled = [site.stream(buffer=2048) for _ in range(4)]
    wait(lambda: site.part.hub.listeners == 4)
    with closing(site.stream().ready()) as lively:
        heard: set[str] = set()
        number = 0
        while site.part.hub.counts.dropped < len(stalled):
            assert number < 2000
            send(site.city, *(("c1/power", slot(hour), number + hour / 100) for hour in range(57)))
            number += 1
            event = lively.next()
            assert event.name == "intervals"
            heard |= {row["start"] for row in event.data["totals"]}
        assert len(heard) == 57
        wait(lambda: site.part.hub.listeners == 1)
    for stream in stalled:
        with pytest.raises(ConnectionError):
            for _ in stream.chunks():
                pass
        stream.close()


class FailsOnce(Live):
    """Follows places, but the first time that there is news it fails."""

    failures = 1

    def news(self, watches: Sequence[Watch]) -> list[News | None]:
        if self.failures:
            self.failures -= 1
            raise CityError("the disk was away for a moment.", code="store_io")
        return super().news(watches)


def test_a_failure_ends_the_streams_and_who_comes_back_has_missed_nothing(make_site: MakeSite) -> None:
    site = make_site(kind=FailsOnce)
    with closing(site.stream("place=c1/101/1").ready()) as stream:
        kept = stream.last_id
        send(site.city, ("c1/power", slot(0), 0.1))
        assert list(stream.events) == []
    with closing(site.stream("place=c1/101/1", headers={"Last-Event-ID": kept})) as stream:
        assert [row["value"] for row in stream.next().data["intervals"]] == [0.1]
        stream.ready()
        send(site.city, ("c1/power", slot(1), 0.2))
        assert [row["value"] for row in stream.next().data["intervals"]] == [0.2]


def test_the_description_knows_the_address_and_its_events(make_site: MakeSite) -> None:
    site = make_site()
    document = httpx.get(f"{site.address}/openapi.json").json()
    operation = document["paths"]["/api/v1/live"]["get"]
    assert {one["name"] for one in operation["parameters"]} == {"place", "last_event_id", "Last-Event-ID"}
    names = ("LiveIntervals", "LiveInterval", "LiveTotal", "LiveReset", "LiveAlerts", "LiveBye")
    assert all(name in document["components"]["schemas"] for name in names)
    assert httpx.get(f"{site.address}/docs").text.count("/api/v1/live") == 1
