"""Ctrl-C that is heard: an interrupt that a library at work swallowed is said again."""

import signal
from types import FrameType

AGAIN_S = 1.0
"""After so long an interrupt that ended nothing is said again."""


def hear() -> None:
    """Take Ctrl-C from now on; call it from the main thread.

    An exception that comes while a library calls back into Python (a destructor, an import's lock) is dropped there,
    and the command would go on as if nobody had asked it to end.
    """
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)


def heard() -> None:
    """Say it no more: the command is ending."""
    signal.setitimer(signal.ITIMER_REAL, 0.0)


def asked_to_end() -> bool:
    """Whether Ctrl-C came: what fails after it may be that, as a library says it that was at work."""
    return bool(_came)


_came: list[int] = []
"""The signals that came."""


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _came.append(number)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
    raise KeyboardInterrupt
