"""The engine: a batch is there whole or not at all, readers see one moment, a folder that cannot serve is refused."""

import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from quintet.store.book import append_records, batch_known_at, batches, read_records
from quintet.store.engine import DATABASE, Engine
from quintet.store.records import ALWAYS, Record
from quintet.terms.errors import BadInput, CityError

from .conftest import DAY, DAY_0, HOUR, T0, VALID, Store, hours

OPEN_ELSEWHERE = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('select count(*) from batch')"


OWN_IT = """
import sys
from pathlib import Path
from quintet.store.engine import Engine
Engine.open(Path(sys.argv[1]), 'UTC')
"""


def opens_in_another_process(database: Path) -> bool:
    return (
        subprocess.run(
            [sys.executable, "-c", OPEN_ELSEWHERE, str(database)], capture_output=True, check=False
        ).returncode
        == 0
    )


def test_what_was_committed_is_there_after_reopening(store: Store) -> None:
    store.write(hours(0, 0, [1, 2]))
    store.reopen()
    assert store.effective() == hours(0, 0, [1, 2])
    assert store.engine.last_batch == 1
    assert store.write(hours(0, 0, [3])) == 2


def test_what_was_committed_is_there_without_a_close(store: Store) -> None:
    """The folder as a crash leaves it: a copy taken while the owner still has it open."""
    store.write(hours(0, 0, [1, 2]))
    copy = store.folder / "copy"
    (copy / "store").mkdir(parents=True)
    for path in (store.folder / "store").glob(f"{DATABASE}*"):
        (copy / "store" / path.name).write_bytes(path.read_bytes())
    other = Store(copy)
    assert other.effective() == hours(0, 0, [1, 2])
    other.engine.close()


def test_a_batch_that_fails_leaves_nothing_and_its_number_is_used_again(store: Store) -> None:
    store.write(hours(0, 0, [1]))

    def half() -> None:
        with store.engine.writing("readings", "test", "test", store.tick()) as writing:
            append_records(writing, [Record("place", "p", ALWAYS, {"level": "district"})])
            writing.execute("insert into interval values (9, 9, 9, 1, ?)", [writing.batch.id])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert store.effective() == hours(0, 0, [1])
    assert store.rows("select count(*) from record") == [(0,)]
    assert store.rows("select id from batch") == [(1,)]
    assert store.write(hours(0, 0, [2])) == 2


def test_a_statement_that_fails_ends_the_batch_and_the_next_one_works(store: Store) -> None:
    def wrong() -> None:
        with store.engine.writing("readings", "test", "test", store.tick()) as writing:
            writing.execute("insert into interval values (1, 1, 1, 1, 1)")
            writing.execute("insert into nowhere values (1)")

    with pytest.raises(duckdb.Error):
        wrong()
    store.write(hours(0, 0, [2]))
    assert store.effective() == hours(0, 0, [2])


def test_a_snapshot_does_not_see_what_is_committed_beside_it(store: Store) -> None:
    store.write(hours(0, 0, [1]))
    counted: list[int] = []
    with store.engine.snapshot() as snapshot:
        counted.append(snapshot.rows("select count(*) from interval")[0][0])
        writer = threading.Thread(target=store.write, args=(hours(0, 0, [2, 3]),))
        writer.start()
        writer.join()
        counted.append(snapshot.rows("select count(*) from interval")[0][0])
    assert counted == [1, 1]
    assert store.rows("select count(*) from interval") == [(3,)]


def test_threads_write_one_after_the_other(store: Store) -> None:
    threads = [
        threading.Thread(target=store.write, args=([(n, T0 + k * HOUR, n, VALID) for k in range(3)],)) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(store.rows("select id from batch")) == [(number,) for number in range(1, 9)]
    assert store.rows("select count(*), count(distinct batch), count(distinct channel) from interval") == [(24, 8, 8)]


def test_a_batch_says_who_brought_what_and_what_became_of_it(store: Store) -> None:
    with store.engine.writing("readings", "door", "kim", T0) as writing:
        writing.batch.accepted, writing.batch.duplicate, writing.batch.quarantined = 5, 3, 2
    store.write([])
    with store.engine.snapshot() as snapshot:
        found = batches(snapshot)
        assert [batch.id for batch in found] == [2, 1]
        assert batches(snapshot, 1) == found[:1]
    said = found[1]
    assert (said.kind, said.source, said.actor, said.received_us) == ("readings", "door", "kim", T0)
    assert (said.accepted, said.duplicate, said.quarantined) == (5, 3, 2)


def test_known_at_is_the_newest_batch_received_by_then(store: Store) -> None:
    for moment in (100, 200, 200, 300):
        with store.engine.writing("readings", "test", "test", moment):
            pass
    with store.engine.snapshot() as snapshot:
        assert [batch_known_at(snapshot, at) for at in (99, 100, 199, 200, 299, 300, 10**15)] == [0, 1, 1, 2, 3, 4, 4]


def test_the_book_gives_statements_in_the_order_they_were_made(store: Store) -> None:
    first = [
        Record("place", "s", ALWAYS, {"name_ko": "도시", "floor": None, "n": [1, 2.5]}),
        Record("plant", "p", 5, None),
    ]
    second = [Record("place", "s", ALWAYS, {"name_ko": "나주"})]
    for said in (first, second):
        with store.engine.writing("registry", "test", "test", store.tick()) as writing:
            append_records(writing, said)
    store.reopen()
    with store.engine.snapshot() as snapshot:
        found = read_records(snapshot)
        assert [(r.kind, r.key, r.valid_from_us, r.body, r.batch) for r in found] == [
            ("place", "s", ALWAYS, first[0].body, 1),
            ("plant", "p", 5, None, 1),
            ("place", "s", ALWAYS, second[0].body, 2),
        ]
        assert read_records(snapshot, 1) == found[:2]
        assert read_records(snapshot, 0) == []


def test_days_and_hours_are_the_citys(tmp_path: Path) -> None:
    store = Store(tmp_path, "Asia/Kathmandu")
    offset = 5 * HOUR + 45 * HOUR // 60
    assert store.engine.day_of(T0 - offset) == DAY_0
    assert store.engine.day_of(T0 - offset - 1) == DAY_0 - 1
    assert (T0 - offset + store.engine.hour_phase_us) % HOUR == 0
    store.engine.close()


def test_a_clock_that_changed_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    store = Store(tmp_path, "Asia/Seoul")
    store.write(hours(0, 0, [1]))
    store.engine.close()
    with pytest.raises(CityError, match="Set timezone back to Asia/Seoul") as caught:
        Engine.open(tmp_path, "UTC")
    assert caught.value.code == "timezone_changed"
    assert opens_in_another_process(tmp_path / "store" / DATABASE)
    again = Store(tmp_path, "Asia/Seoul")
    assert again.effective(high=T0 + DAY) == hours(0, 0, [1])
    again.engine.close()


def test_a_clock_that_nobody_keeps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="IANA"):
        Engine.open(tmp_path, "Naju/Bitgaram")
    assert not any(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("in the way")
    with pytest.raises(CityError, match="Check permissions and free space") as caught:
        Engine.open(tmp_path, "UTC")
    assert (caught.value.code, caught.value.place) == ("store_unreadable", str(tmp_path / "store" / DATABASE))


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    database = tmp_path / "store" / DATABASE
    database.write_bytes(b"no database, but long enough to be one" * 999)
    with pytest.raises(CityError, match="restore a backup"):
        Engine.open(tmp_path, "UTC")
    assert database.read_bytes().startswith(b"no database")


def test_a_second_owner_is_refused_with_a_message(store: Store) -> None:
    store.write(hours(0, 0, [1]))
    done = subprocess.run(
        [sys.executable, "-c", OWN_IT, str(store.folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "CityError" in done.stderr
    assert "cannot be opened" in done.stderr
