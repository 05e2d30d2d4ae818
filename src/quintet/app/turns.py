"""Whose turn it is to write: one at a time, and who works in the background gives way."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from quintet.terms.errors import CityError

MOMENT_S = 0.05
"""How long the end of the process may go unnoticed by who waits for a spare turn."""


class Turns:
    """One turn at a time; `waiting` says how many commands wait for theirs."""

    def __init__(self) -> None:
        """Begin with nobody at work."""
        self._change = threading.Condition()
        self._busy = False
        self.waiting = 0

    @contextmanager
    def mine(self, patience_s: float | None = None) -> Generator[None]:
        """Wait for a turn, and have it; raises CityError when none came in so many seconds (None: however long)."""
        with self._change:
            self.waiting += 1
            try:
                if not self._change.wait_for(lambda: not self._busy, patience_s):
                    raise CityError(
                        f"another command has been writing for {patience_s:.0f} s.",
                        code="city_busy",
                        remedy="Send the same again when it has ended; nothing of it was taken.",
                    )
            finally:
                self.waiting -= 1
            self._busy = True
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def spare(self, ending: threading.Event) -> Generator[bool]:
        """Have a turn that no command waits for; False, and no turn, when it is time to end."""
        with self._change:
            while (self._busy or self.waiting) and not ending.is_set():
                self._change.wait(MOMENT_S)
            mine = not ending.is_set()
            self._busy = self._busy or mine
        try:
            yield mine
        finally:
            if mine:
                self._give_back()

    def _give_back(self) -> None:
        with self._change:
            self._busy = False
            self._change.notify_all()
