"""The file of acknowledgements: what was written is read, a torn tail is not, and an empty file proves nothing."""

from pathlib import Path

import numpy as np
import pytest

from quintet.app.load_acks import Acks, read_acks
from quintet.simulate.stream import Parcel
from quintet.terms.errors import BadInput

NAMES = [("c1", "a"), ("c1", "b"), ("c2", "a")]


def parcel(*names: int) -> Parcel:
    count = len(names)
    return Parcel(np.array(names, np.int32), np.arange(count, dtype=np.int64) * 900_000_000, np.arange(count) / 10)


def written(path: Path, *, bundle: int = 1) -> Path:
    with Acks(path, NAMES, bundle=bundle) as acks:
        acks.add(parcel(0, 2), 7)
        acks.add(parcel(1), 8)
    return path


def pairs(path: Path) -> list[tuple[str, str, float, int]]:
    return [
        row
        for table in read_acks(path)
        for row in zip(*(table[name].to_pylist() for name in ("site", "meter", "value", "batch")), strict=True)
    ]


@pytest.mark.parametrize("bundle", [1, 64])
def test_what_was_acknowledged_is_read_again(tmp_path: Path, bundle: int) -> None:
    path = written(tmp_path / "acks", bundle=bundle)
    assert pairs(path) == [("c1", "a", 0.0, 7), ("c2", "a", 0.1, 7), ("c1", "b", 0.0, 8)]
    assert sum(table.num_rows for table in read_acks(path, most=1)) == 3


def test_a_second_run_goes_on_in_the_same_file_with_names_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path / "acks")
    with Acks(path, [("x", "y")]) as acks:
        acks.add(parcel(0), 9)
    assert pairs(path)[-1] == ("x", "y", 0.0, 9)
    assert len(pairs(path)) == 4


def test_it_is_on_the_disk_before_the_next_answer_comes(tmp_path: Path) -> None:
    acks = Acks(tmp_path / "acks", NAMES)
    acks.add(parcel(0), 1)
    assert len(pairs(tmp_path / "acks")) == 1
    acks.close()


def test_a_torn_or_damaged_tail_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "acks")
    whole = path.read_bytes()
    for cut in (1, 10, 30):
        path.write_bytes(whole[:-cut])
        assert len(pairs(path)) == 2, cut
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert len(pairs(path)) == 2


def test_a_file_without_acknowledgements_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path / "empty", tmp_path / "none"):
        with pytest.raises(BadInput) as caught:
            list(read_acks(path))
        assert caught.value.code == "no_acks"
    with pytest.raises(BadInput, match="cannot be written"):
        Acks(tmp_path / "none" / "acks", NAMES)
