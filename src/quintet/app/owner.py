"""ONE owner process per city folder: the lock, the card that says who it is, and the socket on which it answers.

`<folder>/run/owner.lock` is held with flock while the owner lives, so a lock dies with its process, however that ends.
`<folder>/run/owner.json` is the owner's card: pid, role, start and the socket's path; it is only believed while the
lock is held by the same pid. A socket path too long for the kernel goes to a private temporary folder.
"""

import fcntl
import os
import socket
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from quintet.store.trouble import FULL
from quintet.terms.errors import CityError

from . import link
from .answer import Progress, Step
from .door import Failure, guarded

LONGEST_SOCKET = 100
"""A unix socket's path may have 107 bytes on Linux and 103 on macOS."""
STEPS_A_SECOND = 10
PID_WIDTH = 20
"""The lock file is written over in place: on a full disk it could not grow again."""

Role = Literal["serve", "command"]
Handler = Callable[[bytes, Progress], bytes]
"""Takes a request's payload and a progress callback, gives the answer's payload; raises QuintetError."""


class Card(msgspec.Struct, frozen=True):
    """Who owns the city: written when the owner listens. `address` is where a `serve` serves, else empty.

    `check` is the checksum of the card without it: a card that is not as it was written is not believed.
    """

    pid: int
    role: Role
    started: str
    socket: str
    address: str = ""
    check: int = 0


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock: its pid (0: it has not said yet) and its card, None while it starts or stops."""

    pid: int
    card: Card | None


def _run_folder(folder: Path) -> Path:
    run = folder / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    return run


def _read_card(run: Path) -> Card | None:
    try:
        card = msgspec.json.decode((run / "owner.json").read_bytes(), type=Card)
    except (FileNotFoundError, UnicodeDecodeError, msgspec.MsgspecError):
        return None
    return card if card.check == _checksum(card) else None


def _checksum(card: Card) -> int:
    return zlib.crc32(msgspec.json.encode(msgspec.structs.replace(card, check=0)))


@contextmanager
def room_or_not() -> Generator[None]:
    """Go on where the disk is full: what is written here only helps others to find their way."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise


def holder(folder: Path) -> Holder:
    """Read who holds the lock; call it only when `claim` gave None."""
    run = folder / "run"
    try:
        text = (run / "owner.lock").read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        text = ""
    pid = int(text) if text.isdecimal() else 0
    card = _read_card(run)
    return Holder(pid, card if card is not None and card.pid == pid else None)


def claim(folder: Path, role: Role) -> "Owner | None":
    """Become the owner of a city folder; None when another process is. What a dead owner left is cleared away."""
    run = _run_folder(folder)
    lock = os.open(run / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    with room_or_not():  # the lock counts, also where the disk is too full to say whose it is
        os.pwrite(lock, f"{os.getpid():<{PID_WIDTH}}\n".encode(), 0)
    left = _read_card(run)
    (run / "owner.json").unlink(missing_ok=True)
    if left is not None:
        _clear_socket(Path(left.socket), run)
    return Owner(run, lock, role)


def _clear_socket(path: Path, run: Path) -> None:
    """Remove a socket and, when it stood in a temporary folder of its own, that folder."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
        if path.parent != run.absolute():
            path.parent.rmdir()


def _stopped() -> CityError:
    return CityError("the owner of the city was stopped.", code="owner_gone", remedy="Run the command again.")


def _nobody_waits() -> CityError:
    return CityError("the command that asked for this ended.", code="caller_gone")


class Owner:
    """The owner: holds the lock until `release`, answers other commands between `listen` and `stop`."""

    def __init__(self, run: Path, lock: int, role: Role) -> None:
        """Take over a held lock."""
        self.run = run
        self.role: Role = role
        self._lock = lock
        self._listener: socket.socket | None = None
        self._socket_path: Path | None = None
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self._turn = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._waiting: set[socket.socket] = set()
        self._active = 0
        self._closing = False
        self._abandoned = False

    @property
    def active(self) -> int:
        """How many requests of other commands are being worked on."""
        return self._active

    def listen(self, handler: Handler, *, address: str = "") -> None:
        """Begin to answer other commands; each request runs in a thread of its own."""
        path = self._choose_socket()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(64)
        self._listener, self._socket_path = listener, path
        self._begin(self._accept, listener, handler)
        self.announce(address)

    def announce(self, address: str) -> None:
        """Write the card, atomically; `address` is where this owner serves pages, empty when it does not."""
        card = Card(os.getpid(), self.role, self._started, str(self._socket_path), address)
        card = msgspec.structs.replace(card, check=_checksum(card))
        draft = self.run / f"owner.json.{os.getpid()}"
        with room_or_not():
            draft.write_bytes(msgspec.json.encode(card))
            draft.replace(self.run / "owner.json")

    def _choose_socket(self) -> Path:
        path = (self.run / "owner.sock").absolute()
        if len(os.fsencode(path)) <= LONGEST_SOCKET:
            return path
        return Path(tempfile.mkdtemp(prefix="quintet-")) / "owner.sock"

    def _accept(self, listener: socket.socket, handler: Handler) -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                if self._closing:
                    return
                time.sleep(0.05)  # out of file handles for a moment: the callers wait in the queue
                continue
            self._begin(self._attend, line, handler)

    def _begin(self, work: Callable[[socket.socket, Handler], None], line: socket.socket, handler: Handler) -> None:
        """Work in a thread that `stop` waits for: one that outlived the interpreter could bring the process down.

        To its very end: what a thread holds of the database (its cursors) goes after its last line.
        """
        thread = threading.Thread(target=work, args=(line, handler), name="owner", daemon=True)
        with self._turn:
            self._threads -= {one for one in self._threads if one.ident is not None and not one.is_alive()}
            self._threads.add(thread)
            thread.start()

    def _hear(self, line: socket.socket) -> bytes | None:
        """Read a caller's request; None when it ends, says nothing in time, or may not ask."""
        self._waiting.add(line)
        line.settimeout(link.HELLO_S)
        try:
            if link.caller_uid(line) not in (None, os.geteuid()):
                link.reply(line, link.Refused(_STRANGER))
                return None
            return link.receive(line)
        except link.Gone:
            return None
        finally:
            self._waiting.discard(line)

    def _attend(self, line: socket.socket, handler: Handler) -> None:
        with line:
            payload = self._hear(line)
            with self._turn:
                if payload is None or self._closing:
                    return  # unaccepted: the caller asks again, and finds the next owner
                self._active += 1
            try:
                self._answer(line, payload, handler)
            except link.Gone:
                return  # nobody is left to be told
            finally:
                with self._turn:
                    self._active -= 1
                    self._turn.notify_all()

    def _answer(self, line: socket.socket, payload: bytes, handler: Handler) -> None:
        link.reply(line, link.Accepted())
        line.settimeout(None)
        told_at = 0.0

        def progress(step: Step) -> None:
            nonlocal told_at
            if self._abandoned:
                raise _stopped()
            now = time.monotonic()
            if now - told_at >= 1 / STEPS_A_SECOND:
                told_at = now
                try:
                    link.reply(line, link.Told(step))
                except link.Gone as error:
                    raise _nobody_waits() from error

        outcome = guarded(lambda: handler(payload, progress))
        if isinstance(outcome, Failure):
            link.reply(line, link.Refused(outcome))
            return
        if len(outcome) >= link.LARGEST_FRAME // 2:
            link.reply(line, link.Refused(_TOO_LARGE))
            return
        link.reply(line, link.Done(outcome))

    def stop(self, patience_s: float | None = None) -> None:
        """Finish what was accepted, then take no more. After `patience_s` what still runs is ended at its next step."""
        with self._turn:
            if not self._turn.wait_for(lambda: self._active == 0, patience_s):
                self._abandoned = True
                self._turn.wait_for(lambda: self._active == 0, link.HELLO_S)
            self._closing = True
        (self.run / "owner.json").unlink(missing_ok=True)
        if self._listener is not None and self._socket_path is not None:
            # shutdown wakes the thread that waits in accept; close alone would leave it there
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            _clear_socket(self._socket_path, self.run)
            self._listener = None
        self._see_off()

    def _see_off(self) -> None:
        """Hang up on callers that have said nothing, and wait for every thread to end."""
        deadline = time.monotonic() + link.HELLO_S
        while time.monotonic() < deadline:
            for line in list(self._waiting):
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
            with self._turn:
                thread = next(iter(self._threads), None)
            if thread is None:
                return
            thread.join(0.1)
            if not thread.is_alive():
                with self._turn:
                    self._threads.discard(thread)

    def release(self) -> None:
        """Let go of the lock: the next process may claim the city."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


_STRANGER = Failure(
    "this city is owned by another user.", "wrong_user", "", "Run the command as the user who started its owner."
)
_TOO_LARGE = Failure("the answer is too large.", "too_large", "", "Ask for a shorter period or a coarser step.", 1)
