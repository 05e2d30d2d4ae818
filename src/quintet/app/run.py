"""Runs a request where it must run: in the process that owns the city, which may be this one.

Every command comes through `run`. It claims the city; when another process has it, the request runs there. Between two
owners nobody answers for a moment: the command asks again for PATIENCE_S, then says who is in the way.
"""

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec

from quintet.terms.errors import BadInput, CityError

from . import link
from .answer import Answer, Progress
from .interrupts import heard
from .lazy import load
from .owner import Holder, Owner, claim, holder
from .requests import WRITES, AnyRequest, pack, unpack
from .turns import Turns

PATIENCE_S = 10.0
RETRY_S = 0.05

_ANSWERS = msgspec.msgpack.Decoder(Answer)


class Desk:
    """The open city inside its owner: opened when the first request needs it, closed once."""

    def __init__(self, folder: Path, opened: Callable[[Path], Any] | None = None) -> None:
        """Remember the folder; nothing is opened yet, so that other commands can already queue up.

        `opened` opens the city (default: as it is, by this machine's clock).
        """
        self.folder = folder
        self._opened = opened
        self._opening = threading.Lock()
        self.turns = Turns()
        self._city: Any = None

    def city(self) -> Any:
        """Give the open city."""
        with self._opening:
            if self._city is None:
                self._city = (self._opened or load("open_city").open)(self.folder)
            return self._city

    def perform(self, request: AnyRequest, progress: Progress) -> Answer:
        """Run one operation; those that write take turns."""
        city = self.city()
        with self.turns.mine() if isinstance(request, WRITES) else nullcontext():
            return load("operations")(city, request, progress)

    def handle(self, payload: bytes, progress: Progress) -> bytes:
        """Run what came over the socket: the handler of an Owner."""
        try:
            request = unpack(payload)
        except msgspec.MsgspecError as error:
            raise BadInput(
                f"the owner of this city does not know that request ({error}).",
                code="other_version",
                remedy="It may be another version of Quintet: stop it and run the command again.",
            ) from error
        return msgspec.msgpack.encode(self.perform(request, progress))

    def close(self) -> None:
        """Close the city if it was opened."""
        with self._opening:
            city, self._city = self._city, None
        if city is not None:
            city.close()


def run(folder: Path, request: AnyRequest, progress: Progress, show: Callable[[Answer], None]) -> int:
    """Run a request wherever the city is owned and show its answer; give the exit code.

    Raises QuintetError as the operation does, and CityError when the owner never answers.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        owner = claim(folder, "command")
        if owner is not None:
            return _run_here(owner, folder, request, progress, show)
        other = holder(folder)
        payload = link.call(Path(other.card.socket), pack(request), progress) if other.card else None
        if payload is not None:
            answer = _ANSWERS.decode(payload)
            show(answer)
            return answer.exit_code
        if time.monotonic() > deadline:
            raise no_answer(folder, other)
        time.sleep(RETRY_S)


def _run_here(
    owner: Owner, folder: Path, request: AnyRequest, progress: Progress, show: Callable[[Answer], None]
) -> int:
    desk = Desk(folder)
    try:
        owner.listen(desk.handle)
        answer = desk.perform(request, progress)
        show(answer)
        return answer.exit_code
    finally:
        finish(owner, desk)


def finish(owner: Owner, desk: Desk, patience_s: float | None = None) -> None:
    """End an owner: what it accepted is answered, the city is closed, the lock is free."""
    heard()
    try:
        owner.stop(patience_s)
    finally:
        try:
            desk.close()
        finally:
            owner.release()


def no_answer(folder: Path, other: Holder) -> CityError:
    """Say that a process holds the city and does not answer."""
    who = f"process {other.pid}" if other.pid else "another process"
    stop = f"stop it with `kill {other.pid}`" if other.pid else "find it with `fuser` on run/owner.lock and stop it"
    return CityError(
        f"{who} owns this city and has not answered for {PATIENCE_S:.0f} s.",
        code="owner_silent",
        place=str(folder),
        remedy=f"Wait until it ends, or {stop}, and run the command again.",
    )
