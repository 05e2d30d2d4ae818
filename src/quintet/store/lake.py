"""The lake: closed days as immutable Parquet in Delta Lake tables that any engine can read.

A day becomes part of the lake in this order, so that a crash at any point leaves the old or the new state, never half:
write and sync the Parquet file; publish it in the Delta log; sync the log entry and both folders; then the caller
records file, digest and version together with the hot rows' removal in one database transaction. What was published
but never recorded is dropped when the city is opened next.
"""

import json
import shutil
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.transaction import AddAction, PostCommitHookProperties, RemoveAction

from quintet.terms.catalogue import numbers_of, read_toml
from quintet.terms.errors import Damaged
from quintet.terms.period import day_of_number
from quintet.terms.tables import MOMENT

from .digest import file_digest
from .durable import made_folder, sync_file, sync_folder
from .room import require_room
from .trouble import from_os_error

ROW_GROUP = 122_880
"""Rows a group: a point read prunes to one; 0.2 s of decoding at most for a group of a country's channel range."""
PACKED = ("channel", "start", "at", "batch")
"""Sorted or slowly growing columns: delta-packed they cost about a bit a row."""
NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
"""A checkpoint is made where it can be synced; no entry of the log is ever cleared away."""
CHECKPOINT, NEWEST_CHECKPOINT = ".checkpoint.parquet", "_last_checkpoint"

INTERVAL_FILE = pa.schema(
    [
        pa.field("channel", pa.int32(), nullable=False),
        pa.field("start", MOMENT, nullable=False),
        pa.field("value", pa.int64(), nullable=False),
        pa.field("quality", pa.int16(), nullable=False),
        pa.field("batch", pa.int32(), nullable=False),
    ]
)
RAW_FILE = pa.schema(
    [
        pa.field("channel", pa.int32(), nullable=False),
        pa.field("at", MOMENT, nullable=False),
        pa.field("mantissa", pa.int64(), nullable=False),
        pa.field("exponent", pa.int16(), nullable=False),
        pa.field("unit", pa.int16(), nullable=False),
        pa.field("batch", pa.int32(), nullable=False),
    ]
)
LAKES = {"intervals": INTERVAL_FILE, "superseded": INTERVAL_FILE, "raw": RAW_FILE}
"""The lake's tables: effective intervals, the versions they superseded, and raw readings as received."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of `data/lake.toml`: `checkpoint_every` versions of a table its log is summed up."""

    checkpoint_every: int


@cache
def limits() -> Limits:
    """Give the shipped numbers."""
    return Limits(**numbers_of(read_toml("quintet.store", "lake.toml"), Limits.__slots__, "lake.toml"))


def log_key(lake: str, entry: str) -> str:
    """Give the key under which the digest of a log's entry is recorded."""
    return f"lake_log/{lake}/{entry}"


@dataclass(frozen=True, slots=True)
class LakeFile:
    """One published file: where it is, what it weighs, its digest and the table's version that brought it."""

    lake: str
    day: int
    path: str
    rows: int
    bytes: int
    digest: str
    version: int


class _Newest(msgspec.Struct):
    version: int


class Lake:
    """One Delta table of the city, partitioned by local day."""

    def __init__(self, root: Path, name: str) -> None:
        """Open (or later create) the table `name` below the lake's folder."""
        self.folder = root / name
        self.name = name
        self.schema = LAKES[name]
        self.checkpoint_every = limits().checkpoint_every
        self._opened: DeltaTable | None = None

    @property
    def log(self) -> Path:
        """The folder of the Delta log."""
        return self.folder / "_delta_log"

    def table(self) -> DeltaTable:
        """Give the Delta table, created empty at first use; opened once, for its log is read from the beginning."""
        if not self.log.is_dir() or not any(self.log.iterdir()):
            made_folder(self.folder)
            partitioned = self.schema.append(pa.field("day", pa.date32(), nullable=False))
            DeltaTable.create(
                self.folder, partitioned, mode="ignore", partition_by=["day"], name=f"quintet_{self.name}"
            )
            self._opened = None
        if self._opened is None:
            self._opened = DeltaTable(self.folder)
        return self._opened  # nobody else writes: it stands where the last publishing left it

    def write(self, day: int, table: pa.Table) -> tuple[str, int, str]:
        """Write and sync one day's sorted rows; give path below the table, size in bytes and digest."""
        folder = self.folder / f"day={day_of_number(day).isoformat()}"
        made_folder(folder)
        path = folder / f"part-{uuid.uuid4()}.parquet"
        packed = [name for name in self.schema.names if name in PACKED]
        pq.write_table(
            table.cast(self.schema),
            path,
            compression="zstd",
            compression_level=6,
            row_group_size=ROW_GROUP,
            use_dictionary=[name for name in self.schema.names if name not in PACKED],
            column_encoding=dict.fromkeys(packed, "DELTA_BINARY_PACKED"),
            store_schema=False,
        )
        sync_file(path)
        sync_folder(folder)
        sync_folder(self.folder)
        return str(path.relative_to(self.folder)), path.stat().st_size, file_digest(path)

    def publish(self, day: int, table: pa.Table, replaced: Iterable[LakeFile] = ()) -> LakeFile:
        """Make one day's rows part of the table, in place of the day's earlier files.

        Raises CityError, `disk_full` among others, where they cannot be written.
        """
        require_room(self.folder.parents[1], table.nbytes)
        try:
            return self._publish(day, table, replaced)
        except OSError as error:
            raise from_os_error(error) from error

    def _publish(self, day: int, table: pa.Table, replaced: Iterable[LakeFile]) -> LakeFile:
        """Do what `publish` says."""
        delta = self.table()
        path, size, digest = self.write(day, table)
        partition: dict[str, str | None] = {"day": day_of_number(day).isoformat()}
        stamp = (self.folder / path).stat().st_mtime_ns // 1_000_000
        stats = json.dumps({"numRecords": table.num_rows})
        actions: list[AddAction | RemoveAction] = [AddAction(path, size, partition, stamp, True, stats)]
        actions += [
            RemoveAction(
                file.path, deletion_timestamp=stamp, data_change=True, partition_values=partition, size=file.bytes
            )
            for file in replaced
        ]
        delta.create_write_transaction(
            actions, "append", delta.schema(), partition_by=["day"], post_commithook_properties=NO_HOOKS
        )
        delta.update_incremental()
        version = delta.version()
        for entry in self.log.glob("*.json"):
            if int(entry.stem) >= version - 1:
                sync_file(entry)
        if version and version % self.checkpoint_every == 0:
            self._sum_up(delta)
        sync_folder(self.log)
        sync_folder(self.folder)
        return LakeFile(self.name, day, path, table.num_rows, size, digest, version)

    def _sum_up(self, delta: DeltaTable) -> None:
        """Sum the log up in a checkpoint, durably: who opens the table reads it and the entries after it alone.

        Recorded with the version that it sums up; one that never was is dropped like that version.
        """
        delta.create_checkpoint()
        for path in (*self.log.glob(f"{delta.version():020}{CHECKPOINT}"), self.log / NEWEST_CHECKPOINT):
            sync_file(path)
        self._opened = None  # opened anew it need not carry the entries that are summed up

    def entries(self) -> list[Path]:
        """List what the log consists of, oldest first: its entries, and the checkpoints that sum them up."""
        return sorted([*self.log.glob("*.json"), *self.log.glob(f"*{CHECKPOINT}")]) if self.log.is_dir() else []

    def newest_version(self) -> int:
        """Give the newest version in the log, -1 where there is none."""
        numbers = [entry.stem for entry in self.log.glob("*.json")] if self.log.is_dir() else []
        return max((int(number) for number in numbers if number.isdigit()), default=-1)

    def recover(self, recorded_version: int | None, recorded_paths: set[str], recorded_log: set[str]) -> list[str]:
        """Drop what was published or written but never recorded; give the names of what was dropped.

        `recorded_log` are the names of the log's entries and checkpoints that are recorded.
        """
        dropped: list[str] = []
        if not self.folder.is_dir():
            return dropped
        if recorded_version is None:
            self._opened = None
            shutil.rmtree(self.folder)
            return [self.name]
        for entry in sorted(self.log.iterdir()):
            number = entry.name.split(".")[0]
            numbered = number.isdigit() and int(number) <= recorded_version
            whole = entry.suffix == ".json" or entry.name in recorded_log
            if not (numbered and whole) and not (entry.name == NEWEST_CHECKPOINT and self._names(entry, recorded_log)):
                entry.unlink()
                dropped.append(entry.name)
        for path in self.folder.glob("day=*/*"):
            if str(path.relative_to(self.folder)) not in recorded_paths:
                path.unlink()
                dropped.append(path.name)
        if dropped:
            self._opened = None
            sync_folder(self.log)
        return dropped

    @staticmethod
    def _names(newest: Path, recorded_log: set[str]) -> bool:
        """Say whether the file that names the newest checkpoint names one that is recorded."""
        try:
            named = msgspec.json.decode(newest.read_bytes(), type=_Newest)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False
        return f"{named.version:020}{CHECKPOINT}" in recorded_log


class VerifiedFiles:
    """Checks a lake file's digest before its first use in this process, and again when its size or time changed."""

    def __init__(self, root: Path) -> None:
        """Remember nothing yet; `root` is the lake's folder."""
        self._root = root
        self._seen: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def path(self, lake: str, path: str, digest: str) -> str:
        """Give the absolute path of a file whose bytes are as recorded; a damaged or absent one raises."""
        absolute = self._root / lake / path
        remedy = "Run `quintet doctor`, then restore this file from a backup."
        try:
            status = absolute.stat()
        except FileNotFoundError as error:
            raise Damaged(
                "is missing from the lake.", code="lake_file_missing", place=str(absolute), remedy=remedy
            ) from error
        state = (status.st_size, status.st_mtime_ns)
        with self._lock:
            if self._seen.get(path) == state:
                return str(absolute)
        if file_digest(absolute) != digest:
            raise Damaged(
                "does not match its recorded digest.", code="lake_file_damaged", place=str(absolute), remedy=remedy
            )
        with self._lock:
            self._seen[path] = state
        return str(absolute)
