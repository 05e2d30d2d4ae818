"""Backup of one consistent moment while the city is written to; restore gives the same content, or nothing at all."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quintet.store.backup import MANIFEST, create_backup, restore_backup
from quintet.store.scrub import scrub
from quintet.terms.errors import BadInput, Damaged, QuintetError, UsageError

from .conftest import DAY_0, HOUR, T0, VALID, Store, hours


@pytest.fixture
def full(store: Store) -> Store:
    """Give a store with a closed day, its superseded versions, late rows and an open day."""
    store.name_channels("s/a", "s/b")
    store.write([*hours(0, 0, [1, 2, 3]), *hours(1, 1, [4])], [(0, T0, 5)])
    store.close_day(DAY_0)
    store.write(hours(0, 0, [9]))
    store.close_day(DAY_0)
    store.write(hours(0, 0, [10]))
    (store.folder / "city.toml").write_text('[city]\ntimezone = "UTC"\n')
    return store


def backup(store: Store, target: Path) -> dict[str, object]:
    return create_backup(store.engine, store.folder / "city.toml", target)


def test_a_backup_restored_elsewhere_says_the_same(full: Store, tmp_path: Path) -> None:
    manifest = backup(full, tmp_path / "backup")
    said, known = full.hash(), [full.effective(batch) for batch in range(full.engine.last_batch + 1)]
    full.write(hours(0, 0, [77]))
    full.close_day(DAY_0)
    assert restore_backup(tmp_path / "backup", tmp_path / "else" / "where") == len(manifest["files"])  # type: ignore[arg-type]
    other = Store(tmp_path / "else" / "where")
    assert other.hash() == said != full.hash()
    assert [other.effective(batch) for batch in range(other.engine.last_batch + 1)] == known
    assert other.engine.last_batch == manifest["batch"]
    assert scrub(other.engine) == []
    assert (other.folder / "city.toml").read_text() == (full.folder / "city.toml").read_text()
    other.close_day(DAY_0)
    assert other.hash() == said
    other.engine.close()


def test_a_backup_taken_while_others_write_and_close_is_one_moment(full: Store, tmp_path: Path) -> None:
    stop, errors = threading.Event(), []

    def keep_writing() -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                full.write([(0, T0 + at * HOUR, number, VALID) for at in range(24)])
                if number % 5 == 0:
                    full.close_day(DAY_0)
        except Exception as error:  # noqa: BLE001 - handed to the test's own thread
            errors.append(error)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    manifests: list[dict[str, Any]] = []
    for number in range(4):
        manifests.append(backup(full, tmp_path / f"backup{number}"))
        # A backup gives the writer no turn of its own: the next one waits until something was written since.
        while full.engine.last_batch <= manifests[-1]["batch"] and writer.is_alive():
            time.sleep(0.005)
    stop.set()
    writer.join()
    assert errors == []
    assert manifests[0]["batch"] < manifests[-1]["batch"]
    for number, manifest in enumerate(manifests):
        restore_backup(tmp_path / f"backup{number}", tmp_path / f"city{number}")
        other = Store(tmp_path / f"city{number}")
        assert other.engine.last_batch == manifest["batch"]
        assert other.effective() == full.effective(manifest["batch"])
        assert scrub(other.engine) == []
        other.engine.close()


def test_the_manifest_says_what_was_copied(full: Store, tmp_path: Path) -> None:
    manifest = backup(full, tmp_path / "backup")
    assert json.loads((tmp_path / "backup" / MANIFEST).read_text()) == json.loads(json.dumps(manifest))
    copied = {
        path.relative_to(tmp_path / "backup").as_posix() for path in (tmp_path / "backup").rglob("*") if path.is_file()
    }
    assert copied == {*manifest["files"], MANIFEST}  # type: ignore[misc]
    assert manifest["bytes"] == sum((tmp_path / "backup" / name).stat().st_size for name in copied - {MANIFEST})


def flipped(backup: Path, name: str) -> None:
    whole = bytearray((backup / name).read_bytes())
    whole[len(whole) // 2] ^= 1
    (backup / name).write_bytes(whole)


def missing(backup: Path, name: str) -> None:
    (backup / name).unlink()


def cut(backup: Path, name: str) -> None:
    (backup / name).write_bytes((backup / name).read_bytes()[:-1])


@pytest.mark.parametrize("harm", [flipped, missing, cut])
def test_a_damaged_backup_is_refused_and_nothing_is_restored(
    full: Store, tmp_path: Path, harm: Callable[[Path, str], None]
) -> None:
    names = list(backup(full, tmp_path / "backup")["files"])  # type: ignore[call-overload]
    keep = {name: (tmp_path / "backup" / name).read_bytes() for name in names}
    for name in names:
        harm(tmp_path / "backup", name)
        with pytest.raises(BadInput, match="missing from the backup or damaged") as caught:
            restore_backup(tmp_path / "backup", tmp_path / "new")
        assert caught.value.place == str(tmp_path / "backup" / name)
        assert not (tmp_path / "new").exists()
        (tmp_path / "backup" / name).write_bytes(keep[name])
    assert restore_backup(tmp_path / "backup", tmp_path / "new") == len(names)


@pytest.mark.parametrize("content", [b"", b'{"batch": 3', b"[]", b'{"batch": 3}', b"\xff\xfe"])
def test_a_manifest_that_cannot_be_read_is_refused(full: Store, tmp_path: Path, content: bytes) -> None:
    backup(full, tmp_path / "backup")
    (tmp_path / "backup" / MANIFEST).write_bytes(content)
    with pytest.raises(BadInput):
        restore_backup(tmp_path / "backup", tmp_path / "new")


def test_a_manifest_that_points_outside_is_refused(full: Store, tmp_path: Path) -> None:
    backup(full, tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / MANIFEST).read_text())
    (tmp_path / "outside").write_bytes((tmp_path / "backup" / "city.toml").read_bytes())
    manifest["files"]["../outside"] = manifest["files"]["city.toml"]
    (tmp_path / "backup" / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BadInput):
        restore_backup(tmp_path / "backup", tmp_path / "deep" / "new")
    assert not (tmp_path / "deep" / "outside").exists()


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no backup"):
        restore_backup(tmp_path, tmp_path / "new")


def test_a_folder_that_holds_something_is_never_written_to(full: Store, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("precious")
    with pytest.raises(UsageError, match="is not empty"):
        backup(full, taken)
    backup(full, tmp_path / "backup")
    with pytest.raises(UsageError, match="is not empty"):
        restore_backup(tmp_path / "backup", taken)
    assert [path.name for path in taken.iterdir()] == ["mine"]


def test_a_target_that_cannot_be_written_is_refused_and_the_city_goes_on(full: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(QuintetError, match="another folder") as caught:
        backup(full, tmp_path / "file" / "backup")
    assert caught.value.code == "backup_failed"
    full.write(hours(1, 2, [1]))


def test_a_target_that_is_a_file_is_refused(full: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(QuintetError):
        backup(full, tmp_path / "file")
    backup(full, tmp_path / "backup")
    with pytest.raises(QuintetError):
        restore_backup(tmp_path / "backup", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "precious"


def test_a_folder_that_cannot_be_restored_into_is_refused(full: Store, tmp_path: Path) -> None:
    backup(full, tmp_path / "backup")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(QuintetError):
        restore_backup(tmp_path / "backup", tmp_path / "file" / "new")


def test_a_backup_that_fails_leaves_its_target_as_it_was(full: Store, tmp_path: Path) -> None:
    full.reopen()  # all blocks are on the disk, none in memory
    database = full.folder / "store" / "quintet.duckdb"
    whole = database.read_bytes()
    (tmp_path / "empty").mkdir()
    refused: list[str] = []
    for at in range(3 * 4096 + 100, len(whole), 262_144):
        content = bytearray(whole)
        content[at] ^= 1
        database.write_bytes(content)
        try:
            backup(full, tmp_path / "empty")
            shutil.rmtree(tmp_path / "empty")  # a block that is free or was written anew
        except Damaged as damage:
            refused.append(damage.place)
        database.write_bytes(whole)
        assert not (tmp_path / "empty").exists() or list((tmp_path / "empty").iterdir()) == []
    assert refused
    assert set(refused) == {str(database)}


def test_what_belongs_to_the_city_beside_its_store_is_in_it(full: Store, tmp_path: Path) -> None:
    (full.folder / "mqtt-id").write_text("quintet-1234")
    (full.folder / "mappings" / "more").mkdir(parents=True)
    (full.folder / "mappings" / "ours.toml").write_text("a")
    (full.folder / "mappings" / "more" / "theirs.toml").write_text("b")
    beside = [full.folder / name for name in ("mqtt-id", "mappings", "not-there")]
    manifest = create_backup(full.engine, full.folder / "city.toml", tmp_path / "backup", beside)
    assert {"city.toml", "mqtt-id", "mappings/ours.toml", "mappings/more/theirs.toml"} <= set(manifest["files"])
    restore_backup(tmp_path / "backup", tmp_path / "again")
    assert (tmp_path / "again" / "mqtt-id").read_text() == "quintet-1234"
    assert (tmp_path / "again" / "mappings" / "more" / "theirs.toml").read_text() == "b"
