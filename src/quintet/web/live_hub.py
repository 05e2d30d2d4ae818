"""Who listens to what, and the one task that tells them: what is new is encoded once a place, whoever listens."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from quintet.views.live import Live, LiveBye, LiveReset, Mark, News, Watch, news_of

from .live_limits import Limits
from .live_stream import Listener, beat, framed


@dataclass
class Circle:
    """All who listen to one place, served up to `told`; `next_at` and `said_at` are moments of the loop's clock."""

    watch: Watch
    pause_s: float
    told: Mark
    said_at: float
    next_at: float = 0.0
    listeners: set[Listener] = field(default_factory=set[Listener])


@dataclass
class Counts:
    """What the hub has done since it began: for metrics."""

    joined: int = 0
    dropped: int = 0
    events: int = 0
    written: int = 0


class Hub:
    """Feeds listeners; all of it but `stop` runs in the site's loop."""

    def __init__(self, live: Live, limits: Limits) -> None:
        """Tell what one reader may see."""
        self._live = live
        self.limits = limits
        self.counts = Counts()
        self.stopping = False
        self._circles: dict[Hashable, Circle] = {}
        self._open: set[Listener] = set()
        self._wake = asyncio.Event()
        self._telling = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._end_waking: Callable[[], None] = _nothing

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._open)

    @property
    def blocked(self) -> int:
        """How many listeners take nothing at this moment; may be asked by any thread."""
        return sum(listener.writing_since is not None for listener in list(self._open))

    @property
    def full(self) -> bool:
        """Whether no more listeners are taken."""
        return len(self._open) >= self.limits.listeners

    def begin(self) -> None:
        """Begin to tell."""
        loop = self._loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # a loop that was closed in a hurry; the commit must not suffer
                loop.call_soon_threadsafe(self._wake.set)

        self._end_waking = self._live.on_commit(wake)
        self._start(self._pump)
        self._start(self._sweep)

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run one of the hub's tasks; one that fails is said, all listeners come back by themselves, and it goes on."""
        if self.stopping:
            return
        loop = asyncio.get_running_loop()
        task = loop.create_task(work())
        self._tasks.append(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._tasks.remove(done)
            error = None if done.cancelled() else done.exception()
            if error is None:
                return
            loop.call_exception_handler({"message": "live push failed and begins again", "exception": error})
            self._circles.clear()  # how far they were told is not known any more
            for listener in list(self._open):
                listener.finish()
            loop.call_later(self.limits.sweep_s, self._start, work)

        task.add_done_callback(ended)

    async def end(self) -> None:
        """Say goodbye and end."""
        self._end_waking()
        self._goodbye()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._loop = None

    def stop(self) -> None:
        """Say goodbye to everyone and take nobody in any more; from any thread."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._goodbye)

    async def join(self, listener: Listener, watch: Watch, last_event_id: str) -> None:
        """Begin to feed a listener: first what he missed since the id he kept, then all that comes."""
        self._open.add(listener)
        self.counts.joined += 1
        listener.after = watch.mark
        if last_event_id:
            await self._catch_up(listener, watch, last_event_id)
        while watch.circle in self._circles and self._circles[watch.circle].told > listener.after:
            await self._catch_up(listener, watch, str(listener.after))
        # from here on nothing may wait: what is told next must reach him too
        circle = self._circles.get(watch.circle)
        if circle is None:
            circle = self._circles[watch.circle] = self._circle(watch)
        listener.circle = watch.circle
        circle.listeners.add(listener)
        listener.put(beat(listener.after))
        self._wake.set()
        if self.stopping:
            self._goodbye()

    def leave(self, listener: Listener) -> None:
        """Feed a listener no longer."""
        self._open.discard(listener)
        circle = self._circles.get(listener.circle)
        if circle is not None:
            circle.listeners.discard(listener)
            if not circle.listeners:
                del self._circles[listener.circle]

    def _circle(self, watch: Watch) -> Circle:
        limits = self.limits
        pause_ms = limits.dwelling_pause_ms if self._live.is_dwelling(watch) else limits.place_pause_ms
        return Circle(watch, pause_ms / 1000, watch.mark, asyncio.get_running_loop().time())

    async def _catch_up(self, listener: Listener, watch: Watch, last_event_id: str) -> None:
        """Give one listener what he missed; what is larger than he may be given, he is told to read anew."""
        mark, missed = await asyncio.to_thread(self._live.since, watch, last_event_id)
        if missed is not None and not listener.put(framed(missed)):
            # cut off, he would ask for the same again, for ever: told to read anew, he has all of it
            anew = news_of(mark, LiveReset(watch.place, mark.batch))
            if not listener.put(framed(anew)):
                self._drop(listener)
        listener.after = mark

    async def _pump(self) -> None:
        """Tell every place what is new, soon after each commit, but no place more often than its pause."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            now, newest = loop.time(), self._live.newest
            behind = [circle for circle in self._circles.values() if circle.watch.mark < newest]
            due = [circle for circle in behind if circle.next_at <= now]
            if due:
                news, cost_s = await asyncio.to_thread(self._made, [circle.watch for circle in due])
                await self._tell(due, news, cost_s * self.limits.pause_per_cost)
            later = [circle.next_at for circle in behind if circle.next_at > now]
            if later:
                loop.call_at(min(later), self._wake.set)

    def _made(self, watches: list[Watch]) -> tuple[list[News | None], float]:
        """Make what is new at places, and say what processor time it took; in a thread of its own."""
        began = time.thread_time()
        news = self._live.news(watches)
        return news, time.thread_time() - began

    async def _tell(self, circles: Sequence[Circle], news: Sequence[News | None], pause_s: float) -> None:
        """Give each place's listeners its news; the next come after the place's pause, or `pause_s` where longer."""
        loop = asyncio.get_running_loop()
        async with self._telling:
            given = 0
            for circle, one in zip(circles, news, strict=True):
                circle.told = circle.watch.mark
                if one is None:
                    continue
                circle.said_at = loop.time()
                circle.next_at = circle.said_at + max(circle.pause_s, pause_s)
                self.counts.events += 1
                given = await self._give(circle, framed(one), one.mark, given)
                if one.event == "bye":
                    for listener in list(circle.listeners):
                        listener.finish()

    async def _give(self, circle: Circle, frame: bytes, mark: Mark, given: int) -> int:
        """Queue a frame for a place's listeners who lack it, in slices: other requests wait no longer than for one."""
        for listener in list(circle.listeners):
            if listener.after >= mark:
                continue
            if not listener.put(frame):
                self._drop(listener)
            given += 1
            if given % self.limits.write_slice == 0:
                await asyncio.sleep(0)
        self.counts.written += len(circle.listeners)
        return given

    async def _sweep(self) -> None:
        """Drop who takes nothing, see off whose right has ended; who heard nothing for long hears a heartbeat."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self.limits.sweep_s)
            now = clock()
            for listener in list(self._open):
                if listener.writing_since is not None and now - listener.writing_since > self.limits.stall_s:
                    self._drop(listener)
            await self._see_off()
            async with self._telling:
                given = 0
                silent = [c for c in self._circles.values() if now - c.said_at > self.limits.heartbeat_s]
                for circle in silent:
                    circle.said_at = now
                    given = await self._give(circle, beat(circle.told), BEYOND, given)

    async def _see_off(self) -> None:
        """Say goodbye to whose right to follow has ended since: a session, a consent, a stay."""
        asked = [listener for listener in self._open if listener.still is not None]
        if not asked:
            return
        ended = await asyncio.to_thread(lambda: [one for one in asked if one.still is not None and not one.still()])
        frame = framed(news_of(self._live.newest, LiveBye("gone")))
        for listener in ended:
            listener.put(frame)
            listener.finish()

    def _drop(self, listener: Listener) -> None:
        self.counts.dropped += 1
        self._open.discard(listener)
        listener.drop()

    def _goodbye(self) -> None:
        self.stopping = True
        frame = framed(news_of(self._live.newest, LiveBye("stopping")))
        for listener in list(self._open):
            listener.put(frame)
            listener.finish()


BEYOND = Mark(2**62, 0)
"""Later than every batch: what everybody hears."""


def _nothing() -> None:
    """Do nothing: nobody is to be woken."""
