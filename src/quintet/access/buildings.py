"""What a building's work needs to know: meters that do not measure, what people said of them, exchanges and moves.

Ask inside `Access.asking` with `each=True`, which looks at the rights: what is told here is of single dwellings.
"""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from quintet.registry import Registry
from quintet.registry.timeline import last_body, segments
from quintet.registry.tree import LEVELS
from quintet.store.events import events
from quintet.store.exceptions import OPEN, Item, items
from quintet.store.findings import findings_between
from quintet.store.read import raw_readings
from quintet.store.records import ALWAYS, FOREVER

from .sets import Asked

DWELLING = LEVELS[-1]
REGISTER = "register"
"""What the kinds of values begin with of meters that have a register."""
ZERO_RULE = "zero_meter"
EMPTY = frozenset({"away", "thrift"})
"""Verdicts on a meter at zero by which it is sound."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One meter that an open exception is of. `item` is its number, `channels` how many meters share the cause.

    `shared` names the place of a shared cause, empty where it is above the place asked for. `rule`, `verdict`,
    `figures` and `reason` are of the newest finding; `won` is at stake since `since_us` (None: of several meters).
    """

    item: int
    kind: str
    channel: str
    place: str
    since_us: int
    until_us: int
    shared: str | None
    channels: int
    words: Mapping[str, str]
    rule: str
    verdict: str
    reason: str
    figures: Mapping[str, int]
    won: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """One event that somebody stated of a channel or a place (the other is empty), at `stated_us`."""

    number: int
    kind: str
    channel: str
    place: str
    from_us: int
    until_us: int | None
    detail: str
    actor: str
    reason: str
    stated_us: int


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A meter that took another's place; `last` and `first` tell whether their registers at that moment were stated.

    None: it has no register, so that there is nothing to state.
    """

    old: str
    new: str
    place: str
    commodity: str
    at_us: int
    last: bool | None
    first: bool | None


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody moved into a dwelling, or out of it."""

    place: str
    at_us: int
    into: bool


def judged_until(asked: Asked) -> int | None:
    """Give the first day of the newest week that was judged (days since 1970-01-01); None: nothing was."""
    rows = asked.snapshot.rows("select max(unit) from run_unit")
    return None if rows[0][0] is None else int(rows[0][0])


def standing_at(registry: Registry, place: str) -> dict[str, str]:
    """Give the channels that stand at a place or below, by name, and where each stands."""
    inside = registry.descendants(place)
    found = ((name, registry.place_of(number)) for name, number in registry.channel_ids.items())
    return {name: here for name, here in found if here in inside}


def faults(asked: Asked, place: str, kinds: Set[str] | None = None) -> list[Fault]:
    """Give the meters at a place and below that open exceptions are of, in order of channel and item.

    Of some kinds only, where these are named.
    """
    registry = asked.registry
    here = standing_at(registry, place)
    found = [item for item in items(asked.snapshot, known_batch=asked.batch) if item.state == OPEN]
    named = [item for item in found if kinds is None or item.kind in kinds]
    mine = [(item, name) for item in named for name in item.content["channels"] if name in here]
    newest = _newest(asked, mine)
    inside = registry.descendants(place)
    return sorted(
        (_fault(item, name, here[name], newest.get((item.id, name), {}), inside) for item, name in mine),
        key=lambda one: (one.channel, one.item),
    )


def _fault(item: Item, name: str, place: str, row: Mapping[str, Any], inside: Set[str]) -> Fault:
    content, detail = item.content, row.get("detail", {})
    count = len(content["channels"])
    shared = None if count == 1 else str(content["place"]) if content["place"] in inside else ""
    words = {key: str(content[key]) for key in ("name_en", "name_ko", "action_en", "action_ko")}
    plain = {key: value for key, value in detail.items() if isinstance(value, int)}
    return Fault(
        item.id, item.kind, name, place, item.since_us, int(content["until_us"]), shared, count, words,
        str(row.get("rule", "")), str(row.get("verdict", "")), str(detail.get("reason", "")),
        {**plain, **detail.get("figures", {})}, int(content["won"]) if count == 1 else None,
    )  # fmt: skip


def _newest(asked: Asked, mine: Sequence[tuple[Item, str]]) -> dict[tuple[int, str], dict[str, Any]]:
    """Give the newest finding behind each item and channel."""
    if not mine:
        return {}
    ids = asked.registry.channel_ids
    names = {ids[name]: name for _, name in mine}
    low = min(item.since_us for item, _ in mine)
    numbers = np.array(sorted(names), np.int32)
    rows = findings_between(asked.snapshot, numbers, low, asked.until_us, asked.batch).to_pylist()
    out: dict[tuple[int, str], dict[str, Any]] = {}
    rules = {item.id: {one["rule"] for one in item.content["evidence"]} for item, _ in mine}
    of: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda one: one["until_us"]):
        of.setdefault(names[row["channel"]], []).append(row)
    for item, name in mine:
        fitting = [row for row in of.get(name, ()) if row["rule"] in rules[item.id]]
        if fitting:
            out[item.id, name] = {**fitting[-1], "detail": json.loads(fitting[-1]["detail"])}
    return out


def sound_zeros(asked: Asked, place: str, since_us: int) -> dict[str, tuple[str, str, Mapping[str, int], int, int]]:
    """Give the meters at zero that are sound, for nobody is there or heats: verdict, reason, figures, from and until.

    What was found from `since_us` on counts, the newest of a channel.
    """
    registry = asked.registry
    names = {registry.channel_ids[name]: name for name in standing_at(registry, place)}
    numbers = np.array(sorted(names), np.int32)
    out: dict[str, tuple[str, str, Mapping[str, int], int, int]] = {}
    rows = findings_between(asked.snapshot, numbers, since_us, asked.until_us, asked.batch).to_pylist()
    for row in sorted(rows, key=lambda one: one["until_us"]):
        if row["rule"] == ZERO_RULE and row["verdict"] in EMPTY:
            detail = json.loads(row["detail"])
            said = (row["verdict"], str(detail["reason"]), detail["figures"], row["from_us"], row["until_us"])
            out[names[row["channel"]]] = said
    return out


def said_at(asked: Asked, place: str, kinds: Sequence[str], low_us: int | None, high_us: int | None) -> list[Said]:
    """Give the events of some kinds that stand and touch [low, high), of a place, what holds it, and what is in it."""
    registry = asked.registry
    inside, above = registry.descendants(place), set(registry.tree.path(place))
    names = {number: name for name, number in registry.channel_ids.items()}
    out: list[Said] = []
    rows = events(asked.snapshot, list(kinds), low_us, high_us, asked.batch).to_pylist()
    batches = sorted({row["batch"] for row in rows})
    stated = dict(asked.snapshot.rows("select id, received_us from batch where list_contains($1, id)", [batches]))
    for row in rows:
        channel = names.get(row["channel"], "") if row["channel"] is not None else ""
        here = registry.place_of(row["channel"]) if channel else row["place"]
        if here in inside or (not channel and here in above):
            out.append(
                Said(
                    row["id"], row["kind"], channel, "" if channel else str(row["place"]), row["from_us"],
                    row["until_us"], row["detail"], row["actor"], row["reason"],
                    int(stated.get(row["batch"], row["from_us"])),
                )
            )  # fmt: skip
    return out


def exchanges(asked: Asked, place: str, low_us: int, high_us: int) -> list[Exchanged]:
    """Give the meters of a place that took another's place in [low, high), in order of time."""
    registry = asked.registry
    here = standing_at(registry, place)
    found: list[tuple[int, str, str, str]] = []
    for name, stands in here.items():
        body = last_body(registry.timelines("channel")[name]) or {}
        at = body.get("installed_us")
        if "replaces" in body and at is not None and low_us <= at < high_us:
            found.append((int(at), str(body["replaces"]), name, stands))
    read = _registers(asked, [(name, at) for at, *pair, _ in found for name in pair])
    return [
        Exchanged(
            old, new, stands, registry.channel_by_name(new).reading.commodity, at, read[old, at], read[new, at]
        )
        for at, old, new, stands in sorted(found)
    ]  # fmt: skip


def _registers(asked: Asked, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], bool | None]:
    """Tell of channels whether their register at a moment was stated; None of those without a register."""
    registry = asked.registry
    ids = registry.channel_ids
    dials = [pair for pair in wanted if registry.channel_by_name(pair[0]).reading.value_kind.startswith(REGISTER)]
    windows = pa.table(
        {
            "channel": pa.array([ids[name] for name, _ in dials], pa.int32()),
            "from_us": pa.array([at for _, at in dials], pa.int64()),
        }
    )
    rows = raw_readings(asked.engine, asked.snapshot, windows, known_batch=asked.batch)
    stated = set(zip(rows["channel"].to_pylist(), rows["at_us"].to_pylist(), strict=True))
    return {pair: (ids[pair[0]], pair[1]) in stated if pair in dials else None for pair in wanted}


def moves(asked: Asked, place: str, low_us: int, high_us: int) -> list[Move]:
    """Give who moved into and out of dwellings at and below a place in [low, high), in order of time and place."""
    said = asked.registry.timelines("occupancy")
    out: set[tuple[int, str, bool]] = set()
    for here in asked.registry.descendants(place):
        for part in segments(said.get(here, ())):
            for at, into in ((part.start_us, True), (part.end_us, False)):
                if at not in (ALWAYS, FOREVER) and low_us <= at < high_us:
                    out.add((at, here, into))
    return [Move(here, at, into) for at, here, into in sorted(out)]


def unoccupied(asked: Asked, place: str, at_us: int) -> tuple[list[str], bool]:
    """Give the dwellings of a place where nobody is registered at a moment, and whether anybody ever was in any."""
    said = asked.registry.timelines("occupancy")
    homes = [one for one in asked.registry.tree.walk(place) if asked.registry.tree.bodies[one]["level"] == DWELLING]
    empty = [
        home for home in homes if not any(p.start_us <= at_us < p.end_us for p in segments(said.get(home, ())))
    ]  # fmt: skip
    return empty, any(home in said for home in homes)
