"""The committer: what is answered is durable, what waits is bounded, and one bad delivery harms no other."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from dataclasses import replace
from typing import Any

import pytest

from quintet.pipeline.bounds import limits
from quintet.pipeline.delivery import Busy, Delivery, Outcome, Receipt
from quintet.pipeline.grouping import Committer, size_of
from quintet.terms.errors import BadInput, CityError, QuintetError

from .test_groups import METERS, deliver

PATIENCE_S = 60


class Gate:
    """A pipeline whose commits wait until the gate is open, or fail as told."""

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline
        self.open = threading.Event()
        self.entered = threading.Event()
        self.fail: Callable[[list[Delivery]], Exception | None] = lambda _: None
        self.groups: list[int] = []

    def warm(self) -> None:
        self.pipeline.warm()

    def prepared(self, delivery: Delivery) -> Delivery:
        return self.pipeline.prepared(delivery)

    def commit_some(self, deliveries: list[Delivery]) -> list[Outcome | QuintetError]:
        self.entered.set()
        assert self.open.wait(PATIENCE_S)
        self.groups.append(len(deliveries))
        error = self.fail(deliveries)
        if error is not None:
            raise error
        return self.pipeline.commit_some(deliveries)


@pytest.fixture
def gate(bench: Any) -> Gate:
    bench.register(**METERS)
    return Gate(bench.pipeline)


@pytest.fixture
def new_committer() -> Iterator[Callable[..., Committer]]:
    made: list[Committer] = []

    def make(*args: Any) -> Committer:
        made.append(Committer(*args))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.stop(PATIENCE_S)


def test_what_waits_while_a_commit_runs_is_the_next_group(gate: Gate, new_committer: Callable[..., Committer]) -> None:
    committer = new_committer(gate)
    first = committer.submit(deliver([("e", 0, 1.0)]))
    assert gate.entered.wait(PATIENCE_S)
    others = [committer.submit(deliver([("e", quarter, 1.0)])) for quarter in range(1, 20)]
    assert not first.done()
    assert committer.stats.waiting_rows == 20
    gate.open.set()
    outcomes = [one.result(PATIENCE_S) for one in [first, *others]]
    assert gate.groups == [1, 19]
    assert [one.receipt for one in outcomes] == [Receipt(1)] * 20
    assert len({one.batch for one in outcomes}) == 2
    stats = committer.stats
    assert (stats.commits, sum(stats.commit_buckets), stats.waiting_rows, stats.waiting_deliveries) == (2, 2, 0, 0)
    assert (stats.deliveries["http"], stats.accepted["http"], stats.waiting_bytes) == (20, 20, 0)
    assert stats.last_commit_us > 0


def test_a_group_is_bounded(gate: Gate, new_committer: Callable[..., Committer]) -> None:
    committer = new_committer(gate, replace(limits(), group_rows=10, group_deliveries=4))
    first = committer.submit(deliver([("e", 0, 1.0)]))
    assert gate.entered.wait(PATIENCE_S)
    wide = [committer.submit(deliver([("e", 10 * n + i, 1.0) for i in range(6)])) for n in range(1, 3)]
    narrow = [committer.submit(deliver([("h", n, 1.0)])) for n in range(5)]
    huge = committer.submit(deliver([("w", n, float(n)) for n in range(30)]))
    gate.open.set()
    wait([first, *wide, *narrow, huge], PATIENCE_S)
    assert gate.groups == [1, 1, 4, 2, 1], "rows bound the second and third, deliveries the third; one alone may exceed"
    assert huge.result().receipt == Receipt(30)


def test_a_full_queue_says_when_to_come_back_and_loses_nothing(
    gate: Gate, new_committer: Callable[..., Committer]
) -> None:
    committer = new_committer(gate, replace(limits(), queue_rows=50, longest_retry_s=7))
    taken = [committer.submit(deliver([("e", quarter, 1.0)])) for quarter in range(50)]
    for quarter in range(50, 60):
        with pytest.raises(Busy) as busy:
            committer.submit(deliver([("e", quarter, 1.0)]))
        assert (busy.value.status, busy.value.code) == (429, "busy")
        assert 1 <= busy.value.retry_after_s <= 7
    assert committer.stats.busy_refusals == 10
    gate.open.set()
    assert all(one.result(PATIENCE_S).receipt == Receipt(1) for one in taken)
    assert committer.submit(deliver([("e", 99, 1.0)])).result(PATIENCE_S).receipt == Receipt(1), "there is room again"


def test_bytes_bound_the_queue_as_well(gate: Gate, new_committer: Callable[..., Committer]) -> None:
    one = deliver([("e", 0, 1.0)])
    committer = new_committer(gate, replace(limits(), queue_bytes=size_of(one)))
    first = committer.submit(one)
    with pytest.raises(Busy):
        committer.submit(one)
    gate.open.set()
    assert first.result(PATIENCE_S).batch > 0


def test_the_size_of_a_delivery_is_about_right() -> None:
    small, large = (deliver([("e", n, 1.0) for n in range(count)]) for count in (1, 10_000))
    assert small.readings.nbytes < size_of(small) < 10_000
    assert large.readings.nbytes < size_of(large) < 1.1 * large.readings.nbytes
    assert size_of(deliver([], refused=1000)) > deliver([], refused=1000).refused.nbytes


def test_a_commit_that_fails_acknowledges_nothing_and_the_next_goes_on(
    gate: Gate, new_committer: Callable[..., Committer]
) -> None:
    committer = new_committer(gate)
    gate.fail = lambda _: CityError("the disk is full.", code="disk_full")
    gate.open.set()
    with pytest.raises(CityError, match="disk is full"):
        committer.submit(deliver([("e", 0, 1.0)])).result(PATIENCE_S)
    gate.fail = lambda _: None
    assert committer.submit(deliver([("e", 0, 1.0)])).result(PATIENCE_S).receipt == Receipt(1)
    assert committer.stats.failures == 1


def test_a_delivery_that_nobody_foresaw_harms_only_itself(gate: Gate, new_committer: Callable[..., Committer]) -> None:
    committer = new_committer(gate)
    first = committer.submit(deliver([("e", 0, 1.0)]))
    assert gate.entered.wait(PATIENCE_S)
    gate.fail = lambda group: ZeroDivisionError("poison") if any(one.source == "bad" for one in group) else None
    waiting = [committer.submit(deliver([("e", n, 1.0)], "bad" if n == 5 else "a")) for n in range(1, 9)]
    gate.open.set()
    assert first.result(PATIENCE_S).batch > 0
    for number, one in enumerate(waiting, start=1):
        if number == 5:
            with pytest.raises(CityError, match="ZeroDivisionError: poison"):
                one.result(PATIENCE_S)
        else:
            assert one.result(PATIENCE_S).receipt == Receipt(1)


def test_a_refused_key_comes_through_the_future(gate: Gate, new_committer: Callable[..., Committer]) -> None:
    committer = new_committer(gate)
    gate.open.set()
    one = deliver([("e", 0, 1.0)], key="k", digest="one")
    first, again = (committer.submit(one).result(PATIENCE_S) for _ in range(2))
    assert (first.repeated, again.repeated) == (False, True)
    with pytest.raises(BadInput):
        committer.submit(replace(one, digest="two")).result(PATIENCE_S)
    assert (committer.stats.repeated, committer.stats.refused, committer.stats.accepted["http"]) == (1, 1, 1)


def test_one_who_hangs_up_takes_nothing_back(gate: Gate, new_committer: Callable[..., Committer]) -> None:
    committer = new_committer(gate)
    gone, stays = (committer.submit(deliver([("e", quarter, 1.0)])) for quarter in (0, 1))
    assert not gone.cancel()
    gate.open.set()
    assert stays.result(PATIENCE_S).receipt == gone.result(PATIENCE_S).receipt == Receipt(1)


def test_stopping_finishes_what_was_submitted_and_takes_no_more(gate: Gate, bench: Any) -> None:
    committer = Committer(gate)
    waiting = [committer.submit(deliver([("e", quarter, 1.0)])) for quarter in range(5)]
    gate.open.set()
    committer.start()
    committer.start()
    committer.stop(PATIENCE_S)
    assert [one.result(0).receipt for one in waiting] == [Receipt(1)] * 5
    assert len(bench.effective()) == 5
    with pytest.raises(CityError, match="being stopped"):
        committer.submit(deliver([]))


def test_stopping_without_patience_answers_everybody(gate: Gate, bench: Any) -> None:
    committer = Committer(gate)
    committer.start()
    first = committer.submit(deliver([("e", 0, 1.0)]))
    assert gate.entered.wait(PATIENCE_S)
    second = committer.submit(deliver([("e", 1, 1.0)]))
    stopping = threading.Thread(target=committer.stop, args=(0,))
    stopping.start()
    while not committer._abandoned:
        stopping.join(0.01)
    gate.open.set()
    stopping.join(PATIENCE_S)
    assert first.result(PATIENCE_S).receipt == Receipt(1), "it had begun"
    with pytest.raises(CityError, match="being stopped"):
        second.result(PATIENCE_S)
    assert len(bench.effective()) == 1
    assert committer.stats.waiting_deliveries == 0


def test_a_committer_that_never_started_answers_as_well(gate: Gate) -> None:
    committer = Committer(gate)
    one = committer.submit(deliver([("e", 0, 1.0)]))
    committer.stop(0)
    with pytest.raises(CityError, match="being stopped"):
        one.result(0)


def test_many_doors_at_once_get_exact_receipts(bench: Any, new_committer: Callable[..., Committer]) -> None:
    bench.register(**METERS)
    committer = new_committer(bench.pipeline, replace(limits(), queue_rows=40))
    told: list[Receipt] = []

    def door(number: int) -> None:
        for quarter in range(0, 40, 2):
            one = deliver([("e", quarter + part, 1.0) for part in range(2)], f"door {number}")
            while True:
                try:
                    told.append(committer.submit(one).result(PATIENCE_S).receipt)
                    break
                except Busy:
                    continue

    threads = [threading.Thread(target=door, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(one.accepted for one in told) == 40, "each reading is new once"
    assert sum(one.duplicate for one in told) == 3 * 40
    assert len(bench.effective()) == 40


def test_a_live_commit_does_not_wait_for_a_file_that_is_being_read(
    bench: Any, new_committer: Callable[..., Committer]
) -> None:
    bench.register(**METERS)
    committer = new_committer(bench.pipeline)
    file = deliver([("h", quarter, 1.0) for quarter in range(5)], "file")
    live: list[Outcome] = []

    def parts() -> Iterator[Any]:
        yield file.readings, file.refused
        live.append(committer.submit(deliver([("e", 0, 1.0)])).result(PATIENCE_S))
        yield deliver([("h", quarter, 1.0) for quarter in range(5, 9)]).readings, file.refused

    receipt = bench.pipeline.commit(parts(), source="file", actor="test")
    assert live[0].receipt == Receipt(1)
    assert receipt == Receipt(9)
    assert live[0].batch < bench.engine.last_batch
