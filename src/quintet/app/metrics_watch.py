"""What the parts of a running owner say of themselves, gathered where metrics, `top` and logs can read it."""

import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache

from quintet.pipeline.commit import Committed
from quintet.pipeline.delivery import Delivery, Outcome
from quintet.pipeline.grouping import BUCKETS_S, Stats
from quintet.terms.catalogue import check_keys, read_toml

Submit = Callable[[Delivery], "Future[Outcome]"]
KEPT_COMMITS = 12
LONGEST_WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Watching:
    """The numbers of `data/observing.toml`: steps of staleness in cadences, and seconds."""

    stale_cadences: tuple[int, ...]
    refresh_s: float
    days_refresh_s: float
    windows_s: tuple[int, ...]
    log_every_s: float


@cache
def watching() -> Watching:
    """Read the shipped numbers; unknown keys are refused."""
    table = read_toml("quintet.app", "observing.toml")
    names = {"staleness": "cadences", "refresh": "seconds", "days": "seconds", "rates": "windows", "logs": "every"}
    check_keys(table, required=set(names), optional=set(), place="observing.toml")
    for part, name in names.items():
        check_keys(table[part], required={name, "source", "why"}, optional=set(), place=f"observing.toml [{part}]")
    return Watching(
        tuple(table["staleness"]["cadences"]),
        float(table["refresh"]["seconds"]),
        float(table["days"]["seconds"]),
        tuple(table["rates"]["windows"]),
        float(table["logs"]["every"]),
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """One durable batch: its number, kind and door, counts, and when (us)."""

    batch: int
    kind: str
    actor: str
    accepted: int
    duplicate: int
    quarantined: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Door:
    """How a door is: a name, "up" or another word, plain counters of its own, why it is down, answers by code."""

    name: str
    state: str
    counters: dict[str, float]
    reason: str = ""
    answered: dict[str, int] = field(default_factory=dict[str, int])


class Watch:
    """Takes what is committed, and knows whom to ask for the rest; what nobody announced is left out.

    `stats` are the Committer's counters, `doors` the doors' states, `listeners` how many follow live.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing seen; `clock` gives seconds, for rates."""
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds: dict[int, list[int]] = {}
        self.batches: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.commits: deque[Seen] = deque(maxlen=KEPT_COMMITS)
        self.answer_buckets = [0] * (len(BUCKETS_S) + 1)
        self.answer_seconds = 0.0
        self.stats: Stats | None = None
        self.doors: list[Callable[[], Sequence[Door]]] = []
        self.listeners: Callable[[], int] | None = None

    def take(self, committed: Committed) -> None:
        """Take in a durable batch: a listener of the pipeline."""
        batch = committed.batch
        with self._lock:
            self.batches[batch.kind] += 1
            if batch.kind == "readings":
                for name in ("accepted", "duplicate", "quarantined"):
                    self.rows[name] += getattr(batch, name)
                second = self._seconds.setdefault(int(self._clock()), [0, 0])
                second[0] += batch.accepted + batch.duplicate
                second[1] += 1
                for old in [number for number in self._seconds if number < self._clock() - LONGEST_WINDOW_S - 1]:
                    del self._seconds[old]
            counts = (batch.accepted, batch.duplicate, batch.quarantined)
            self.commits.append(Seen(batch.id, batch.kind, batch.actor, *counts, batch.received_us))

    def timed(self, submit: Submit) -> Submit:
        """Give a committer's `submit` that times each delivery from being handed over until it is durable."""

        def submitted(delivery: Delivery) -> "Future[Outcome]":
            began = self._clock()
            answer = submit(delivery)
            answer.add_done_callback(lambda done: self._answered(self._clock() - began, done))
            return answer

        return submitted

    def _answered(self, took_s: float, done: "Future[Outcome]") -> None:
        if done.cancelled() or done.exception() is not None:
            return
        with self._lock:
            self.answer_buckets[bisect_left(BUCKETS_S, took_s)] += 1
            self.answer_seconds += took_s

    def newest(self) -> list[Seen]:
        """Give the newest batches, newest first."""
        with self._lock:
            return list(self.commits)[::-1]

    def rates(self, window_s: int) -> tuple[float, float]:
        """Give readings and commits a second over the last whole seconds."""
        now = int(self._clock())
        with self._lock:
            found = [told for second, told in self._seconds.items() if now - window_s <= second < now]
        return sum(rows for rows, _ in found) / window_s, sum(commits for _, commits in found) / window_s

    def said_of_doors(self) -> list[Door]:
        """Ask each door how it is."""
        return [door for ask in self.doors for door in ask()]
