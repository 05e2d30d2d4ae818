"""Writes a simulated city as a folder in the dataset layout, with its truth beside it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from quintet.terms.tables import READINGS

from .city import SimulatedCity


def write_dataset(city: SimulatedCity, folder: Path) -> None:
    """Write meters, readings, weather, truth and faults (Parquet) and city.toml into a folder, made if absent.

    readings.parquet has one row group a day, in the order in which readings arrive: late ones stand, after the day's
    own, in the group of the day on which they came.
    """
    folder.mkdir(parents=True, exist_ok=True)
    days = [city.plan.day(i) for i in range(city.plan.days)]
    write_city_toml(city, folder / "city.toml")
    pq.write_table(city.meters, folder / "meters.parquet", compression="zstd")
    pq.write_table(city.faults, folder / "faults.parquet", compression="zstd")
    _write(folder / "weather.parquet", (city.weather(day) for day in days))
    _write(folder / "truth.parquet", (city.truth(day) for day in days))
    _write(folder / "readings.parquet", _arrivals(city, days))


def _arrivals(city: SimulatedCity, days: list[date]) -> Iterator[pa.Table]:
    """Give each day's arrivals."""
    for day in days:
        yield pa.concat_tables([city.readings(day), city.late(day)])


def _write(path: Path, tables: Iterator[pa.Table]) -> None:
    """Write tables as row groups of one file."""
    first = next(tables)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first, row_group_size=max(first.num_rows, 1))
        for table in tables:
            writer.write_table(table, row_group_size=max(table.num_rows, 1))


def write_city_toml(city: SimulatedCity, path: Path) -> None:
    """Write the city's settings as TOML."""
    path.write_text(toml_text(city.settings), encoding="utf-8")


def toml_text(settings: dict[str, Any]) -> str:
    """Give TOML of tables and lists of tables whose values are texts, numbers, truths or lists of texts."""
    lines: list[str] = []
    for key, value in settings.items():
        for row in value if isinstance(value, list) else [value]:
            lines.append(f"[[{key}]]" if isinstance(value, list) else f"[{key}]")
            lines += [f"{name} = {_toml_value(item)}" for name, item in row.items()]
            lines.append("")
    return "\n".join(lines)


def _toml_value(value: object) -> str:
    """Give one TOML value."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list():
            return f"[{', '.join(_toml_value(item) for item in value)}]"
        case _:
            text = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{text}"'


def readings_of(table: pa.Table) -> pa.Table:
    """Give rows of the dataset layout as READINGS."""
    count = table.num_rows
    columns = {
        "site": table["site"].cast(pa.string()),
        "meter": table["meter"].cast(pa.string()),
        "at": table["ts_utc"].cast(READINGS.field("at").type),
        "value": table["value"],
        "commodity": pa.nulls(count, pa.string()),
        "unit": pa.nulls(count, pa.string()),
        "row": pa.array(range(1, count + 1), pa.int64()),
    }
    return pa.table(columns, schema=READINGS)
