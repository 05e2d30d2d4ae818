"""Reading everything that is stored against its digest or checksum."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from quintet.terms.errors import Damaged, QuintetError

from .digest import file_digest
from .engine import DATABASE, Engine, Snapshot
from .lake import log_key
from .opening import first_line
from .stated import refuse_flipped
from .trouble import from_engine_error

FROM_BACKUP = "Restore this file from a backup."
WHOLE_CITY = "Restore a backup of the whole city."


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged thing: the file, what is wrong with it, and how to mend it."""

    place: str
    message: str
    remedy: str = FROM_BACKUP


def damaged_files(engine: Engine) -> list[Damage]:
    """Check the digest of every live lake file, and of every entry of the lake's logs."""
    with engine.snapshot() as snapshot:
        found = snapshot.rows("select lake, path, digest from lake_file where live")
        found += recorded_logs(engine, snapshot)
    out: list[Damage] = []
    for lake, path, digest in found:
        absolute = engine.folder / "lake" / lake / path
        if not absolute.is_file():
            out.append(Damage(str(absolute), "is missing from the lake."))
        elif file_digest(absolute) != digest:
            out.append(Damage(str(absolute), "does not match its recorded digest."))
    return out


def recorded_logs(engine: Engine, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """Give the entries of the lake's logs whose digest is recorded: lake, path below it, digest."""
    known = dict(snapshot.rows("select key, value from meta"))
    for name, lake in engine.lakes.items():
        prefix = log_key(name, "")
        for key, digest in known.items():
            if key.startswith(prefix):
                yield name, f"{lake.log.name}/{key.removeprefix(prefix)}", digest


def scrub(engine: Engine) -> list[Damage]:
    """Check every live lake file's digest and read every block of the database (DuckDB checks their checksums)."""
    try:
        return damaged_files(engine) + damaged_settings(engine) + damaged_tables(engine)
    except QuintetError as error:
        # the tables that say what the files should be are themselves damaged
        return [Damage(error.place or str(engine.folder / "store" / DATABASE), error.message, WHOLE_CITY)]


def damaged_settings(engine: Engine) -> list[Damage]:
    """Look whether city.toml says what it said when it was taken in, unless somebody has edited it since."""
    path = engine.folder / "city.toml"
    if not path.is_file():
        return []
    try:
        with engine.snapshot() as snapshot:
            refuse_flipped(snapshot, path)
    except Damaged as damage:
        return [Damage(damage.place, damage.message, damage.remedy)]
    return []


def damaged_tables(engine: Engine) -> list[Damage]:
    """Read all of the database's tables from the disk."""
    engine.forget_blocks()
    path = str(engine.folder / "store" / DATABASE)
    out: list[Damage] = []
    with engine.snapshot() as snapshot:
        tables = [name for (name,) in snapshot.rows("select table_name from duckdb_tables() where not temporary")]
    for table in tables:
        try:
            with engine.snapshot() as snapshot:
                snapshot.rows(f"select bit_xor(hash(t)) from {table} t")
        except (duckdb.Error, QuintetError) as error:
            known = from_engine_error(error)
            text = known.message if known is not None else first_line(error)
            out.append(Damage(path, f"table {table}: {text}", WHOLE_CITY))
    return out
