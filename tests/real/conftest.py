"""The measured city, taken in once for all tests (and all test workers), and what plain SQL says of it.

Nothing here that computes an expected number uses Quintet: `published` is made by DuckDB from the Parquet files alone.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quintet.access import EVERYTHING, Access
from quintet.app.city import City
from quintet.ingest import find, ingest_dataset
from quintet.store.read import content_hash, intervals
from quintet.terms.quality import qualities_by_id

Need = Callable[[Path | str, str], Path]
Built = dict[str, Any]

# Sub-units (mWh, mL, mvarh) in one unit, numerator and denominator; a unit of power counts for one hour.
# 1 GJ = 10^9 / 3600 Wh; 1 ton_h = 12,000 Btu of 1055.05585262 J; 1 US gallon = 3785.411784 mL.
SUB_UNITS = {
    "kWh": (1_000_000, 1),
    "kW": (1_000_000, 1),
    "W": (1_000, 1),
    "kvar": (1_000_000, 1),
    "GJ": (2_500_000_000, 9),
    "ton_h": (1_266_067_023_144, 360_000),
    "L": (1_000, 1),
    "dm3": (1_000, 1),
    "kL": (1_000_000, 1),
    "m3": (1_000_000, 1),
    "US_gal": (3_785_411_784, 1_000_000),
}
POWER = ("kW", "W", "kvar")

PUBLISHED = """
    copy (
        select site || '/' || meter as name, epoch_us(ts_utc) as at_us,
            arg_min(exact, (abs(exact), exact)) as value,
            count(*) as rows, count(distinct exact) as versions
        from (select site, meter, ts_utc, cast(cast(value as varchar) as decimal(38, 18)) as exact
            from read_parquet('{source}/readings.parquet') where ts_utc is not null and value is not null)
        group by all order by all
    ) to '{target}' (format parquet)"""
"""One row a meter and stamp; of two values the one of lower magnitude counts. `value` is the exact decimal that is
printed."""


@pytest.fixture(scope="session")
def measured(shared: Path, need: Need) -> Path:
    """Give the folder of the measured city."""
    return need(shared / "data" / "city", "the measured city stands beside the checkout")


@pytest.fixture(scope="session")
def household(shared: Path, need: Need) -> Path:
    """Give the folder of the measured homes."""
    return need(shared / "data" / "household", "the measured homes stand beside the checkout")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Generator[Callable[[str, Callable[[Path], Built]], Path]]:
    """Give `built(name, make)`: a folder that the first worker to come fills, and all of a run share.

    The last worker to leave removes them: they are hundreds of megabytes.
    """
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "real"
    root.mkdir(exist_ok=True)
    mine = root / f"in-use-{os.getpid()}"
    mine.touch()

    def build(name: str, make: Callable[[Path], Built]) -> Path:
        folder = root / name
        with locked(root / f"{name}.lock"):
            if not (folder / "facts.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                facts = make(folder)
                (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
        return folder

    yield build
    with locked(root / "leaving.lock"):
        mine.unlink()
        if not list(root.glob("in-use-*")):
            shutil.rmtree(root, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a lock between processes."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def take_in(
    folder: Path,
    source: Path,
    mapping: Path | None = None,
    settings: dict[str, Any] | None = None,
    *,
    times: int = 1,
    hashed: bool = False,
) -> Built:
    """Make a city of a dataset folder as `quintet ingest` does; write its effective intervals beside it.

    Gives the first receipt, the last one where the folder is taken several times, and the content hash if asked for.
    """
    city = City.create(folder / "city")
    began = time.monotonic()
    if settings is not None:
        city.pipeline.describe(settings, source="test", actor="test")
    (dataset,) = find([source], map_file=mapping)
    receipt = ingest_dataset(city.pipeline, dataset, actor="test")
    seconds = time.monotonic() - began
    again = receipt
    for _ in range(times - 1):
        again = ingest_dataset(city.pipeline, dataset, actor="test")
    digest = hash_of(city) if hashed else None
    export(city, folder)
    city.close()
    fields = ("accepted", "duplicate", "rejected", "quarantined", "skipped")
    return {
        "receipt": {name: getattr(receipt, name) for name in fields},
        "again": {name: getattr(again, name) for name in fields},
        "seconds": seconds,
        "hash": digest,
    }


def hash_of(city: City) -> str:
    """Give the digest of all that a city says, whatever the order it came in."""
    with city.engine.snapshot() as snapshot:
        return content_hash(snapshot)


def export(city: City, folder: Path) -> None:
    """Write what a city says as Parquet: effective intervals, findings, quarantine, by channel name."""
    names = {row["channel"]: row["name"] for row in city.registry().channels().to_pylist()}
    quality = {number: row.kind for number, row in qualities_by_id().items()}
    known = {
        "channels": pa.table({"channel": pa.array(names.keys(), pa.int32()), "name": list(names.values())}),
        "kinds": pa.table({"quality": pa.array(quality.keys(), pa.uint8()), "kind": list(quality.values())}),
    }
    codes = [row.code for row in qualities_by_id().values()]
    known["kinds"] = known["kinds"].append_column("code", pa.array(codes))
    with city.engine.snapshot() as snapshot:
        rows = intervals(city.engine, snapshot, -(10**15), 10**16)
        tables = {
            "effective": snapshot.arrow(
                """select name, start_us, value, code as quality, kind, batch from r join channels using (channel)
                    join kinds using (quality) order by name, start_us""",
                tables={"r": rows, **known},
            ),
            "finding": snapshot.arrow(
                "select name, at_us, until_us, rule from finding join channels using (channel)", tables=known
            ),
            "quarantine": snapshot.arrow("select source, row, site, meter, code, reason from quarantine"),
        }
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")


@pytest.fixture(scope="session")
def plain(measured: Path, built: Callable[..., Path]) -> Path:
    """Give the folder of the measured city as it is published: a city and its answers as Parquet."""

    def make(folder: Path) -> Built:
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(PUBLISHED.format(source=measured, target=folder / "published.parquet"))
        return take_in(folder, measured, times=2)

    return built("plain", make)


@pytest.fixture(scope="session")
def plain_hash(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the content hash of the measured city."""
    folder = tmp_path_factory.mktemp("hashed") / "city"
    city = opened(plain, folder)
    digest = hash_of(city)
    city.close()
    shutil.rmtree(folder)
    return digest


@pytest.fixture(scope="session")
def facts(plain: Path) -> Built:
    """Give what the ingest of the measured city said."""
    found: Built = json.loads((plain / "facts.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def mapped(measured: Path, built: Callable[..., Path]) -> Path:
    """Give the folder of the one fictional city that the map makes of the measured one.

    Of the meters that the map leaves out, two are sent along.
    """

    def make(folder: Path) -> Built:
        source = folder / "source"
        source.mkdir()
        shutil.copy(measured / "meters.parquet", source)
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(f"""copy (from '{measured}/readings.parquet' where meter in ('campus-gas', 'house1-main')
                    or (site, meter) in (select (site, meter) from read_csv('{measured}/virtual_city_map.csv')))
                to '{source}/readings.parquet'""")
        facts = take_in(folder, source, measured / "virtual_city_map.csv")
        shutil.rmtree(source)
        return facts

    return built("mapped", make)


def opened(source: Path, target: Path) -> City:
    """Open a copy of a built city: its owner must be alone."""
    shutil.copytree(source / "city", target)
    return City.open(target)


@pytest.fixture(scope="session")
def read_plain(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Access]:
    """Give the operator's read path to the measured city."""
    folder = tmp_path_factory.mktemp("plain") / "city"
    city = opened(plain, folder)
    yield city.access(EVERYTHING)
    city.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def virtual(mapped: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[City]:
    """Give the fictional city, open. Tests read it only."""
    folder = tmp_path_factory.mktemp("virtual") / "city"
    city = opened(mapped, folder)
    yield city
    city.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def city_of() -> Callable[..., Built]:
    """Give `city_of(folder, source, mapping, settings)`: take a dataset into a new city."""
    return take_in


def sql_over(measured: Path, published: Path, answers: Path) -> duckdb.DuckDBPyConnection:
    """Open SQL over what was published and what the city answers."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    ratios = ", ".join(f"('{unit}', {num}::hugeint, {den}::hugeint)" for unit, (num, den) in SUB_UNITS.items())
    connection.execute(f"""create table meter as
        with whole as (select site || '/' || meter as name, m.*,
                up * case when m.unit in {POWER} then cadence_min else 1 end as above,
                down * case when m.unit in {POWER} then 60 else 1 end as below
            from '{measured}/meters.parquet' m left join (values {ratios}) u(unit, up, down) using (unit))
        select *, above // gcd(above, below) as num, below // gcd(above, below) as den from whole""")
    # Parquet has no 128-bit integers: the whole number of 10^-18 that `value` is, is made here.
    connection.execute(f"""create table published as
        select *, replace(cast(value as varchar), '.', '')::hugeint as atto from '{published}'""")
    for name in ("effective", "finding", "quarantine"):
        connection.execute(f"create view {name} as select * from '{answers}/{name}.parquet'")
    connection.execute("create table series as select * from effective")
    return connection


@pytest.fixture(scope="session")
def sql_of() -> Callable[[Path, Path, Path], duckdb.DuckDBPyConnection]:
    """Give `sql_of(measured, published, answers)`: SQL over what was published and what a built city answers."""
    return sql_over


@pytest.fixture(scope="session")
def sql(measured: Path, plain: Path) -> Generator[duckdb.DuckDBPyConnection]:
    """Give SQL with `meter`, `published` (made without Quintet), and Quintet's `effective`, `finding`, `quarantine`."""
    connection = sql_over(measured, plain / "published.parquet", plain)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def ask(sql: duckdb.DuckDBPyConnection) -> Callable[..., list[tuple[Any, ...]]]:
    """Give `ask(query, parameters)`: the rows of a query over published and effective values."""
    return lambda query, parameters=(): sql.execute(query, list(parameters)).fetchall()
