"""What runs beside the answers: it looks, rests, is woken, says what went wrong, and ends."""

import threading
import time
from collections.abc import Callable

import pytest

from quintet.app.background import Background
from quintet.terms.errors import CityError

LONG_S = 3600.0


class Looks:
    """A look that counts, and fails where it is told to."""

    def __init__(self, pause_s: float) -> None:
        self.pause_s = pause_s
        self.count = 0
        self.fails = False
        self.thread = ""

    def __call__(self) -> float:
        self.count += 1
        self.thread = threading.current_thread().name
        if self.fails:
            raise CityError("the disk is full.", code="disk_full")
        return self.pause_s


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def test_it_looks_at_once_and_again_after_each_pause() -> None:
    looks = Looks(0.001)
    background = Background("looking", "looking", looks, again_s=LONG_S)
    background.begin()
    wait_until(lambda: looks.count > 3)
    background.end()
    seen = looks.count
    assert looks.thread == "looking"
    assert background.ended
    time.sleep(0.02)
    assert looks.count == seen, "nothing is taken up after the end"


def test_who_wakes_it_waits_for_no_pause() -> None:
    looks = Looks(LONG_S)
    background = Background("looking", "looking", looks, again_s=LONG_S)
    background.begin()
    wait_until(lambda: looks.count == 1)
    background.wake()
    wait_until(lambda: looks.count == 2)
    background.end()
    assert looks.count == 2, "the end is no look"


def test_a_failure_is_said_and_tried_again(capfd: pytest.CaptureFixture[str]) -> None:
    looks = Looks(LONG_S)
    looks.fails = True
    background = Background("looking", "looking for dust", looks, again_s=0.01)
    background.begin()
    wait_until(lambda: looks.count > 1)
    looks.fails = False
    seen = looks.count
    wait_until(lambda: looks.count > seen)
    background.end()
    said = "".join(capfd.readouterr())
    assert "looking for dust: the disk is full. Tried again in" in said


def test_an_end_before_the_start_and_a_second_one_are_nothing() -> None:
    looks = Looks(LONG_S)
    background = Background("looking", "looking", looks, again_s=LONG_S)
    background.end()
    background.end()
    assert looks.count == 0
