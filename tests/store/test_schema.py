"""Schema versions: each step whole or not at all, each once, and nothing of a newer store is touched."""

from pathlib import Path

import duckdb
import pytest

from quintet.store.engine import DATABASE, Engine
from quintet.store.schema import DOWN, VERSIONS, migrate, take_back, version_of
from quintet.terms.errors import CityError, Damaged, UsageError

MORE = [*VERSIONS, ["create table more (a integer)", "insert into more values (7)"]]
NEWEST = len(VERSIONS)


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path / "db"))


def tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}


def test_an_empty_database_becomes_the_newest(tmp_path: Path) -> None:
    with connect(tmp_path) as connection:
        assert version_of(connection) == 0
        assert migrate(connection, "here") == 0
        assert version_of(connection) == NEWEST
        assert {"batch", "record", "raw", "interval", "lake_file", "quarantine"} <= tables(connection)


def test_a_version_is_made_once_and_keeps_what_is_stored(tmp_path: Path) -> None:
    with connect(tmp_path) as connection:
        migrate(connection, "here")
        connection.execute("insert into interval values (1, 2, 3, 4, 5)")
        assert migrate(connection, "here") == NEWEST
        assert migrate(connection, "here", MORE) == NEWEST
        assert migrate(connection, "here", MORE) == NEWEST + 1
        assert connection.execute("select * from interval").fetchall() == [(1, 2, 3, 4, 5)]
        assert connection.execute("select * from more").fetchall() == [(7,)]
        assert connection.execute("select value from meta where key = 'schema_version'").fetchall() == [
            (str(NEWEST + 1),)
        ]


@pytest.mark.parametrize("found", range(NEWEST))
def test_every_older_version_is_brought_to_the_newest(tmp_path: Path, found: int) -> None:
    with connect(tmp_path) as connection, duckdb.connect() as fresh:
        migrate(connection, "here", VERSIONS[:found])
        assert migrate(connection, "here") == found
        migrate(fresh, "there")
        sql = "select table_name, column_name, data_type, is_nullable from duckdb_columns() order by all"
        assert connection.execute(sql).fetchall() == fresh.execute(sql).fetchall()


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path) -> None:
    failing = [
        *MORE,
        ["create table third (a integer)", "insert into third values (1)", "insert into nowhere values (1)"],
    ]
    connection = connect(tmp_path)
    with pytest.raises(duckdb.Error, match="nowhere"):
        migrate(connection, "here", failing)
    connection.close()
    with connect(tmp_path) as again:
        assert version_of(again) == NEWEST + 1, "the steps before it stand"
        assert "third" not in tables(again)
        assert again.execute("select * from more").fetchall() == [(7,)]
        assert migrate(again, "here", [*MORE, ["create table third (a integer)"]]) == NEWEST + 1
        assert "third" in tables(again)


def test_a_step_that_fails_ends_its_transaction(tmp_path: Path) -> None:
    with connect(tmp_path) as connection:
        with pytest.raises(duckdb.Error, match="nowhere"):
            migrate(connection, "here", [*VERSIONS, ["insert into nowhere values (1)"]])
        assert version_of(connection) == NEWEST, "the connection can be asked, and closed, as before"


def newer(folder: Path) -> None:
    Engine.open(folder, "UTC").close()
    with duckdb.connect(str(folder / "store" / DATABASE)) as connection:
        connection.execute("update meta set value = ? where key = 'schema_version'", [str(NEWEST + 3)])


def test_a_newer_store_is_refused_and_not_touched(tmp_path: Path) -> None:
    newer(tmp_path)
    database = tmp_path / "store" / DATABASE
    before = database.read_bytes()
    with pytest.raises(CityError, match="Install the newer Quintet; nothing was changed") as caught:
        Engine.open(tmp_path, "UTC")
    assert (caught.value.code, caught.value.place) == ("newer_store", str(database))
    assert f"store version {NEWEST + 3}, this one knows {NEWEST}" in str(caught.value)
    assert database.read_bytes() == before


def test_a_refused_store_is_left_free_for_others(tmp_path: Path) -> None:
    newer(tmp_path)
    with pytest.raises(CityError):
        Engine.open(tmp_path, "UTC")
    # DuckDB lets one process open a file twice only with the same settings: these differ from the engine's.
    with duckdb.connect(str(tmp_path / "store" / DATABASE), config={"default_null_order": "nulls_first"}) as connection:
        assert version_of(connection) == NEWEST + 3


def held(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[object, ...]]]:
    """Give what the tables of the first version hold, by table."""
    columns = "select column_name from duckdb_columns() where table_name = ? order by column_index"
    with duckdb.connect() as first:
        migrate(first, "here", VERSIONS[:1])
        names = sorted(tables(first) - {"meta"})
        wanted = {name: ", ".join(row[0] for row in first.execute(columns, [name]).fetchall()) for name in names}
    return {
        name: connection.execute(f"select {chosen} from {name} order by all").fetchall()
        for name, chosen in wanted.items()
    }


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("insert into batch values (1, 'readings', 's', 'a', 5, 2, 0, 2)")
    connection.execute("insert into raw select range, range * 900, 7, -1, 0, 1 from range(1000)")
    connection.execute("insert into interval select range, range * 900, 7, 1, 1 from range(1000)")
    connection.execute("insert into record values ('channel', 's/m', 0, '{\"id\": 1}', 1)")
    for row in ("3", "4", "null"):
        connection.execute(
            "insert into quarantine (batch, source, row, meter, code, reason, original)"
            f" values (1, 's', {row}, 'm', 'no_time', 'No time.', '{{}}')"
        )


def test_a_version_can_be_taken_back_and_made_again_and_keeps_all_readings(tmp_path: Path) -> None:
    with connect(tmp_path) as connection:
        migrate(connection, "here", VERSIONS[:1])
        fill(connection)
        before = held(connection)
        for _ in range(2):
            assert migrate(connection, "here") == 1
            assert held(connection) == before
            numbered = connection.execute("select id, row from quarantine order by id").fetchall()
            assert numbered == [(1, None), (2, 3), (3, 4)]
            connection.execute("insert into delivery values ('s', 'k', 1, 'd', 1, 5, 2, 0, 0, 2, 0, '[]')")
            assert take_back(connection, "here", 1) == NEWEST
            assert version_of(connection) == 1
            assert held(connection) == before
        with duckdb.connect() as first:
            migrate(first, "there", VERSIONS[:1])
            sql = "select table_name, column_name, data_type, is_nullable from duckdb_columns() order by all"
            assert connection.execute(sql).fetchall() == first.execute(sql).fetchall(), "an older one finds its own"


def test_every_version_but_the_first_has_a_way_back() -> None:
    assert set(DOWN) == set(range(2, NEWEST + 1))


@pytest.mark.parametrize("target", [-1, 0, NEWEST + 1])
def test_there_is_no_way_to_versions_that_never_were(tmp_path: Path, target: int) -> None:
    with connect(tmp_path) as connection:
        migrate(connection, "here")
        with pytest.raises(UsageError, match="cannot become"):
            take_back(connection, "here", target)
        assert version_of(connection) == NEWEST


def test_a_way_back_that_fails_leaves_the_version_before_it(tmp_path: Path) -> None:
    with connect(tmp_path) as connection:
        migrate(connection, "here")
        connection.execute("drop table drift")
        with pytest.raises(duckdb.Error, match="drift"):
            take_back(connection, "here", 1)
        assert version_of(connection) == 2, "the steps before it stand"
        assert connection.execute("select count(id) from quarantine").fetchall() == [(0,)]


@pytest.mark.parametrize(
    "unknown",
    [
        "insert into edit values (1, 1, 'accept', 'a', 'r', '{}', null, 1, '', 1, '')",
        "insert into interval values (1, 0, 7, 24, 1)",
    ],
)
def test_there_is_no_way_back_for_what_an_older_one_cannot_read(tmp_path: Path, unknown: str) -> None:
    with connect(tmp_path) as connection:
        migrate(connection, "here")
        connection.execute(unknown)
        with pytest.raises(UsageError, match="cannot read"):
            take_back(connection, "here", 2)
        assert version_of(connection) == NEWEST


@pytest.mark.parametrize("said", ["abc", "-1", "", "5.0"])
def test_a_version_that_is_no_number_is_refused_with_a_remedy(tmp_path: Path, said: str) -> None:
    Engine.open(tmp_path, "UTC").close()
    with duckdb.connect(str(tmp_path / "store" / DATABASE)) as connection:
        connection.execute("update meta set value = ? where key = 'schema_version'", [said])
    with pytest.raises(Damaged, match="which is no number") as caught:
        Engine.open(tmp_path, "UTC")
    assert (caught.value.code, "backup restore" in caught.value.remedy) == ("meta_damaged", True)


def test_months_are_summed_from_days_that_were_closed_before_there_were_any(tmp_path: Path) -> None:
    with connect(tmp_path) as connection:
        migrate(connection, "here", VERSIONS[:4])
        january, february = 20_089, 20_120
        for day, batch in ((january, 5), (january + 1, 7), (february, 7)):
            connection.execute("insert into closed_day values (?, ?, 1)", [day, batch])
        connection.executemany(
            "insert into rollup_day values (?, ?, ?, ?, ?, ?)",
            [
                (1, january, 10, 96, 0, 5), (1, january + 1, -3, 95, 1, 6), (1, january + 1, 100, 1, -1, 9),
                (1, february, 4, 96, 0, 7), (2, january, 2**62, 96, 0, 4), (2, january + 1, 2**62, 96, 0, 4),
                (2, february + 1, 9, 96, 0, 8),
            ],
        )  # fmt: skip
        assert migrate(connection, "here") == 4
        found = connection.execute("select * from rollup_month order by all").fetchall()
        assert [(*row[:2], int(row[2]), *row[3:]) for row in found] == [
            (1, 2025 * 12, 7, 191, 1, 6),
            (1, 2025 * 12 + 1, 4, 96, 0, 7),
            (2, 2025 * 12, 2**63, 192, 0, 4),
        ], "what came after a closing stays a difference by day"
        assert take_back(connection, "here", 4) == NEWEST
        assert migrate(connection, "here") == 4
        assert connection.execute("select * from rollup_month order by all").fetchall() == found
