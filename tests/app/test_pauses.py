"""What lives long is not looked through for garbage again and again, and nothing is lost by that."""

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from quintet.app.pauses import search_seldom, set_aside, take_back, turns_of


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    interval, times = sys.getswitchinterval(), gc.get_threshold()
    yield
    gc.set_threshold(*times)
    sys.setswitchinterval(interval)
    gc.unfreeze()


class Ring:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.itself = self


def test_what_lives_is_set_aside_and_circles_of_garbage_are_not() -> None:
    dead, alive = Ring(), Ring()
    gone, kept = weakref.ref(dead), weakref.ref(alive)
    del dead
    set_aside()
    assert gone() is None
    assert kept() is alive
    assert gc.get_freeze_count() > 1000
    assert not any(one is alive for one in gc.get_objects())


def test_a_circle_that_was_set_aside_goes_the_next_time() -> None:
    ring = Ring()
    gone = weakref.ref(ring)
    set_aside()
    del ring
    gc.collect()
    assert gone() is not None, "it is not looked at meanwhile"
    set_aside()
    assert gone() is None


def test_at_the_end_all_is_looked_at_again() -> None:
    ring = Ring()
    gone = weakref.ref(ring)
    set_aside()
    del ring
    take_back()
    gc.collect()
    assert gone() is None


def test_threads_give_way_sooner() -> None:
    turns_of(1000)
    assert sys.getswitchinterval() == pytest.approx(0.001)


def test_all_is_searched_less_often_and_the_young_as_before() -> None:
    before = gc.get_threshold()
    search_seldom(300)
    assert gc.get_threshold() == (*before[:2], 300)
