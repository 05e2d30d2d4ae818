"""Groups of deliveries: exact receipts, one batch where nothing is contradicted, the same key the same answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quintet.pipeline.bounds import limits
from quintet.pipeline.delivery import Delivery, Outcome, Receipt
from quintet.pipeline.grouping import Committer
from quintet.store.quarantine import Wanted, quarantined
from quintet.terms.errors import BadInput, CityError
from quintet.terms.tables import MOMENT, QUARANTINE, READINGS

START = datetime(2025, 1, 3, tzinfo=UTC)
STEP = timedelta(minutes=15)
METERS = {
    "e": ("electricity", "kWh", "interval_sum", 15),
    "w": ("water", "m3", "register_cumulative", 15),
    "h": ("hot_water", "L", "event_sum", 15),
}
MWH = 1_000_000
Row = tuple[str, int, float]


def deliver(
    rows: list[Row], source: str = "a", *, key: str = "", digest: str = "", refused: int = 0, coded: bool = False
) -> Delivery:
    """Make a delivery of rows (meter, quarter-hour after START, value) and some that the door could not decode."""
    table = pa.Table.from_pylist(
        [
            {"site": "s", "meter": m, "at": START + STEP * q, "value": v, "commodity": None, "unit": None, "row": n}
            for n, (m, q, v) in enumerate(rows, start=1)
        ],
        READINGS,
    )
    if coded:
        words = [pa.field(f.name, pa.dictionary(pa.int32(), f.type)) if f.type == pa.string() else f for f in READINGS]
        table = table.cast(pa.schema(words))
    bad = [
        {"source": "?", "row": len(rows) + n, "site": None, "meter": None, "code": "bad_value", "reason": "No number.",
         "original": f'{{"value": "x{n}"}}'} for n in range(1, refused + 1)
    ]  # fmt: skip
    return Delivery(table, pa.Table.from_pylist(bad, QUARANTINE), source, "http", key, digest)


def committed(bench: Any, *deliveries: Delivery) -> list[Outcome]:
    out = bench.pipeline.commit_group(list(deliveries))
    assert all(isinstance(one, Outcome) for one in out), out
    return out


def receipts(outcomes: list[Outcome]) -> list[tuple[int, int, int]]:
    return [(one.receipt.accepted, one.receipt.duplicate, one.receipt.quarantined) for one in outcomes]


def test_deliveries_of_several_doors_are_one_batch_and_each_gets_its_receipt(bench: Any) -> None:
    bench.register(**METERS)
    before = bench.engine.last_batch
    out = committed(
        bench,
        deliver([("e", 0, 1.0), ("e", 1, 1.0)]),
        deliver([("e", 1, 1.0), ("e", 1, 1.0), ("e", 2, 1.0), ("x", 0, 1.0)], "b", refused=2, coded=True),
        deliver([("x", 0, 1.0)], "c"),
        deliver([], "d"),
    )
    assert {one.batch for one in out} == {before + 1} == {bench.engine.last_batch}
    assert receipts(out) == [(2, 0, 0), (1, 2, 3), (0, 0, 1), (0, 0, 0)]
    codes = [one.problems["code"].to_pylist() for one in out]
    assert codes == [[], ["bad_value", "bad_value", "unregistered_meter"], ["unregistered_meter"], []]
    assert out[1].problems["row"].to_pylist() == [5, 6, 4]
    assert set(out[1].problems["source"].to_pylist()) == {"b"}
    with bench.engine.snapshot() as snapshot:
        said = snapshot.rows("select source, actor, accepted, duplicate, quarantined from batch where id = ?", [2])
        assert quarantined(snapshot, Wanted(), limit=9)["source"].to_pylist().count("b") == 3
    assert said == [("4 sources", "http", 3, 2, 4)]


def test_what_is_not_new_writes_nothing(bench: Any) -> None:
    bench.register(**METERS)
    one = deliver([("e", 0, 1.0), ("x", 0, 1.0)])
    assert receipts(committed(bench, one)) == [(1, 0, 1)]
    before = bench.engine.last_batch
    again = committed(bench, one, deliver([("e", 0, 1.0)], "b"))
    assert receipts(again) == [(0, 1, 1), (0, 1, 0)]
    assert [one.batch for one in again] == [0, 0]
    assert again[0].problems.num_rows == 1, "the refused row is named again, and stands in quarantine once"
    assert bench.engine.last_batch == before


def test_a_broken_device_that_repeats_itself_is_kept_once(bench: Any) -> None:
    bench.register(**METERS)
    good = ("e", 0, 1.0)
    committed(bench, deliver([("x", 0, 1.0)]), deliver([good, ("x", 0, 1.0)]), deliver([good, good, ("x", 0, 1.0)]))
    with bench.engine.snapshot() as snapshot:
        assert quarantined(snapshot, Wanted(), limit=9).num_rows == 1


def test_a_contradiction_is_settled_by_the_order_of_the_deliveries(bench: Any) -> None:
    bench.register(**METERS)
    out = committed(
        bench,
        deliver([("e", 0, 1.0)]),
        deliver([("e", 1, 5.0)]),
        deliver([("e", 0, 2.0)], "b"),
        deliver([("e", 0, 3.0)]),
    )
    first = out[0].batch
    assert [one.batch - first for one in out] == [0, 0, 1, 2]
    assert receipts(out) == [(1, 0, 0)] * 4
    assert [row[2] for row in bench.effective()] == [3 * MWH, 5 * MWH]
    assert bench.effective(first)[0][2] == 1 * MWH


def test_inside_one_delivery_order_does_not_matter(bench: Any) -> None:
    bench.register(**METERS)
    out = committed(bench, deliver([("e", 0, 2.0), ("e", 0, 1.0)]), deliver([("e", 0, 2.0)], "b"))
    assert receipts(out) == [(2, 0, 0), (0, 1, 0)]
    assert len({one.batch for one in out} - {0}) == 1, "what only repeats contradicts nothing"
    assert bench.effective()[0][2] == MWH, "the lower one, as within any batch"


def test_the_same_key_is_answered_the_same_also_after_opening_anew(bench: Any) -> None:
    bench.register(**METERS)
    one = deliver([("e", 0, 1.0), ("e", 0, 1.0), ("x", 0, 1.0)], key="k", digest="d", refused=1)
    (first,) = committed(bench, one)
    assert (first.receipt, first.repeated) == (Receipt(1, 1, 0, 2), False)
    bench.reopen()
    before = bench.engine.last_batch
    again = committed(bench, one, deliver([("e", 1, 1.0)], "b", key="k", digest="other sender, other key"))
    assert (again[0].receipt, again[0].batch, again[0].repeated) == (first.receipt, first.batch, True)
    assert again[0].problems == first.problems
    assert again[1].repeated is False
    assert bench.engine.last_batch == before + 1


def test_a_key_with_other_contents_is_refused_and_nothing_is_written(bench: Any) -> None:
    bench.register(**METERS)
    group = [
        deliver([("e", 0, 1.0)], key="k", digest="one"),
        deliver([("e", 1, 1.0)], key="k", digest="two"),
        deliver([("e", 2, 1.0)]),
    ]
    first, refused, last = bench.pipeline.commit_group(group)
    assert isinstance(refused, BadInput)
    assert refused.code == "key_reused"
    assert receipts([first, last]) == [(1, 0, 0), (1, 0, 0)]
    assert len(bench.effective()) == 3, "the gap between the two is estimated, not the refused reading"
    assert [row[3] for row in bench.effective()] != [1, 1, 1]


def test_a_key_is_forgotten_when_it_is_too_old(bench: Any) -> None:
    bench.register(**METERS)
    one = deliver([("e", 0, 1.0)], key="k", digest="d")
    committed(bench, one)
    bench.clock_us += (limits().key_days + 1) * 86_400_000_000
    (again,) = committed(bench, one)
    assert (again.repeated, again.receipt) == (False, Receipt(0, 1))
    with bench.engine.snapshot() as snapshot:
        kept = snapshot.rows("select batch from delivery")
    assert kept == [(again.batch,)], "the old record went when the new one came"


def test_memory_of_keys_shrinks_when_they_are_forgotten(bench: Any) -> None:
    bench.register(**METERS)
    committed(bench, *(deliver([], key=f"k{number}", digest="d") for number in range(20)))
    keys = {("a", f"k{number}") for number in range(20)}
    assert len(bench.pipeline._groups._keys.known(keys)) == 20
    bench.clock_us += (limits().key_days + 1) * 86_400_000_000
    committed(bench, deliver([], key="new", digest="d"))
    assert bench.pipeline._groups._keys.known({*keys, ("a", "new")}) == [("a", "new")]


def test_what_a_failed_commit_would_have_forgotten_is_forgotten_by_the_next(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.register(**METERS)
    committed(bench, deliver([], key="old", digest="d"))
    bench.clock_us += (limits().key_days + 1) * 86_400_000_000

    def fail(*_: object) -> None:
        raise CityError("no.", code="disk_full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.pipeline._groups.drift, "append", fail)
        with pytest.raises(CityError):
            committed(bench, deliver([], key="new", digest="d"))
    committed(bench, deliver([], key="new", digest="d"))
    with bench.engine.snapshot() as snapshot:
        assert snapshot.rows("select key from delivery") == [("new",)]


def test_a_repeated_answer_names_a_bounded_number_of_rows(bench: Any) -> None:
    bench.register(**METERS)
    one = deliver([], key="k", digest="d", refused=limits().problems_kept + 5)
    (first,) = committed(bench, one)
    (again,) = committed(bench, one)
    assert first.problems.num_rows == first.receipt.quarantined == again.receipt.quarantined
    assert again.problems.num_rows == limits().problems_kept


def test_names_are_resolved_anew_when_the_registry_changes_before_the_lock_is_taken(bench: Any) -> None:
    bench.register(e=METERS["e"])
    groups = bench.pipeline._groups
    plain, asked = bench.pipeline.normaliser, []

    def changing() -> Any:
        found = plain()
        asked.append(found)
        if len(asked) == 1:
            bench.register(**METERS)
        return found

    bench.pipeline.normaliser = changing
    assert receipts(groups.commit([deliver([("e", 0, 1.0), ("h", 0, 1.0)])])) == [(2, 0, 0)]
    assert asked[0] is not asked[1]


def sent(at: datetime, device: datetime | None, value: float = 1.0, meter: str = "e") -> Delivery:
    row = {"site": "s", "meter": meter, "at": at, "value": value, "commodity": None, "unit": None, "row": 1}
    schema = pa.schema([*READINGS, pa.field("sent_at", MOMENT)])
    return Delivery(pa.Table.from_pylist([{**row, "sent_at": device}], schema), QUARANTINE.empty_table(), "a", "mqtt")


@pytest.mark.parametrize(
    ("at_s", "device_s", "code"),
    [
        (-900, 0, None),
        (-900, -899, None),
        (-900, -901, "clock_off"),
        (-900, 901, "clock_off"),
        (-86_400 * 30, None, None),
        (-86_400 * 30, 0, None),
        (60, None, None),
        (3_600, None, "future_time"),
        (3_600, 3_600, "future_time"),
    ],
)
def test_a_clock_that_is_off_is_found_and_its_neighbours_are_taken(
    bench: Any, at_s: int, device_s: int | None, code: str | None
) -> None:
    bench.register(**METERS)
    now = datetime.fromtimestamp(bench.clock_us / 1e6, UTC) + timedelta(seconds=1)
    device = None if device_s is None else now + timedelta(seconds=device_s)
    suspect = sent(now + timedelta(seconds=at_s), device)
    neighbour = deliver([("h", 0, 1.0)], "b")
    out = committed(bench, suspect, neighbour)
    assert [one.problems["code"].to_pylist() for one in out] == [[code] if code else [], []]
    assert receipts(out) == [(int(code is None), 0, int(code is not None)), (1, 0, 0)]


@pytest.mark.parametrize("at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)])
def test_clocks_at_the_ends_of_the_epoch_are_set_aside(bench: Any, at: datetime) -> None:
    bench.register(**METERS)
    out = committed(bench, sent(at, None), sent(START, None))
    assert receipts(out) == [(0, 0, 1), (1, 0, 0)]


def evidence(dice: Random, count: int) -> list[Row]:
    """Give readings of three kinds of meters, no moment of a meter twice."""
    total, rows = 100.0, []
    for quarter in range(count):
        rows += [("e", quarter, dice.randrange(5) * 0.25), ("h", quarter, float(dice.randrange(4)))]
        total += dice.randrange(3) * 0.125
        rows.append(("w", quarter, total))
    return [row for row in rows if dice.random() > 0.1]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), count=st.integers(1, 40), pieces=st.integers(1, 12), groups=st.integers(1, 4))
def test_any_splitting_order_and_repetition_gives_the_content_of_one_batch(
    new_bench: Callable[[], Any], seed: int, count: int, pieces: int, groups: int
) -> None:
    dice = Random(seed)
    rows = evidence(dice, count)
    once, split = new_bench(), new_bench()
    for bench in (once, split):
        bench.register(**METERS)
    committed(once, deliver(rows))
    parts: list[list[Row]] = [[] for _ in range(pieces)]
    for row in rows:
        for _ in range(1 + (dice.random() < 0.3)):
            parts[dice.randrange(pieces)].append(row)
    for part in parts:
        dice.shuffle(part)
    sendings = [deliver(part, f"source {n}", coded=bool(n % 2)) for n, part in enumerate(parts)]
    dice.shuffle(sendings)
    cut = sorted(dice.randrange(len(sendings) + 1) for _ in range(groups - 1))
    outcomes: list[Outcome] = []
    for low, high in zip([0, *cut], [*cut, len(sendings)], strict=True):
        outcomes += committed(split, *sendings[low:high]) if low < high else []
    assert [sum(one) for one in receipts(outcomes)] == [one.rows for one in sendings]
    assert sum(one.receipt.accepted for one in outcomes) == len(rows)
    assert split.effective() == once.effective()
    assert split.hash() == once.hash()
    assert split.rollup_days() == once.rollup_days()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(
        st.lists(st.tuples(st.sampled_from(["e", "h"]), st.integers(0, 3), st.sampled_from([1.0, 2.0])), max_size=4),
        min_size=1,
        max_size=8,
    )
)
def test_contradicting_deliveries_in_one_group_give_what_each_alone_gives(
    new_bench: Callable[[], Any], data: list[list[Row]]
) -> None:
    alone, grouped = new_bench(), new_bench()
    for bench in (alone, grouped):
        bench.register(**METERS)
    sendings = [deliver(rows, f"source {n}") for n, rows in enumerate(data)]
    told = [committed(alone, one)[0] for one in sendings]
    out = committed(grouped, *sendings)
    assert receipts(out) == receipts(told)
    assert [row[:3] for row in grouped.effective()] == [row[:3] for row in alone.effective()]


def test_a_registry_that_is_read_while_it_changes_is_not_kept(bench: Any) -> None:
    bench.register(e=METERS["e"])
    pipeline, plain = bench.pipeline, bench.pipeline._engine.snapshot
    pipeline._forget_said()

    @contextmanager
    def snapshot() -> Iterator[Any]:
        with plain() as opened:
            opened.rows("select 1 from meta limit 1")
            pipeline._engine.snapshot = plain
            bench.register(**METERS)
            yield opened

    pipeline._engine.snapshot = snapshot
    assert len(pipeline.registry().channel_ids) == 1, "what it was when the question was asked"
    assert len(pipeline.registry().channel_ids) == 3


def test_a_reading_that_supersedes_an_earlier_one_is_counted_as_a_correction(bench: Any) -> None:
    bench.register(**METERS)
    (first,) = committed(bench, deliver([("e", 0, 1.0), ("e", 1, 1.0)]))
    corrected, repeated = committed(
        bench, deliver([("e", 0, 2.0), ("e", 1, 1.0), ("e", 2, 1.0)]), deliver([("e", 0, 2.0)])
    )
    assert receipts([first, corrected, repeated]) == [(2, 0, 0), (2, 1, 0), (0, 1, 0)]
    assert [one.corrected for one in (first, corrected, repeated)] == [0, 1, 0]
    (in_turn,) = committed(bench, replace(deliver([("e", 0, 3.0), ("e", 0, 4.0)]), in_order=True))
    assert in_turn.corrected == 2
    committer = Committer(bench.pipeline)
    committer.start()
    assert committer.submit(deliver([("e", 0, 5.0)])).result(60).corrected == 1
    committer.stop(60)
    assert dict(committer.stats.corrected) == {"http": 1}
