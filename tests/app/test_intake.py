"""The owner's side of the doors' socket: answers only what is durable, holds back when full, says what went wrong."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from tests.mqtt_stand import PATIENCE_S, Stand, wait_for

from quintet.app.intake import Intake
from quintet.ingest.frames import (
    LENGTHS,
    VERSION,
    Done,
    DoorState,
    FromOwner,
    GoAway,
    Hello,
    Parcel,
    Part,
    Refused,
    Report,
    framed,
    from_owner,
    packed,
)
from quintet.pipeline.bounds import limits
from quintet.pipeline.delivery import Delivery, Outcome, Receipt
from quintet.pipeline.grouping import Committer
from quintet.terms.errors import BadInput, CityError, QuintetError
from quintet.terms.tables import QUARANTINE, READINGS

READING = {"site": "s0", "meter": "m1", "at": 1_767_225_600_000_000, "value": 1.5, "row": 1}


class Groups:
    """Stands where the pipeline stands: does what the test says, so that a city in trouble can be played."""

    def __init__(self, *plan: Exception | threading.Event | None) -> None:
        self.plan = list(plan)
        self.taken: list[Delivery] = []

    def warm(self) -> None:
        """Have nothing to work out."""

    def prepared(self, delivery: Delivery) -> Delivery:
        return delivery

    def commit_some(self, deliveries: list[Delivery]) -> list[Outcome | QuintetError]:
        step = self.plan.pop(0) if self.plan else None
        if isinstance(step, threading.Event):
            step.wait(PATIENCE_S)
        elif step is not None:
            raise step
        self.taken.append(deliveries[0])
        return [Outcome(len(self.taken), Receipt(accepted=deliveries[0].rows), QUARANTINE.empty_table())]


class Caller:
    """A door's end of the socket."""

    def __init__(self, path: Path, door: str = "mqtt-0", version: int = VERSION) -> None:
        self.state = DoorState(door, 0, "b:1", connected=True, reported_us=1)
        self.line = socket.socket(socket.AF_UNIX)
        self.line.settimeout(PATIENCE_S)
        self.line.connect(str(path))
        self.line.sendall(framed(Hello(version, self.state)))

    def send(self, number: int, rows: list[dict[str, object]]) -> None:
        readings = packed(pa.Table.from_pylist(rows, READINGS))
        part = Part("mqtt:quintet", len(rows), 0, [("value", "number")])
        head = Parcel(number, "mqtt", len(readings), [part], self.state)
        self.line.sendall(framed(head, readings + packed(QUARANTINE.empty_table())))

    def hear(self) -> FromOwner:
        head, body = LENGTHS.unpack(self.line.recv(LENGTHS.size, socket.MSG_WAITALL))
        return from_owner.decode(self.line.recv(head + body, socket.MSG_WAITALL))


Open = Callable[..., Caller]
Begin = Callable[..., tuple[Intake, Open, Committer]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Begin]:
    """Give a function that opens an intake over a committer that does what the test says."""
    ends: list[Callable[[], object]] = []

    def begin(groups: Groups, **bounds: int) -> tuple[Intake, Open, Committer]:
        known = limits()
        small = known.__class__(**{name: bounds.get(name, getattr(known, name)) for name in known.__slots__})
        committer = Committer(groups, small)
        committer.start()
        intake = Intake(tmp_path / "run" / "ingest.sock", committer.submit)
        intake.start()
        ends.append(lambda: (intake.stop(), committer.stop(PATIENCE_S)))

        def call(*what: object) -> Caller:
            caller = Caller(tmp_path / "run" / "ingest.sock", *what)  # pyright: ignore[reportArgumentType]
            ends.insert(0, caller.line.close)
            return caller

        return intake, call, committer

    yield begin
    for end in ends:
        end()


def test_a_parcel_is_answered_when_it_is_stored(tmp_path: Path) -> None:
    stand = Stand(tmp_path / "city")
    try:
        caller = Caller(stand.folder / "run" / "ingest.sock")
        caller.send(7, [READING, {**READING, "meter": "nobody", "row": 2}])
        assert caller.hear() == Done(7, 1, 0, 1)
        assert stand.stored() == 1
        caller.send(8, [READING])
        answer = caller.hear()
        assert isinstance(answer, Done)
        assert (answer.accepted, answer.duplicate) == (0, 1)
        caller.line.close()
    finally:
        stand.close()


def test_the_socket_is_private(opened: Begin, tmp_path: Path) -> None:
    opened(Groups())
    assert (tmp_path / "run" / "ingest.sock").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "run").stat().st_mode & 0o077 == 0
    assert os.geteuid() == (tmp_path / "run").stat().st_uid


def test_a_full_city_is_told_apart_from_a_bad_parcel(opened: Begin) -> None:
    groups = Groups(
        CityError("the disk is full.", code="disk_full"), BadInput("no.", code="bad_row"), ZeroDivisionError()
    )
    _, call, _ = opened(groups)
    caller = call()
    answers: list[FromOwner] = []
    for number in range(4):
        caller.send(number, [READING])
        answers.append(caller.hear())
    assert [(type(answer), getattr(answer, "again", None)) for answer in answers] == [
        (Refused, True),
        (Refused, False),
        (Refused, False),
        (Done, None),
    ]
    assert isinstance(answers[0], Refused)
    assert answers[0].code == "disk_full"
    assert "ZeroDivisionError" in answers[2].message  # pyright: ignore[reportAttributeAccessIssue]


def test_a_full_queue_holds_the_door_back_and_loses_nothing(opened: Begin) -> None:
    gate = threading.Event()
    groups = Groups(gate)
    _, call, committer = opened(groups, queue_rows=2)
    caller = call()
    sender = threading.Thread(target=lambda: [caller.send(number, [READING]) for number in range(20)])
    sender.start()
    wait_for(lambda: committer.stats.busy_refusals > 0, "a full queue")
    gate.set()
    assert [caller.hear().id for _ in range(20)] == list(range(20))  # pyright: ignore[reportAttributeAccessIssue]
    sender.join()


def test_torn_and_foreign_frames_end_that_line_only(opened: Begin) -> None:
    intake, call, _ = opened(Groups())
    good, torn = call("mqtt-1"), call("mqtt-2")
    torn.line.sendall(LENGTHS.pack(4, 0) + b"\xc1\xc1\xc1\xc1")
    assert torn.line.recv(1) == b""
    head = Parcel(1, "mqtt", 3, [], good.state)
    good.line.sendall(framed(head, b"nonsense"))
    answer = good.hear()
    assert isinstance(answer, Refused)
    assert (answer.code, answer.again) == ("bad_parcel", False)
    good.send(2, [READING])
    assert isinstance(good.hear(), Done)
    wait_for(lambda: [state.connected for state in intake.doors()] == [True, False], "a door that is known to be gone")


def test_a_door_of_another_version_is_sent_away(opened: Begin) -> None:
    _, call, _ = opened(Groups())
    caller = call("mqtt-0", VERSION + 1)
    assert isinstance(caller.hear(), GoAway)
    assert caller.line.recv(1) == b""


def test_what_doors_report_is_known(opened: Begin) -> None:
    intake, call, _ = opened(Groups())
    caller = call()
    later = DoorState("mqtt-0", 0, "b:1", messages=12, in_flight=3, oldest_unacknowledged_s=1.5, reported_us=2)
    caller.line.sendall(framed(Report(later)))
    wait_for(lambda: intake.doors() == [later], "the report")


def test_what_was_taken_is_answered_before_the_owner_ends(opened: Begin) -> None:
    gate = threading.Event()
    intake, call, _ = opened(Groups(gate))
    caller = call()
    caller.send(1, [READING])
    threading.Timer(0.2, gate.set).start()
    wait_for(lambda: bool(intake.doors()), "the door")
    assert isinstance(caller.hear(), Done)
    intake.stop()
    assert caller.line.recv(1) == b""
