"""What keeps one process's pauses short: whose turn it is to compute, and what is looked through for garbage."""

import gc
import sys


def turns_of(switch_us: int) -> None:
    """Let a thread that computes give way after so many microseconds: all answers go through one thread."""
    sys.setswitchinterval(switch_us / 1e6)


def search_seldom(times: int) -> None:
    """Search all that lives for garbage only after so many searches among what is young."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, times)


def set_aside() -> None:
    """Take all that lives now out of the search for cycles of garbage, which stops every thread while it looks.

    A served city holds a million objects that stay for hours: looking them through takes some tenths of a second, each
    time that some more have come. What is set aside is still let go when nobody refers to it; cycles of it are looked
    for here, once, so call it where a pause is least felt: before the first answer, and after a night's work.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def take_back() -> None:
    """Look at all again, at the end: what was set aside would else outlive the engines that it holds open."""
    gc.unfreeze()
