"""The weather file of the dataset layout: outdoor temperatures of sites, as readings of one station a site.

It is read by the readings' own decoders, so that a bad row is set aside with its reason like any other.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from quintet.terms.length import DAY_MIN
from quintet.terms.period import MINUTE_US

from .columns import METERS_NEED
from .csv_rows import csv_readings, csv_table
from .parquet_rows import parquet_readings, parquet_table
from .sift import Part

NEED = ("site", "ts_utc", "temp_c")
STATION = "weather"
"""The meter that a site's weather is stored as."""
COMMODITY, UNIT = "outdoor_air", "degC"
HOUR_MIN = 60
STATIONS = pa.schema([(name, pa.int64() if name == "cadence_min" else pa.string()) for name in METERS_NEED])


def weather_readings(file: BinaryIO, name: str, *, parquet: bool) -> list[Part]:
    """Decode a weather file (site, ts_utc, temp_c; other columns are left) into readings of each site's station.

    A row without a temperature says nothing and is passed over. Raises BadInput as `read_readings` does.
    """
    if parquet:
        table = _as_readings(parquet_table(file, name, NEED))
        held = BytesIO()
        pq.write_table(table, held)
        return list(parquet_readings(BytesIO(held.getvalue()), name))
    table, _, decimal_comma = csv_table(file, name, NEED)
    if decimal_comma:
        point = pc.replace_substring(table["temp_c"], ",", ".")
        table = table.set_column(table.column_names.index("temp_c"), "temp_c", point)
    stripped = pc.utf8_trim_whitespace(table["temp_c"])
    table = _as_readings(table.filter(pc.not_equal(stripped, "")))
    held = BytesIO()
    pyarrow.csv.write_csv(table, held)
    return list(csv_readings(BytesIO(held.getvalue()), name))


def _as_readings(table: pa.Table) -> pa.Table:
    """Give the columns that readings have; rows without a temperature are left out."""
    table = table.filter(pc.is_valid(table["temp_c"]))
    meter = pa.array([STATION] * table.num_rows, pa.string())
    return pa.table({"site": table["site"], "meter": meter, "ts_utc": table["ts_utc"], "value": table["temp_c"]})


def station_rows(parts: Sequence[Part], clocks: Mapping[str, str]) -> pa.Table | None:
    """Give the meters table that registers the stations of some readings; None where there are none.

    `clocks` gives the time zone of each site that has meters: others' weather is nobody's. A station's cadence is the
    commonest step between its stamps where that divides a day, else an hour.
    """
    rows: list[dict[str, object]] = []
    good = [part.select(["site", "at"]) for part, _ in parts if part.num_rows]
    if not good:
        return None
    sites = pa.concat_arrays([pc.cast(chunk, pa.string()) for part in good for chunk in part["site"].chunks])
    at = np.concatenate([part["at"].cast(pa.int64()).to_numpy() for part in good])
    for site in sorted(set(sites.to_pylist()) & clocks.keys()):
        steps = np.diff(np.unique(at[pc.equal(sites, site).to_numpy(zero_copy_only=False)]))
        kinds, counts = np.unique(steps, return_counts=True)
        step = int(kinds[counts.argmax()]) // MINUTE_US if len(kinds) else HOUR_MIN
        cadence = step if 1 <= step <= DAY_MIN and DAY_MIN % step == 0 else HOUR_MIN
        rows.append(
            {
                "site": site, "building": None, "meter": STATION, "commodity": COMMODITY, "unit": UNIT,
                "value_kind": "avg_power", "cadence_min": cadence, "tz": clocks[site], "role": "submeter",
            }
        )  # fmt: skip
    return pa.Table.from_pylist(rows, STATIONS) if rows else None
