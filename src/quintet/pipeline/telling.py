"""Telling listeners what was committed, each batch once and in order; one who fails harms neither commit nor others."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from quintet.store.engine import Batch

from .rows import IntervalRows


@dataclass(frozen=True, slots=True)
class Committed:
    """A durable batch, and the intervals it changed (quality WITHDRAWN: there is none any more), None for none."""

    batch: Batch
    rows: IntervalRows | None


Listener = Callable[[Committed], None]


class Telling:
    """What is in the store and was not told yet: it is told when it is durable."""

    def __init__(self) -> None:
        """Have nothing to tell."""
        self._untold: deque[Committed] = deque()
        self._teller: ThreadPoolExecutor | None = None
        self.failures = 0

    @property
    def waits(self) -> bool:
        """Whether there is something to tell: of a commit that failed after it was in the store."""
        return bool(self._untold)

    def note(self, committed: Committed) -> None:
        """Keep a batch for the next telling."""
        self._untold.append(committed)

    def tell(self, listeners: Sequence[Listener]) -> None:
        """Tell all that waits, and return when it was heard; call it with the write lock held, for the order's sake.

        What a listener raises goes to the hook for errors of threads: the batch is durable whatever becomes of it.
        """
        while self._untold:
            committed = self._untold.popleft()
            for listener in list(listeners):
                # A worker's future takes whatever a listener raises.
                if self._teller is None:
                    self._teller = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tell")
                error = self._teller.submit(listener, committed).exception()
                if error is not None:
                    self.failures += 1
                    told = (type(error), error, error.__traceback__, threading.current_thread())
                    threading.excepthook(threading.ExceptHookArgs(told))
