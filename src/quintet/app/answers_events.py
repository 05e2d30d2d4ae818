"""Operations on what is stated beside the readings: outages and the like."""

from typing import Any

from quintet.pipeline.edits import Person
from quintet.registry import Registry
from quintet.store.events import Event, Kind, append_event, events, history, kinds, withdraw_event
from quintet.terms.clock_offset import offset_us_of
from quintet.terms.errors import BadInput, NotFound, UsageError
from quintet.terms.period import from_us, parse_moment, to_us
from quintet.vee import device_flags

from .answer import Answer, Progress, document_of
from .asked_known import known_batch_of
from .cells import local, plain, rows_of
from .city import City
from .requests import EventAdd, EventList, EventWithdraw

FLAGGING = "device_flag"
"""The kind of event whose detail is a device's flag."""
CLOCK = "clock_offset"
"""The kind of event whose detail is by how much a device's clock is off."""
UNFLAGGED = "No flag is named with --detail: it is kept, and no rule asks for it."
COLUMNS = ["id", "kind", "place", "channel", "from", "to", "by", "reason", "detail"]


def event_add(city: City, asked: EventAdd, _progress: Progress) -> Answer:
    """State an event of a place or a channel."""
    registry = city.registry()
    person = Person(asked.by, asked.reason)
    known = known_kind(asked.kind)
    if (asked.place is None) == (asked.channel is None):
        raise UsageError("an event is of one place or of one channel.", code="bad_event", remedy="Name one of them.")
    if known.of != "either" and (asked.channel is None) != (known.of == "place"):
        raise UsageError(f"{asked.kind} is stated of a {known.of}.", code="bad_event", remedy=f"Give --{known.of}.")
    if asked.place is not None:
        registry.need_place(asked.place)
    channel = None if asked.channel is None else registry.channel_by_name(asked.channel).id
    start = to_us(parse_moment(asked.start, registry.tz))
    end = None if asked.end is None else to_us(parse_moment(asked.end, registry.tz))
    refuse_strange_flag(asked.kind, asked.detail)
    if end is not None and end <= start:
        raise UsageError("it ends before it begins.", code="bad_range", place="--to")
    by, reason = person.by.strip(), person.reason.strip()
    event = Event(asked.kind, start, end, by, reason, asked.place, channel, asked.detail)
    with city.engine.writing("event", asked.via or "event", by, city.now()) as writing:
        number = append_event(writing, event)
    notes = [UNFLAGGED] if asked.kind == FLAGGING and not asked.detail else []
    return _one(city, number, [*notes, f"Take it back with `quintet event withdraw {number}`."])


def refuse_strange_flag(kind: str, detail: str) -> None:
    """Raise BadInput where a device flag's detail is no flag that any rule knows, or a clock's is no offset."""
    if kind == FLAGGING and detail and detail not in device_flags():
        raise BadInput(
            f"{detail!r} is no flag.",
            code="unknown_flag",
            place="--detail",
            remedy=f"Known: {', '.join(device_flags())}.",
        )
    if kind == CLOCK and offset_us_of(detail) is None:
        raise BadInput(
            f"{detail!r} is no offset of a clock.",
            code="bad_offset",
            place="--detail",
            remedy="Say by how much the device's clock is ahead, as 4min or -90s.",
        )


def event_withdraw(city: City, asked: EventWithdraw, _progress: Progress) -> Answer:
    """Take an event back."""
    person = Person(asked.by, asked.reason)
    with city.engine.exclusive():
        with city.engine.snapshot() as snapshot:
            said = history(snapshot, asked.id).to_pylist()
            stands = events(snapshot, numbers=[asked.id]).num_rows
        if not said or said[0]["id"] != asked.id:
            raise NotFound(f"there is no event {asked.id}.", code="no_such_event", remedy="See `quintet event list`.")
        if not stands:
            raise BadInput(
                "does not stand: it was withdrawn, or is a withdrawal.",
                code="already_withdrawn",
                place=f"event {asked.id}",
                remedy="Nothing was changed.",
            )
        by, reason = person.by.strip(), person.reason.strip()
        with city.engine.writing("event", asked.via or "event", by, city.now()) as writing:
            withdraw_event(writing, asked.id, actor=by, reason=reason)
    return _one(city, asked.id, ["It was withdrawn."])


def event_list(city: City, asked: EventList, _progress: Progress) -> Answer:
    """Give the events that stand and touch a range and a place, as known now or at a moment."""
    registry = city.registry()
    if asked.kind is not None:
        known_kind(asked.kind)
    low, high = (None if text is None else to_us(parse_moment(text, registry.tz)) for text in (asked.start, asked.end))
    if low is not None and high is not None and high <= low:
        raise UsageError("the range ends before it begins.", code="bad_range", place="--to")
    with city.engine.snapshot() as snapshot:
        known = known_batch_of(city, snapshot, asked.known_at)
        found = events(snapshot, None if asked.kind is None else [asked.kind], low, high, known).to_pylist()
    if asked.place is not None:
        near = {*registry.tree.path(asked.place), *registry.descendants(asked.place)}
        found = [row for row in found if _place_of(registry, row) in near]
    rows = [_row(city, row) for row in found]
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of({"events": plain(rows)}), title=f"{len(rows)} events")


def known_kind(code: str) -> Kind:
    """Give a kind of event; raises UsageError for one that is none, with those that are."""
    found = kinds().get(code)
    if found is None:
        raise UsageError(f"there is no event {code!r}.", code="bad_event", remedy=f"Known: {', '.join(kinds())}.")
    return found


def _place_of(registry: Registry, row: dict[str, Any]) -> str | None:
    """Name the place that an event is of; of a channel, the one where it stands."""
    if row["channel"] is None:
        return row["place"]
    return registry.place_of(row["channel"])


def _one(city: City, number: int, notes: list[str]) -> Answer:
    with city.engine.snapshot() as snapshot:
        row = _row(city, history(snapshot, number).to_pylist()[0])
    return Answer(COLUMNS, rows_of(COLUMNS, [row]), document_of(plain(row)), notes=notes)


def _row(city: City, row: dict[str, Any]) -> dict[str, Any]:
    """Give an event as it is shown."""
    registry = city.registry()
    names = {number: name for name, number in registry.channel_ids.items()}
    end = row["until_us"]
    return {
        "id": row["id"], "kind": row["kind"], "place": row["place"],
        "channel": None if row["channel"] is None else names.get(row["channel"]),
        "from": local(from_us(row["from_us"]), registry.tz),
        "to": None if end is None else local(from_us(end), registry.tz),
        "by": row["actor"], "reason": row["reason"], "detail": row["detail"],
    }  # fmt: skip
