"""The process of an MQTT door: `quintet door mqtt`, by itself or started by `serve`."""

import asyncio
import fcntl
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop

from quintet.ingest.mqtt_door import Door
from quintet.ingest.mqtt_limits import mqtt_limits
from quintet.ingest.mqtt_parcels import Decode, Decoded
from quintet.ingest.mqtt_payloads import payloads
from quintet.terms.errors import CityError

from .belongings import mappings_of
from .door import Failure, guarded
from .intake import intake_socket
from .mqtt_settings import MqttSettings
from .serving_limits import serving_limits


def run_door(folder: Path, settings: MqttSettings, number: int, *, attached: bool) -> int:
    """Run door `number` of a city until SIGTERM, Ctrl-C or, when `attached`, the end of standard input.

    Raises CityError when a door of that number runs already, and as the settings do.
    """
    logging.getLogger("gmqtt").setLevel(logging.CRITICAL + 1)
    lock = _claim(folder, number)
    try:
        known = payloads(mappings_of(folder))
        door = Door(
            number,
            settings.address(folder, number),
            settings.subscriptions(),
            payloads=replace(known, decode=guarded_decode(known.decode)),
            owner=lambda: intake_socket(folder),
            limits=mqtt_limits(),
            tell=lambda text: _tell(number, text),
        )
        uvloop.run(_run(door, attached=attached))
    finally:
        os.close(lock)
    return 0


def guarded_decode(decode: Decode) -> Decode:
    """Give a decoder whose failure is None: a payload that brings it down must not stop the queue."""

    def safe(source: str, messages: list[tuple[str, bytes, int]]) -> Decoded | None:
        outcome = guarded(lambda: decode(source, messages))
        return None if isinstance(outcome, Failure) else outcome

    return safe


def note_trouble(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Keep quiet about what gmqtt leaves lying about when a connection breaks early; the door says itself how it is."""
    logging.getLogger(__name__).debug("%s", context.get("message"), exc_info=context.get("exception"))


async def _run(door: Door, *, attached: bool) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(note_trouble)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    if attached:
        _watch_parent(lambda: loop.call_soon_threadsafe(end.set))
    await door.run(end)


def _watch_parent(gone: Callable[[], object]) -> None:
    """Notice the end of the process that started this one, also by kill -9: its end of the pipe closes."""

    def watch() -> None:
        while os.read(0, 1):  # unbuffered: a buffer's lock would still be held when the interpreter ends
            pass
        gone()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _claim(folder: Path, number: int) -> int:
    """Hold the lock of a door's number: two with one client id would throw each other out for ever."""
    run = folder / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(run / f"door-mqtt-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + serving_limits().door_claim_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(lock)
                raise CityError(
                    f"MQTT door {number} of this city runs already.",
                    code="door_runs",
                    place=str(folder),
                    remedy="Stop it, or give this one another --number.",
                ) from None
            time.sleep(0.05)
        else:
            return lock


def _tell(number: int, text: str) -> None:
    sys.stderr.write(f"quintet: MQTT door {number}: {text}\n")
    sys.stderr.flush()
