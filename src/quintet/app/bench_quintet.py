"""Quintet itself among the stores of `quintet bench ingest`: a real `serve` in a process of its own, over HTTP."""

import http.client
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quintet.terms.period import day_start, from_us
from quintet.terms.reading import clock

from .bench_peers import HTTP_S, Peer
from .city import City

TIMEZONE = "Asia/Seoul"
ARROW = "application/vnd.apache.arrow.stream"
BUSY = (429, 503)


class Quintet(Peer):
    """`quintet serve`: validated, estimated, in intervals and rollups, committed and fsynced before the answer."""

    promise = "validated, committed and fsynced"
    media_type: str

    @classmethod
    def program(cls) -> Path | None:
        """Give this Python, which runs it."""
        return Path(sys.executable)

    def knows(self, names: Sequence[tuple[str, str]], meters: pa.Table, settings: dict[str, object]) -> None:
        """Learn the city that the readings are of: it is registered before the clock starts."""
        self.names = names
        self.sites = pa.array([site for site, _ in names])
        self.labels = pa.array([meter for _, meter in names])
        self.meters = meters
        self.settings = settings

    def start(self) -> None:
        """Make the city, register its meters, make a token, serve it."""
        city = City.create(self.folder, timezone=TIMEZONE)
        city.pipeline.register(self.meters, settings=self.settings, source="bench", actor="bench")
        city.close()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "quintet", "serve", "--city", str(self.folder), "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if self.process.stdout is None:
            raise RuntimeError("serve has no output")
        self.port = urlsplit(self.process.stdout.readline().decode().strip()).port or 0
        self.token = str(json.loads(self.command("token", "create", "--source", "bench"))["token"])
        self.lines = threading.local()
        self.opened: list[http.client.HTTPConnection] = []

    def command(self, *words: str) -> bytes:
        """Run a command beside the server; give what it printed."""
        return subprocess.run(
            [sys.executable, "-m", "quintet", *words, "--city", str(self.folder), "--format", "json"],
            check=True, capture_output=True,
        ).stdout  # fmt: skip

    def send(self, payload: bytes) -> None:
        """Post one piece; when told to wait, wait."""
        line = self.line()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": self.media_type}
        while True:
            line.request("POST", "/api/v1/readings:batch", payload, headers)
            answer = line.getresponse()
            text = answer.read()
            if answer.status == http.client.OK:
                told = json.loads(text)
                if told["quarantined"]:
                    raise RuntimeError(f"a reading was refused: {told['rejected'][:1]}")
                return
            if answer.status not in BUSY:
                raise RuntimeError(f"Quintet answered {answer.status}: {text[:300]!r}")
            threading.Event().wait(float(answer.headers["Retry-After"]))

    def line(self) -> http.client.HTTPConnection:
        """Give this thread's connection."""
        held: dict[str, http.client.HTTPConnection] = self.lines.__dict__
        if "line" not in held:
            held["line"] = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HTTP_S)
            self.opened.append(held["line"])
        return held["line"]

    def day(self, channels: Sequence[int], start_us: int, end_us: int) -> int:
        """Read a day of some channels, one request each."""
        day: date = from_us(start_us).astimezone(clock(TIMEZONE)).date()
        midnight = day_start(day, clock(TIMEZONE))
        count = 0
        for channel in channels:
            asked = {"channel": "/".join(self.names[channel]), "from": midnight.isoformat(), "resolution": "15min"}
            asked["to"] = from_us(int(midnight.timestamp()) * 1_000_000 + end_us - start_us).isoformat()
            self.line().request("GET", f"/api/v1/intervals?{urlencode(asked)}")
            answer = self.line().getresponse()
            text = answer.read()
            if answer.status != http.client.OK:
                raise RuntimeError(f"Quintet answered {answer.status}: {text[:300]!r}")
            count += text.count(b'"start"')
        return count

    def bytes_held(self) -> int:
        """Close the day into the lake and measure all of it: raw readings as received, intervals, their versions."""
        self.command("close")
        return sum(path.stat().st_size for path in (self.folder / "lake").rglob("*.parquet"))

    def stop(self) -> None:
        """End it as an operator would."""
        for line in self.opened:
            line.close()
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(120)
            if self.process.stdout is not None:
                self.process.stdout.close()


class QuintetArrow(Quintet):
    """Arrow streams over HTTP."""

    name = "Quintet, HTTP Arrow"
    media_type = ARROW

    def ready(self, piece: pa.Table) -> bytes:
        """Give an Arrow stream; names as dictionaries."""
        channel = piece["channel"].combine_chunks()
        used, codes = np.unique(channel.to_numpy(), return_inverse=True)
        code = pa.array(codes.astype(np.int32))
        columns = {
            "site": pa.DictionaryArray.from_arrays(code, self.sites.take(pa.array(used))),
            "meter": pa.DictionaryArray.from_arrays(code, self.labels.take(pa.array(used))),
            "ts_utc": piece["at"],
            "value": piece["value"],
        }
        table = pa.table(columns)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return sink.getvalue().to_pybytes()


class QuintetColumns(Quintet):
    """JSON columns over HTTP."""

    name = "Quintet, HTTP JSON columns"
    media_type = "application/json"

    def ready(self, piece: pa.Table) -> bytes:
        """Give one object of columns."""
        channel = piece["channel"]
        return msgspec.json.encode(
            {
                "columns": {
                    "site": self.sites.take(channel).to_pylist(),
                    "meter": self.labels.take(channel).to_pylist(),
                    "ts_us": piece["at"].cast(pa.int64()).to_pylist(),
                    "value": piece["value"].to_pylist(),
                }
            }
        )


QUINTETS: tuple[type[Quintet], ...] = (QuintetArrow, QuintetColumns)


def packed_bytes(rows: pa.Table, path: Path) -> float:
    """Give the bytes a reading of the same rows' channel, time and value as one sorted, delta-packed Parquet file."""
    table = rows.select(["channel", "at", "value"]).sort_by([("channel", "ascending"), ("at", "ascending")])
    pq.write_table(
        table, path, compression="zstd", compression_level=6, use_dictionary=["value"],
        column_encoding={"channel": "DELTA_BINARY_PACKED", "at": "DELTA_BINARY_PACKED"},
    )  # fmt: skip
    return path.stat().st_size / rows.num_rows
