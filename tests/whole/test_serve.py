"""One process owns the city: `serve`, commands beside it, races, signals and kill -9, all with the real program."""

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.app.served import wait_for

Run = Callable[..., subprocess.CompletedProcess[str]]
Begin = Callable[..., subprocess.Popen[str]]


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        assert process.stderr is not None
        pytest.fail(f"it ended: {process.stderr.read()}")
    return line


def fetched(address: str) -> int:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.status


def test_serve_answers_and_commands_run_beside_it(filled: Path, dataset: Path, quintet: Run, begin: Begin) -> None:
    server = begin("serve", "--city", filled, "--port", "0")
    address = address_of(server)
    assert address.startswith("http://127.0.0.1:")
    assert fetched(f"{address}health") == 200
    listed = quintet("meters", "list", "--city", filled, "--format", "csv")
    assert (listed.returncode, len(listed.stdout.splitlines())) == (0, 5)
    again = quintet("ingest", dataset, "--city", filled, "--format", "json")
    assert json.loads(again.stdout)["duplicate"] == 769
    wrong = quintet("meters", "show", "c1/none", "--city", filled)
    assert wrong.returncode == 1
    assert "no channel" in wrong.stderr
    second = quintet("serve", "--city", filled, "--port", "0")
    assert (second.returncode, second.stdout) == (1, "")
    assert str(server.pid) in second.stderr
    assert address in second.stderr
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    assert quintet("meters", "list", "--city", filled).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_quietly(filled: Path, begin: Begin, number: signal.Signals) -> None:
    server = begin("serve", "--city", filled, "--port", "0")
    address_of(server)
    server.send_signal(number)
    out, err = server.communicate(timeout=120)
    assert (server.returncode, out, err) == (0, "", "")


def test_serve_closes_the_days_that_are_over(filled: Path, quintet: Run, begin: Begin) -> None:
    server = begin("serve", "--city", filled, "--port", "0")
    address_of(server)
    deadline = time.monotonic() + 30
    facts: dict[str, int] = {}
    while facts.get("closed_days") != 3:
        assert time.monotonic() < deadline, facts
        facts = json.loads(quintet("doctor", "--city", filled, "--format", "json").stdout)
    server.send_signal(signal.SIGTERM)
    assert server.communicate(timeout=120) == ("", "")
    again = quintet("close", "--city", filled, "--format", "json")
    assert json.loads(again.stdout)["closed_days"] == 0


def sound(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """Give what the city holds, whether its days are closed or not; it must be in order."""
    document = json.loads(done.stdout)
    assert document["fine"]
    return {name: document[name] for name in ("content_hash", "raw_rows", "quarantined", "findings")}


def test_after_kill_9_the_city_is_there_and_whole(filled: Path, quintet: Run, begin: Begin) -> None:
    before = sound(quintet("doctor", "--city", filled, "--format", "json"))
    server = begin("serve", "--city", filled, "--port", "0")
    address_of(server)
    server.kill()
    server.wait()
    assert sound(quintet("doctor", "--city", filled, "--format", "json")) == before
    again = begin("serve", "--city", filled, "--port", "0")
    assert fetched(f"{address_of(again)}health") == 200


def test_a_taken_port_and_a_foreign_host_are_refused(filled: Path, quintet: Run, begin: Begin, city: Path) -> None:
    port = address_of(begin("serve", "--city", filled, "--port", "0")).rstrip("/").rpartition(":")[2]
    taken = quintet("serve", "--city", city, "--port", port)
    assert taken.returncode == 1
    assert f"port {port} cannot be used" in taken.stderr
    foreign = quintet("serve", "--city", city, "--host", "0.0.0.0")
    assert foreign.returncode == 2
    assert "in the open" in foreign.stderr
    public = quintet("serve", "--city", city, "--public", "https://city.example", "--port", "0")
    assert public.returncode == 2
    assert "no accounts" in public.stderr


def test_many_commands_at_once_all_succeed(filled: Path, dataset: Path, begin: Begin) -> None:
    asking = [begin("meters", "list", "--city", filled, "--format", "csv") for _ in range(6)]
    taking = [begin("ingest", dataset, "--city", filled, "--format", "json") for _ in range(3)]
    for process in asking:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        assert len(out.splitlines()) == 5
    for process in taking:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert json.loads(out)["duplicate"] == 769


def test_two_ingests_that_race_take_each_reading_once(city: Path, dataset: Path, begin: Begin) -> None:
    racing = [begin("ingest", dataset, "--city", city, "--format", "json") for _ in range(4)]
    accepted = []
    for process in racing:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        accepted.append(json.loads(out)["accepted"])
    assert sorted(accepted) == [0, 0, 0, 769]


def test_ctrl_c_is_quiet(filled: Path, begin: Begin, tmp_path: Path) -> None:
    with (tmp_path / "readings.csv").open("w") as file:
        file.write("site,meter,ts_utc,value\n")
        file.writelines(f"s,m,2026-01-{1 + n % 28:02}T00:00:00Z,{n}\n" for n in range(4_000_000))
    process = begin("ingest", tmp_path / "readings.csv", "--city", filled)
    wait_for((filled / "run/owner.json").exists, "it has the city")
    time.sleep(1)  # what is loaded on first use is loaded by then: an import that is cut short warns by itself
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (out, err) == ("", "")
    # a shell says 130 of both: Python ends by the signal where it came inside a library's call of the interpreter
    assert process.returncode in (130, -signal.SIGINT)


def test_a_reader_that_leaves_early_is_no_error(filled: Path, begin: Begin) -> None:
    span = ("--from", "2000-01", "--to", "2025-03", "--resolution", "day", "--format", "csv")
    process = begin("intervals", "c1/roof", *span, "--city", filled)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
