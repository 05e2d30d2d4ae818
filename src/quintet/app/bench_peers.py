"""Other stores, started from Debian's packages on loopback, that `quintet bench ingest` measures beside Quintet.

Each takes the same readings in pieces, made ready in its own fastest common form before the clock starts, over as many
connections. What each one promises when it answers is said beside its figures, for they do not promise the same.
"""

import http.client
import os
import pwd
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

START_S = 60.0
HTTP_S = 600.0
POSTGRES = Path("/usr/lib/postgresql/15/bin")
INFLUX_LINES = 10_000
"""Points in one request: what InfluxDB's own guide names as the best size (5,000 to 10,000)."""


class Peer(ABC):
    """One store: started in a folder of its own, loaded, asked, measured, stopped."""

    name: str
    promise: str
    """What is durable when it answers."""

    def __init__(self, folder: Path) -> None:
        """Keep everything below a folder."""
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @classmethod
    @abstractmethod
    def program(cls) -> Path | None:
        """Give the installed program; None: it is not here."""

    @abstractmethod
    def start(self) -> None:
        """Start it and make its table."""

    @abstractmethod
    def ready(self, piece: pa.Table) -> bytes:
        """Give a piece (channel int32, at timestamp[us, UTC], value double) in the form that is sent."""

    @abstractmethod
    def send(self, payload: bytes) -> None:
        """Send one piece and wait for the answer; called from several threads."""

    @abstractmethod
    def day(self, channels: Sequence[int], start_us: int, end_us: int) -> int:
        """Read some channels' readings of one day; give how many."""

    @abstractmethod
    def bytes_held(self) -> int:
        """Settle what can be settled and give the bytes on disk."""

    def stop(self) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)


class Postgres(Peer):
    """PostgreSQL 15: COPY into a table with a primary key, as it is installed (fsync and synchronous commit on)."""

    name = "PostgreSQL 15 COPY, primary key"
    promise = "committed and fsynced"
    as_user: Sequence[str] = ()

    @classmethod
    def program(cls) -> Path | None:
        """Find the server."""
        return POSTGRES / "postgres" if (POSTGRES / "postgres").exists() else None

    def start(self) -> None:
        """Make a cluster and a table; the server refuses to run as root, so it runs as its own user."""
        self.folder.mkdir(parents=True)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            for part in (self.folder, *self.folder.parents[:1]):
                part.chmod(0o755)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self.as_user = ["runuser", "-u", "postgres", "--"]
        data = self.folder / "data"
        subprocess.run(
            [*self.as_user, POSTGRES / "initdb", "-D", data, "-A", "trust"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
        )  # fmt: skip
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}", "-c", "max_wal_size=8GB"]
        self.process = quiet_process(
            [*self.as_user, str(POSTGRES / "postgres"), "-D", str(data), *options], here=self.folder
        )
        wait_until(lambda: self.ask("select 1").strip() == "1")
        self.ask("create table reading (channel int, at bigint, value float8, primary key (channel, at))")

    def ask(self, sql: str) -> str:
        """Run SQL in a session of its own; nothing is given where the server does not answer yet."""
        done = subprocess.run(
            [POSTGRES / "psql", "-h", self.folder, "-U", self.user(), "-qAt", "-d", "postgres", "-c", sql],
            capture_output=True, check=False,
        )  # fmt: skip
        return done.stdout.decode()

    def user(self) -> str:
        """Name the superuser of the cluster."""
        return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    def ready(self, piece: pa.Table) -> bytes:
        """Give CSV."""
        return csv_of(piece)

    def send(self, payload: bytes) -> None:
        """Copy in one transaction."""
        self.checked("copy reading from stdin (format csv)", payload)

    def checked(self, sql: str, given: bytes) -> None:
        """Run SQL that must succeed."""
        subprocess.run(
            [POSTGRES / "psql", "-h", self.folder, "-U", self.user(), "-q", "-d", "postgres", "-v", "ON_ERROR_STOP=1",
             "-c", sql],
            input=given, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def day(self, channels: Sequence[int], start_us: int, end_us: int) -> int:
        """Read through a session of psql; starting it is part of the time (some 15 ms)."""
        listed = ",".join(map(str, channels))
        rows = self.ask(
            f"select channel, at, value from reading where channel in ({listed}) and at >= {start_us} and at < {end_us}"
        )
        return rows.count("\n")

    def bytes_held(self) -> int:
        """Measure table and key."""
        self.ask("vacuum reading")
        return int(self.ask("select pg_total_relation_size('reading')"))


class PostgresUpsert(Postgres):
    """PostgreSQL 15: the same, a repeated reading replaces what stood there."""

    name = "PostgreSQL 15 upsert"

    def send(self, payload: bytes) -> None:
        """Copy into a session's own table, then insert with on conflict."""
        sql = (
            "create temp table piece (channel int, at bigint, value float8) on commit drop; "
            "copy piece from stdin (format csv); "
            "insert into reading select * from piece on conflict (channel, at) do update set value = excluded.value"
        )
        self.checked(sql, payload)


class Influx(Peer):
    """InfluxDB 1.6: line protocol over HTTP."""

    name = "InfluxDB 1.6"
    promise = "in the write-ahead log, fsynced"

    @classmethod
    def program(cls) -> Path | None:
        """Find the server."""
        return found("influxd")

    def start(self) -> None:
        """Start with its defaults on free ports."""
        self.folder.mkdir(parents=True)
        self.port, inner = free_port(), free_port()
        config = self.folder / "influx.toml"
        config.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{inner}"\n'
            f'[meta]\ndir = "{self.folder}/meta"\n'
            f'[data]\ndir = "{self.folder}/data"\nwal-dir = "{self.folder}/wal"\nquery-log-enabled = false\n'
            "cache-max-memory-size = 4294967296\nmax-series-per-database = 0\n"
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\nmax-body-size = 0\n'
            '[monitor]\nstore-enabled = false\n[logging]\nlevel = "error"\n'
        )
        self.process = quiet_process([str(self.program()), "-config", str(config)])
        wait_until(lambda: request(self.port, "GET", "/ping")[0] == 204)
        request(self.port, "POST", f"/query?q={quote('create database q')}")

    def ready(self, piece: pa.Table) -> bytes:
        """Give lines, ready to be cut into requests."""
        return lines_of(piece)

    def send(self, payload: bytes) -> None:
        """Write in requests of the size that its guide names."""
        rows = payload.split(b"\n")
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HTTP_S)
        for low in range(0, len(rows), INFLUX_LINES):
            line.request("POST", "/write?db=q&precision=u", b"\n".join(rows[low : low + INFLUX_LINES]))
            answer = line.getresponse()
            text = answer.read()
            if answer.status != http.client.NO_CONTENT:
                raise RuntimeError(f"InfluxDB answered {answer.status}: {text[:200]!r}")
        line.close()

    def day(self, channels: Sequence[int], start_us: int, end_us: int) -> int:
        """Read by tag."""
        wanted = "|".join(map(str, channels))
        query = f"select v from r where m =~ /^({wanted})$/ and time >= {start_us}u and time < {end_us}u group by m"
        return request(self.port, "GET", f"/query?db=q&epoch=u&q={quote(query)}")[1].count(b"],[") + 1

    def bytes_held(self) -> int:
        """Restart, so that the log becomes files, wait for the compactions, and measure."""
        self.stop()
        self.process = quiet_process([str(self.program()), "-config", str(self.folder / "influx.toml")])
        wait_until(lambda: request(self.port, "GET", "/ping")[0] == 204)
        return settled(self.folder / "data") + settled(self.folder / "wal")


class Victoria(Peer):
    """VictoriaMetrics 1.79: line protocol over HTTP, one request a piece."""

    name = "VictoriaMetrics 1.79"
    promise = "in memory; on disk some seconds later"

    @classmethod
    def program(cls) -> Path | None:
        """Find the server."""
        return found("victoria-metrics")

    def start(self) -> None:
        """Start with its defaults on a free port; readings of any age are kept."""
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.arguments = [
            str(self.program()), f"-storageDataPath={self.folder}/data", f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=100y", "-loggerLevel=ERROR", "-search.latencyOffset=0s",
        ]  # fmt: skip
        self.process = quiet_process(self.arguments)
        wait_until(lambda: request(self.port, "GET", "/health")[0] == 200)

    def ready(self, piece: pa.Table) -> bytes:
        """Give lines."""
        return lines_of(piece)

    def send(self, payload: bytes) -> None:
        """Write one request."""
        status, text = request(self.port, "POST", "/write?db=q&precision=u", payload)
        if status != http.client.NO_CONTENT:
            raise RuntimeError(f"VictoriaMetrics answered {status}: {text[:200]!r}")

    def day(self, channels: Sequence[int], start_us: int, end_us: int) -> int:
        """Export by label: raw readings, as they were sent."""
        match = quote(f'{{__name__="r_v",m=~"{"|".join(map(str, channels))}"}}')
        span = f"start={start_us // 1_000_000}&end={end_us // 1_000_000}"
        return request(self.port, "GET", f"/api/v1/export?match[]={match}&{span}")[1].count(b",")

    def bytes_held(self) -> int:
        """Merge and measure."""
        request(self.port, "GET", "/internal/force_flush")
        request(self.port, "GET", "/internal/force_merge")
        return settled(self.folder / "data")


class ClickHouse(Peer):
    """ClickHouse 18.16: a MergeTree sorted by channel and time."""

    name = "ClickHouse 18.16"
    promise = "written, not fsynced"

    @classmethod
    def program(cls) -> Path | None:
        """Find the server."""
        return found("clickhouse-server")

    def start(self) -> None:
        """Start with a small configuration on free ports and make the table."""
        self.folder.mkdir(parents=True)
        self.port = free_port()
        (self.folder / "users.xml").write_text(
            "<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default><password/>"
            "<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>"
            "</yandex>"
        )
        (self.folder / "config.xml").write_text(
            "<yandex><logger><level>error</level><console>1</console></logger>"
            f"<http_port>{self.port}</http_port><tcp_port>{free_port()}</tcp_port>"
            "<listen_host>127.0.0.1</listen_host>"
            f"<path>{self.folder}/data/</path><tmp_path>{self.folder}/tmp/</tmp_path>"
            f"<users_config>{self.folder}/users.xml</users_config><default_profile>default</default_profile>"
            "<default_database>default</default_database><mark_cache_size>268435456</mark_cache_size></yandex>"
        )
        self.process = quiet_process([str(self.program()), f"--config-file={self.folder}/config.xml"])
        wait_until(lambda: request(self.port, "GET", "/")[0] == 200)
        self.ask("create table r (m Int32, t Int64, v Float64) engine = MergeTree order by (m, t)")

    def ask(self, sql: str) -> bytes:
        """Run SQL."""
        status, text = request(self.port, "POST", "/", sql.encode())
        if status != http.client.OK:
            raise RuntimeError(f"ClickHouse answered {status}: {text[:300]!r}")
        return text

    def ready(self, piece: pa.Table) -> bytes:
        """Give its binary rows."""
        rows = np.empty(piece.num_rows, np.dtype([("m", "<i4"), ("t", "<i8"), ("v", "<f8")]))
        rows["m"] = piece["channel"].to_numpy()
        rows["t"] = piece["at"].cast(pa.int64()).to_numpy()
        rows["v"] = piece["value"].to_numpy()
        return rows.tobytes()

    def send(self, payload: bytes) -> None:
        """Insert one piece."""
        status, text = request(self.port, "POST", f"/?query={quote('insert into r format RowBinary')}", payload)
        if status != http.client.OK:
            raise RuntimeError(f"ClickHouse answered {status}: {text[:300]!r}")

    def day(self, channels: Sequence[int], start_us: int, end_us: int) -> int:
        """Read by key."""
        listed = ",".join(map(str, channels))
        where = f"m in ({listed}) and t >= {start_us} and t < {end_us}"
        return self.ask(f"select m, t, v from r where {where} format TabSeparated").count(b"\n")

    def bytes_held(self) -> int:
        """Merge and measure the parts that are in use."""
        self.ask("optimize table r final")
        return int(self.ask("select sum(bytes_on_disk) from system.parts where active and table = 'r'"))


PEERS: tuple[type[Peer], ...] = (Postgres, PostgresUpsert, Influx, Victoria, ClickHouse)


def csv_of(piece: pa.Table) -> bytes:
    """Write a piece as CSV without a header: channel, microseconds, value."""
    sink = pa.BufferOutputStream()
    plain = piece.set_column(1, "at", piece["at"].cast(pa.int64()))
    pc_csv.write_csv(plain, sink, pc_csv.WriteOptions(include_header=False))
    return sink.getvalue().to_pybytes()


def lines_of(piece: pa.Table) -> bytes:
    """Write a piece in the line protocol: measurement r, tag m, field v, microseconds."""
    columns = (piece["channel"].to_pylist(), piece["value"].to_pylist(), piece["at"].cast(pa.int64()).to_pylist())
    return "\n".join(f"r,m={m} v={v!r} {t}" for m, v, t in zip(*columns, strict=True)).encode()


def found(name: str) -> Path | None:
    """Find a program, also where only an administrator looks."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return Path(path) if path else None


def free_port() -> int:
    """Give a port that was free a moment ago."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def quiet_process(arguments: list[str], here: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a server that says nothing."""
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=here)


def request(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Ask a server on loopback; status 0 where nobody answers."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=HTTP_S)
    try:
        line.request(method, path, body)
        answer = line.getresponse()
        return answer.status, answer.read()
    except (ConnectionError, http.client.HTTPException):
        return 0, b""
    finally:
        line.close()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until a server answers; raises TimeoutError when it never does."""
    deadline = time.monotonic() + START_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("a server did not start")
        time.sleep(0.2)


def settled(folder: Path) -> int:
    """Give the bytes below a folder once they stop changing for some seconds (a minute at most)."""
    last, since = -1, time.monotonic()
    deadline = since + 60
    while time.monotonic() < deadline:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if size != last:
            last, since = size, time.monotonic()
        elif time.monotonic() - since > 5:
            break
        time.sleep(0.5)
    return last
