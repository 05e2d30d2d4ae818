"""While a city is being opened nobody who sends slowly holds up the others, or the opening itself."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from quintet.app.opening import Opening

PATIENCE_S = 60
SLOW = [b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"]


def line_to(door: socket.socket) -> socket.socket:
    return socket.create_connection(door.getsockname(), timeout=PATIENCE_S)


@contextmanager
def dripping(door: socket.socket, first: bytes) -> Iterator[None]:
    """Send a byte each tenth of a second, for as long as the line stands."""
    ended = threading.Event()

    def drip() -> None:
        with line_to(door) as line:
            try:
                line.sendall(first)
                while not ended.wait(0.1):
                    line.sendall(b"a")
            except OSError:
                return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        time.sleep(0.3)
        yield
    finally:
        ended.set()
        thread.join(PATIENCE_S)


def test_who_drips_holds_up_neither_the_others_nor_the_opening() -> None:
    for first in SLOW:
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            opening = Opening(door)
            opening.__enter__()
            with dripping(door, first):
                with line_to(door) as other:
                    other.sendall(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert other.recv(65_536).startswith(b"HTTP/1.1 503 "), first
                ending = threading.Thread(target=opening.__exit__, args=(None, None, None), daemon=True)
                ending.start()
                ending.join(PATIENCE_S)
                assert not ending.is_alive(), "the city is never opened"


def test_the_end_does_not_wait_for_who_is_being_heard() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        opening = Opening(door)
        opening.__enter__()
        with dripping(door, SLOW[0]):
            ending = threading.Thread(target=opening.__exit__, args=(None, None, None), daemon=True)
            ending.start()
            ending.join(PATIENCE_S)
            assert not ending.is_alive()
