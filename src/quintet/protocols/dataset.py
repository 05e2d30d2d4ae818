"""The files of the dataset layout, Parquet or CSV, told apart by their first bytes: readings, meters, map, weather."""

from collections.abc import Generator, Mapping, Sequence
from io import SEEK_SET
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.errors import BadInput

from .columns import MAP_NEED, METERS_NEED
from .csv_rows import csv_readings, csv_table
from .parquet_rows import MAGIC, parquet_readings, parquet_table
from .sift import Part
from .weather import station_rows, weather_readings


def read_readings(file: BinaryIO, name: str) -> Generator[Part]:
    """Decode a readings file in bounded stretches: good rows (CODED_READINGS) and bad ones (QUARANTINE).

    `file` can be sought; `name` stands in messages and as the source of quarantined rows. Raises BadInput, with the
    file, the place in it and the remedy, where the file as a whole cannot be taken. Close it before the file.
    """
    return parquet_readings(file, name) if _is_parquet(file, name) else csv_readings(file, name)


def read_meters(file: BinaryIO, name: str) -> pa.Table:
    """Read the list of meters, all columns kept; from a CSV they are text, but floor_area_m2 (doubles).

    What a row says is judged by the registry, which names the meter; here only the file as a whole is.
    """
    if _is_parquet(file, name):
        return parquet_table(file, name, METERS_NEED)
    return _csv_with(file, name, METERS_NEED, {"floor_area_m2": pa.float64()})


def read_map(file: BinaryIO, name: str) -> pa.Table:
    """Read a map (site, meter, virtual_city, shift_days as whole days); other columns are kept."""
    if _is_parquet(file, name):
        return parquet_table(file, name, MAP_NEED)
    return _csv_with(file, name, MAP_NEED, {"shift_days": pa.int64()})


def read_weather(file: BinaryIO, name: str, clocks: Mapping[str, str]) -> tuple[pa.Table | None, list[Part]]:
    """Read a weather file: stations as a meters table (None: there is none), and their readings.

    `clocks` gives the time zone of each site that has meters; weather of other sites is left out. Bounded by the file.
    """
    parts = weather_readings(file, name, parquet=_is_parquet(file, name))
    stations = station_rows(parts, clocks)
    known = pa.array([] if stations is None else stations["site"].to_pylist(), pa.string())

    def own(table: pa.Table) -> pa.Table:
        return table.filter(pc.is_in(table["site"].cast(pa.string()), value_set=known))

    return stations, [(own(good), own(bad)) for good, bad in parts]


def _is_parquet(file: BinaryIO, name: str) -> bool:
    """Look at the first bytes; a name that promises Parquet over other bytes is an error of its own."""
    file.seek(0, SEEK_SET)
    head = file.read(len(MAGIC))
    file.seek(0, SEEK_SET)
    if not head:
        raise BadInput("is empty.", code="empty_file", place=name, remedy="Export it again.")
    if head != MAGIC and name.lower().endswith(".parquet"):
        raise BadInput(
            "is damaged or no Parquet: it does not begin with PAR1.",
            code="damaged_file",
            place=name,
            remedy="Copy or export it again; a CSV must be named .csv.",
        )
    return head == MAGIC


def _csv_with(file: BinaryIO, name: str, needed: Sequence[str], kinds: dict[str, pa.DataType]) -> pa.Table:
    """Read a small CSV, some columns as numbers; one that is none is refused with its line."""
    table, lines, decimal_comma = csv_table(file, name, needed)
    for column, kind in kinds.items():
        if column in table.column_names:
            values: list[Any] = []
            for line, text in zip(lines, table[column].to_pylist(), strict=True):
                bare = text.strip().replace(",", ".") if decimal_comma else text.strip()
                values.append(_number(bare, kind, f"{name} line {line}", column) if bare else None)
            table = table.set_column(table.column_names.index(column), column, pa.array(values, kind))
    return table


def _number(text: str, kind: pa.DataType, place: str, column: str) -> int | float:
    try:
        return int(text) if pa.types.is_integer(kind) else float(text)
    except ValueError as error:
        whole = "whole " if pa.types.is_integer(kind) else ""
        raise BadInput(
            f"{column} {text!r} is no {whole}number.", code="bad_value", place=place, remedy="Mend the line."
        ) from error
