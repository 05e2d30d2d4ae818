"""The mark of what was committed: of two slots the newer whole one counts; a log that was cut short is found by it."""

import shutil
from pathlib import Path

import pytest

from quintet.store.engine import DATABASE, Engine
from quintet.store.mark import MARK, Mark
from quintet.terms.errors import CityError, Damaged

from .conftest import Store, hours


def test_the_newest_batch_is_read_back(tmp_path: Path) -> None:
    mark = Mark(tmp_path / MARK)
    assert mark.read() is None
    for batch in (0, 1, 2, 2**40):
        mark.write(batch)
        assert Mark(tmp_path / MARK).read() == batch
    mark.sync()
    mark.close()


def test_with_one_slot_damaged_the_other_one_counts(tmp_path: Path) -> None:
    mark = Mark(tmp_path / MARK)
    mark.write(6)
    mark.write(7)
    mark.close()
    whole = (tmp_path / MARK).read_bytes()
    for at, left in ((3, 7), (9, 7), (17, 7), (67, 6), (73, 6), (81, 6)):
        content = bytearray(whole)
        content[at] ^= 4
        (tmp_path / MARK).write_bytes(content)
        assert Mark(tmp_path / MARK).read() == left
    for content in (b"", b"QUINTET1", bytes(128), whole[:19]):
        (tmp_path / MARK).write_bytes(content)
        assert Mark(tmp_path / MARK).read() is None


def test_a_mark_that_cannot_be_written_keeps_nobody_from_writing(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "nowhere" / MARK)
    mark.write(1)
    mark.sync()
    mark.close()
    assert mark.read() is None


def killed(store: Store, folder: Path) -> Path:
    """Give a copy of a store as a kill would leave it, its log not folded in."""
    shutil.copytree(store.folder, folder)
    return folder / "store" / f"{DATABASE}.wal"


def test_a_log_without_its_end_is_refused_and_kept(store: Store, tmp_path: Path) -> None:
    store.write(hours(0, 0, [1]))
    size = (store.folder / "store" / f"{DATABASE}.wal").stat().st_size
    store.write(hours(0, 0, [2]))
    log = killed(store, tmp_path / "copy")
    content = log.read_bytes()
    log.write_bytes(content[:size])
    for _ in range(2):  # opening it again makes nothing better and nothing worse
        with pytest.raises(Damaged, match="the last 1 of its batches") as lost:
            Engine.open(tmp_path / "copy", "UTC")
        assert (lost.value.code, lost.value.place) == ("log_damaged", str(log))
        assert log.with_name(log.name + ".as-found").read_bytes() == content[:size]
    (tmp_path / "copy" / "store" / MARK).unlink()
    again = Store(tmp_path / "copy")
    assert again.effective() == hours(0, 0, [1])
    again.close()


def test_an_entry_with_a_hole_after_the_last_commit_is_cut_off(store: Store, tmp_path: Path) -> None:
    """A power loss may leave a later part of the entry that was being written, without an earlier one."""
    store.write(hours(0, 0, [1]))
    before = (store.folder / "store" / f"{DATABASE}.wal").stat().st_size
    mark = (store.folder / "store" / MARK).read_bytes()
    store.write(hours(0, 0, [2]))
    log = killed(store, tmp_path / "copy")
    content = bytearray(log.read_bytes())
    middle = (before + len(content)) // 2
    content[middle : middle + 8] = bytes(8)
    log.write_bytes(content)
    with pytest.raises(Damaged):  # the mark knows that it was committed
        Engine.open(tmp_path / "copy", "UTC")
    shutil.rmtree(tmp_path / "copy")
    killed(store, tmp_path / "copy")
    log.write_bytes(content)
    (tmp_path / "copy" / "store" / MARK).write_bytes(mark)
    again = Store(tmp_path / "copy")
    assert again.effective() == hours(0, 0, [1])
    again.write(hours(0, 0, [3]))
    again.reopen()
    assert again.effective() == hours(0, 0, [3])
    again.close()


def test_a_log_with_a_hole_and_no_mark_is_refused(store: Store, tmp_path: Path) -> None:
    store.write(hours(0, 0, [1]))
    log = killed(store, tmp_path / "copy")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    (tmp_path / "copy" / "store" / MARK).unlink()
    with pytest.raises(CityError, match="restore a backup") as caught:
        Engine.open(tmp_path / "copy", "UTC")
    assert caught.value.code == "store_unreadable"
    assert log.read_bytes() == content
