"""While the city is being opened: the address answers already, and says that it is not ready."""

import socket
import threading
import time
from http import HTTPStatus
from types import TracebackType

import msgspec

LOOK_S = 0.05
HEAD_BYTES = 65_536
HEAD_S = 1.0
"""Who has not asked whole in this time is not waited for: the next one is."""
RETRY_S = 2
PROBLEM = {
    "type": "urn:quintet:problem:opening",
    "title": HTTPStatus.SERVICE_UNAVAILABLE.phrase,
    "status": 503,
    "detail": "the city is being opened.",
    "instance": "",
    "code": "opening",
    "place": "",
    "remedy": f"Ask again in {RETRY_S} s.",
}


class Opening:
    """Answers every request on a listening socket with 503, one at a time, until the block ends."""

    def __init__(self, door: socket.socket) -> None:
        """Take a bound socket; it listens when the block begins and stays open behind it."""
        self._door = door
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="opening", daemon=True)

    def __enter__(self) -> "Opening":
        """Begin to answer."""
        self._door.listen(128)
        self._door.settimeout(LOOK_S)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; who has connected and was not answered yet is left to whoever listens next."""
        self._ending.set()
        self._thread.join()
        self._door.settimeout(None)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                line, _ = self._door.accept()
            except OSError:
                continue
            with line:
                self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        head, until_s = b"", time.monotonic() + HEAD_S
        try:
            while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES:
                part = self._heard(line, until_s)
                if not part:
                    return
                head += part
            line.settimeout(HEAD_S)
            line.sendall(answer(head))
            line.shutdown(socket.SHUT_WR)
            until_s = time.monotonic() + HEAD_S
            while self._heard(line, until_s):
                pass  # a body that is still coming is read away, so that the answer arrives
        except OSError:
            return

    def _heard(self, line: socket.socket, until_s: float) -> bytes:
        """Give what comes next; nothing when the time is over, at the end of the line, or when the block ends."""
        while not self._ending.is_set() and (left_s := until_s - time.monotonic()) > 0:
            line.settimeout(min(left_s, LOOK_S))
            try:
                return line.recv(HEAD_BYTES)
            except TimeoutError:
                continue
        return b""


def answer(head: bytes) -> bytes:
    """Give the whole answer to a request, by its first line."""
    words = head.split(b"\r\n", 1)[0].split()
    path = words[1].partition(b"?")[0].decode("ascii", "replace") if len(words) > 1 else "/"
    body = msgspec.json.encode({**PROBLEM, "instance": path})
    lines = [
        "HTTP/1.1 503 Service Unavailable",
        "content-type: application/problem+json",
        f"content-length: {len(body)}",
        f"retry-after: {RETRY_S}",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if words[:1] == [b"HEAD"] else body)
