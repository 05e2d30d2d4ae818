"""`serve` as a process: its log is one JSON object a line whatever is sent, and file handles suffice."""

import json
import resource
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.program import environment

from .served import Served

PATIENCE_S = 60


def asked(address: str, request: bytes) -> bytes:
    """Send bytes as they are; give the answer's first piece."""
    host, _, port = address.removeprefix("http://").rstrip("/").partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as line:
        line.sendall(request)
        return line.recv(65_536)


def test_whatever_is_sent_the_log_stays_json(tmp_path: Path) -> None:
    served = Served(tmp_path / "city").start(QUINTET_LOG="-")
    try:
        assert b" 400 " in asked(served.address, b"nonsense\r\n\r\n")
        assert b" 431 " in asked(served.address, b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000)
        assert b" 200 " in asked(served.address, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    finally:
        served.end()
    told = [json.loads(line) for line in served.log.read_text().splitlines()]
    (warned,) = [line for line in told if line["event"] == "server_warned"]
    assert (warned["where"], warned["times"]) == ("uvicorn.error", 1)


def test_with_few_file_handles_listeners_are_turned_away_and_the_doors_stay_open(tmp_path: Path) -> None:
    served = Served(tmp_path / "city")
    few = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)); "
    few += "sys.argv = ['quintet', *sys.argv[1:]]; runpy.run_module('quintet.app', run_name='__main__')"
    words = ["serve", "--city", str(served.folder), "--port", "0"]
    with served.log.open("a") as log:
        process = served.process = subprocess.Popen(
            [sys.executable, "-c", few, *words], stdout=subprocess.PIPE, stderr=log, text=True,
            env=environment(QUINTET_LOG="-"),
        )  # fmt: skip
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 200, "it is the other process that has few"
    try:
        assert process.stdout is not None
        served.address = process.stdout.readline().strip()
        host, _, port = served.address.removeprefix("http://").rstrip("/").partition(":")
        lines = [socket.create_connection((host, int(port)), timeout=PATIENCE_S) for _ in range(80)]
        answers: list[bytes] = []
        for line in lines:
            line.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answers.append(line.recv(20)[9:12])
        assert sorted(set(answers)) == [b"200", b"503"]
        assert answers.count(b"200") == 50
        assert b" 200 " in asked(served.address, b"GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for line in lines:
            with closing(line):
                pass
    finally:
        served.end()
    assert all(json.loads(line) for line in served.log.read_text().splitlines())
