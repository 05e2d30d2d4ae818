"""A command finds the process that owns the city, or says who is in the way."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from quintet.app import run as run_module
from quintet.app import serving
from quintet.app.answer import Answer, no_progress
from quintet.app.owner import claim
from quintet.app.requests import Summary
from quintet.app.run import Desk, run
from quintet.app.serving import become_owner, check_host, check_public
from quintet.terms.errors import BadInput, CityError, UsageError

PROGRAM = Path(__file__).with_name("owner_program.py")


@pytest.fixture
def other(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """Give another process that owns the city, in the role that the test asks for."""
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), str(tmp_path), request.param],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "owner\n"
        yield process
        process.kill()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the patience of commands."""
    monkeypatch.setattr(run_module, "PATIENCE_S", 0.3)
    monkeypatch.setattr(serving, "PATIENCE_S", 0.3)


@pytest.mark.parametrize("other", ["serve", "command"], indirect=True)
def test_beside_an_owner_a_command_runs_there(other: subprocess.Popen[str], tmp_path: Path) -> None:
    shown: list[Answer] = []
    assert run(tmp_path, Summary(), no_progress, shown.append) == 1
    assert [answer.rows for answer in shown] == [[[str(other.pid)]]]


@pytest.mark.parametrize("other", ["serve"], indirect=True)
def test_a_second_serve_is_refused_with_pid_and_address(other: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(CityError) as refused:
        become_owner(tmp_path)
    assert refused.value.code == "already_served"
    assert f"process {other.pid} at http://127.0.0.1:1" in str(refused.value)
    assert f"kill {other.pid}" in refused.value.remedy


@pytest.mark.parametrize("other", ["command"], indirect=True)
def test_a_serve_waits_for_a_command_and_then_owns(other: subprocess.Popen[str], tmp_path: Path) -> None:
    timer = threading.Timer(0.3, other.kill)
    timer.start()
    become_owner(tmp_path).release()
    timer.join()


@pytest.mark.parametrize("other", ["command"], indirect=True)
def test_a_serve_does_not_wait_for_ever(other: subprocess.Popen[str], tmp_path: Path, hasty: None) -> None:
    with pytest.raises(CityError, match=f"process {other.pid} is at work"):
        become_owner(tmp_path)


def test_an_owner_that_never_answers_is_named(tmp_path: Path, hasty: None) -> None:
    silent = claim(tmp_path, "command")
    assert silent is not None
    with pytest.raises(CityError) as gone:
        run(tmp_path, Summary(), no_progress, lambda _: None)
    assert gone.value.code == "owner_silent"
    assert "kill " in gone.value.remedy
    assert "lock" not in gone.value.message
    silent.release()


def test_an_owner_of_another_version_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="another version"):
        Desk(tmp_path).handle(b"\x81\xa4type\xa3new", no_progress)


def test_only_this_machine_is_served() -> None:
    check_host("127.0.0.1")
    for host in ("0.0.0.0", "::", "192.168.1.2", "example.org"):
        with pytest.raises(UsageError, match="in the open"):
            check_host(host)
        check_host(host, "https://city.example")
    check_public("https://city.example")
    for public in ("http://city.example", "city.example", "https://", "https://city.example/path", "https://a?b"):
        with pytest.raises(UsageError, match="no address with TLS"):
            check_public(public)
