"""A demo city's concentrators: a process of its own that sends the simulated readings in real time to the HTTP door.

It is told on stdin where to send and what city to play, and ends when stdin does: with the demo, however that ends.
"""

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

import msgspec
import numpy as np

from quintet.simulate import CityPlan, simulate_city
from quintet.simulate.faults import rates_of
from quintet.simulate.stream import Parcel, Sending, Traffic
from quintet.terms.catalogue import numbers_of, read_toml

from .door import Failure, guarded
from .load_bodies import bodies
from .load_http import AGAIN, PATH, Line, headers_of
from .show import say

LEAK = "leak"


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of `data/demo.toml`; the unit stands in the name, and the file says what each is for."""

    beat_ms: int
    ahead_s: int
    niceness: int
    request_rows: int
    pause_s: int
    leak_ppm: int


@cache
def limits() -> Limits:
    """Give the shipped numbers."""
    return Limits(**numbers_of(read_toml("quintet.app", "demo.toml"), Limits.__slots__, "demo.toml"))


class Told(msgspec.Struct, frozen=True):
    """What a demo tells its stream: the door, the city's plan, and from when on (us) readings are still to be sent."""

    address: str
    token: str
    start: str
    days: int
    households: int
    tz: str
    since_us: int

    @property
    def plan(self) -> CityPlan:
        """The city's plan."""
        return demo_plan(date.fromisoformat(self.start), self.days, self.households, self.tz)


def demo_plan(start: date, days: int, households: int, tz: str) -> CityPlan:
    """Give a demo city's plan: the shipped faults, but with more leaks."""
    plain = CityPlan(start=start, days=days, households=households, tz=tz)
    return replace(plain, faults={**rates_of(plain), LEAK: limits().leak_ppm / 1e6})


def upcoming(traffic: Traffic, plan: CityPlan, since_us: int) -> Iterator[Sending]:
    """Give all sendings due after a moment in order, to the plan's end; the days are made as they come near."""
    waiting: deque[Sending] = deque()
    day, ahead_us = plan.start, limits().ahead_s * 1_000_000
    while True:
        while day <= plan.last and (not waiting or waiting[0].due_us >= int(plan.edges(day)[0]) - ahead_us):
            # a day's last readings are sent after midnight: the day before matters where they are not sent yet
            if int(plan.edges(day)[-1]) + ahead_us * 3 > since_us:
                more = [one for one in traffic.sendings(day) if one.due_us > since_us]
                waiting = deque(sorted([*waiting, *more], key=lambda one: one.due_us))
            day += timedelta(days=1)
        if not waiting:
            return
        yield waiting.popleft()


def gathered(sendings: list[Sending]) -> Parcel:
    """Put sendings into one parcel."""
    parts = [one.parcel for one in sendings]
    return Parcel(
        np.concatenate([part.name for part in parts]),
        np.concatenate([part.at_us for part in parts]),
        np.concatenate([part.value for part in parts]),
    )


async def stream(told: Told) -> int:
    """Send what falls due, beat by beat, until the plan ends; gives the number of readings that were acknowledged."""
    traffic = Traffic(simulate_city(told.plan))
    written = bodies("columns", traffic.names)
    line, sent, number, due = Line(told.address), 0, 0, list[Sending]()
    for sending in upcoming(traffic, told.plan, told.since_us):
        ahead_s = sending.due_us / 1e6 - time.time()
        full = sum(len(one.parcel) for one in due) >= limits().request_rows
        if due and (full or ahead_s > 0):
            number += 1
            headers = headers_of(told.token, written.media_type, f"{told.since_us}-{number}")
            sent += await _send(line, headers, written.write(gathered(due)))
            due = []
        if ahead_s > 0:
            await asyncio.sleep(max(ahead_s, limits().beat_ms / 1000))
        due.append(sending)
    return sent


async def _send(line: Line, headers: str, body: bytes) -> int:
    """Send one request until it is answered; what the door refuses for good is said and left out."""
    while True:
        try:
            reply = await line.ask(PATH, headers, body)
        except (OSError, EOFError):
            await line.close()
            await asyncio.sleep(limits().pause_s)
            continue
        if reply.status == 200:
            return int(msgspec.json.decode(reply.body)["accepted"])
        if reply.status not in AGAIN:
            say(f"quintet: the demo's stream: the door answered {reply.status}.")
            return 0
        await asyncio.sleep(limits().pause_s)


def _end_with_stdin() -> None:
    """End the process when nobody holds the other end of stdin any more."""
    sys.stdin.read()
    os._exit(0)


def main() -> int:
    """Read what to play from stdin, and play it."""
    os.nice(limits().niceness)
    told = msgspec.json.decode(sys.stdin.readline(), type=Told)
    threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()
    try:
        outcome = guarded(lambda: asyncio.run(stream(told)))
    except KeyboardInterrupt:
        return 0
    if isinstance(outcome, Failure):
        say(f"quintet: the demo's stream ended: {outcome.line()}")
        return outcome.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
