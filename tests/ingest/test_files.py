"""What a folder holds is found, what it lacks is said."""

import os
import threading
from pathlib import Path

import pytest

from quintet.ingest import find, load_map, load_meters
from quintet.ingest.files import opened
from quintet.terms.errors import BadInput, UsageError


def make(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("", encoding="utf-8")
    return folder


def test_a_folder_is_described_and_its_readings_are_in_order(tmp_path: Path) -> None:
    folder = make(
        tmp_path / "city",
        *("meters.csv", "readings-2.parquet", "readings-10.CSV", "readings.csv", "weather.parquet", "city.toml"),
        *("truth.parquet", "readings.txt", "virtual_city_map.csv"),
    )
    (found,) = find([folder])
    assert found.meters == folder / "meters.csv"
    assert [path.name for path in found.readings] == ["readings-10.CSV", "readings-2.parquet", "readings.csv"]
    assert (found.weather, found.settings) == (folder / "weather.parquet", folder / "city.toml")
    assert found.map is None
    assert found.files == 5


def test_a_map_is_used_only_when_it_is_named(tmp_path: Path) -> None:
    folder = make(tmp_path, "meters.csv", "readings.csv", "map.csv")
    (found,) = find([folder], map_file=folder / "map.csv")
    assert found.map == folder / "map.csv"
    assert found.files == 3


def test_single_files_and_several_paths(tmp_path: Path) -> None:
    one, two = make(tmp_path / "a", "readings.csv"), make(tmp_path / "b", "monday.parquet")
    first, second = find([one, two / "monday.parquet"])
    assert (first.meters, first.weather, first.settings) == (None, None, None)
    assert (second.readings, second.meters, second.folder) == ((two / "monday.parquet",), None, two)


@pytest.mark.parametrize(
    ("names", "asked", "code"),
    [
        ([], "absent", "no_such_path"),
        (["meters.parquet"], ".", "no_readings"),
        (["readings.csv", "meters.csv", "meters.parquet"], ".", "two_tables"),
        (["readings.csv", "weather.csv", "weather.parquet"], ".", "two_tables"),
    ],
)
def test_what_cannot_be_a_dataset_is_refused(tmp_path: Path, names: list[str], asked: str, code: str) -> None:
    make(tmp_path, *names)
    with pytest.raises(BadInput) as caught:
        find([tmp_path / asked])
    assert caught.value.code == code
    assert str(tmp_path) in caught.value.place
    assert caught.value.remedy


def test_no_path_is_wrong_usage() -> None:
    with pytest.raises(UsageError):
        find([])


def test_a_stream_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "readings.csv"
    os.mkfifo(pipe)
    keeper = os.open(pipe, os.O_RDWR)
    try:
        with pytest.raises(BadInput, match="is a stream"):
            opened(pipe)
    finally:
        os.close(keeper)


def test_what_the_system_will_not_open_is_named_with_its_reason(tmp_path: Path) -> None:
    loop = tmp_path / "meters.csv"
    loop.symlink_to(loop)
    for load in (load_meters, load_map):
        with pytest.raises(BadInput, match="cannot be read: Too many levels of symbolic links") as caught:
            load(loop)
        assert (caught.value.code, caught.value.place) == ("unreadable", str(loop))
    with pytest.raises(BadInput, match="cannot be read: File name too long"):
        find([tmp_path / ("x" * 300)])


def test_a_pipe_is_refused_at_once_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "readings.csv"
    os.mkfifo(pipe)
    told: list[BaseException] = []

    def look() -> None:
        try:
            opened(pipe).close()
        except BadInput as error:
            told.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(60)
    if thread.is_alive():
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))  # let it go
        thread.join(60)
        raise AssertionError("it waits for somebody who writes")
    (error,) = told
    assert isinstance(error, BadInput)
    assert "is a stream" in error.message
