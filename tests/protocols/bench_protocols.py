"""How fast files are decoded on one core: `python tests/protocols/bench_protocols.py [rows]`.

Clean Parquet (words as dictionaries, 85,000 meters), Parquet with one bad row in a hundred, and CSV, all from memory.
Prints million rows a second.
"""

import sys
from io import BytesIO
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from quintet.protocols import read_readings

METERS = 85_000


def table(rows: int, bad: float) -> pa.Table:
    """Make readings: each meter's day behind the other, a share of the values missing."""
    meter = np.arange(rows) // 96 % METERS
    names = pa.array([f"c{number // 500}-b{number // 50 % 10}-{number}-electricity" for number in range(METERS)])
    sites = pa.array([f"complex-{number}" for number in range(METERS // 500 + 1)])
    value = np.round(np.random.default_rng(1).gamma(2.0, 0.2, rows), 2)
    value[np.random.default_rng(2).random(rows) < bad] = np.nan
    at = (np.arange(rows) % 96 * 900 + np.arange(rows) // 96 // METERS * 86_400) * 1_000_000
    return pa.table(
        {
            "site": pa.DictionaryArray.from_arrays(pa.array(meter // 500, pa.int32()), sites),
            "meter": pa.DictionaryArray.from_arrays(pa.array(meter, pa.int32()), names),
            "ts_utc": pa.array(at, pa.timestamp("us", tz="UTC")),
            "value": value,
        }
    )


def parquet(data: pa.Table) -> bytes:
    """Write as Parquet with zstd."""
    sink = BytesIO()
    pq.write_table(data, sink, compression="zstd", row_group_size=1 << 20)
    return sink.getvalue()


def csv(data: pa.Table) -> bytes:
    """Write as CSV with stamps in RFC 3339."""
    stamps = data["ts_utc"].cast(pa.int64()).cast(pa.timestamp("us")).cast(pa.string())
    texts = pa.array([f"{text[:10]}T{text[11:19]}Z" for text in stamps.to_pylist()])
    sink = BytesIO()
    pacsv.write_csv(data.set_column(2, "ts_utc", texts), sink)
    return sink.getvalue()


def rate(data: bytes, name: str) -> float:
    """Decode once; give million rows a second."""
    began = perf_counter()
    rows = sum(good.num_rows + bad.num_rows for good, bad in read_readings(BytesIO(data), name))
    return rows / (perf_counter() - began) / 1e6


def measure(rows: int) -> dict[str, float]:
    """Measure the three, the best of three runs each."""
    pa.set_cpu_count(1)
    files = {
        "parquet, clean": (parquet(table(rows, 0.0)), "r.parquet"),
        "parquet, 1 % bad": (parquet(table(rows, 0.01)), "r.parquet"),
        "csv": (csv(table(rows // 10, 0.0)), "r.csv"),
    }
    return {what: max(rate(*file) for _ in range(3)) for what, file in files.items()}


if __name__ == "__main__":
    for what, million in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000_000).items():
        print(f"{what:20} {million:6.2f} M rows/s")
