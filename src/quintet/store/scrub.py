"""Reading everything that is stored against its digest or checksum."""

from dataclasses import dataclass

import duckdb

from quintet.terms.errors import Damaged

from .digest import file_digest
from .engine import Engine, first_line

TABLES = ("batch", "record", "raw", "interval", "rollup_hour", "rollup_day", "quarantine", "flow_hour", "lake_file")


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged thing: where it is and what is wrong with it."""

    place: str
    message: str


def damaged_files(engine: Engine) -> list[Damage]:
    """Check every live lake file's digest."""
    out: list[Damage] = []
    with engine.snapshot() as snapshot:
        found = snapshot.rows("select lake, path, digest from lake_file where live")
    for lake, path, digest in found:
        absolute = engine.folder / "lake" / lake / path
        if not absolute.is_file():
            out.append(Damage(str(absolute), "is missing from the lake."))
        elif file_digest(absolute) != digest:
            out.append(Damage(str(absolute), "does not match its recorded digest."))
    return out


def scrub(engine: Engine) -> list[Damage]:
    """Check every live lake file's digest and read every block of the database (DuckDB checks their checksums)."""
    out = damaged_files(engine)
    with engine.snapshot() as snapshot:
        for table in TABLES:
            try:
                snapshot.rows(f"select bit_xor(hash(t)) from {table} t")
            except (duckdb.Error, Damaged) as error:
                out.append(Damage(f"table {table}", first_line(error)))
    return out
