"""Dataset folders and files: what stands where, and clear words where something does not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from quintet.protocols import Part, read_map, read_meters, read_weather
from quintet.terms.errors import BadInput, UsageError

SUFFIXES = (".parquet", ".csv")
METERS, READINGS, WEATHER, SETTINGS = "meters", "readings", "weather", "city.toml"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One folder (or one readings file) in the dataset layout; None: it has no such file."""

    folder: Path
    readings: tuple[Path, ...]
    meters: Path | None = None
    weather: Path | None = None
    settings: Path | None = None
    map: Path | None = None

    @property
    def files(self) -> int:
        """Count the files that are read."""
        return len(self.readings) + sum(path is not None for path in (self.meters, self.settings, self.map))


def find(paths: Iterable[Path], *, map_file: Path | None = None) -> list[Dataset]:
    """Find what some paths hold: a folder in the dataset layout, or single readings files.

    A folder's readings are all its `readings*.parquet` and `readings*.csv`, in order of name. Raises UsageError where
    no path is given and BadInput for a path that is not there, cannot be read, or holds no readings.
    """
    found = [_dataset(path, map_file) for path in paths]
    if not found:
        raise UsageError("no path is given.", code="no_path", remedy="Name a dataset folder or a readings file.")
    return found


def load_meters(path: Path) -> pa.Table:
    """Read a list of meters (Parquet or CSV), all columns kept."""
    with opened(path) as file:
        return read_meters(file, str(path))


def load_map(path: Path) -> pa.Table:
    """Read a map: site, meter, virtual_city, shift_days (whole days)."""
    with opened(path) as file:
        return read_map(file, str(path))


def load_weather(path: Path, clocks: Mapping[str, str]) -> tuple[pa.Table | None, list[Part]]:
    """Read the weather of sites, by whose clocks: the stations as a meters table (None: no site's), their readings."""
    with opened(path) as file:
        return read_weather(file, str(path), clocks)


def opened(path: Path) -> BinaryIO:
    """Open a file for reading; one that cannot be is named with the system's reason."""
    try:
        # looked at before it is opened: a pipe keeps whoever opens it waiting for somebody who writes
        file = path.open("rb") if path.is_file() or path.is_dir() else None
        if file is None:
            path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if file is None or not file.seekable():
        if file is not None:
            file.close()
        raise BadInput(
            "is a stream, and files are read more than once.",
            code="no_file",
            place=str(path),
            remedy="Save it to a file first.",
        )
    return file


def _dataset(path: Path, map_file: Path | None) -> Dataset:
    """Describe one path."""
    try:
        names = sorted(path.iterdir()) if path.is_dir() else None
        exists = path.exists()
    except OSError as error:
        raise _unreadable(path, error) from error
    if names is None:
        if not exists:
            raise BadInput("is not there.", code="no_such_path", place=str(path), remedy="Check the name.")
        return Dataset(path.parent, (path,), map=map_file)
    readings = tuple(name for name in names if name.suffix.lower() in SUFFIXES and name.stem.startswith(READINGS))
    if not readings:
        raise BadInput(
            "holds no readings.",
            code="no_readings",
            place=str(path),
            remedy=f"A dataset folder holds {READINGS} and {METERS}, each as .parquet or .csv.",
        )
    settings = path / SETTINGS
    return Dataset(
        folder=path,
        readings=readings,
        meters=_only(names, METERS, path),
        weather=_only(names, WEATHER, path),
        settings=settings if settings in names else None,
        map=map_file,
    )


def _only(names: list[Path], stem: str, folder: Path) -> Path | None:
    """Find a table that stands once, in either format; two of them could contradict each other."""
    found = [name for name in names if name.suffix.lower() in SUFFIXES and name.stem == stem]
    if len(found) > 1:
        raise BadInput(
            f"holds both {found[0].name} and {found[1].name}.",
            code="two_tables",
            place=str(folder),
            remedy="Keep the one that is right.",
        )
    return found[0] if found else None


def _unreadable(path: Path, error: OSError) -> BadInput:
    return BadInput(
        f"cannot be read: {error.strerror or error}.",
        code="unreadable",
        place=str(path),
        remedy="Check the path and who may read it.",
    )
