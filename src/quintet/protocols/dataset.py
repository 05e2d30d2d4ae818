"""The files of the dataset layout, Parquet or CSV, told apart by their first bytes: readings, meters and the map."""

from collections.abc import Generator, Sequence
from io import SEEK_SET
from typing import Any, BinaryIO

import pyarrow as pa

from quintet.terms.errors import BadInput

from .columns import MAP_NEED, METERS_NEED
from .csv_rows import csv_readings, csv_table
from .parquet_rows import MAGIC, parquet_readings, parquet_table
from .sift import Part


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
