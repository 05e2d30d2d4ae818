"""Deliveries of all live doors wait here a moment, are committed together, and are answered when they are durable."""

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from quintet.terms.errors import CityError, QuintetError

from .bounds import Limits
from .bounds import limits as shipped
from .delivery import Busy, Delivery, Outcome, QuarantineFull, Shape

__all__ = ["Busy", "Committer", "Delivery", "Limits", "Outcome", "Shape", "Stats"]

BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Upper bounds of the commit times that are counted; one more bucket holds the rest."""


@dataclass(slots=True)
class Stats:
    """Plain counters since the start, for whoever shows them.

    `accepted`, `duplicate`, `quarantined` count rows by door (actor), `corrected` those of the accepted that supersede
    an earlier reading; `repeated` deliveries answered from the record;
    `commit_buckets` counts commits by BUCKETS_S; `rows_per_s` is the rate of late; `last_commit_us` the moment of the
    last durable commit (0: none); `failures` counts commits that failed, `refused` deliveries refused for their key,
    `quarantine_full` those refused for want of room for their bad rows.
    """

    deliveries: Counter[str] = field(default_factory=Counter[str])
    accepted: Counter[str] = field(default_factory=Counter[str])
    duplicate: Counter[str] = field(default_factory=Counter[str])
    quarantined: Counter[str] = field(default_factory=Counter[str])
    corrected: Counter[str] = field(default_factory=Counter[str])
    repeated: int = 0
    refused: int = 0
    quarantine_full: int = 0
    commits: int = 0
    commit_buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    commit_seconds: float = 0.0
    rows_per_s: float = 0.0
    waiting_rows: int = 0
    waiting_bytes: int = 0
    waiting_deliveries: int = 0
    busy_refusals: int = 0
    last_commit_us: int = 0
    failures: int = 0


def size_of(delivery: Delivery) -> int:
    """Give about how many bytes a delivery takes; weighing a table costs more than a few readings are worth."""
    readings, refused, known = delivery.readings, delivery.refused, shipped()
    size = readings.nbytes if readings.num_rows > known.few_rows else known.reading_bytes * readings.num_rows
    return known.delivery_bytes + size + (refused.nbytes if refused.num_rows else 0)


class Groups(Protocol):
    """What the committer needs of the pipeline."""

    def warm(self) -> None:
        """Work out what the first commit will need."""
        ...

    def prepared(self, delivery: Delivery) -> Delivery:
        """Do ahead of the commit what can be done by the thread that brings a delivery."""
        ...

    def commit_some(self, deliveries: list[Delivery]) -> list[Outcome | QuintetError]:
        """Commit the first deliveries, at least one, as one batch; gives what became of each of them."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery in the queue."""

    delivery: Delivery
    size: int
    answer: "Future[Outcome]"


class Committer:
    """Commits deliveries in groups, in the order they came, in a thread of its own."""

    def __init__(self, pipeline: Groups, limits: Limits | None = None, now: Callable[[], int] | None = None) -> None:
        """Commit through a pipeline; nothing is committed before `start`.

        By `now` (us) a delivery is stamped when it is submitted, so that its wait here is not held against its
        device's clock; without it the moment of the commit counts.
        """
        self._pipeline = pipeline
        self._now = now
        self._limits = limits or shipped()
        self._queue: deque[Waiting] = deque()
        self._turn = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._abandoned = False
        self._ended_s = -math.inf
        self.stats = Stats()

    def start(self) -> None:
        """Begin to commit; a second call changes nothing."""
        with self._turn:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
                self._thread.start()

    def stop(self, patience_s: float) -> None:
        """Take no more and finish what was submitted; what is not begun after `patience_s` is answered as not taken."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(patience_s)
            with self._turn:
                self._abandoned = True
                self._turn.notify_all()
            thread.join()
        with self._turn:
            left = list(self._queue)
            self._queue.clear()
            self._count_out(left)
        for one in left:
            one.answer.set_exception(_stopped())

    def submit(self, delivery: Delivery) -> "Future[Outcome]":
        """Queue a delivery; its outcome comes when it is durable. Raises Busy when too much waits already.

        One delivery alone is always taken, however large: its size is bounded at the door.
        """
        if self._now is not None and not delivery.received_us:
            delivery = replace(delivery, received_us=self._now())
        if delivery.received_us and self.stats.waiting_rows + delivery.rows <= self._limits.queue_rows:
            delivery = self._pipeline.prepared(delivery)
        size = size_of(delivery)
        bounds, stats = self._limits, self.stats
        with self._turn:
            if self._closed:
                raise _stopped()
            full = stats.waiting_rows + delivery.rows > bounds.queue_rows
            full |= stats.waiting_bytes + size > bounds.queue_bytes
            if full and stats.waiting_deliveries:
                stats.busy_refusals += 1
                raise Busy(self._retry_after_s())
            one = Waiting(delivery, size, Future())
            one.answer.set_running_or_notify_cancel()  # a door that hangs up cannot take its delivery back
            self._queue.append(one)
            stats.waiting_rows += delivery.rows
            stats.waiting_bytes += size
            stats.waiting_deliveries += 1
            self._turn.notify_all()
        return one.answer

    def _retry_after_s(self) -> int:
        """Say when half of what waits will be stored, at the rate of late; at least a second."""
        rate = self.stats.rows_per_s
        wait_s = self.stats.waiting_rows / 2 / rate if rate else 1.0
        return max(1, min(math.ceil(wait_s), self._limits.longest_retry_s))

    def _run(self) -> None:
        """Commit group after group until stopped and empty."""
        # A worker's future takes whatever a commit raises: nobody who waits is left without an answer.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit") as worker:
            worker.submit(self._pipeline.warm)
            while group := self._next_group():
                self._commit(worker, group)

    def _commit(self, worker: ThreadPoolExecutor, group: list[Waiting]) -> None:
        """Commit a group, in as many batches as it takes, and answer it."""
        while group and not self._abandoned:
            begun = time.monotonic()
            done = worker.submit(self._pipeline.commit_some, [one.delivery for one in group])
            error = done.exception()
            self._ended_s = time.monotonic()
            if error is None:
                outcomes = done.result()
                group, rest = group[: len(outcomes)], group[len(outcomes) :]
                self._measure(group, self._ended_s - begun)
                self._answer(group, outcomes)
                group = rest
            elif isinstance(error, QuintetError) or len(group) == 1:
                self._fail(group, error)
                return
            else:
                # nobody foresaw this: find the delivery that causes it, so that the others are taken
                half = len(group) // 2
                self._commit(worker, group[:half])
                group = group[half:]
        self._fail(group, _stopped())

    def _next_group(self) -> list[Waiting]:
        """Wait for deliveries and take a group of them; empty when stopped and nothing is left."""
        bounds = self._limits
        with self._turn:
            self._turn.wait_for(lambda: bool(self._queue) or self._closed)
            quiet_s = self._ended_s + bounds.linger_ms / 1000 - time.monotonic()
            if quiet_s > 0:
                self._turn.wait_for(lambda: self._closed or self.stats.waiting_rows >= bounds.group_rows, quiet_s)
            group: list[Waiting] = []
            rows = 0
            while self._queue and not self._abandoned and len(group) < bounds.group_deliveries:
                rows += self._queue[0].delivery.rows
                if group and rows > bounds.group_rows:
                    break
                group.append(self._queue.popleft())
            return group

    def _measure(self, group: list[Waiting], took_s: float) -> None:
        """Count a durable commit."""
        stats = self.stats
        place = next((n for n, bound in enumerate(BUCKETS_S) if took_s <= bound), len(BUCKETS_S))
        rate = sum(one.delivery.rows for one in group) / max(took_s, 1e-6)
        with self._turn:
            stats.commits += 1
            stats.commit_buckets[place] += 1
            stats.commit_seconds += took_s
            smoothing = self._limits.smoothing_percent / 100
            stats.rows_per_s += smoothing * (rate - stats.rows_per_s) if stats.rows_per_s else rate
            stats.last_commit_us = time.time_ns() // 1000
            self._count_out(group)

    def _answer(self, group: list[Waiting], outcomes: list[Outcome | QuintetError]) -> None:
        """Tell who waits what became of their deliveries."""
        stats = self.stats
        for one, outcome in zip(group, outcomes, strict=True):
            door = one.delivery.actor
            stats.deliveries[door] += 1
            if isinstance(outcome, QuintetError):
                full = isinstance(outcome, QuarantineFull)
                stats.quarantine_full += full
                stats.refused += not full
                one.answer.set_exception(outcome)
                continue
            if outcome.repeated:
                stats.repeated += 1
            else:
                stats.accepted[door] += outcome.receipt.accepted
                stats.duplicate[door] += outcome.receipt.duplicate
                stats.quarantined[door] += outcome.receipt.quarantined
                stats.corrected[door] += outcome.corrected
            one.answer.set_result(outcome)

    def _fail(self, group: list[Waiting], error: BaseException) -> None:
        """Tell who waits that nothing of their deliveries is acknowledged."""
        if not group:
            return
        with self._turn:
            self.stats.failures += 1
            self._count_out(group)
        told = error if isinstance(error, QuintetError) else _unforeseen(error)
        for one in group:
            one.answer.set_exception(told)

    def _count_out(self, group: list[Waiting]) -> None:
        self.stats.waiting_rows -= sum(one.delivery.rows for one in group)
        self.stats.waiting_bytes -= sum(one.size for one in group)
        self.stats.waiting_deliveries -= len(group)


def _unforeseen(error: BaseException) -> CityError:
    told = CityError(
        f"could not be stored ({type(error).__name__}: {error}).",
        code="unexpected",
        remedy="Nothing of it was taken; please report this.",
    )
    told.__cause__ = error
    return told


def _stopped() -> CityError:
    return CityError(
        "the city is being stopped.", code="stopping", remedy="Send it again when it is served; nothing was taken."
    )
