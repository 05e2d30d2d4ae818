"""A door's line to the owner: opened again whenever it breaks, told how the door is, heard for its answers."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from .frames import LENGTHS, VERSION, Done, DoorState, GoAway, Hello, Refused, framed, from_owner
from .mqtt_limits import ConnectionLimits


class OwnerLine:
    """Keeps a line to whoever owns the city; `trouble` says in words why it does not work, "" when it does."""

    def __init__(
        self,
        owner: Callable[[], Path],
        limits: ConnectionLimits,
        state: Callable[[], DoorState],
        answered: Callable[[Done | Refused], None],
        greeted: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        """Prepare; `owner` gives the socket's path, `greeted` is called when a new owner listens."""
        self._path, self._limits, self._state = owner, limits, state
        self._answered, self._greeted, self._tell = answered, greeted, tell
        self._line: asyncio.StreamWriter | None = None
        self.trouble = ""

    @property
    def stands(self) -> bool:
        """Whether an owner listens."""
        return self._line is not None

    async def keep(self) -> None:
        """Hold the line until cancelled."""
        limits = self._limits
        wait_s = limits.first_retry_s
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._path()))
            except OSError:
                self.is_in_trouble("no owner answers: start `quintet serve`")
            else:
                wait_s = limits.first_retry_s
                await self._speak(reader, writer)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, limits.most_retry_s)

    def write(self, frame: bytes) -> None:
        """Write to the owner; nothing where it is gone: what is held is sent again to the next one."""
        if self._line is not None and not self._line.is_closing():
            self._line.write(frame)

    def is_in_trouble(self, trouble: str) -> None:
        """Note, and say once, what is wrong; "" for nothing."""
        if trouble and trouble != self.trouble:
            self._tell(f"{trouble}.")
        self.trouble = trouble

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Greet the owner, then pass on what it answers until it is gone."""
        self._line = writer
        writer.write(framed(Hello(VERSION, self._state())))
        self._greeted()
        try:
            while True:
                head_bytes, body_bytes = LENGTHS.unpack(await reader.readexactly(LENGTHS.size))
                answer = from_owner.decode(await reader.readexactly(head_bytes + body_bytes))
                self.is_in_trouble("")
                if isinstance(answer, GoAway):
                    self.is_in_trouble(answer.message)
                    return
                self._answered(answer)
        except (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError):
            self.is_in_trouble("the owner is gone")
        finally:
            self._line = None
            writer.transport.abort()  # what it has not read yet is sent again anyway
