"""The owner's side of `run/ingest.sock`: what doors in processes of their own deliver is committed and answered.

Each door has a thread that reads its parcels and one that writes the answers. A parcel is answered Done when it is
durable; while the committer is full its door is simply not read on, so that the broker holds the rest back.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import msgspec
import pyarrow as pa

from quintet.ingest.frames import (
    LARGEST_BODY,
    LENGTHS,
    VERSION,
    Done,
    DoorState,
    FromOwner,
    GoAway,
    Hello,
    Parcel,
    PartDone,
    Refused,
    framed,
    from_door,
    unpacked,
)
from quintet.ingest.mqtt_limits import mqtt_limits
from quintet.pipeline.delivery import Busy, Delivery, Outcome, Receipt, Shape
from quintet.terms.errors import BadInput, QuintetError
from quintet.terms.tables import QUARANTINE

from . import link
from .door import explain
from .owner import holder
from .serving_limits import serving_limits

SOCKET = "ingest.sock"
UNEXPECTED = "unexpected"
"""What `door.explain` calls an error that nobody foresaw: it may lie in the parcel itself."""

Submit = Callable[[Delivery], Future[Outcome]]
NOTHING_REFUSED = QUARANTINE.empty_table()
_GONE = "the door's process is gone"


def intake_socket(folder: Path) -> Path:
    """Give the socket for doors: beside the one for commands, wherever the owner of this city put that.

    Without an owner: where the next one will put it, as a rule.
    """
    card = holder(folder).card
    return (Path(card.socket).parent if card is not None else (folder / "run").absolute()) / SOCKET


class Intake:
    """Listens for doors; `submit` is the committer's."""

    def __init__(self, path: Path, submit: Submit) -> None:
        """Prepare to listen at `path`; its folder belongs to this user alone."""
        self._path = path
        self._submit = submit
        self._listener: socket.socket | None = None
        self._turn = threading.Condition()
        self._attended: dict[socket.socket, threading.Thread] = {}
        self._states: dict[str, DoorState] = {}
        self._ending = threading.Event()

    def start(self) -> None:
        """Begin to take what doors deliver."""
        self._ending.clear()
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self._path))
        self._path.chmod(0o600)
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="intake", daemon=True).start()

    def stop(self) -> None:
        """Take nothing more, answer what was submitted, hang up. The committer must still be at work."""
        self._ending.set()
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._path.unlink(missing_ok=True)
            self._listener = None
        with self._turn:
            attended = list(self._attended.items())
        for line, _ in attended:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RD)
        for _, thread in attended:
            thread.join(serving_limits().intake_end_s)

    def doors(self) -> list[DoorState]:
        """Give how each door said it is, those that are gone included, by number."""
        with self._turn:
            return sorted(self._states.values(), key=lambda state: (state.number, state.door))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                if self._ending.is_set():
                    return
                time.sleep(0.05)  # out of file handles for a moment: the doors wait in the queue
                continue
            thread = threading.Thread(target=self._attend, args=(line,), name="intake-door", daemon=True)
            with self._turn:
                self._attended[line] = thread
            thread.start()

    def _attend(self, line: socket.socket) -> None:
        visit = _Visit(line)
        try:
            with line:
                if link.caller_uid(line) not in (None, os.geteuid()):
                    visit.answer(GoAway("this city is owned by another user"))
                else:
                    self._listen(line, visit)
                visit.end()
        finally:
            with self._turn:
                del self._attended[line]
                old = self._states.get(visit.door)
                if old is not None and old.reported_us == visit.reported_us:
                    self._states[visit.door] = msgspec.structs.replace(old, connected=False, trouble=_GONE)

    def _listen(self, line: socket.socket, visit: "_Visit") -> None:
        """Read parcels until the door ends or the owner does."""
        while not self._ending.is_set():
            try:
                head, body = _receive(line)
                message = from_door.decode(head)
            except (link.Gone, msgspec.MsgspecError):
                return
            visit.door, visit.reported_us = message.state.door, message.state.reported_us
            with self._turn:
                self._states[visit.door] = message.state
            if isinstance(message, Hello) and message.version != VERSION:
                visit.answer(GoAway("this door is of another version: start it again"))
                return
            if isinstance(message, Parcel):
                self._take(message, body, visit)

    def _take(self, parcel: Parcel, body: bytearray, visit: "_Visit") -> None:
        try:
            deliveries = _deliveries(parcel, body)
        except pa.ArrowInvalid as error:
            visit.answer(Refused(parcel.id, "bad_parcel", str(error), again=False))
            return
        try:
            futures = [self._submitted(delivery) for delivery in deliveries]
        except QuintetError as error:
            visit.answer(_refused(parcel.id, error))
            return
        taken = [future for future in futures if future is not None]
        if len(taken) == len(futures):
            visit.promise(parcel, taken)

    def _submitted(self, delivery: Delivery) -> Future[Outcome] | None:
        """Queue a delivery, however long that takes; None when the owner ends before."""
        while not self._ending.is_set():
            try:
                return self._submit(delivery)
            except Busy:
                self._ending.wait(serving_limits().intake_busy_ms / 1000)
        return None


class _Visit:
    """One door's connection: the answers that it is owed, written in a thread of their own."""

    def __init__(self, line: socket.socket) -> None:
        self.door = ""
        self.reported_us = 0
        self._line = line
        self._answers: SimpleQueue[FromOwner | None] = SimpleQueue()
        self._turn = threading.Condition()
        self._owed = 0
        self._writer = threading.Thread(target=self._write, name="intake-answers", daemon=True)
        self._writer.start()

    def answer(self, answer: FromOwner) -> None:
        """Say something to the door."""
        self._answers.put(answer)

    def promise(self, parcel: Parcel, futures: list[Future[Outcome]]) -> None:
        """Answer a parcel when the commits of all its parts are over."""
        left = len(futures)
        with self._turn:
            self._owed += 1

        def one_less(_: object) -> None:
            nonlocal left
            with self._turn:
                left -= 1
                if left:
                    return
            self._keep(parcel, futures)

        if not futures:
            self._keep(parcel, futures)
        for future in futures:
            future.add_done_callback(one_less)

    def end(self) -> None:
        """Wait for what is owed, as long as that may take, then end the writer."""
        with self._turn:
            self._turn.wait_for(lambda: self._owed == 0, serving_limits().intake_end_s)
        self._answers.put(None)
        self._writer.join(serving_limits().intake_end_s)

    def _keep(self, parcel: Parcel, futures: list[Future[Outcome]]) -> None:
        self.answer(_answer(parcel, futures))
        with self._turn:
            self._owed -= 1
            self._turn.notify_all()

    def _write(self) -> None:
        while (answer := self._answers.get()) is not None:
            with suppress(OSError):  # a door that is gone sends its parcels again
                self._line.sendall(framed(answer))


def _receive(line: socket.socket) -> tuple[bytearray, bytearray]:
    head_bytes, body_bytes = LENGTHS.unpack(_exactly(line, LENGTHS.size))
    if head_bytes > serving_limits().intake_head_bytes or body_bytes > LARGEST_BODY:
        raise link.Gone
    return _exactly(line, head_bytes), _exactly(line, body_bytes)


def _exactly(line: socket.socket, count: int) -> bytearray:
    parts = bytearray(count)
    view, at = memoryview(parts), 0
    while at < count:
        try:
            read = line.recv_into(view[at:])
        except OSError as error:
            raise link.Gone from error
        if not read:
            raise link.Gone
        at += read
    return parts


def _deliveries(parcel: Parcel, body: bytearray) -> list[Delivery]:
    """Give the parts of a parcel; raises ArrowInvalid when its tables are none, or not those of its parts."""
    view = memoryview(body)
    readings = unpacked(view[: parcel.readings_bytes])
    refused = unpacked(view[parcel.readings_bytes :]) if len(body) > parcel.readings_bytes else NOTHING_REFUSED
    if readings.num_rows != sum(part.readings for part in parcel.parts):
        raise pa.ArrowInvalid("the parts are not those of the readings")
    if refused.num_rows != sum(part.refused for part in parcel.parts):
        raise pa.ArrowInvalid("the parts are not those of what was refused")
    readings = readings.combine_chunks()
    good = bad = 0
    deliveries: list[Delivery] = []
    for part in parcel.parts:
        deliveries.append(
            Delivery(
                readings=readings.slice(good, part.readings),
                refused=refused.slice(bad, part.refused) if part.refused else NOTHING_REFUSED,
                source=part.source,
                actor=parcel.actor,
                shapes=frozenset(Shape(field, kind) for field, kind in part.shapes),
                in_order=True,
            )
        )
        good, bad = good + part.readings, bad + part.refused
    return deliveries


def _answer(parcel: Parcel, futures: list[Future[Outcome]]) -> FromOwner:
    """Say Done when all parts are durable; else what is wrong with one, a lasting fault before a passing one."""
    refusals: list[Refused] = []
    for future in futures:
        try:
            error = future.exception()
        except CancelledError:
            refusals.append(Refused(parcel.id, "owner_gone", "the owner is ending", again=True))
            continue
        if error is not None:
            refusals.append(_refused(parcel.id, error))
    if refusals:
        return min(refusals, key=lambda one: one.again)
    outcomes = [future.result() for future in futures]
    total = sum((outcome.receipt for outcome in outcomes), Receipt())
    wanted = [
        _part_done(place, outcome)
        for place, (part, outcome) in enumerate(zip(parcel.parts, outcomes, strict=True))
        if part.receipt
    ]
    return Done(parcel.id, total.accepted, total.duplicate, total.quarantined, wanted)


def _part_done(place: int, outcome: Outcome) -> PartDone:
    said = outcome.receipt
    named: list[tuple[int, str, str]] = []
    if said.quarantined:
        rows = outcome.problems.slice(0, mqtt_limits().receipts.most_problems).to_pylist()
        named = [(row["row"], row["code"], row["reason"]) for row in rows]
    return PartDone(place, said.accepted, said.duplicate, said.quarantined, named)


def _refused(number: int, error: BaseException) -> Refused:
    """Say a failure; what the city cannot take now may come again, what it cannot take at all must not."""
    if not isinstance(error, Exception):
        return Refused(number, "owner_gone", "the owner is ending", again=True)
    failure = explain(error)
    return Refused(
        number, failure.code, failure.line(), again=not isinstance(error, BadInput) and failure.code != UNEXPECTED
    )
