"""One owner per city, with real processes: races, kill -9, stale files, requests at the end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quintet.app import link
from quintet.app.answer import Step, no_progress
from quintet.app.door import Failed
from quintet.app.owner import claim, holder
from quintet.terms.errors import CityError

PROGRAM = Path(__file__).with_name("owner_program.py")
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start owner programs; whatever is left is ended after the test."""
    begun: list[subprocess.Popen[str]] = []

    def begin(folder: Path = tmp_path, role: str = "command") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder), role], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.wait()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell_to_end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("end\n")
    process.stdin.flush()


def ask(folder: Path, text: str) -> str | None:
    card = holder(folder).card
    if card is None:
        return None
    payload = link.call(Path(card.socket), text.encode(), no_progress)
    return None if payload is None else payload.decode()


def test_of_many_that_race_one_becomes_the_owner(start: Start) -> None:
    words = [said(process) for process in [start() for _ in range(6)]]
    assert sorted(words) == ["held"] * 5 + ["owner"]


def test_the_card_names_the_owner_and_the_socket_is_private(start: Start, tmp_path: Path) -> None:
    process = start(role="serve")
    assert said(process) == "owner"
    assert claim(tmp_path, "command") is None
    who = holder(tmp_path)
    assert who.card is not None
    assert (who.pid, who.card.pid, who.card.role) == (process.pid, process.pid, "serve")
    assert who.card.address == "http://127.0.0.1:1"
    path = Path(who.card.socket)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_requests_are_answered_and_failures_arrive_in_words(start: Start, tmp_path: Path) -> None:
    assert said(start()) == "owner"
    assert ask(tmp_path, "echo 물") == "echo 물"
    big = "echo " + "x" * 5_000_000
    assert ask(tmp_path, big) == big
    with pytest.raises(Failed) as failed:
        ask(tmp_path, "fail")
    assert (failed.value.code, failed.value.place, failed.value.exit_code) == ("no_channel", "a/b", 1)
    with pytest.raises(Failed, match=r"unforeseen.*quintet-error-") as crashed:
        ask(tmp_path, "crash")
    log = Path(str(crashed.value).split("details are in ")[1].split(";")[0])
    assert "ZeroDivisionError" in log.read_text()
    log.unlink()
    assert ask(tmp_path, "echo still there") == "echo still there"


def test_progress_is_streamed(start: Start, tmp_path: Path) -> None:
    assert said(start()) == "owner"
    card = holder(tmp_path).card
    assert card is not None
    steps: list[Step] = []
    assert link.call(Path(card.socket), b"sleep 0.5", steps.append) == b"sleep 0.5"
    assert 2 <= len(steps) <= 8
    assert {step.what for step in steps} == {"sleeping"}


def test_after_kill_9_the_city_is_claimed_again_and_the_stale_socket_replaced(start: Start, tmp_path: Path) -> None:
    first = start(role="serve")
    assert said(first) == "owner"
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert (tmp_path / "run/owner.sock").exists()
    assert (tmp_path / "run/owner.json").exists()
    second = start()
    assert said(second) == "owner"
    assert ask(tmp_path, "echo hello") == "echo hello"
    assert holder(tmp_path).pid == second.pid


def test_a_stale_card_is_not_believed(start: Start, tmp_path: Path) -> None:
    assert said(start()) == "owner"
    card = tmp_path / "run/owner.json"
    card.write_text('{"pid":1,"role":"serve","started":"","socket":"/nowhere","address":"http://old"}')
    assert holder(tmp_path).card is None
    card.write_text("torn {")
    assert holder(tmp_path).card is None


def test_a_caller_whose_owner_is_killed_half_way_gets_words(start: Start, tmp_path: Path) -> None:
    process = start()
    assert said(process) == "owner"
    threading.Timer(0.3, process.kill).start()
    with pytest.raises(CityError, match="ended before it answered") as gone:
        ask(tmp_path, "sleep 30")
    assert gone.value.code == "owner_gone"


def test_what_was_accepted_is_answered_before_the_owner_ends(start: Start, tmp_path: Path) -> None:
    process = start()
    assert said(process) == "owner"
    answers: list[str | None] = []
    callers = [threading.Thread(target=lambda i=i: answers.append(ask(tmp_path, f"write file{i}"))) for i in range(8)]
    for caller in callers:
        caller.start()
    begun = [tmp_path / f"file{i}.begun" for i in range(8)]
    deadline = time.monotonic() + 60
    while not all(file.exists() for file in begun):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    tell_to_end(process)
    for caller in callers:
        caller.join()
    assert process.wait(60) == 0
    assert sorted(str(a) for a in answers) == [f"write file{i}" for i in range(8)]
    assert all((tmp_path / f"file{i}").read_text() == "done" for i in range(8))
    assert not (tmp_path / "run/owner.json").exists()
    assert not (tmp_path / "run/owner.sock").exists()
    mine = claim(tmp_path, "command")
    assert mine is not None
    mine.release()


def test_an_owner_that_must_end_interrupts_what_takes_too_long(tmp_path: Path) -> None:
    owner = claim(tmp_path, "serve")
    assert owner is not None

    def handle(payload: bytes, progress: Callable[[Step], None]) -> bytes:
        while True:
            progress(Step("forever"))
            time.sleep(0.01)

    owner.listen(handle)
    said_by_owner: list[str] = []

    def caller() -> None:
        with pytest.raises(Failed) as failed:
            ask(tmp_path, "go")
        said_by_owner.append(failed.value.code)

    thread = threading.Thread(target=caller)
    thread.start()
    while owner.active == 0:
        time.sleep(0.01)
    owner.stop(patience_s=0.2)
    owner.release()
    thread.join()
    assert said_by_owner == ["owner_gone"]


def test_work_whose_caller_left_is_ended(tmp_path: Path) -> None:
    owner = claim(tmp_path, "command")
    assert owner is not None
    ended = threading.Event()

    def handle(payload: bytes, progress: Callable[[Step], None]) -> bytes:
        try:
            while True:
                progress(Step("forever"))
                time.sleep(0.01)
        finally:
            ended.set()

    owner.listen(handle)
    card = holder(tmp_path).card
    assert card is not None

    def leave(step: Step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        link.call(Path(card.socket), b"go", leave)
    assert ended.wait(60)
    owner.stop()
    owner.release()


def test_a_long_path_gets_a_private_socket_elsewhere(start: Start, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    process = start(deep)
    assert said(process) == "owner"
    card = holder(deep).card
    assert card is not None
    path = Path(card.socket)
    assert len(os.fsencode(path)) <= 100
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert ask(deep, "echo far") == "echo far"
    tell_to_end(process)
    assert process.wait(60) == 0
    assert not path.parent.exists()


def test_a_long_path_left_by_kill_9_is_cleared(start: Start, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    process = start(deep)
    assert said(process) == "owner"
    card = holder(deep).card
    assert card is not None
    process.kill()
    process.wait()
    mine = claim(deep, "command")
    assert mine is not None
    mine.release()
    assert not Path(card.socket).parent.exists()


def test_one_who_says_nothing_or_nonsense_does_not_hold_up_the_end(tmp_path: Path) -> None:
    owner = claim(tmp_path, "command")
    assert owner is not None
    owner.listen(lambda payload, _: payload)
    card = holder(tmp_path).card
    assert card is not None
    with link.socket.socket(link.socket.AF_UNIX) as silent, link.socket.socket(link.socket.AF_UNIX) as wild:
        silent.connect(card.socket)
        wild.connect(card.socket)
        wild.sendall(b"\xff\xff\xff\xff nonsense")
        begun = time.monotonic()
        owner.stop()
        assert time.monotonic() - begun < 2
    owner.release()


def test_nobody_answers_where_nobody_listens(tmp_path: Path) -> None:
    assert link.call(tmp_path / "none.sock", b"x", no_progress) is None
    (tmp_path / "plain").write_text("")
    assert link.call(tmp_path / "plain", b"x", no_progress) is None
