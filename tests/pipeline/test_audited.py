"""The audit chain: whatever is changed, removed, added or moved afterwards is found."""

import json
from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from quintet.jobs.exceptions import close_item
from quintet.pipeline.edit_spans import Order, Picked
from quintet.pipeline.edits import Person
from quintet.pipeline.estimators import KIND, decision
from quintet.store.audit import COLUMNS, Entry, audit, canonical, entries, newest
from quintet.store.audit_check import Checked, check
from quintet.store.audit_seal import LATER, SEALED, TABLES
from quintet.store.bills import Draft, append_bills
from quintet.store.engine import Writing
from quintet.store.events import Event, append_event, withdraw_event
from quintet.store.exceptions import Step, add_item
from quintet.store.quarantine import Wanted
from quintet.store.runs import FINDINGS, append_findings, note_units

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
    with bench.engine.writing("vee", "run", "run", bench.now()) as writing:
        append_findings(writing, FOUND, [20089])
        note_units(writing, [20089], writing.batch.id, "test")
        add_item(writing, "leak", "s/e", Step("open", "found", "", FIRST_US, 0, {"until_us": 0}))
    close_item(bench.engine, 1, by="Anne", reason="mended", now_us=bench.now())
    with bench.engine.writing("bill", "billing", "Anne", bench.now()) as writing:
        audit(
            writing, action="issue bills", subject="b", detail={"digest": append_bills(writing, 202501, "b", {}, BILLS)}
        )
    yield bench
    bench.engine.close()


BILLS = [
    Draft("b", name, 202501, date(2025, 1, 1), date(2025, 2, 1), won, {"due_won": won})
    for name, won in (("electricity", 37_920), ("water", 9_100))
]
FOUND = pa.Table.from_pylist(
    [
        {
            "unit": 20089, "channel": 1, "at_us": FIRST_US, "until_us": FIRST_US + HOUR_US, "rule": "W01",
            "verdict": "fail", "detail": "{}",
        }
    ],
    FINDINGS,
)  # fmt: skip


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
    assert found == Checked(13, 3, 2, 13, found.rows, last.digest, None)
    with audited.engine.snapshot() as snapshot:
        assert found.rows == sum(snapshot.rows(f"select count(*) from {table}")[0][0] for table in [*TABLES, "batch"])
    assert list(reversed(table["action"].to_pylist())) == [
        "registry", "replace", "close", "close", "replace", "undo", "event", "event_withdrawn", "dismiss", "decision",
        "run", "exception_closed", "issue bills",
    ]  # fmt: skip
    assert table["actor"].to_pylist()[7] == "Bob"


def test_a_noted_head_is_known_again_and_a_strange_one_is_not(audited: Bench) -> None:
    with audited.engine.snapshot() as snapshot:
        digests = entries(snapshot)["digest"].to_pylist()
    assert {checked(audited, digest).broken for digest in digests} == {None}
    assert "0" * 64 in (checked(audited, "0" * 64).broken or "")


@pytest.mark.parametrize("table", ["audit", "edit", "edit_span", "event", "batch", *TABLES])
def test_any_field_of_any_row_that_is_changed_is_found(audited: Bench, table: str) -> None:
    with audited.engine.snapshot() as snapshot:
        columns = snapshot.rows(
            "select column_name, data_type from duckdb_columns() where table_name = ? order by column_index", [table]
        )
        rows = [row for (row,) in snapshot.rows(f"select rowid from {table}")]
    assert rows
    missed: list[str] = []
    for name, kind in columns:
        other = {"VARCHAR": f"coalesce({name} || 'x', 'x')", "BOOLEAN": f"not {name}"}.get(
            kind, f"coalesce({name} + 1, 1)"
        )
        for row in rows:
            statement = f"update {table} set {name} = {other} where rowid = {row}"
            if tampered(audited, statement) is None:
                missed.append(statement)
    assert missed == []


@pytest.mark.parametrize("table", ["audit", "edit", "edit_span", "event", "batch", *TABLES])
def test_any_row_that_is_removed_or_said_twice_is_found(audited: Bench, table: str) -> None:
    with audited.engine.snapshot() as snapshot:
        rows = [row for (row,) in snapshot.rows(f"select rowid from {table}")]
    for row in rows:
        assert tampered(audited, f"delete from {table} where rowid = {row}") is not None
        assert tampered(audited, f"insert into {table} select * from {table} where rowid = {row}") is not None


CUT_HEAD = """insert into meta select 'audit_head', seq || ' ' || digest from audit order by seq desc limit 1"""
TAMPERINGS: dict[str, list[str]] = {
    "a cut end": ["delete from audit where seq = 13", "delete from meta where key = 'audit_head'", CUT_HEAD],
    "two records moved": ["update audit set seq = case seq when 2 then 3 when 3 then 2 else seq end"],
    "the head alone": ["delete from meta where key = 'audit_head'"],
    "an edited value": ["update interval set value = value + 1 where quality = 40"],
    "an edited value gone": ["delete from interval where quality = 40"],
    "a value slipped in": ["insert into interval values (1, 1736200000000000, 5, 40, 2)"],
    "a batch gone": ["delete from batch where kind = 'edit' and actor = 'Bob'"],
    "another file of a closed day": ["update lake_file set digest = 'x' where lake = 'raw' and live"],
    "a closed day without its readings": ["update lake_file set live = false where lake = 'raw'"],
    "an item closed by nobody": [
        """insert into exception_step select id, 99, 'closed', 'x', 'Kim', since_us, 0, content from exception_step
            limit 1"""
    ],
    "a dismissal of another row": ["update quarantine_step set id = 2"],
    "a statement that nobody made": ["insert into record select kind, key || 'x', 0, body, 2 from record limit 1"],
    "readings that came earlier": ["update batch set received_us = received_us - 1 where kind = 'readings'"],
    "a batch that never was": ["insert into batch select 0, kind, source, actor, 0, 0, 0, 0 from batch limit 1"],
    "another amount of a bill": ["update issued_bill set due_won = due_won - 1000 where commodity = 'water'"],
    "bills that are gone": ["drop table issued_bill"],
    "another person's batch": ["update batch set actor = 'Eve' where kind = 'edit' and actor = 'Bob'"],
}


@pytest.mark.parametrize("what", [name for name in TAMPERINGS if name != "a cut end"])
def test_what_is_done_behind_the_chain_is_found(audited: Bench, what: str) -> None:
    assert tampered(audited, *TAMPERINGS[what]) is not None


def test_a_cut_end_is_found_by_what_it_told_of_or_by_a_noted_head(audited: Bench) -> None:
    edits_end = "delete from audit where seq > 5"
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


def rewritten(bench: Bench, older: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Make the chain what an older Quintet would have written: `older` gives the particulars of a record as it did."""
    with bench.engine.writing("test", "test", "test", bench.now()) as writing:
        previous, chain = "", [Entry(*row) for row in writing.rows(f"select {COLUMNS} from audit order by seq")]
        writing.execute("delete from audit")
        for one in chain:
            draft = replace(one, detail=canonical(older(json.loads(one.detail))), previous=previous)
            entry = replace(draft, digest=draft.sealed())
            writing.execute("insert into audit values (?, ?, ?, ?, ?, ?, ?, ?)", list(astuple(entry)))
            for table in ("edit", "event"):
                writing.execute(f"update {table} set digest = ? where audit = ?", [entry.digest, entry.seq])
            previous = entry.digest
        writing.execute("delete from meta where key = 'audit_head'")
        writing.execute(CUT_HEAD)


def unsealed(said: dict[str, Any]) -> dict[str, Any]:
    """Give a record's particulars without seals."""
    return {name: value for name, value in said.items() if name != SEALED}


def billless(said: dict[str, Any]) -> dict[str, Any]:
    """Give a record's particulars with seals that know no bills."""
    rows = {name: digest for name, digest in said[SEALED]["rows"].items() if name not in LATER}
    return {**said, SEALED: {**said[SEALED], "rows": rows}}


def issue(bench: Bench, month: int) -> None:
    with bench.engine.writing("bill", "billing", "Anne", bench.now()) as writing:
        bill = Draft("b", "water", month, date(2025, 1, 1), date(2025, 2, 1), 9_100, {"due_won": 9_100})
        audit(writing, action="issue bills", subject="b", detail={"d": append_bills(writing, month, "b", {}, [bill])})


def test_bills_of_before_they_were_sealed_verify_and_what_comes_after_is_held(bench: Bench) -> None:
    bench.register(e=("electricity", "kWh", "interval_sum", 60))
    issue(bench, 202501)
    rewritten(bench, billless)
    assert checked(bench).broken is None
    said = "update issued_bill set due_won = due_won - 1000 where month = "
    assert tampered(bench, f"{said} 202501") is None, "nothing sealed it"
    assert "does not say" in (tampered(bench, "update issued_bill set body = '{}'::blob where month = 202501") or "")
    issue(bench, 202502)
    assert checked(bench).broken is None
    assert "issued_bill was changed" in (tampered(bench, f"{said} 202502") or "")
    moved = "update issued_bill set batch = 1 where month = 202501"
    assert "issued_bill was changed" in (tampered(bench, moved) or ""), "batch 1 issued no bills"


def test_records_of_before_there_were_seals_verify_as_what_they_are_and_are_sealed_by_the_next(bench: Bench) -> None:
    bench.register(e=("electricity", "kWh", "interval_sum", 60))
    bench.send([("e", START + timedelta(hours=hour), 1.0) for hour in range(6)])
    bench.pipeline.edits.make(replaced(1, 2), ANNE)
    rewritten(bench, unsealed)
    old = checked(bench)
    assert (old.broken, old.records, old.sealed, old.rows) == (None, 2, 0, 0)
    tampering = "update batch set received_us = received_us - 1 where kind = 'edit'"
    assert tampered(bench, tampering) is None, "nothing sealed it"
    bench.pipeline.edits.make(replaced(3, 4), ANNE)
    new = checked(bench)
    assert (new.broken, new.records, new.sealed) == (None, 3, 1)
    assert "was changed" in (tampered(bench, tampering) or "")
    assert "the table record" in (tampered(bench, "update record set body = null where batch = 1") or "")
    assert "has no record" in (tampered(bench, "insert into exception values (1, 'leak', 's/e', 99)") or "")


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
    assert checked(bench).records == 1
    assert [quality for *_, quality in bench.effective()] == [1]


def refused(*_: object) -> None:
    raise Undone
