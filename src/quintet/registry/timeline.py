"""Timelines: the dated statements about one thing, and the difference between what was said and what shall be said."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from quintet.store.records import ALWAYS, FOREVER, Record

Body = dict[str, Any]
Timeline = tuple[tuple[int, Body | None], ...]
"""Statements in order of time: (valid_from_us, body); None means that the thing ended."""
Timelines = Mapping[str, Timeline]


class Segment(NamedTuple):
    """What held from `start_us` until `end_us` (half-open, microseconds since 1970 UTC)."""

    start_us: int
    end_us: int
    body: Body


def segments(timeline: Timeline) -> list[Segment]:
    """Give the stretches in which a thing existed; neighbours that say the same are joined."""
    if len(timeline) == 1:
        start, body = timeline[0]
        return [] if body is None else [Segment(start, FOREVER, body)]
    out: list[Segment] = []
    for index, (start, body) in enumerate(timeline):
        if body is None:
            continue
        end = timeline[index + 1][0] if index + 1 < len(timeline) else FOREVER
        if out and out[-1].end_us == start and out[-1].body == body:
            out[-1] = Segment(out[-1].start_us, end, body)
        else:
            out.append(Segment(start, end, body))
    return out


def statements(parts: Iterable[Segment]) -> Timeline:
    """Give the statements that say these stretches, in order of time: the inverse of `segments`."""
    out: list[tuple[int, Body | None]] = []
    for part in parts:
        if out and out[-1] == (part.start_us, None):
            out.pop()
        out.append((part.start_us, part.body))
        if part.end_us != FOREVER:
            out.append((part.end_us, None))
    return tuple(out)


def body_at(timeline: Timeline, moment_us: int) -> Body | None:
    """Give what held at a moment; None before the first statement and after the end."""
    held: Body | None = None
    for start, body in timeline:
        if start > moment_us:
            break
        held = body
    return held


def last_body(timeline: Timeline) -> Body | None:
    """Give what was said last of a thing, even when it has ended since; None when nothing but an end was ever said."""
    for _, body in reversed(timeline):
        if body is not None:
            return body
    return None


def clip(parts: Iterable[Segment], start_us: int, end_us: int) -> list[Segment]:
    """Keep what lies within [start, end)."""
    return [
        Segment(max(part.start_us, start_us), min(part.end_us, end_us), part.body)
        for part in parts
        if max(part.start_us, start_us) < min(part.end_us, end_us)
    ]


def ended(parts: Sequence[Segment], at_us: int) -> list[Segment]:
    """End a thing at a moment. One that begins later keeps a microsecond, so that what it was stays known."""
    return clip(parts, ALWAYS, max(at_us, parts[0].start_us + 1)) if parts else []


def restate(kind: str, key: str, said: Timeline, wanted: Timeline) -> list[Record]:
    """Give the records that turn what was said into what shall be said; nothing when both say the same.

    A statement cannot be taken back, only said again: where the old timeline speaks and the new one does not, the new
    one's content at that moment is stated there.
    """
    if not said:
        return [Record(kind, key, moment, body) for moment, body in wanted]
    before, after = dict(said), dict(wanted)
    out: list[Record] = []
    for moment in sorted(before.keys() | after.keys()):
        body = body_at(wanted, moment)
        if moment in before:
            if before[moment] != body:
                out.append(Record(kind, key, moment, body))
        elif body_at(said, moment) != body or out:
            out.append(Record(kind, key, moment, body))
    return out


def collect(records: Iterable[Record]) -> dict[str, dict[str, Timeline]]:
    """Sort believed records (in order of kind, key, valid_from) into timelines by kind and key."""
    out: dict[str, dict[str, Timeline]] = {}
    for record in records:
        things = out.setdefault(record.kind, {})
        said = things.get(record.key)
        statement = (record.valid_from_us, record.body)
        things[record.key] = (statement,) if said is None else merged(said, statement)
    return out


def merged(said: Timeline, statement: tuple[int, Body | None]) -> Timeline:
    """Add one statement to a timeline; it replaces one of the same moment."""
    if said[-1][0] < statement[0]:
        return (*said, statement)
    together = dict(said)
    together[statement[0]] = statement[1]
    return tuple(sorted(together.items(), key=lambda item: item[0]))
