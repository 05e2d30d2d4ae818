"""A dataset through the door: first whose meters they are, then the readings, one batch a file."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from quintet.pipeline.commit import Receipt, RegisterReceipt
from quintet.protocols import read_readings
from quintet.terms.catalogue import read_toml_file
from quintet.terms.errors import BadInput

from .chosen import Chosen
from .door import Door, Progress
from .files import Dataset, load_map, load_meters, load_weather, opened


def ingest_dataset(
    pipeline: Door,
    dataset: Dataset,
    *,
    source: str | None = None,
    actor: str,
    mapping: pa.Table | None = None,
    progress: Progress | None = None,
) -> Receipt:
    """Register a dataset's meters, then commit its readings; gives what became of the readings.

    `source` names the dataset in the log of batches (default: its folder). `mapping` is a map table; without it the
    dataset's own map file is read, if it names one.
    """
    register_meters(pipeline, dataset, source=source, actor=actor, mapping=mapping)
    return commit_readings(pipeline, dataset, source=source, actor=actor, mapping=mapping, progress=progress)


def register_meters(
    pipeline: Door,
    dataset: Dataset,
    *,
    source: str | None = None,
    actor: str,
    mapping: pa.Table | None = None,
    settings: dict[str, Any] | None = None,
) -> RegisterReceipt | None:
    """Register a dataset's meters with its settings and map; None where it lists no meters (they are known already).

    `settings` stand in the place of the dataset's own file, where the registry's part of it was taken out already.
    """
    named = source or str(dataset.folder)
    if settings is None and dataset.settings is not None:
        settings = read_toml_file(dataset.settings)
    mapping = _map_of(dataset, mapping)
    if dataset.meters is None:
        if settings is not None:
            pipeline.describe(settings, source=named, actor=actor)
        return None
    meters = load_meters(dataset.meters)
    with _placed(dataset.meters):
        return pipeline.register(meters, settings=settings, mapping=mapping, source=named, actor=actor)


def commit_readings(
    pipeline: Door,
    dataset: Dataset,
    *,
    source: str | None = None,
    actor: str,
    mapping: pa.Table | None = None,
    progress: Progress | None = None,
) -> Receipt:
    """Commit each readings file of a dataset as one batch, so that order within a file never matters.

    With a map, rows of meters that it does not list are counted as skipped, neither taken nor set aside. A file that
    cannot be taken as a whole raises BadInput; files before it stay committed, nothing of it is. The weather of sites
    whose meters the dataset lists comes last; its readings are not counted, but for those that were set aside.
    """
    mapping = _map_of(dataset, mapping)
    chosen = None if mapping is None else Chosen(mapping)
    total = Receipt()
    for path in dataset.readings:
        named = str(path) if source is None else f"{source}/{path.name}"
        with opened(path) as file, closing(read_readings(file, str(path))) as parts:
            wanted = parts if chosen is None else chosen.parts(parts, progress)
            total += pipeline.commit(wanted, source=named, actor=actor, progress=progress)
    total = replace(total, quarantined=total.quarantined + _take_weather(pipeline, dataset, source, actor, mapping))
    return total if chosen is None else replace(total, skipped=chosen.skipped)


def _take_weather(pipeline: Door, dataset: Dataset, source: str | None, actor: str, mapping: pa.Table | None) -> int:
    """Register the weather stations of a dataset's sites, and commit what they measured; give how many were set aside.

    With a map, a station that it does not list is left out: it is another time's weather.
    """
    if dataset.weather is None or dataset.meters is None:
        return 0
    meters = load_meters(dataset.meters)
    words = (meters[name].cast(pa.string()).to_pylist() for name in ("site", "tz"))
    clocks = {site: tz for site, tz in zip(*words, strict=True) if site and tz}
    stations, parts = load_weather(dataset.weather, clocks)
    if stations is None:
        return 0
    named = str(dataset.weather) if source is None else f"{source}/{dataset.weather.name}"
    with _placed(dataset.weather):
        pipeline.register(stations, mapping=mapping, source=named, actor=actor)
    wanted = parts if mapping is None else Chosen(mapping).parts(parts)
    return pipeline.commit(wanted, source=named, actor=actor).quarantined


def _map_of(dataset: Dataset, mapping: pa.Table | None) -> pa.Table | None:
    """Give the map that counts: the one handed over, else the dataset's own."""
    return load_map(dataset.map) if mapping is None and dataset.map is not None else mapping


@contextmanager
def _placed(path: Path) -> Generator[None]:
    """Name the file of an error that names only what stands in it."""
    try:
        yield
    except BadInput as error:
        if str(path.parent) in error.place:
            raise
        place = f"{path} ({error.place})" if error.place else str(path)
        raise BadInput(error.message, code=error.code, place=place, remedy=error.remedy) from error
