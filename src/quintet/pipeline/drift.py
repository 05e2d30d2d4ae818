"""What fields each source sends, and what of that changes: seen and told, never in the way of a reading."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from quintet.store.engine import Snapshot, Writing
from quintet.store.shapes import Change, append_changes, append_shapes, read_shapes, read_vanished

from .bounds import limits
from .delivery import Delivery, Shape

OPTIONAL = frozenset(("unit", "commodity", "ts_utc", "ts_us", "sent_at", "sent_at_us"))
"""Fields of ours that come and go: none of them is another one's new name, or has one."""
EMPTY = "null"
"""The kind of a field that is there without a value: it says nothing of the field's kind."""


@dataclass(slots=True)
class Source:
    """The fields of one source: their kinds, and at which of its deliveries each was last seen (None: vanished).

    `born`: at which delivery since the start a field came that a source may call as it likes.
    """

    kinds: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    last: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    deliveries: int = 0
    shapes: frozenset[Shape] = frozenset()
    born: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True)
class Seen:
    """What a group brings: fields seen for the first time, changes, and the sources' state after it."""

    fields: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    changes: list[Change] = field(default_factory=list[Change])
    after: dict[str, Source] = field(default_factory=dict[str, Source])

    def __bool__(self) -> bool:
        """Say whether there is anything to keep."""
        return bool(self.fields or self.changes)


class Drift:
    """Remembers the fields of every source. A cache of the store's `shape` and `drift`."""

    def __init__(self) -> None:
        """Know no source."""
        self._sources: dict[str, Source] = {}

    @classmethod
    def load(cls, snapshot: Snapshot) -> Self:
        """Read what was seen; when each field was last seen is counted anew."""
        out = cls()
        for name, one, kind in read_shapes(snapshot):
            source = out._sources.setdefault(name, Source())
            source.kinds.setdefault(one, set()).add(kind)
            source.last[one] = 0
        for name, one in read_vanished(snapshot):
            if name in out._sources:
                out._sources[name].last[one] = None
        return out

    def compare(self, deliveries: Iterable[Delivery]) -> Seen:
        """Compare deliveries with what their sources sent before; nothing is remembered yet."""
        seen = Seen()
        for delivery in deliveries:
            if delivery.shapes:
                self._take(delivery, seen)
        if not seen:
            self.remember(seen)
        return seen

    def append(self, writing: Writing, seen: Seen) -> None:
        """Keep what `compare` found as part of a batch."""
        append_shapes(writing, seen.fields)
        append_changes(writing, seen.changes)

    def remember(self, seen: Seen) -> None:
        """Take a durable group into account."""
        self._sources.update(seen.after)

    def _take(self, delivery: Delivery, seen: Seen) -> None:
        """Compare one delivery with the source as it is after those before it."""
        name = delivery.source
        source = seen.after.get(name)
        if source is None:
            known = self._sources.get(name)
            if known is None and len(self._sources) + len(seen.after) >= limits().shape_sources:
                return
            source = seen.after[name] = _copy(known or Source())
        first = not source.kinds
        source.deliveries += 1
        if delivery.shapes != source.shapes or source.deliveries % limits().vanished_after == 0:
            _compare(name, source, delivery.shapes, seen, first=first)
            source.shapes = delivery.shapes
        # a field of the same shapes as the time before was seen now: told apart when the shapes change


def _copy(source: Source) -> Source:
    kinds = {name: set(kinds) for name, kinds in source.kinds.items()}
    return Source(kinds, dict(source.last), source.deliveries, source.shapes, dict(source.born))


def _compare(name: str, source: Source, shapes: frozenset[Shape], seen: Seen, *, first: bool) -> None:
    """Find what changed of one source's fields."""
    for shape in source.shapes:  # the shapes of all deliveries since the last comparison, but for this one
        source.last[shape.field] = source.deliveries - 1 if shape.field in source.last else None
    here = {shape.field for shape in shapes}
    for shape in sorted(shapes, key=lambda one: (one.field, one.kind)):
        kinds = source.kinds.get(shape.field)
        back = source.last.get(shape.field, 0) is None
        if kinds is None:
            if len(source.kinds) >= limits().source_fields:
                continue
            if not first:
                seen.changes.append(Change(name, "new", shape.field, shape.kind))
                if shape.field not in OPTIONAL:
                    source.born[shape.field] = source.deliveries
            kinds = source.kinds[shape.field] = set()
        elif back:
            seen.changes.append(Change(name, "back", shape.field, shape.kind))
        elif shape.kind not in kinds and shape.kind != EMPTY and kinds - {EMPTY}:
            was = ", ".join(sorted(kinds - {EMPTY}))
            seen.changes.append(Change(name, "retyped", shape.field, shape.kind, was))
        if shape.kind not in kinds:
            kinds.add(shape.kind)
            seen.fields.append((name, shape.field, shape.kind))
        source.last[shape.field] = source.deliveries
    lasts = [(one, last) for one, last in source.last.items() if last is not None and one not in here]
    for one, last in lasts:
        if source.deliveries - last >= limits().vanished_after:
            heir = _heir(one, last, [other for other, then in lasts if then == last], source)
            source.last[one] = None
            kind = ", ".join(sorted(source.kinds[one]))
            seen.changes.append(
                Change(name, "renamed", heir, kind, one) if heir else Change(name, "vanished", one, kind)
            )


def _heir(old: str, last: int, gone: list[str], source: Source) -> str:
    """Give the one field that came when another left for good, "" where that is not one and one.

    `last` is the delivery that had the old one last, `gone` the fields that left with it.
    """
    kinds = source.kinds[old] - {EMPTY}
    stays = [one for one, when in source.born.items() if when == last + 1 and source.last.get(one) is not None]
    came = [one for one in stays if kinds & source.kinds[one]]
    left = [one for one in gone if one not in OPTIONAL and kinds & source.kinds[one]]
    return came[0] if len(came) == 1 and left == [old] else ""
