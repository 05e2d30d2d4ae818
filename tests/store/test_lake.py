"""The lake: published whole or not at all, whatever was interrupted; readable by others; no flipped bit unnoticed."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from quintet.store.digest import file_digest
from quintet.store.durable import write_durably
from quintet.store.engine import Engine
from quintet.store.lake import INTERVAL_FILE, LAKES, ROW_GROUP, Lake, VerifiedFiles
from quintet.store.scrub import scrub
from quintet.terms.errors import CityError, Damaged

from .conftest import DAY_0, HOUR, T0, VALID, Store, hours


def day_table(count: int, channel: int = 0) -> pa.Table:
    """Give a day's rows as the lake takes them."""
    start = pa.array([T0 + number * HOUR // 4 for number in range(count)], INTERVAL_FILE.field("start").type)
    columns = [pa.array([number] * count) for number in (channel, VALID, 1)]
    return pa.table(
        {
            "channel": columns[0],
            "start": start,
            "value": pa.array(range(count)),
            "quality": columns[1],
            "batch": columns[2],
        }
    )


def by_others(folder: Path) -> list[tuple[int, int, int]]:
    """Read the table as any other engine does, by its Delta log alone: channel, start, value."""
    table = DeltaTable(folder).to_pyarrow_table(columns=["channel", "start", "value"])
    start = table["start"].cast(pa.int64()).to_pylist()
    return sorted(zip(table["channel"].to_pylist(), start, table["value"].to_pylist(), strict=True))


def triples(store: Store) -> list[tuple[int, int, int]]:
    return [row[:3] for row in store.effective()]


def parquet_files(store: Store) -> set[Path]:
    return set((store.folder / "lake").rglob("*.parquet"))


def test_a_closed_day_is_read_by_others_from_the_delta_log(store: Store) -> None:
    store.write([*hours(0, 0, [1, 2, 3]), *hours(1, 0, [4])])
    store.write(hours(0, 1, [5]))
    for day in (DAY_0, DAY_0 + 1):
        store.close_day(day)
    assert by_others(store.folder / "lake" / "intervals") == triples(store)
    store.write(hours(0, 0, [9]))
    store.close_day(DAY_0)
    assert by_others(store.folder / "lake" / "intervals") == triples(store)
    assert by_others(store.folder / "lake" / "superseded") == [(0, T0, 1)]


def test_files_are_packed_and_sorted_as_the_design_says(store: Store) -> None:
    lake = Lake(store.folder / "lake", "intervals")
    file = lake.publish(DAY_0, day_table(ROW_GROUP + 5))
    parquet = pq.ParquetFile(lake.folder / file.path)
    assert parquet.metadata.num_rows == file.rows == ROW_GROUP + 5
    assert parquet.metadata.num_row_groups == 2
    columns = [parquet.metadata.row_group(0).column(at) for at in range(5)]
    packed = {column.path_in_schema for column in columns if "DELTA_BINARY_PACKED" in column.encodings}
    assert packed == {"channel", "start", "batch"}
    assert {column.compression for column in columns} == {"ZSTD"}
    assert file.bytes == (lake.folder / file.path).stat().st_size
    assert file.digest == file_digest(lake.folder / file.path)
    assert file.path.startswith("day=2025-01-01/")


def test_a_lake_that_was_never_used_has_no_folder(store: Store) -> None:
    assert [lake.recover(None, set(), set()) for lake in store.engine.lakes.values()] == [[]] * len(LAKES)
    assert not (store.folder / "lake").exists()


def orphan(store: Store) -> None:
    store.engine.lakes["intervals"].write(DAY_0, day_table(3, channel=7))


def published(store: Store) -> None:
    store.engine.lakes["intervals"].publish(DAY_0, day_table(3, channel=7))


def published_twice(store: Store) -> None:
    published(store)
    store.engine.lakes["intervals"].publish(DAY_0 + 4, day_table(2, channel=8))


def published_everywhere(store: Store) -> None:
    for name in ("intervals", "superseded"):
        store.engine.lakes[name].publish(DAY_0, day_table(3, channel=7))


def torn_entry(store: Store) -> None:
    published(store)
    entry = sorted((store.folder / "lake" / "intervals" / "_delta_log").glob("*.json"))[-1]
    entry.write_bytes(entry.read_bytes()[:17])


def empty_entry(store: Store) -> None:
    published(store)
    sorted((store.folder / "lake" / "intervals" / "_delta_log").glob("*.json"))[-1].write_bytes(b"")


def leftover_commit(store: Store) -> None:
    log = store.folder / "lake" / "intervals" / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    (log / "_commit_0b1c.json.tmp").write_text('{"add"')


def test_a_database_older_than_its_lake_is_refused_and_nothing_is_deleted(store: Store) -> None:
    """A close publishes one version before it is recorded; more than that is a database put back from another day."""
    store.write(hours(0, 0, [1, 2, 3]))
    store.close_day(DAY_0)
    published_twice(store)
    files = sorted((store.folder / "lake").rglob("*.parquet"))
    with pytest.raises(CityError, match="older than the lake"):
        store.reopen()
    assert sorted((store.folder / "lake").rglob("*.parquet")) == files


def test_a_missing_database_beside_a_lake_is_refused_and_nothing_is_deleted(store: Store) -> None:
    store.write(hours(0, 0, [1, 2, 3]))
    store.close_day(DAY_0)
    store.engine.close()
    (store.folder / "store" / "quintet.duckdb").rename(store.folder / "elsewhere")
    files = sorted((store.folder / "lake").rglob("*.parquet"))
    with pytest.raises(CityError, match="lake of closed days is there"):
        Engine.open(store.folder, "UTC")
    assert files
    assert sorted((store.folder / "lake").rglob("*.parquet")) == files
    (store.folder / "elsewhere").rename(store.folder / "store" / "quintet.duckdb")
    store.reopen()


@pytest.mark.parametrize("earlier", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("crash", [orphan, published, published_everywhere, torn_entry, empty_entry, leftover_commit])
def test_what_was_not_recorded_is_dropped_at_the_next_opening(
    store: Store, crash: Callable[[Store], None], *, earlier: bool
) -> None:
    store.name_channels("s/a", "s/b")
    store.write([*hours(0, 0, [1, 2, 3]), *hours(1, 1, [4])])
    if earlier:
        store.close_day(DAY_0 + 1)
    before, said, files = store.effective(), store.hash(), parquet_files(store)
    crash(store)
    store.reopen()
    assert store.effective() == before
    assert store.hash() == said
    assert parquet_files(store) == files
    assert store.engine.recover() == [], "a second recovery finds nothing more"
    if earlier:
        assert by_others(store.folder / "lake" / "intervals") == [row[:3] for row in hours(1, 1, [4])]
    store.close_day(DAY_0)
    assert store.effective() == before
    assert by_others(store.folder / "lake" / "intervals") == [
        row[:3] for row in before if row[1] < T0 + 24 * HOUR or earlier
    ]


def test_a_close_that_fails_in_a_running_owner_leaves_a_lake_that_others_read_rightly(store: Store) -> None:
    """The process goes on after a full disk: what was published then must not stay in the log beside the next close."""
    store.write(hours(0, 0, [1, 2, 3]))
    published(store)
    store.close_day(DAY_0)
    store.reopen()
    assert store.effective() == hours(0, 0, [1, 2, 3])
    assert by_others(store.folder / "lake" / "intervals") == triples(store)


def log_of(store: Store) -> Path:
    return store.folder / "lake" / "intervals" / "_delta_log"


def checkpoints(store: Store) -> list[str]:
    return sorted(path.name for path in log_of(store).glob("*.parquet"))


def close_with_checkpoints(store: Store, days: range, every: int = 3) -> None:
    """Close days one by one, the logs summed up every so many versions."""
    for day in days:
        for lake in store.engine.lakes.values():
            lake.checkpoint_every = every
        store.write(hours(0, day, [day, 2]))
        store.close_day(DAY_0 + day)


def test_the_log_is_summed_up_and_keeps_every_entry(store: Store) -> None:
    store.name_channels("s/a")
    close_with_checkpoints(store, range(4))
    for entry in log_of(store).iterdir():
        os.utime(entry, (1, 1))  # older than any log is kept by default
    close_with_checkpoints(store, range(4, 8))
    assert checkpoints(store) == [f"{number:020}.checkpoint.parquet" for number in (3, 6)]
    assert len(list(log_of(store).glob("*.json"))) == 9
    assert json.loads((log_of(store) / "_last_checkpoint").read_bytes())["version"] == 6
    assert by_others(log_of(store).parent) == triples(store)
    recorded = {key for (key,) in store.rows("select key from meta where key like 'lake_log/intervals/%checkpoint%'")}
    assert recorded == {f"lake_log/intervals/{name}" for name in checkpoints(store)}
    store.reopen()
    assert checkpoints(store) != []
    assert store.engine.recover() == []
    assert scrub(store.engine) == []


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("torn", [tear, empty, Path.unlink, Path.stat], ids=["torn", "empty", "gone", "whole"])
@pytest.mark.parametrize("name", ["0" * 19 + "6.checkpoint.parquet", "_last_checkpoint"])
def test_a_checkpoint_that_was_not_recorded_is_dropped(store: Store, name: str, torn: Callable[[Path], object]) -> None:
    store.name_channels("s/a")
    close_with_checkpoints(store, range(5))
    before, said = triples(store), store.hash()
    store.engine.lakes["intervals"].publish(DAY_0 + 5, day_table(3, channel=7))
    assert len(checkpoints(store)) == 2
    torn(log_of(store) / name)
    store.reopen()
    assert checkpoints(store) == ["0" * 19 + "3.checkpoint.parquet"]
    assert store.hash() == said
    assert by_others(log_of(store).parent) == before
    assert scrub(store.engine) == []
    close_with_checkpoints(store, range(5, 7))
    assert by_others(log_of(store).parent) == triples(store)
    assert len(checkpoints(store)) == 2


def test_a_flipped_bit_in_a_checkpoint_is_found_and_one_in_its_name_is_mended(store: Store) -> None:
    store.name_channels("s/a")
    close_with_checkpoints(store, range(4))
    dice = Random(7)
    (path,) = log_of(store).glob("*.parquet")
    for _ in range(20):
        whole = flip(path, dice)
        assert [damage.place for damage in scrub(store.engine)] == [str(path)]
        path.write_bytes(whole)
    for _ in range(12):
        newest = log_of(store) / "_last_checkpoint"
        whole = flip(newest, dice)
        store.reopen()
        assert by_others(log_of(store).parent) == triples(store)
        newest.write_bytes(whole)


def test_superseded_files_of_a_merge_are_out_of_the_log_and_not_read(store: Store) -> None:
    for value in range(4):
        store.write(hours(0, 0, [value]))
        store.close_day(DAY_0)
    log = store.folder / "lake" / "intervals" / "_delta_log"
    removed = [json.loads(line) for entry in log.glob("*.json") for line in entry.read_text().splitlines()]
    assert sum("remove" in action for action in removed) == 3
    assert DeltaTable(log.parent).version() == 4
    assert len(DeltaTable(log.parent).file_uris()) == 1


def flip(path: Path, dice: Random) -> bytes:
    """Flip one random bit in place; give what stood before."""
    whole = path.read_bytes()
    at = dice.randrange(len(whole))
    changed = bytearray(whole)
    changed[at] ^= 1 << dice.randrange(8)
    path.write_bytes(changed)
    return whole


def test_a_flipped_bit_anywhere_is_found_on_first_read_and_by_the_scrub(store: Store) -> None:
    store.write([*hours(0, 0, list(range(20))), *hours(1, 0, list(range(9)))])
    store.close_day(DAY_0)
    (path,) = store.lake_files()
    (digest,) = store.rows("select digest from lake_file where lake = 'intervals'")[0]
    dice = Random(5)
    for _ in range(100):
        whole = flip(path, dice)
        with pytest.raises(Damaged, match="does not match its recorded digest"):
            VerifiedFiles(store.folder / "lake").path("intervals", path.relative_to(path.parents[1]).as_posix(), digest)
        assert [damage.place for damage in scrub(store.engine)] == [str(path)]
        path.write_bytes(whole)
    assert scrub(store.engine) == []


def test_a_damaged_file_gives_no_answer_but_its_name(store: Store) -> None:
    store.write(hours(0, 0, [1, 2]), [(0, T0, 5)])
    store.close_day(DAY_0)
    store.reopen()
    (path,) = store.lake_files()
    flip(path, Random(1))
    with pytest.raises(Damaged, match=r"quintet doctor") as caught:
        store.effective()
    assert caught.value.place == str(path)
    with pytest.raises(Damaged):
        store.close_day(DAY_0)
    assert store.effective(low=T0 + 24 * HOUR) == [], "other days are read"


def test_a_file_that_changes_after_it_was_checked_is_checked_again(store: Store) -> None:
    store.write(hours(0, 0, [1, 2]))
    store.close_day(DAY_0)
    assert store.effective() == hours(0, 0, [1, 2])
    (path,) = store.lake_files()
    flip(path, Random(2))
    os.utime(path, ns=(1, 1))
    with pytest.raises(Damaged):
        store.effective()


def test_a_bit_that_flips_under_a_running_owner_is_found_by_the_scrub(store: Store) -> None:
    store.write(hours(0, 0, [1, 2]))
    store.close_day(DAY_0)
    store.effective()
    (path,) = store.lake_files()
    stamp = path.stat()
    flip(path, Random(3))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert [damage.place for damage in scrub(store.engine)] == [str(path)]


def test_a_missing_file_is_named(store: Store) -> None:
    store.write(hours(0, 0, [1, 2]))
    store.close_day(DAY_0)
    (path,) = store.lake_files()
    path.unlink()
    with pytest.raises(Damaged, match="missing from the lake") as caught:
        store.effective()
    assert (caught.value.code, caught.value.place) == ("lake_file_missing", str(path))
    assert [damage.message for damage in scrub(store.engine)] == ["is missing from the lake."]


def test_the_digest_is_sha_256(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert file_digest(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_durable_write_replaces_whole_and_leaves_no_part(tmp_path: Path) -> None:
    for content in (b"one", b"", b"three"):
        write_durably(tmp_path / "f", content)
        assert (tmp_path / "f").read_bytes() == content
        assert [path.name for path in tmp_path.iterdir()] == ["f"]
    with pytest.raises(FileNotFoundError):
        write_durably(tmp_path / "nowhere" / "f", b"")
