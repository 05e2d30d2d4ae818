"""A small simulated city, taken in through the real doors up to a fixed moment of its third day, and its site."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import uvicorn
from fastapi import FastAPI
from tests.browsing import browser
from tests.conftest import IDLE_S

from quintet.access import EVERYTHING, Feed
from quintet.app.city import City
from quintet.ingest.deliver import ingest_dataset
from quintet.ingest.files import find
from quintet.simulate import CityPlan, SimulatedCity, simulate_city, write_city_toml
from quintet.terms.period import to_us
from quintet.views import Questions
from quintet.views.live import Live
from quintet.web.live import LivePart
from quintet.web.live_limits import Limits
from quintet.web.site import build

__all__ = ["browser"]
NOW = datetime(2026, 11, 4, 5, 31, tzinfo=UTC)
"""14:31 in Seoul."""
PLAN = CityPlan(start=date(2026, 11, 2), days=3, households=30, faults=False)
DWELLING = "c001/101/0101"
SECOND = timedelta(seconds=1)
LOST = (
    # An electricity meter loses an hour and seven: both are estimated.
    ("101-0101-electricity", datetime(2026, 11, 3, 17, tzinfo=UTC), datetime(2026, 11, 4, 0, tzinfo=UTC)),
    ("101-0101-electricity", datetime(2026, 11, 4, 2, tzinfo=UTC), datetime(2026, 11, 4, 3, tzinfo=UTC)),
    # A water meter is silent from noon on: nothing can be estimated, it is missing.
    ("101-0101-water", datetime(2026, 11, 4, 3, tzinfo=UTC) + SECOND, NOW),
)


def arrived(city: SimulatedCity) -> pa.Table:
    """Give the readings until NOW, intervals once they are over, without those that are lost."""
    table = pa.concat_tables([city.readings(city.plan.day(number)) for number in range(city.plan.days)])
    sums = city.meters.filter(pc.equal(city.meters["value_kind"], "interval_sum"))["meter"]
    at, meter = table["ts_utc"], table["meter"]
    over = pc.if_else(
        pc.is_in(meter, value_set=sums.combine_chunks()), moment(NOW - timedelta(minutes=15)), moment(NOW)
    )
    keep = pc.less_equal(at, over)
    for name, start, end in LOST:
        inside = pc.and_(pc.greater_equal(at, moment(start)), pc.less(at, moment(end)))
        keep = pc.and_not(keep, pc.and_(inside, pc.equal(meter, name)))
    return table.filter(keep)


def moment(at: datetime) -> pa.Scalar:
    return pa.scalar(at, pa.timestamp("us", tz="UTC"))


def fill(folder: Path, work: Path) -> City:
    """Make the small city in a folder."""
    simulated = simulate_city(PLAN, threads=2)
    work.mkdir(parents=True)
    write_city_toml(simulated, work / "city.toml")
    pq.write_table(simulated.meters, work / "meters.parquet")
    pq.write_table(arrived(simulated), work / "readings.parquet")
    names = simulated.settings["city"]
    City.create(
        folder, name_en=names["name_en"], name_ko=names["name_ko"], timezone="Asia/Seoul", simulated=True
    ).close()
    city = City.open(folder, now=lambda: to_us(NOW))
    for dataset in find([work]):
        taken = ingest_dataset(city.pipeline, dataset, actor="test")
        assert taken.accepted > 10_000
    return city


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("web")
    out = fill(folder / "city", folder / "work")
    yield out
    out.close()


@pytest.fixture(scope="session")
def site_questions(city: City) -> Questions:
    return Questions(city.access(EVERYTHING), now=city.now)


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Give a function that serves a site on a free port of this machine and gives http://127.0.0.1:PORT."""
    yield from serving()


@pytest.fixture(scope="module")
def serve_here() -> Iterator[Callable[[FastAPI], str]]:
    """Do the same for a city of this module's own: what is being answered ends before the city is closed."""
    yield from serving()


def serving() -> Iterator[Callable[[FastAPI], str]]:
    """Serve sites until the end."""
    ends: list[Callable[[], None]] = []

    def start(site: FastAPI) -> str:
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(site, log_level="critical", server_header=False, ws="none", timeout_keep_alive=IDLE_S)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join(10)
            door.close()

        ends.append(end)
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        return f"http://127.0.0.1:{door.getsockname()[1]}"

    yield start
    for end in ends:
        end()


def live_part(city: City, limits: Limits | None = None) -> LivePart:
    """Give live push over a city, hearing its commits and what changes in its alerts."""
    feed = Feed(city.engine, city.pipeline.registry, city.pipeline.recent)
    city.pipeline.listeners.append(feed.take)
    city.alerts.listeners.append(feed.take_alerts)
    return LivePart(Live(feed, EVERYTHING), limits)


@pytest.fixture(scope="session")
def site(site_questions: Questions) -> FastAPI:
    return build(site_questions, health=lambda: {"status": "ok", "days": 3})


@pytest.fixture(scope="session")
def live_address(serve: Callable[[FastAPI], str], site_questions: Questions, city: City) -> str:
    """Give the address of the same site with live push, as pages expect it."""
    return serve(build(site_questions, health=dict, parts=[live_part(city)]))


@pytest.fixture(scope="session")
def address(serve: Callable[[FastAPI], str], site: FastAPI) -> str:
    return serve(site)


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as out:
        yield out
