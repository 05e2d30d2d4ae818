"""`quintet bench ingest`: the same readings into Quintet and into other stores that a city could take, in one run.

A simulated city's day in order of time, in pieces of PIECE rows, over CLIENTS connections; what each store promises
when it answers is printed beside its figures. One household's day is read again and again meanwhile. A peer that is not
installed is left out, and the table says so. QUINTET_BENCH_READINGS sets how many readings (default two million).
QUINTET_BENCH_DATA names a folder in the dataset layout; then the bytes of its readings are compared too.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from quintet.ingest import find, ingest_dataset

from .bench_peers import PEERS, Peer, Victoria
from .bench_quintet import QUINTETS, TIMEZONE, Quintet, packed_bytes
from .city import City

CLIENTS = 4
PIECE = 50_000
READ_EVERY_S = 0.05
"""Between two reads of a household's day: the same small disturbance for all."""
READINGS = 2_000_000
FIRST_DAY, LAST_DAY = -(2**31), 2**31 - 1


@dataclass(frozen=True)
class Day:
    """Readings in order of time: channel numbers over `names`, moments, values; and dwellings' channels."""

    rows: pa.Table
    names: list[tuple[str, str]]
    households: list[list[int]]
    meters: pa.Table
    settings: dict[str, object]


@dataclass(frozen=True)
class Measured:
    """One store's figures; bytes and reading times are of the same load."""

    name: str
    promise: str
    readings_s: float
    bytes_each: float
    read_ms: tuple[float, float]


def run_ingest(put: Callable[[str, object], None], *, small: bool) -> None:
    """Measure every store that is here, one after another, and print the table of ratios."""
    with tempfile.TemporaryDirectory(prefix="quintet-bench-", ignore_cleanup_errors=True) as work:
        day = make_day(Path(work), 60 if small else 17_000, 40_000 if small else wanted())
        put("ingest_readings", day.rows.num_rows)
        results: list[Measured] = []
        for number, kind in enumerate([*QUINTETS, *PEERS]):
            if kind.program() is None:
                put(f"ingest {kind.name}", "not installed")
                continue
            results.append(measure(kind, Path(work) / f"store{number}", day))
            one = results[-1]
            put(
                f"ingest {one.name}",
                {"readings_s": round(one.readings_s), "bytes": round(one.bytes_each, 2), "day_ms_p50_p99": one.read_ms},
            )
        print(table_of(results))
        data = os.environ.get("QUINTET_BENCH_DATA")
        if data:
            for name, value in weigh(Path(data), Path(work)).items():
                put(f"bytes a reading, {name}", round(value, 2))


def weigh(data: Path, work: Path) -> dict[str, float]:
    """Give the bytes a reading of a measured dataset: in Quintet's lake, in VictoriaMetrics, in one packed file.

    Quintet's intervals hold value, quality and version; its raw readings stand beside them, number and unit as
    received. The other two hold time and value alone, of exactly the raw readings that Quintet kept.
    """
    city = City.create(work / "weighed", timezone=TIMEZONE)
    with closing(city):
        for dataset in find([data]):
            ingest_dataset(city.pipeline, dataset, actor="bench")
        city.close_days()
        with city.engine.snapshot() as snapshot:
            held = {lake: snapshot.lake_paths(lake, FIRST_DAY, LAST_DAY) for lake in ("intervals", "superseded", "raw")}
    size = {lake: sum(Path(path).stat().st_size for path in paths) for lake, paths in held.items()}
    raw = pa.concat_tables(pq.read_table(path) for path in held["raw"])
    value = raw["mantissa"].to_numpy() * 10.0 ** raw["exponent"].to_numpy()
    rows = pa.table({"channel": raw["channel"], "at": raw["at"], "value": value})
    out = {
        "Quintet's intervals with quality and version": (size["intervals"] + size["superseded"]) / interval_rows(held),
        "Quintet's raw readings": size["raw"] / rows.num_rows,
        "Quintet, both": sum(size.values()) / rows.num_rows,
        "one packed Parquet": packed_bytes(rows, work / "packed.parquet"),
    }
    if Victoria.program() is not None:
        peer = Victoria(work / "victoria")
        peer.start()
        try:
            for low in range(0, rows.num_rows, PIECE):
                peer.send(peer.ready(rows.slice(low, PIECE)))
            out[Victoria.name] = peer.bytes_held() / rows.num_rows
        finally:
            peer.stop()
    return out


def interval_rows(held: dict[str, list[str]]) -> int:
    """Count the intervals of files, from their footers."""
    return sum(pq.read_metadata(path).num_rows for path in held["intervals"])


def wanted() -> int:
    """Give the number of readings asked for."""
    return int(os.environ.get("QUINTET_BENCH_READINGS", READINGS))


def make_day(folder: Path, households: int, most: int) -> Day:
    """Simulate a city's first day in a process of its own and number its channels."""
    subprocess.run([sys.executable, "-m", "quintet.app.bench_days", str(folder), str(households), "1"], check=True)
    table = pq.read_table(folder / "day-000.parquet")
    meters = pq.read_table(folder / "meters.parquet")
    order = np.argsort(table["ts_utc"].cast(pa.int64()).to_numpy(), kind="stable")[:most]
    table = table.take(pa.array(order))
    label = pa.chunked_array(
        [pa.array([f"{s}\n{m}" for s, m in zip(table["site"].to_pylist(), table["meter"].to_pylist(), strict=True)])]
    ).combine_chunks()
    coded = label.dictionary_encode()
    names = [(text.partition("\n")[0], text.partition("\n")[2]) for text in coded.dictionary.to_pylist()]
    rows = pa.table(
        {
            "channel": coded.indices.cast(pa.int32()),
            "at": table["ts_utc"].cast(pa.timestamp("us", tz="UTC")),
            "value": table["value"].cast(pa.float64()),
        }
    ).filter(pc.is_finite(table["value"]))
    number = {name: at for at, name in enumerate(names)}
    own: dict[tuple[str, ...], list[int]] = {}
    for meter, *home, use in zip(
        *(meters[name].to_pylist() for name in ("meter", "site", "building", "premise", "primary_use")), strict=True
    ):
        if use == "dwelling" and (home[0], meter) in number:
            own.setdefault(tuple(home), []).append(number[home[0], meter])
    settings = json.loads((folder / "city.json").read_text())
    return Day(rows, names, [found for found in own.values() if len(found) >= 4], meters, settings)


def measure(kind: type[Peer], folder: Path, day: Day) -> Measured:
    """Start one store, load it over CLIENTS connections while a household is read, and weigh what it holds."""
    peer = kind(folder)
    if isinstance(peer, Quintet):
        peer.knows(day.names, day.meters, day.settings)
    peer.start()
    try:
        pieces = [day.rows.slice(low, PIECE) for low in range(0, day.rows.num_rows, PIECE)]
        payloads = [peer.ready(piece) for piece in pieces]
        ended = threading.Event()
        took: list[float] = []
        reader = threading.Thread(target=read_on, args=(peer, day, ended, took))
        reader.start()
        began = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(peer.send, payloads))
        lasted = time.perf_counter() - began
        ended.set()
        reader.join()
        read_ms = quantiles_ms(took)
        return Measured(
            kind.name, peer.promise, day.rows.num_rows / lasted, peer.bytes_held() / day.rows.num_rows, read_ms
        )
    finally:
        peer.stop()


def read_on(peer: Peer, day: Day, ended: threading.Event, took: list[float]) -> None:
    """Read one household's day after another until the load has ended."""
    dice = np.random.default_rng(1)
    first = int(day.rows["at"].cast(pa.int64())[0].as_py())
    while not ended.wait(READ_EVERY_S):
        channels = day.households[int(dice.integers(len(day.households)))]
        began = time.perf_counter()
        peer.day(channels, first, first + 86_400_000_000)
        took.append(time.perf_counter() - began)


def quantiles_ms(took: Sequence[float]) -> tuple[float, float]:
    """Give p50 and p99 in milliseconds; NaN where nothing was measured."""
    if not took:
        return float("nan"), float("nan")
    p50, p99 = np.quantile(took, (0.5, 0.99))
    return round(1000 * float(p50), 1), round(1000 * float(p99), 1)


def table_of(results: Sequence[Measured]) -> str:
    """Write the table: absolute figures, and Quintet's best rate as a multiple of each."""
    best = max((one.readings_s for one in results if one.name.startswith("Quintet")), default=float("nan"))
    lines = [
        "| store | promises | readings/s | Quintet is x | bytes/reading | a day read ms p50/p99 |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.name} | {one.promise} | {one.readings_s:,.0f} | {best / one.readings_s:.2f} | {one.bytes_each:.2f} | "
        f"{one.read_ms[0]} / {one.read_ms[1]} |"
        for one in results
    ]
    return "\n".join(lines)
