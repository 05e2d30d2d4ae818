"""`demo`: a city that never was, taken in through the same doors as a real one, served, and sending as time goes by."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from quintet.simulate import CityPlan, SimulatedCity, simulate_city, write_city_toml
from quintet.simulate.plan import STEP_US
from quintet.simulate.stream import Traffic
from quintet.terms.errors import CityError
from quintet.terms.period import to_us
from quintet.terms.reading import clock

from .answer import Answer, Progress, Step
from .city import SETTINGS
from .demo_stream import LEAK, Told, demo_plan
from .making import create_city, refuse_what_exists
from .requests import CloseDays, Ingest, Summary, TokenCreate
from .requests_people import DemoResident
from .run import Desk, finish
from .serving import STOP_S, become_owner, serve_desk
from .show import say

TIMEZONE = "Asia/Seoul"
ROW_GROUP = 1_000_000
"""Readings in one group of the file: what the door decodes at a time."""
DAYS_AHEAD = 14
"""Days that the city goes on sending after today; meter exchanges planned in them are known from the start."""


def make_demo(households: int, days: int, folder: Path | None, port: int, *, serve_it: bool, progress: Progress) -> int:
    """Make, take in, close and serve a simulated city of `days` whole days and today so far; give the exit code.

    Without a folder the city stands in a temporary one that is removed at the end.
    """
    began = time.monotonic()
    now = datetime.now(UTC)
    today = now.astimezone(clock(TIMEZONE)).date()
    plan = demo_plan(today - timedelta(days=days), days + 1 + DAYS_AHEAD, households, TIMEZONE)
    with _place(folder) as city, tempfile.TemporaryDirectory(prefix="quintet-demo-") as work:
        simulated = simulate_city(plan)
        write_until(simulated, Path(work), now, progress)
        _tell(began, f"simulated {households:,} households over {days} days and today, with faults")
        names = simulated.settings["city"]
        create_city(city, name_en=names["name_en"], name_ko=names["name_ko"], timezone=TIMEZONE, simulated=True)
        state_contracts(city)
        owner = become_owner(city)
        desk, stream = Desk(city), _Stream()
        try:
            taken = desk.perform(Ingest([work], None, "demo"), progress)
            _tell(began, _receipt(taken))
            desk.perform(CloseDays(), progress)
            _tell(began, "closed the days that are over")
            _print_summary(desk.perform(Summary(), progress))
            if not serve_it:
                return 0
            resident = desk.perform(DemoResident(tuple(leaking(simulated, now))), progress).read()
            token = desk.perform(TokenCreate("concentrators", ["readings"], "demo"), progress).read()["token"]

            def ready(address: str) -> None:
                _print_addresses(address, city, began, today, resident)
                stream.begin(told(plan, address, token, now))

            return serve_desk(owner, desk, port, ready=ready, local_operator=True)
        finally:
            stream.end()
            finish(owner, desk, STOP_S)


def state_contracts(city: Path) -> None:
    """Write into a new city's settings by which contracts its dwellings are billed, so that pages can show won."""
    rows = files("quintet.app").joinpath("data", "demo_contracts.toml").read_text(encoding="utf-8")
    with (city / SETTINGS).open("a", encoding="utf-8") as settings:
        settings.write(rows)


def leaking(city: SimulatedCity, now: datetime) -> list[str]:
    """Name the water meters that leak at a moment, as the simulated truth says, the longest first; as SITE/METER."""
    rows = [row for row in city.faults.to_pylist() if row["kind"] == LEAK and row["start"] < now < row["end"]]
    return [f"{row['site']}/{row['meter']}" for row in sorted(rows, key=lambda row: row["start"])]


def told(plan: CityPlan, address: str, token: str, since: datetime) -> Told:
    """Give what the stream is told."""
    return Told(address, token, plan.start.isoformat(), plan.days, plan.households, plan.tz, to_us(since))


class _Stream:
    """The process that plays the city's concentrators."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, what: Told) -> None:
        # a session of its own: Ctrl-C is for the demo, which then ends it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "quintet.app.demo_stream"], stdin=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(what) + b"\n")
        self._process.stdin.flush()

    def end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def write_until(city: SimulatedCity, folder: Path, now: datetime, progress: Progress) -> None:
    """Write what a dataset folder holds at a moment: the meters, city.toml, and the readings that were sent by then."""
    traffic, now_us = Traffic(city), to_us(now)
    write_city_toml(city, folder / "city.toml")
    pq.write_table(city.meters, folder / "meters.parquet")
    with pq.ParquetWriter(folder / "readings.parquet", city.readings(city.plan.start).schema) as writer:
        count = city.plan.number(now.astimezone(city.plan.zone).date()) + 1
        for number in range(count):
            progress(Step("simulating days", number, count))
            day = city.plan.day(number)
            if int(city.plan.edges(day)[-1]) + 2 * STEP_US > now_us:
                table = traffic.table_until(day, now_us)
            else:
                table = pa.concat_tables([city.readings(day), city.late(day)])
            writer.write_table(table, row_group_size=ROW_GROUP)


@contextmanager
def _place(folder: Path | None) -> Generator[Path]:
    """Give the folder for the city: the one asked for, kept; or a temporary one, removed at the end."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="quintet-city-") as made:
            yield Path(made) / "city"
        return
    target = folder.expanduser().absolute()
    refuse_what_exists(target)
    if target.is_dir() and any(target.iterdir()):
        raise CityError(
            "is not empty.", code="city_exists", place=str(target), remedy="Name a folder that does not exist yet."
        )
    yield target


def _tell(began: float, what: str) -> None:
    say(f"{time.monotonic() - began:6.1f} s  {what}")


def _receipt(taken: Answer) -> str:
    counts = taken.read()
    return f"took in {counts['accepted']:,} readings; {counts['quarantined']:,} in quarantine"


def _print_summary(answer: Answer) -> None:
    for what, value in answer.rows:
        say(f"          {what}: {value}")


def _print_addresses(address: str, city: Path, began: float, today: date, resident: dict[str, Any]) -> None:
    first, last = today - timedelta(days=1), today + timedelta(days=1)
    _tell(began, "serving a SIMULATED city, whose meters go on sending; end it with Ctrl-C")
    sys.stdout.write(f"{address}\n{address}docs\n{address}enter#{resident['code']}\n")
    sys.stdout.flush()
    warned = " Something is wrong in that home." if resident["alerts"] else ""
    say(f"          The last address is a resident's: it opens once, within the hour.{warned}")
    say(f"          Beside it: quintet balance --city {city} --from {first} --to {last}")
