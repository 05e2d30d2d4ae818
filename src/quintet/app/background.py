"""What `serve` does beside its answers: a thread that looks what there is to do, does it, and rests."""

import threading
from collections.abc import Callable

from .door import Failure, guarded
from .show import say


class Background:
    """A thread that looks again and again; what goes wrong is said and tried again, and `end` waits for it."""

    def __init__(self, name: str, doing: str, look: Callable[[], float], *, again_s: float) -> None:
        """Call `look` until the end; it gives the seconds until the next look, and sees by `ending` when to stop.

        `name` is the thread's, `doing` says in a line what failed; a failed look is tried again after `again_s`.
        """
        self.ending = threading.Event()
        self._woken = threading.Event()
        self._doing, self._once, self._again_s = doing, look, again_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def ended(self) -> bool:
        """Whether it is time to stop."""
        return self.ending.is_set()

    def begin(self) -> None:
        """Start; the first look is at once."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once rather than after the pause; from any thread, as often as one likes."""
        self._woken.set()

    def end(self) -> None:
        """Take up nothing more, and wait for what is at hand; more than once is once, and before the start nothing."""
        self.ending.set()
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        pause_s = 0.0
        while True:
            self._woken.wait(pause_s)
            self._woken.clear()
            if self.ended:
                return
            outcome = guarded(self._once)
            if isinstance(outcome, Failure):
                say(f"quintet: {self._doing}: {outcome.line()} Tried again in {self._again_s / 60:.0f} minutes.")
                pause_s = self._again_s
            else:
                pause_s = outcome
