"""A source that sends rubbish for ever does not fill the disk, and nothing that was acknowledged is lost by that."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from quintet.pipeline.delivery import Delivery, Outcome, QuarantineFull
from quintet.store.originals import OTHERS, Limits, limits, not_kept
from quintet.store.quarantine import Wanted, counts, quarantined

from .test_groups import METERS, committed, deliver, receipts

FEW = Limits(
    source_day_rows=6, source_day_bytes=10_000, source_rows=8, source_bytes=10_000, all_rows=12, all_bytes=10_000,
    sources_counted=3, retry_after_s=7,
)  # fmt: skip
DAY_US = 86_400_000_000


@pytest.fixture
def small(bench: Any) -> Any:
    """Give a store that keeps few originals."""
    bench.register(**METERS)
    bench.pipeline._groups.room.bounds = FEW
    return bench


def rubbish(number: int, count: int, source: str = "a", *, resends: bool = False) -> Delivery:
    """Make a delivery of rows that nobody can decode, no two the same."""
    one = deliver([], source, refused=count)
    texts = pa.array([f'{{"value": "{number}-{n}"}}' for n in range(count)])
    return replace(one, refused=one.refused.set_column(6, "original", texts), resends=resends)


def waits(bench: Any) -> dict[str, int]:
    with bench.engine.snapshot() as snapshot:
        rows = counts(snapshot).to_pylist()
    return {row["source"]: row["rows"] for row in rows}


def beyond(bench: Any) -> dict[tuple[str, str], int]:
    with bench.engine.snapshot() as snapshot:
        return {key: one.rows for key, one in not_kept(snapshot).items()}


def test_a_source_that_cannot_send_again_is_counted_beyond_its_bound_and_told_so(small: Any) -> None:
    first, second = committed(small, rubbish(1, 4), rubbish(2, 4))
    assert receipts([first, second]) == [(0, 0, 4), (0, 0, 4)]
    assert waits(small) == {"a": 6}
    assert beyond(small) == {("a", "bad_value"): 2}
    told = second.problems["reason"].to_pylist()
    assert [("not kept" in reason) for reason in told] == [False, False, True, True]
    for number in range(3, 30):
        committed(small, rubbish(number, 4))
    assert waits(small) == {"a": 6}, "it does not grow any more"
    assert beyond(small) == {("a", "bad_value"): 2 + 27 * 4}
    with small.engine.snapshot() as snapshot:
        total = snapshot.rows("select sum(quarantined) from batch")[0][0]
    assert total == 29 * 4, "each batch counts all of its own"


def test_good_rows_beside_them_are_taken(small: Any) -> None:
    committed(small, rubbish(1, 6))
    mixed = replace(deliver([("e", 0, 1.0)], "a"), refused=rubbish(2, 2).refused)
    (out,) = committed(small, mixed)
    assert receipts([out]) == [(1, 0, 2)]


def test_a_source_that_can_send_again_is_refused_and_nothing_of_it_is_taken(small: Any) -> None:
    committed(small, rubbish(1, 5, resends=True))
    bad = rubbish(2, 2, resends=True)
    mixed = replace(bad, readings=deliver([("e", 0, 1.0)]).readings, key="k", digest="k")
    good = replace(deliver([("e", 1, 1.0)]), resends=True)
    refused, taken, other = small.pipeline.commit_group([mixed, good, rubbish(3, 2, "b", resends=True)])
    assert isinstance(refused, QuarantineFull)
    assert (refused.status, refused.code, refused.retry_after_s) == (429, "quarantine_full", 7)
    assert isinstance(taken, Outcome)
    assert isinstance(other, Outcome)
    assert receipts([taken, other]) == [(1, 0, 0), (0, 0, 2)]
    assert waits(small) == {"a": 5, "b": 2}
    assert beyond(small) == {}
    assert len(small.effective()) == 1
    again = small.pipeline.commit_group([mixed])
    assert isinstance(again[0], QuarantineFull), "its key was not used up"
    small.clock_us += DAY_US
    (later,) = committed(small, mixed)
    assert receipts([later]) == [(1, 0, 2)]


def test_what_stands_there_already_needs_no_room(small: Any) -> None:
    committed(small, rubbish(1, 6, resends=True))
    assert receipts(committed(small, rubbish(1, 6, resends=True))) == [(0, 0, 6)]


def test_room_is_made_by_a_person_and_found_after_a_restart(small: Any) -> None:
    for day in range(3):
        committed(small, rubbish(day, 3))
        small.clock_us += DAY_US
    assert waits(small) == {"a": 8}
    small.reopen()
    small.pipeline._groups.room.bounds = FEW
    committed(small, rubbish(9, 3))
    assert waits(small) == {"a": 8}
    with small.engine.snapshot() as snapshot:
        ids = quarantined(snapshot, Wanted(), limit=2)["id"].to_pylist()
    small.pipeline.dismiss(ids, reason="rubbish", actor="test")
    committed(small, rubbish(10, 3))
    assert waits(small) == {"a": 8}
    assert beyond(small) == {("a", "bad_value"): 1 + 3 + 1}


def test_sources_that_a_device_makes_up_are_bounded_together(small: Any) -> None:
    for number in range(20):
        committed(small, rubbish(number, 1, f"made-up-{number}"))
    assert sum(waits(small).values()) == FEW.all_rows
    assert sum(beyond(small).values()) == 20 - FEW.all_rows
    named = {source for source, _ in beyond(small)}
    assert named == {"made-up-12", "made-up-13", "made-up-14", OTHERS}


def test_one_large_original_counts_by_its_bytes(small: Any) -> None:
    one = rubbish(1, 2)
    texts = pa.array(["x" * 9_990, '{"value": "short"}'])
    (out,) = committed(small, replace(one, refused=one.refused.set_column(6, "original", texts)))
    assert receipts([out]) == [(0, 0, 2)]
    assert beyond(small) == {("a", "bad_value"): 1}


def test_messages_in_order_that_contradict_themselves_are_bounded_too(small: Any) -> None:
    rows = [("e", 0, 1.0), ("e", 0, 2.0), *(("x", n, 1.0) for n in range(9))]
    (out,) = committed(small, replace(deliver(rows), in_order=True))
    assert receipts([out]) == [(2, 0, 9)]
    assert waits(small) == {"a": 6}


def test_the_shipped_bounds_hold_together() -> None:
    bounds = limits()
    assert bounds.source_day_rows <= bounds.source_rows <= bounds.all_rows
    assert bounds.source_day_bytes <= bounds.source_bytes <= bounds.all_bytes
