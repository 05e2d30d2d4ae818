"""The audit chain: whatever is changed, removed, added or moved afterwards is found."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from quintet.pipeline.edit_spans import Order, Picked
from quintet.pipeline.edits import Person
from quintet.pipeline.estimators import KIND, decision
from quintet.store.audit import canonical, entries, newest
from quintet.store.audit_check import Checked, check
from quintet.store.engine import Writing
from quintet.store.events import Event, append_event, withdraw_event
from quintet.store.quarantine import Wanted

from .conftest import Bench

START = datetime(2025, 1, 6, tzinfo=UTC)
HOUR_US = 3_600_000_000
FIRST_US = round(START.timestamp()) * 1_000_000
ANNE = Person("Anne", "read by hand")


class Undone(Exception):
    """Ends a transaction, so that what was tampered with is whole again."""


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Give a city in which each thing that is recorded was done, on a day that was closed meanwhile too."""
    bench = Bench(tmp_path_factory.mktemp("audited"))
    bench.register(e=("electricity", "kWh", "interval_sum", 60))
    bench.send([("e", START + timedelta(hours=hour), 1.0) for hour in range(30)] + [("x", START, 1.0)])
    first = bench.pipeline.edits.make(replaced(2, 5), ANNE)
    bench.close_all()
    bench.pipeline.edits.make(replaced(25, 27), ANNE)
    bench.pipeline.edits.undo(first.id or 0, Person("Bob", "it was right"))
    for step in (outage, withdrawn):
        with bench.engine.writing("event", "event", "Anne", bench.now()) as writing:
            step(writing)
    bench.pipeline.replay(Wanted(), actor="operator")
    assert bench.pipeline.dismiss([1], reason="a test meter", actor="operator") == 1
    said = {"reason": "the back-test", "source": "back-test", "date": "2025-02-01"}
    decided = [decision("electricity", "to_2h", ["linear"], ["linear"], said)]
    bench.pipeline.apply_records(decided, kind=KIND, source="back-test", actor="Anne")
    yield bench
    bench.engine.close()


def replaced(low: int, high: int) -> Order:
    picked = Picked(np.array([1], np.int32), FIRST_US + low * HOUR_US, FIRST_US + high * HOUR_US)
    return Order("replace", picked, value=7_000_000)


def outage(writing: Writing) -> None:
    append_event(writing, Event("supply_outage", FIRST_US, FIRST_US + HOUR_US, "Anne", "a storm", place="b"))


def withdrawn(writing: Writing) -> None:
    withdraw_event(writing, 1, actor="Anne", reason="the wrong place")


def checked(bench: Bench, noted: str | None = None) -> Checked:
    with bench.engine.snapshot() as snapshot:
        return check(bench.engine, snapshot, noted)


def tampered(bench: Bench, *statements: str) -> str | None:
    """Give what a check finds when statements were run, which leave no trace."""
    found: str | None = None
    try:
        with bench.engine.writing("tamper", "test", "Eve", bench.now()) as writing:
            for statement in statements:
                writing.execute(statement)
            found = check(bench.engine, writing).broken
            raise Undone
    except Undone:
        return found


def test_all_that_people_did_is_recorded_and_the_chain_holds(audited: Bench) -> None:
    found = checked(audited)
    with audited.engine.snapshot() as snapshot:
        table = entries(snapshot)
        last = newest(snapshot)
    assert last is not None
    assert found == Checked(7, 3, 2, last.digest, None)
    assert list(reversed(table["action"].to_pylist())) == [
        "replace", "replace", "undo", "event", "event_withdrawn", "dismiss", "decision",
    ]  # fmt: skip
    assert table["actor"].to_pylist()[4] == "Bob"


def test_a_noted_head_is_known_again_and_a_strange_one_is_not(audited: Bench) -> None:
    with audited.engine.snapshot() as snapshot:
        digests = entries(snapshot)["digest"].to_pylist()
    assert [checked(audited, digest).broken for digest in digests] == [None] * len(digests)
    assert "0" * 64 in (checked(audited, "0" * 64).broken or "")


@pytest.mark.parametrize("table", ["audit", "edit", "edit_span", "event"])
def test_any_field_of_any_row_that_is_changed_is_found(audited: Bench, table: str) -> None:
    with audited.engine.snapshot() as snapshot:
        columns = snapshot.rows(
            "select column_name, data_type from duckdb_columns() where table_name = ? order by column_index", [table]
        )
        rows = [row for (row,) in snapshot.rows(f"select rowid from {table}")]
    assert rows
    missed: list[str] = []
    for name, kind in columns:
        other = f"coalesce({name} || 'x', 'x')" if kind == "VARCHAR" else f"coalesce({name} + 1, 1)"
        for row in rows:
            statement = f"update {table} set {name} = {other} where rowid = {row}"
            if tampered(audited, statement) is None:
                missed.append(statement)
    assert missed == []


@pytest.mark.parametrize("table", ["audit", "edit", "edit_span", "event"])
def test_any_row_that_is_removed_or_said_twice_is_found(audited: Bench, table: str) -> None:
    with audited.engine.snapshot() as snapshot:
        rows = [row for (row,) in snapshot.rows(f"select rowid from {table}")]
    for row in rows:
        assert tampered(audited, f"delete from {table} where rowid = {row}") is not None
        assert tampered(audited, f"insert into {table} select * from {table} where rowid = {row}") is not None


CUT_HEAD = """insert into meta select 'audit_head', seq || ' ' || digest from audit order by seq desc limit 1"""
TAMPERINGS: dict[str, list[str]] = {
    "a cut end": ["delete from audit where seq = 7", "delete from meta where key = 'audit_head'", CUT_HEAD],
    "two records moved": ["update audit set seq = case seq when 2 then 3 when 3 then 2 else seq end"],
    "the head alone": ["delete from meta where key = 'audit_head'"],
    "an edited value": ["update interval set value = value + 1 where quality = 40"],
    "an edited value gone": ["delete from interval where quality = 40"],
    "a value slipped in": ["insert into interval values (1, 1736200000000000, 5, 40, 2)"],
    "a batch gone": ["delete from batch where kind = 'edit' and actor = 'Bob'"],
    "another person's batch": ["update batch set actor = 'Eve' where kind = 'edit' and actor = 'Bob'"],
}


@pytest.mark.parametrize("what", [name for name in TAMPERINGS if name != "a cut end"])
def test_what_is_done_behind_the_chain_is_found(audited: Bench, what: str) -> None:
    assert tampered(audited, *TAMPERINGS[what]) is not None


def test_a_cut_end_is_found_by_what_it_told_of_or_by_a_noted_head(audited: Bench) -> None:
    edits_end = "delete from audit where seq > 2"
    kept = ["delete from meta where key = 'audit_head'", CUT_HEAD]
    assert tampered(audited, edits_end, *kept) is not None, "an edit is left without its record"
    gone = "delete from edit where id = 3"
    spans = "delete from edit_span where edit = 3"
    assert tampered(audited, edits_end, *kept, gone, spans, "delete from event") is not None, "its batch is left"
    head = checked(audited).head
    found: list[str | None] = []
    try:
        with audited.engine.writing("tamper", "test", "Eve", audited.now()) as writing:
            for statement in TAMPERINGS["a cut end"]:
                writing.execute(statement)
            found.append(check(audited.engine, writing, head).broken)
            raise Undone
    except Undone:
        assert head in (found[0] or "")


def test_records_are_written_in_one_form_only() -> None:
    assert canonical({"b": 1, "a": "한"}) == '{"a":"한","b":1}'


def test_without_tampering_the_check_is_content(audited: Bench) -> None:
    assert tampered(audited, "select 1") is None


def test_an_edit_that_fails_leaves_no_record(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.register(e=("electricity", "kWh", "interval_sum", 60))
    bench.send([("e", START, 1.0)])
    fails: Callable[..., None] = refused
    monkeypatch.setattr("quintet.pipeline.edits.append_edit", fails)
    with pytest.raises(Undone):
        bench.pipeline.edits.make(replaced(0, 1), ANNE)
    assert checked(bench).records == 0
    assert [quality for *_, quality in bench.effective()] == [1]


def refused(*_: object) -> None:
    raise Undone
