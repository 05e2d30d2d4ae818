"""`load`: plays a simulated city's readings to a real door at a chosen rate, and keeps what was acknowledged.

The readings are made ahead by a thread; each message has an Idempotency-Key and is sent until it is answered. Use
`Load(LoadConfig(...)).run()` from Python; `acks` is the file that `quintet load verify` proves against a city.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

from quintet.simulate import SimulatedCity
from quintet.simulate.stream import Parcel, Traffic

from . import load_http, load_mqtt
from .load_acks import Acks
from .load_bodies import bodies, mqtt_messages
from .load_limits import LIMITS
from .load_plan import LoadConfig, Message, Mischief, Supply, Tally, simulated

__all__ = ["Load", "LoadConfig", "Mischief", "Tally"]


class Load:
    """One run of a generator: `run` plays and gives the tally, which may be looked at meanwhile; `stop` ends early."""

    def __init__(self, config: LoadConfig, city: SimulatedCity | None = None) -> None:
        """Lay out the city (or take one made before) and prepare."""
        self.config = config
        self.tally = Tally()
        self.city = city or simulated(config)
        self._traffic = Traffic(self.city)
        self._mqtt = config.to.startswith("mqtt")
        self._bodies = bodies(config.form, self._traffic.names)
        self._stopped = False

    @property
    def acks(self) -> Path:
        """The file of what was acknowledged."""
        return self.config.acks

    def stop(self) -> None:
        """Send nothing new; what is under way is still waited for. May be called from any thread."""
        self._stopped = True

    def run(self, tell: Callable[[Tally], None] | None = None) -> Tally:
        """Play to the end; `tell` gets the tally each second. Raises BadInput where the file cannot be written."""
        write = mqtt_messages(self._traffic.names) if self._mqtt else self._body
        supply = Supply(self.config, self.city, self._traffic, write)
        with Acks(self.config.acks, self._traffic.names, bundle=LIMITS.mqtt_bundle if self._mqtt else 1) as acks:
            supply.begin()
            supply.filled.wait(LIMITS.ready_s)
            try:
                # a thread of its own, for the caller's may have a loop that runs
                with ThreadPoolExecutor(max_workers=1) as player:
                    played = player.submit(self._run, supply, acks, tell)
                    try:
                        played.result()
                    except KeyboardInterrupt:
                        self.stop()
                        raise
            finally:
                supply.end()
        return self.tally

    def _run(self, supply: Supply, acks: Acks, tell: Callable[[Tally], None] | None) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._play(supply, acks, tell))

    def _body(self, parcel: Parcel) -> tuple[str, bytes]:
        return "", self._bodies.write(parcel)

    async def _play(self, supply: Supply, acks: Acks, tell: Callable[[Tally], None] | None) -> None:
        began = time.monotonic()
        following = _Pace(supply, self.config, self.tally, lambda: self._stopped).following
        watch = asyncio.ensure_future(self._watch(began, acks, tell))
        try:
            if self._mqtt:
                await load_mqtt.play(self.config, following, acks, self.tally)
            else:
                await load_http.play(self.config, self._bodies.media_type, following, acks, self.tally)
        finally:
            watch.cancel()
            self.tally.seconds = time.monotonic() - began

    async def _watch(self, began: float, acks: Acks, tell: Callable[[Tally], None] | None) -> None:
        while True:
            await asyncio.sleep(1.0)
            acks.flush()
            self.tally.seconds = time.monotonic() - began
            if tell is not None:
                tell(self.tally)


class _Pace:
    """Hands out messages at the rate; none after the time or when stopped. At the end it notes how far behind it is."""

    def __init__(self, supply: Supply, config: LoadConfig, tally: Tally, stopped: Callable[[], bool]) -> None:
        self._supply, self._tally, self._stopped = supply, tally, stopped
        self._rate = config.rate / config.share[1]
        self._end = time.monotonic() + config.seconds
        self._began = time.monotonic()
        self._handed = 0

    async def following(self) -> Message | None:
        """Give the next message when its turn has come; None at the end."""
        message = await self._next()
        if message is None and self._tally.due_readings is None:
            passed_s = min(time.monotonic(), self._end) - self._began
            self._tally.due_readings = round(self._rate * passed_s)
            self._tally.behind_readings = max(0, self._tally.due_readings - self._handed)
        return message

    async def _next(self) -> Message | None:
        while not self._stopped():
            now = time.monotonic()
            if now >= self._end:
                return None
            wait_s = self._began + self._handed / self._rate - now if self._rate else 0.0
            if wait_s > 0:
                await asyncio.sleep(min(wait_s, 0.05, self._end - now))
                continue
            message = self._supply.take()
            if message is not None:
                self._handed += len(message.parcel)
                return message
            if self._supply.over:
                return None
            await asyncio.sleep(0.001)
        return None
