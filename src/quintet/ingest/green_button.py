"""A Green Button feed through the door: its meters first, then what they measured, then what its sender estimated."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa

from quintet.pipeline.commit import Receipt, RegisterReceipt
from quintet.protocols.espi_read import feed_meters, green_button_feed, green_button_parts, is_green_button

from .chosen import Chosen
from .door import Door, Progress
from .files import opened

TakeEstimates = Callable[[pa.Table, str, str], Receipt]
"""Commits estimates (READINGS) under a source and by an actor."""


def looks_like_feed(path: Path) -> bool:
    """Tell whether a file is XML; what is no file, or cannot be read, is none."""
    if not path.is_file():
        return False
    with opened(path) as file:
        return is_green_button(file)


def ingest_feed(
    pipeline: Door,
    path: Path,
    take_estimates: TakeEstimates,
    *,
    tz: str,
    actor: str,
    mapping: pa.Table | None = None,
    source: str | None = None,
    progress: Progress | None = None,
) -> tuple[RegisterReceipt, Receipt]:
    """Register a feed's meters by the clock `tz`, then commit its readings as one batch, then its estimates.

    What is not understood is quarantined under the place of its reading in the file, counted from 1. With a map, meters
    that it does not list are left out. Raises BadInput for what is no feed; nothing of it is stored then.
    """
    named = source or str(path)
    with opened(path) as file:
        feed = green_button_feed(file, str(path))
        registered = RegisterReceipt(0, 0, 0)
        meters = feed_meters(feed, tz)
        if meters.num_rows:
            registered = pipeline.register(meters, mapping=mapping, source=named, actor=actor)
        chosen = None if mapping is None else Chosen(mapping)
        estimates: list[pa.Table] = []

        def measured() -> Iterator[tuple[pa.Table, pa.Table]]:
            with closing(green_button_parts(file, str(path), feed, tz)) as parts:
                for part in parts:
                    estimates.append(part.estimated)
                    yield part.measured, part.aside

        wanted = measured() if chosen is None else chosen.parts(measured(), progress)
        receipt = pipeline.commit(wanted, source=named, actor=actor, progress=progress)
    told = pa.concat_tables(estimates) if estimates else None
    if told is not None and told.num_rows:
        if chosen is not None:
            told = pa.concat_tables(good for good, _ in chosen.parts([(told, told.slice(0, 0))], progress))
        receipt += take_estimates(told, named, actor)
    return registered, receipt if chosen is None else receipt + Receipt(skipped=chosen.skipped)
