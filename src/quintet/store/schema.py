"""The embedded store's tables and their versions: each version is a list of statements, run once and in order.

Versions that have statements in DOWN can be taken back.
"""

from contextlib import suppress

import duckdb

from quintet.terms.errors import CityError, Damaged, UsageError

FINGERPRINT = """('0x' || left(md5(concat_ws(chr(31), source, coalesce(row::varchar, ''), code, original)), 15))
            ::bigint"""
"""SQL: what tells a quarantined row from others, as a number (60 bits of an MD5 sum)."""

MONTH = "(datepart('year', date '1970-01-01' + day) * 12 + datepart('month', date '1970-01-01' + day) - 1)::integer"
"""SQL: the number of the month that holds a local day number: years times twelve, and months since January."""
FOLDED_MONTHS = f"""select channel, {MONTH} as month, sum(value)::decimal(38, 0) as value,
            sum(arrived)::integer as arrived, sum(estimated)::integer as estimated, max(r.batch) as batch
            from rollup_day r join closed_day c using (day) where r.batch <= c.batch group by all order by all"""
"""SQL: the daily sums that closing a day has folded, by month: what `rollup_month` holds."""

VERSIONS: list[list[str]] = [
    [
        "create table meta (key varchar not null, value varchar not null)",
        """create table batch (
            id integer not null, kind varchar not null, source varchar not null, actor varchar not null,
            received_us bigint not null, accepted bigint not null, duplicate bigint not null,
            quarantined bigint not null)""",
        """create table record (
            kind varchar not null, key varchar not null, valid_from_us bigint not null, body varchar,
            batch integer not null)""",
        "create table unit_code (id smallint not null, code varchar not null)",
        """create table raw (
            channel integer not null, at_us bigint not null, mantissa bigint not null, exponent tinyint not null,
            unit smallint not null, batch integer not null)""",
        "create table chained (channel integer not null, batch integer not null)",
        """create table interval (
            channel integer not null, start_us bigint not null, value bigint not null, quality utinyint not null,
            batch integer not null)""",
        """create table rollup_hour (
            channel integer not null, hour_us bigint not null, value bigint not null, arrived smallint not null,
            estimated smallint not null, batch integer not null)""",
        """create table rollup_day (
            channel integer not null, day integer not null, value bigint not null, arrived smallint not null,
            estimated smallint not null, batch integer not null)""",
        "create table tail (channel integer not null, at_us bigint not null)",
        """create table finding (
            channel integer not null, at_us bigint not null, until_us bigint not null, rule varchar not null,
            batch integer not null)""",
        """create table quarantine (
            batch integer not null, source varchar not null, row bigint, site varchar, meter varchar,
            code varchar not null, reason varchar not null, original varchar not null)""",
        """create table lake_file (
            lake varchar not null, day integer not null, path varchar not null, rows bigint not null,
            bytes bigint not null, digest varchar not null, version bigint not null, live boolean not null)""",
        """create table closed_day (
            day integer not null, batch integer not null, registry_batch integer not null)""",
        """create table flow_hour (
            day integer not null, hour_us bigint not null, place varchar not null, flow varchar not null,
            commodity varchar not null, quantity varchar not null, renewable boolean not null,
            value decimal(38, 0) not null, arrived_min bigint not null, estimated_min bigint not null)""",
    ],
    [
        """create table delivery (
            source varchar not null, key varchar not null, hash bigint not null, digest varchar not null,
            batch integer not null, received_us bigint not null, accepted bigint not null, duplicate bigint not null,
            rejected bigint not null, quarantined bigint not null, skipped bigint not null,
            problems varchar not null)""",
        "alter table quarantine rename to quarantine_before",
        """create table quarantine (
            id bigint not null, batch integer not null, source varchar not null, row bigint, site varchar,
            meter varchar, code varchar not null, reason varchar not null, original varchar not null,
            fingerprint bigint not null)""",
        f"""insert into quarantine select row_number() over (order by batch, row nulls first, rowid), batch, source,
            row, site, meter, code, reason, original, {FINGERPRINT} from quarantine_before order by all""",
        "drop table quarantine_before",
        """create table quarantine_step (
            id bigint not null, batch integer not null, state varchar not null, code varchar not null,
            reason varchar not null, actor varchar not null)""",
        """create table shape (
            source varchar not null, field varchar not null, kind varchar not null, batch integer not null)""",
        """create table drift (
            batch integer not null, source varchar not null, change varchar not null, field varchar not null,
            kind varchar not null, was varchar not null)""",
    ],
    [
        """create table edit (
            id integer not null, batch integer not null, action varchar not null, actor varchar not null,
            reason varchar not null, asked varchar not null, undoes integer, rows bigint not null,
            content varchar not null, audit bigint not null, digest varchar not null)""",
        """create table edit_span (
            edit integer not null, channel integer not null, from_us bigint not null, until_us bigint not null)""",
        """create table event (
            id integer not null, batch integer not null, place varchar, channel integer, kind varchar not null,
            from_us bigint not null, until_us bigint, detail varchar not null, actor varchar not null,
            reason varchar not null, withdraws integer, audit bigint not null, digest varchar not null)""",
        """create table audit (
            seq bigint not null, at_us bigint not null, actor varchar not null, action varchar not null,
            subject varchar not null, detail varchar not null, previous varchar not null, digest varchar not null)""",
        """create table run_unit (
            unit integer not null, seen integer not null, basis varchar not null, batch integer not null)""",
        """create table run_finding (
            unit integer not null, channel integer not null, at_us bigint not null, until_us bigint not null,
            rule varchar not null, verdict varchar not null, detail varchar not null, standing boolean not null,
            batch integer not null)""",
        """create table exception (
            id integer not null, kind varchar not null, cause varchar not null, batch integer not null)""",
        """create table exception_step (
            id integer not null, batch integer not null, state varchar not null, reason varchar not null,
            actor varchar not null, since_us bigint not null, recurrences integer not null,
            content varchar not null)""",
    ],
    [
        """create table flow_above (
            day integer not null, hour_us bigint not null, place varchar not null, flow varchar not null,
            commodity varchar not null, quantity varchar not null, renewable boolean not null,
            value decimal(38, 0) not null, arrived_min bigint not null, estimated_min bigint not null)""",
    ],
    [
        """create table rollup_month (
            channel integer not null, month integer not null, value decimal(38, 0) not null,
            arrived integer not null, estimated integer not null, batch integer not null)""",
        f"insert into rollup_month {FOLDED_MONTHS}",
        """create table signed_hour (
            channel integer not null, day integer not null, hour_us bigint not null, plus bigint not null,
            minus bigint not null, arrived smallint not null, estimated smallint not null)""",
        "create table signed_day (day integer not null, registry_batch integer not null)",
    ],
]
"""What makes each version of the one before it."""

DOWN: dict[int, list[str]] = {
    2: [
        "alter table quarantine rename to quarantine_after",
        """create table quarantine (
            batch integer not null, source varchar not null, row bigint, site varchar, meter varchar,
            code varchar not null, reason varchar not null, original varchar not null)""",
        """insert into quarantine select batch, source, row, site, meter, code, reason, original
            from quarantine_after order by id""",
        "drop table quarantine_after",
        "drop table quarantine_step",
        "drop table delivery",
        "drop table shape",
        "drop table drift",
    ],
    3: [
        "drop table run_unit",
        "drop table run_finding",
        "drop table exception",
        "drop table exception_step",
        "drop table audit",
        "drop table event",
        "drop table edit_span",
        "drop table edit",
        "delete from meta where key = 'audit_head'",
    ],
    4: ["drop table flow_above"],
    5: ["drop table rollup_month", "drop table signed_hour", "drop table signed_day"],
}
"""What makes the version before it of a version: every reading, statement and quarantined row is kept."""


RESTORE = "Restore a backup (`quintet backup restore`); nothing was changed."


def version_of(connection: duckdb.DuckDBPyConnection) -> int:
    """Read the schema version of an open database; 0 for an empty one. Raises Damaged where it says no number."""
    known = connection.execute("select count(*) from duckdb_tables() where table_name = 'meta'").fetchone()
    if not known or not known[0]:
        return 0
    row = connection.execute("select value from meta where key = 'schema_version'").fetchone()
    if row is not None and not str(row[0]).isdecimal():
        raise Damaged(
            f"says that its store version is {row[0]!r}, which is no number: its table `meta` was changed.",
            code="meta_damaged",
            place="store",
            remedy=RESTORE,
        )
    return int(row[0]) if row else 0


def migrate(connection: duckdb.DuckDBPyConnection, place: str, versions: list[list[str]] | None = None) -> int:
    """Bring a database to the newest version, each step in one transaction; refuse one made by a newer Quintet.

    Gives the version found before.
    """
    steps = VERSIONS if versions is None else versions
    found = version_of(connection)
    if found > len(steps):
        raise CityError(
            f"was made by a newer Quintet (store version {found}, this one knows {len(steps)}).",
            code="newer_store",
            place=place,
            remedy="Install the newer Quintet; nothing was changed.",
        )
    for number, statements in enumerate(steps[found:], start=found + 1):
        step(connection, statements, number)
    return found


def take_back(connection: duckdb.DuckDBPyConnection, place: str, target: int) -> int:
    """Bring a database back to an older version, each step in one transaction; gives the version found before.

    Raises UsageError for a version that is not older, that there is no way back to, or that could not read what is
    stored.
    """
    found = version_of(connection)
    lowest = min(DOWN) - 1
    if not lowest <= target <= found <= len(VERSIONS):
        raise UsageError(
            f"cannot become store version {target}: it has version {found}.",
            code="no_way_back",
            place=place,
            remedy=f"This Quintet knows the way to versions {lowest} to {len(VERSIONS)}; nothing was changed.",
        )
    if found >= EDITING > target:
        refuse_unknown_to_older(connection, place)
    for number in range(found, target, -1):
        step(connection, DOWN[number], number - 1)
    return found


EDITING = 3
"""The version from which on people edit values."""
KNOWN_BEFORE = "1, 2, 3, 4, 10, 11, 20, 21, 22, 23"
"""Qualities that versions before EDITING understand and ever wrote."""


def refuse_unknown_to_older(connection: duckdb.DuckDBPyConnection, place: str) -> None:
    """Raise UsageError where intervals say what an older Quintet would not understand: edits, newer estimates."""
    strange = connection.execute(
        f"select (select count(*) from edit), (select count(*) from interval where quality not in ({KNOWN_BEFORE}))"
    ).fetchone()
    if strange is not None and any(strange):
        raise UsageError(
            f"holds {strange[0]} edits and {strange[1]} values that an older Quintet cannot read.",
            code="no_way_back",
            place=place,
            remedy="Restore the backup of before the upgrade (`quintet backup restore`); nothing was changed.",
        )


def step(connection: duckdb.DuckDBPyConnection, statements: list[str], version: int) -> None:
    """Run the statements that lead to a version as one transaction."""
    connection.begin()
    try:
        for statement in statements:
            connection.execute(statement)
        connection.execute("delete from meta where key = 'schema_version'")
        connection.execute("insert into meta values ('schema_version', ?)", [str(version)])
        connection.commit()
    except duckdb.Error:
        with suppress(duckdb.Error):  # a commit that failed has ended the transaction itself
            connection.rollback()
        raise
