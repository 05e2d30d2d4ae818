"""What a load generator plays: its settings, the simulated city's messages made ahead, and what became of them."""

import random
import threading
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from quintet.simulate import CityPlan, SimulatedCity, simulate_city
from quintet.simulate.stream import Parcel, Traffic

from .load_bodies import Form
from .load_limits import LIMITS


@dataclass(frozen=True, slots=True)
class Mischief:
    """What the network does to the messages: each sent twice, out of order, a tenth late, pauses of `stall_s`."""

    twice: bool = False
    shuffle: bool = False
    late: bool = False
    stall_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadConfig:
    """What to play to whom. `to` is http://HOST:PORT or mqtt://HOST:PORT; `rate` is readings a second, 0: no limit.

    The city is the simulator's of `households` and `seed`; without `start` its newest day is yesterday. `share` (i, n)
    plays every n-th message from the i-th on, so that several processes play one city. `receipt_s` above 0 asks for
    receipts over MQTT: only they count as acknowledgement, and what has none after so many seconds is sent again.
    """

    to: str
    acks: Path
    rate: float = 10_000.0
    seconds: float = 10.0
    readings_a_message: int = 200
    clients: int = 4
    form: Form = "arrow"
    token: str = ""
    user: str = ""
    password: str = ""
    households: int = 2000
    seed: int = 1
    tz: str = "Asia/Seoul"
    start: date | None = None
    mischief: Mischief = Mischief()
    patience_s: float = 60.0
    share: tuple[int, int] = (0, 1)
    receipt_s: float = 0.0

    @property
    def plan(self) -> CityPlan:
        """The city's plan: as many days as the run may need, without faults of its own."""
        needed = (self.rate or LIMITS.unpaced_rate) * max(self.seconds, 1.0)
        days = max(1, min(LIMITS.days, round(needed / (self.households * 470)) + 1))
        zone = CityPlan(start=date(2000, 1, 1), days=1, tz=self.tz).zone
        start = self.start or datetime.now(UTC).astimezone(zone).date() - timedelta(days=days)
        return CityPlan(start=start, days=days, households=self.households, seed=self.seed, tz=self.tz, faults=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message ready to be sent: its key, its readings, and what the door gets (a body, or topic and payload)."""

    key: str
    parcel: Parcel
    payload: bytes
    topic: str = ""


@dataclass(slots=True)
class Tally:
    """What became of the messages. Latencies are seconds from the first byte sent to the answer.

    `rejected` counts readings that the door named as not taken, `turned_down` messages that it refused for good,
    `given_up` those that were not answered within the patience, `retried` what was sent again. `due_readings` is what
    the rate asked for (None until the end, 0 without a rate), `behind_readings` how much of it was not sent.
    """

    sent: int = 0
    sent_readings: int = 0
    acked: int = 0
    acked_readings: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    given_up: int = 0
    turned_down: int = 0
    broken: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    retried: int = 0
    latency_s: "array[float]" = field(default_factory=lambda: array("d"))
    seconds: float = 0.0
    due_readings: int | None = None
    behind_readings: int = 0

    def quantiles_ms(self) -> dict[str, float]:
        """Give the latency's quantiles in milliseconds; empty where nothing was answered."""
        if not self.latency_s:
            return {}
        values = np.quantile(np.frombuffer(self.latency_s), [0.5, 0.99, 1.0]) * 1000
        return {name: round(float(value), 2) for name, value in zip(("p50", "p99", "max"), values, strict=True)}

    def facts(self) -> dict[str, Any]:
        """Give the counts, as printed at the end."""
        rate = self.acked_readings / self.seconds if self.seconds else 0.0
        return {
            "seconds": round(self.seconds, 2),
            "messages_sent": self.sent,
            "readings_sent": self.sent_readings,
            "readings_due": self.due_readings or 0,
            "readings_behind": self.behind_readings,
            "messages_acknowledged": self.acked,
            "readings_acknowledged": self.acked_readings,
            "readings_a_second": round(rate),
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "rejected": self.rejected,
            "retried": self.retried,
            "refused": dict(self.refused),
            "connections_broken": self.broken,
            "turned_down": self.turned_down,
            "given_up": self.given_up,
            "latency_ms": self.quantiles_ms(),
        }


class Supply:
    """Messages made ahead by a thread: `take` gives the next, None when none is ready; `over` when all were taken."""

    def __init__(
        self, config: LoadConfig, city: SimulatedCity, traffic: Traffic, write: Callable[[Parcel], tuple[str, bytes]]
    ) -> None:
        """Prepare; `write` turns a parcel into topic and payload."""
        self._config, self._city, self._traffic, self._write = config, city, traffic, write
        self._ready: deque[Message] = deque()
        self._bytes = 0
        self._made = self._ended = False
        self._run = f"{time.time_ns():x}"
        self.filled = threading.Event()
        self._thread = threading.Thread(target=self._make, name="supply", daemon=True)

    def begin(self) -> None:
        """Start the thread; `filled` is set once enough is ready."""
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether every message was taken."""
        return self._made and not self._ready

    def take(self) -> Message | None:
        """Give the next message if one is ready."""
        try:
            message = self._ready.popleft()
        except IndexError:
            return None
        self._bytes -= len(message.payload) + 20 * len(message.parcel)
        return message

    def end(self) -> None:
        """Make no more."""
        self._ended = True
        self._thread.join()

    def _make(self) -> None:
        config = self._config
        most = config.rate * config.seconds * 1.2 / config.share[1] if config.rate else float("inf")
        made = 0
        for number, parcel in enumerate(disordered(self._parcels(), config)):
            if self._ended or made > most:
                break
            topic, payload = self._write(parcel)
            key = f"{self._run}-{config.share[0]}-{number}"
            keys = [key, key if number % 2 else f"{key}-again"] if config.mischief.twice else [key]
            for name in keys:
                self._ready.append(Message(name, parcel, payload, topic))
                self._bytes += len(payload) + 20 * len(parcel)
                made += len(parcel)
            while self._bytes > LIMITS.ahead_bytes and not self._ended:
                self.filled.set()
                time.sleep(0.001)
        self._made = True
        self.filled.set()

    def _parcels(self) -> Iterator[Parcel]:
        config = self._config
        by_site = config.to.startswith("mqtt")
        number = 0
        for day in range(self._city.plan.days):
            for parcel in self._traffic.parcels(self._city.plan.day(day), config.readings_a_message, by_site=by_site):
                if number % config.share[1] == config.share[0]:
                    yield parcel
                number += 1


def disordered(parcels: Iterator[Parcel], config: LoadConfig) -> Iterator[Parcel]:
    """Put parcels out of order, as the mischief says: the same way each time."""
    mischief = config.mischief
    rng = random.Random(config.seed)
    window: list[Parcel] = []
    held: deque[tuple[int, Parcel]] = deque()
    for number, parcel in enumerate(parcels):
        if held and held[0][0] <= number:
            yield held.popleft()[1]
        if mischief.late and rng.randrange(LIMITS.late_one_in) == 0:
            held.append((number + LIMITS.late_parcels, parcel))
            continue
        if not mischief.shuffle:
            yield parcel
            continue
        window.append(parcel)
        if len(window) >= LIMITS.shuffled_parcels:
            yield window.pop(rng.randrange(LIMITS.shuffled_parcels))
    rng.shuffle(window)
    yield from window
    yield from (parcel for _, parcel in held)


def simulated(config: LoadConfig) -> SimulatedCity:
    """Make the city that a run plays."""
    return simulate_city(config.plan)
