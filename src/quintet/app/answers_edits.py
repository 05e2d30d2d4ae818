"""Operations by which a person edits values, takes an edit back, and sees which edits there are."""

import fnmatch
import json
from dataclasses import asdict
from typing import Any

import numpy as np

from quintet.pipeline.edit_spans import Order, Picked, Values
from quintet.pipeline.edits import Edited, Person
from quintet.registry import Registry
from quintet.store.audit import canonical
from quintet.store.edits import StoredEdit, edits, spans_of
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import day_of_number, from_us, parse_moment, to_us
from quintet.terms.quality import qualities, qualities_by_id
from quintet.terms.unit import Unit

from .answer import Answer, Progress, document_of
from .asked_known import known_batch_of
from .cells import local, plain, rows_of
from .city import City
from .edit_values import sub_units
from .requests import EditList, EditMake, EditUndo

ROWS = ["channel", "start", "before", "before_quality", "after", "after_quality", "unit"]
LISTED = ["id", "at", "action", "by", "reason", "channels", "from", "to", "intervals", "undoes", "undone_by"]
SHOWN = 1_000
"""Intervals that an answer shows; all of them count, and the days' sums tell of all."""
NAMED = 3
"""Channels that the list names of one edit."""
MISSING = "missing"


def edit_make(city: City, asked: EditMake, _progress: Progress) -> Answer:
    """Do an edit, or with `dry_run` show what it would do."""
    registry = city.registry()
    person = Person(asked.by, asked.reason)
    order = order_of(registry, asked)
    told = {name: said for name, said in _asked(asked).items() if said not in (None, False)}
    done = city.pipeline.edits.make(order, person, canonical(told), dry_run=asked.dry_run)
    return _answer(registry, done, asked.action, dry_run=asked.dry_run)


def edit_undo(city: City, asked: EditUndo, _progress: Progress) -> Answer:
    """Take an edit back, or with `dry_run` show what would stand then."""
    told = canonical({"via": asked.via} if asked.via else {})
    done = city.pipeline.edits.undo(asked.id, Person(asked.by, asked.reason), told, dry_run=asked.dry_run)
    return _answer(city.registry(), done, "undo", dry_run=asked.dry_run)


def edit_list(city: City, asked: EditList, _progress: Progress) -> Answer:
    """Give the edits, newest first."""
    registry = city.registry()
    wanted = None if asked.channel is None else registry.channel_by_name(asked.channel).id
    with city.engine.snapshot() as snapshot:
        known = known_batch_of(city, snapshot, asked.known_at)
        every = [
            one for one in reversed(edits(snapshot, known_batch=known)) if asked.before is None or one.id < asked.before
        ]
        names = {number: name for name, number in registry.channel_ids.items()}
        rows: list[dict[str, Any]] = []
        more = False
        for one in every:
            spans = spans_of(snapshot, one.id)
            if wanted is not None and wanted not in spans["channel"].to_pylist():
                continue
            more = len(rows) == asked.limit
            if more:
                break
            rows.append(_listed(one, spans.to_pylist(), names, registry))
    last = rows[-1]["id"] if more else None
    notes = [] if last is None else [f"There are more: --before {last}."]
    document = document_of({"edits": plain(rows), "next": last})
    return Answer(LISTED, rows_of(LISTED, rows), document, numbers=["intervals"], notes=notes)


def _asked(asked: EditMake) -> dict[str, Any]:
    """Give what was asked, as the edit keeps it: who and why stand beside it."""
    return {
        "channel": asked.channel, "place": asked.place, "from": asked.start, "to": asked.end, "quality": asked.quality,
        "rule": asked.rule, "value": asked.value, "values": asked.values, "keep_total": asked.keep_total,
        "via": asked.via or None,
    }  # fmt: skip


def order_of(registry: Registry, asked: EditMake) -> Order:
    """Read an order as a person gave it; raises UsageError, NotFound or BadInput where it cannot be understood."""
    channels = channels_of(registry, asked.channel, asked.place)
    start, end = (to_us(parse_moment(text, registry.tz)) for text in (asked.start, asked.end))
    quality = None if asked.quality is None else quality_of(asked.quality)
    picked = Picked(np.array(sorted(channels.values()), np.int32), start, end, quality, asked.rule)
    value, values = None, None
    if asked.value is not None:
        value = sub_units(asked.value, one_unit(registry, list(channels)), "--value")
    if asked.values is not None:
        unit = one_unit(registry, list(channels))
        pairs = sorted((to_us(parse_moment(at, registry.tz)), sub_units(text, unit, f"--values, {at}"))
                       for at, text in asked.values)  # fmt: skip
        if not pairs or len({at for at, _ in pairs}) < len(pairs):
            raise UsageError("it names no interval, or one twice.", code="bad_values", place="--values")
        values = Values(*np.array(pairs, np.int64).T)
    return Order(asked.action, picked, value, values, asked.keep_total)


def channels_of(registry: Registry, pattern: str | None, place: str | None) -> dict[str, int]:
    """Give the channels (name, number) that a name or pattern and a place mean together; both None is refused."""
    if pattern is None and place is None:
        raise UsageError("neither a channel nor a place is named.", code="no_channel", remedy="Name one of them.")
    if pattern is not None and not any(sign in pattern for sign in "*?["):
        known = {pattern: registry.channel_by_name(pattern).id}
    else:
        names = registry.channel_ids
        known = {name: names[name] for name in names if pattern is None or fnmatch.fnmatchcase(name, pattern)}
    if place is not None:
        inside = registry.descendants(place)
        known = {name: number for name, number in known.items() if registry.place_of(number) in inside}
    if not known:
        raise NotFound(
            f"no channel is meant by {pattern or 'all'}" + (f" at {place}." if place else "."),
            code="unknown_channel",
            remedy="See `quintet meters list`.",
        )
    return known


def quality_of(code: str) -> int:
    """Give the number of a quality, 0 for `missing`."""
    if code == MISSING:
        return 0
    known = qualities().get(code)
    if known is None:
        names = ", ".join([MISSING, *(name for name in qualities() if name not in ("withdrawn", "edit_withdrawn"))])
        raise UsageError(f"there is no quality {code!r}.", code="bad_quality", remedy=f"Known: {names}.")
    return known.id


def one_unit(registry: Registry, channels: list[str]) -> Unit:
    """Give the unit that channels are shown in; raises UsageError where they differ."""
    found = {unit_of(registry, name).code: unit_of(registry, name) for name in channels}
    if len(found) > 1:
        raise UsageError(
            f"these channels are in {', '.join(sorted(found))}: one value cannot stand in all.",
            code="several_units",
            remedy="Edit those of one unit at a time.",
        )
    return next(iter(found.values()))


def unit_of(registry: Registry, name: str) -> Unit:
    """Give the unit that a channel's values are shown in."""
    channel = registry.channel_by_name(name)
    return registry.commodities[channel.reading.commodity].display_unit(channel.quantity)


def _answer(registry: Registry, done: Edited, action: str, *, dry_run: bool) -> Answer:
    """Tell what an edit did or would do."""
    names = {number: name for name, number in registry.channel_ids.items()}
    own = {number: unit_of(registry, names[number]) for number in np.unique(done.plan.after.channel).tolist()}
    rows, days = _rows(done, names, own, registry), _days(done, names, own)
    document = {
        "id": done.id, "batch": done.batch, "action": action, "dry_run": dry_run, "intervals": len(done.plan.after),
        "days": plain(days), "rows": plain(rows),
    }  # fmt: skip
    notes = [f"{one['channel']} {one['day']}: {_signed(one['change'])} {one['unit']}" for one in days[:NAMED]]
    notes += [f"... and {len(days) - NAMED} more days of channels."] if len(days) > NAMED else []
    notes.append("Nothing was changed." if dry_run else f"Undo it with `quintet edit undo {done.id}`.")
    if action == "undo" and not dry_run:
        notes[-1] = f"This is edit {done.id}."
    count = len(done.plan.after)
    title = ("1 interval" if count == 1 else f"{count:,} intervals") + (
        "" if len(rows) == count else f", {len(rows)} shown"
    )
    return Answer(
        ROWS, rows_of(ROWS, rows), document_of(document), numbers=["before", "after"], title=title, notes=notes
    )


def _signed(change: Any) -> str:
    return f"{change:+f}"


def _rows(done: Edited, names: dict[int, str], own: dict[int, Unit], registry: Registry) -> list[dict[str, Any]]:
    """Give the intervals of an edit, the first SHOWN of them."""
    words = {code: quality.code for code, quality in qualities_by_id().items()} | {0: None}
    both = (done.plan.before.take(np.arange(min(len(done.plan.before), SHOWN))),
            done.plan.after.take(np.arange(min(len(done.plan.after), SHOWN))))  # fmt: skip
    columns = (both[0].channel, both[0].start_us, both[0].value, both[0].quality, both[1].value, both[1].quality)
    out: list[dict[str, Any]] = []
    for channel, start, old, was, new, now in zip(*(column.tolist() for column in columns), strict=True):
        unit = own[channel]
        out.append(
            {
                "channel": names[channel], "start": local(from_us(start), registry.tz),
                "before": None if not was else unit.to_decimal(old), "before_quality": words[was],
                "after": None if not now else unit.to_decimal(new), "after_quality": words[now], "unit": unit.code,
            }
        )  # fmt: skip
    return out


def _days(done: Edited, names: dict[int, str], own: dict[int, Unit]) -> list[dict[str, Any]]:
    """Give how the sum of each channel and day changes."""
    return [
        {
            "channel": names[row["channel"]], "day": day_of_number(row["day"]).isoformat(),
            "change": own[row["channel"]].to_decimal(row["value"]), "arrived": row["arrived"],
            "estimated": row["estimated"], "unit": own[row["channel"]].code,
        }
        for row in done.days.to_pylist()
    ]  # fmt: skip


def _listed(one: StoredEdit, spans: list[dict[str, Any]], names: dict[int, str], registry: Registry) -> dict[str, Any]:
    """Give an edit as the list shows it."""
    channels = sorted({names.get(row["channel"], str(row["channel"])) for row in spans})
    shown = channels if len(channels) <= NAMED else [*channels[:NAMED], f"+{len(channels) - NAMED}"]
    low, high = (
        min((row["from_us"] for row in spans), default=None),
        max((row["until_us"] for row in spans), default=None),
    )
    return {
        **{name: value for name, value in asdict(one).items() if name in ("id", "batch", "action", "reason", "undoes")},
        "at": local(from_us(one.received_us), registry.tz),
        "by": one.actor,
        "channels": shown,
        "from": None if low is None else local(from_us(low), registry.tz),
        "to": None if high is None else local(from_us(high), registry.tz),
        "intervals": one.rows,
        "undone_by": one.undone,
        "asked": json.loads(one.asked),
    }
