"""A small city in which people live: every dwelling's numbers are its own, so that a foreign one is known anywhere."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyarrow as pa
import uvicorn
from tests.conftest import IDLE_S

from quintet.app.answer import Answer
from quintet.app.city import City, settings_text
from quintet.app.doors import Doors
from quintet.app.operations import answer_request
from quintet.app.requests import AnyRequest
from quintet.app.site import build_site
from quintet.app.turns import Turns
from quintet.registry.changes import move_in, move_out
from quintet.registry.person import RESIDENT, Person, Right
from quintet.store.records import FOREVER
from quintet.terms.period import to_us
from quintet.terms.tables import QUARANTINE, READINGS

START = datetime(2026, 3, 1, 15, tzinfo=UTC)
"""2026-03-02 00:00 in Seoul."""
MOVE = START + timedelta(days=1, hours=9)
"""When people move out of c1/101/2, and others in."""
NOW = START + timedelta(days=2, hours=14, minutes=31)
HOURS = int((NOW - START) / timedelta(hours=1))
HOMES = ("c1/101/1", "c1/101/2", "c1/102/1", "c1/102/2", "c2/201/1", "c2/201/2")
KINDS = (("electricity", "kWh"), ("water", "m3"))
PASSWORD = "a sentence that is long enough"


class Hand:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return to_us(self.now)


def amount(home: int, kind: int, hour: int) -> float:
    """Give what a dwelling uses in an hour: no two dwellings, carriers or hours have the same; all have 7 digits."""
    return round(1.041731 + home * 0.131 + kind * 0.0173 + hour * 0.00101 + hour % 9 * 0.000001, 6)


def channel(home: str, kind: str) -> str:
    return f"{home.split('/')[0]}/{home.replace('/', '-')}-{kind}"


class Peopled:
    """The city, its clock, and its site as browsers meet it, served on a free port."""

    def __init__(self, city: City, hand: Hand, *, local_operator: bool = False) -> None:
        self.city, self.hand = city, hand
        hand.now += timedelta(seconds=10)
        doors = Doors(city, Turns(), local_operator=local_operator)
        self.live, self.keeper = doors.live, doors.keeper
        self.door = socket.socket()
        self.door.bind(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self.door.getsockname()[1]}"
        self.site = build_site(city, doors.parts, doors.keeper)
        self.server = uvicorn.Server(
            uvicorn.Config(self.site, log_level="critical", server_header=False, ws="none", timeout_keep_alive=IDLE_S)
        )
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.door]}, daemon=True)
        self.thread.start()
        self.clients: list[httpx.Client] = []
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)

    def close(self) -> None:
        self.live.stop()
        for client in self.clients:
            client.close()
        self.server.should_exit = True
        self.thread.join(30)
        self.door.close()
        self.city.close()

    def ask(self, request: AnyRequest) -> Answer:
        return answer_request(self.city, request, lambda _step: None)

    def client(self, **headers: str) -> httpx.Client:
        """Give a browser of its own."""
        client = httpx.Client(base_url=self.origin, headers={"Origin": self.origin, **headers}, timeout=60)
        self.clients.append(client)
        return client

    def forget_clients(self) -> None:
        """Close the browsers that were given."""
        while self.clients:
            self.clients.pop().close()

    def person(self, name: str, role: str, place: str, since: datetime | None = None) -> Person:
        """Make somebody with a role at a place."""
        person = self.city.people.add(name, name.title(), actor="test")
        if role == RESIDENT:
            right = Right(role, place, self.hand(), to_us(since or START - timedelta(days=400)), FOREVER)
        else:
            right = Right(role, place, self.hand())
        self.city.people.grant(person, right, actor="test")
        return person

    def signed_in(self, person: Person) -> httpx.Client:
        """Give a browser in which somebody has signed in."""
        return self.client(Cookie=f"quintet={self.city.entrance.begin(person)}")


def made(folder: Path, hand: Hand) -> City:
    """Make the city with its meters, two and a half days of readings, and a move."""
    folder.mkdir()  # not by City.create, whose first batch would be of this machine's time
    (folder / "city.toml").write_text(settings_text("Naju", "나주", "Asia/Seoul", simulated=False))
    city = City.open(folder, now=hand)
    meters = [
        {
            "site": home.split("/")[0], "building": home.split("/")[1], "premise": home.split("/")[2],
            "meter": f"{home.replace('/', '-')}-{kind}", "commodity": kind, "unit": unit,
            "value_kind": "interval_sum", "cadence_min": 60, "tz": "Asia/Seoul", "role": "consumption",
        }
        for home in HOMES
        for kind, unit in KINDS
    ]  # fmt: skip
    city.pipeline.register(pa.Table.from_pylist(meters), source="test", actor="test")
    send(city, range(HOURS))
    for change in (
        lambda registry: move_in(registry, premise=HOMES[1], occupant="family-old", at=START - timedelta(days=900)),
        lambda registry: move_out(registry, premise=HOMES[1], at=MOVE - timedelta(seconds=1)),
        lambda registry: move_in(registry, premise=HOMES[1], occupant="family-new", at=MOVE),
    ):
        city.pipeline.apply_records(change(city.registry()), kind="registry", source="test", actor="test")
    return city


def send(city: City, hours: range, homes: tuple[str, ...] = HOMES, more: float = 0.0) -> None:
    """Commit the hours' readings as one batch."""
    rows = [
        {
            "site": home.split("/")[0], "meter": f"{home.replace('/', '-')}-{kind}",
            "at": START + timedelta(hours=hour), "value": amount(HOMES.index(home), number, hour) + more,
            "commodity": None, "unit": None, "row": 1,
        }
        for hour in hours
        for home in homes
        for number, (kind, _) in enumerate(KINDS)
    ]  # fmt: skip
    table = pa.Table.from_pylist([{**row, "row": at} for at, row in enumerate(rows, 1)], READINGS)
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")
