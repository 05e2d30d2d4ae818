"""`serve` tells dwellings to Home Assistant: a thread with a connection to the broker, woken by what is committed."""

import asyncio
import threading
from contextlib import suppress
from dataclasses import replace

import structlog

from quintet.registry.person import Pass
from quintet.terms.errors import QuintetError
from quintet.views.live import Live

from .city import City
from .doorkeeper import CityDoorkeeper
from .home_assistant import BIRTH, USER, Limits, classes
from .home_assistant_homes import MQTT, Homes
from .home_assistant_link import Link
from .home_assistant_users import Users
from .mqtt_settings import MqttSettings

NUMBER = "homes"
"""What our name at the broker ends with."""


class HomeAssistant:
    """Runs between `begin` and `end`. The broker may come and go; what it keeps is made true each time."""

    def __init__(
        self, city: City, keeper: CityDoorkeeper, live: Live, settings: MqttSettings, limits: Limits | None = None
    ) -> None:
        """Prepare; raises CityError for a certificate that cannot be read. `limits`: others than the shipped ones."""
        door = settings.address(city.folder, 0)
        self._address = replace(door, client_id=f"{door.client_id}-{NUMBER}")
        self._users = Users(settings.home_passwords, settings.home_pid_file)
        self._homes = Homes(city, keeper, live)
        self._live = live
        self._limits = limits or classes().limits
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._ending = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="home-assistant", daemon=True)
        city.identities.passes.made.append(self._made)

    def begin(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def end(self) -> None:
        """Say good-bye to the broker; dwellings are shown as unavailable until the next `serve`."""
        self._ending = True
        self._rouse()
        if self._thread.is_alive():
            self._thread.join(self._limits.patience_s)

    def _made(self, name: str, said: Pass, token: str) -> None:
        """Let a new token in at the broker, where it is for that."""
        if MQTT in said.may:
            self._users.add(f"{USER}{name}", token)
            self._rouse()

    def _rouse(self) -> None:
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(wake.set)

    async def _run(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        end_waking = self._live.on_commit(self._rouse)
        try:
            while not self._ending:
                try:
                    await self._attend()
                except (OSError, TimeoutError, QuintetError) as error:
                    structlog.get_logger().warning("home_assistant_broker", why=str(error) or type(error).__name__)
                if not self._ending:
                    await self._pause(self._limits.retry_s)
        finally:
            end_waking()

    async def _attend(self) -> None:
        """Tell over one connection until it is lost, or the end."""
        link = Link(self._address, self._limits, self._taken)
        self._homes.forget()
        await link.open()
        await asyncio.sleep(self._limits.settle_ms / 1000)  # what the broker keeps comes first
        loop = asyncio.get_running_loop()

        def keep(topic: str, payload: bytes) -> None:
            loop.call_soon_threadsafe(link.keep, topic, payload)

        try:
            while not self._ending and not link.lost.is_set():
                standing = await asyncio.to_thread(self._homes.tell, keep)
                await asyncio.sleep(self._limits.pause_ms / 1000 if not self._ending else 0)
                # who is sent away is to have heard before that his device is gone; who has just come may stay
                await asyncio.to_thread(self._users.keep, standing | set(self._homes.standing()))
                await self._pause(self._limits.look_s)
        finally:
            await link.close()

    async def _pause(self, longest_s: float) -> None:
        """Wait until something was committed, asked or ended, but no longer than so."""
        assert self._wake is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._wake.wait()
        self._wake.clear()

    def _taken(self, topic: str, payload: bytes, kept: bool) -> None:
        """Note what the broker keeps, and that a Home Assistant has come up."""
        if topic.endswith(BIRTH) and kept:
            return  # it came up some time ago
        self._homes.heard(topic, payload)
        if not kept:
            self._rouse()
