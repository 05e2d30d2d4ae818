"""What operators record: an exchange of meters, people moving in and out, a meter found on the wrong flat.

Each gives the records to commit (batch 0); nothing is overwritten, so that what was believed before stays answerable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from quintet.store.records import ALWAYS, Record
from quintet.terms.errors import BadInput, NotFound, UsageError
from quintet.terms.period import to_us
from quintet.terms.reading import Role
from quintet.terms.tables import READINGS

from .households import DWELLING
from .layout import meter_rows
from .listing import understand
from .placing import point_records
from .register import listing_records
from .snapshot import Registry
from .timeline import Body, Segment, Timeline, body_at, last_body, restate, segments, statements


@dataclass(frozen=True, slots=True)
class Exchange:
    """The records of an exchange, and the two register readings (READINGS) that are to come in as all readings do."""

    records: list[Record]
    readings: pa.Table


def exchange(
    registry: Registry,
    *,
    old: str,
    new: Mapping[str, Any],
    at: datetime,
    old_final: float | None = None,
    new_first: float | None = None,
) -> Exchange:
    """Replace a meter at a moment: its channel ends, the new one goes on at the same usage point.

    `old` is a channel's name; `new` is a row of the meters table of which only `meter` must be stated, the rest is as
    it was. `old_final` and `new_first` are the registers at that moment, each in its own meter's unit. Raises NotFound
    for an unknown channel and BadInput where the old one had ended, or the new one exists or cannot be registered.
    """
    channel = registry.channel_by_name(old)
    at_us = to_us(at)
    said = registry.timelines("channel")[old]
    held = body_at(said, at_us)
    if held is None:
        raise BadInput("was not installed at that moment.", code="not_installed", place=old, remedy="Check the moment.")
    row = {**_as_listed(registry, held), **new, "replaces": old, "installed": at}
    table = pa.Table.from_pylist([{key: _text(value) for key, value in row.items()}])
    listing = understand(registry, meter_rows(table), None)
    if listing.problems:
        fault = listing.problems[0][1]
        raise BadInput(fault.reason, code=fault.code, place=f"{row['site']}/{row['meter']}")
    (name,) = listing.bodies
    if name in registry.channel_ids:
        raise BadInput(
            f"{name} is there already.", code="duplicate_meter", place=old, remedy="Give the new meter its own id."
        )
    body = listing.bodies[name]
    readings = [
        {"site": site, "meter": meter, "at": at, "value": value, "commodity": body["commodity"], "unit": unit}
        for site, meter, value, unit in (
            (channel.site, channel.meter, old_final, channel.reading.unit),
            (body["site"], body["meter"], new_first, body["unit"]),
        )
        if value is not None
    ]
    rows = [{**reading, "row": number} for number, reading in enumerate(readings, 1)]
    return Exchange(listing_records(registry, listing, None), pa.Table.from_pylist(rows, schema=READINGS))


def _as_listed(registry: Registry, body: Body) -> dict[str, Any]:
    """Give a channel's row of the meters table, as far as a successor may take it over."""
    meter = last_body(registry.timelines("meter").get(f"{body['site']}/{body['meter']}", ())) or {}
    same = ("site", "unit", "value_kind", "cadence_min", "tz", "role", "dials", "multiplier", "plate_max")
    out = {key: body.get(key) for key in same}
    out |= {"commodity": body["word"], "building": meter.get("building")}
    return out | ({"premise": meter["premise"]} if "premise" in meter else {})


def _text(value: Any) -> str | None:
    """Give one cell of a one-row table as text, which every column may be."""
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


def move_in(
    registry: Registry, *, premise: str, occupant: str, at: datetime, details: Mapping[str, Any] | None = None
) -> list[Record]:
    """Let someone move into a premise; what the premise's meters count does not change by that.

    Raises NotFound for an unknown place and BadInput where somebody else lives there at that moment.
    """
    registry.need_place(premise)
    held = body_at(registry.timelines("occupancy").get(premise, ()), to_us(at))
    body: Body = {"occupant": occupant, **({"details": dict(details)} if details else {})}
    if held == body:
        return []
    if held is not None and held["occupant"] != occupant:
        raise BadInput(
            f"{held['occupant']} lives there at {at.astimezone(registry.tz).isoformat()}.",
            code="occupied",
            place=premise,
            remedy="Record that they moved out first.",
        )
    return [Record("occupancy", premise, to_us(at), body)]


def move_out(registry: Registry, *, premise: str, at: datetime) -> list[Record]:
    """Let whoever lives in a premise move out.

    Whose moving in nobody stated has lived there always, without a name. Raises NotFound where there is no such place
    or who lived there has moved out before.
    """
    registry.need_place(premise)
    said = registry.timelines("occupancy").get(premise, ())
    if dict(said).get(to_us(at), ...) is None:
        return []
    if registry.tree.bodies[premise]["level"] == DWELLING and not any(start < to_us(at) for start, _ in said):
        unnamed = {"occupant": f"unstated:{premise}"}  # of this premise: who holds several is one customer
        return [Record("occupancy", premise, ALWAYS, unnamed), Record("occupancy", premise, to_us(at), None)]
    if body_at(said, to_us(at) - 1) is None:
        raise NotFound("nobody lives there then.", code="not_occupied", place=premise, remedy="Check the moment.")
    return [Record("occupancy", premise, to_us(at), None)]


def rewire(
    registry: Registry,
    channel: str,
    *,
    valid_from: datetime,
    place: str | None = None,
    usage_point: str | None = None,
    role: str | None = None,
) -> list[Record]:
    """Correct, from a moment on, where a meter counts, or as what.

    With `place`, the usage point (and every meter on it) is found to be at another place; with `usage_point`, this
    channel alone is found to be on another usage point; with `role`, this channel is found to show something else (a
    building behind the campus meter is a submeter). What stood there for later moments stays. Raises NotFound for a
    name that does not exist and UsageError unless exactly one of the three is given.
    """
    if sum(one is not None for one in (place, usage_point, role)) != 1:
        raise UsageError("give either a place or a usage point, or a role.", code="bad_rewire")
    found = registry.channel_by_name(channel)
    at_us = to_us(valid_from)
    said = registry.timelines("channel")[channel]
    held = body_at(said, at_us) or last_body(said) or {}
    if place is not None:
        registry.need_place(place)
        points = dict(registry.timelines("usage_point"))
        return point_records(points, held["usage_point"], place, at_us)
    if role is not None:
        if role not in set(Role):
            raise UsageError(
                f"there is no role {role!r}.", code="unknown_role", place=found.name,
                remedy=f"There are {', '.join(Role)}.",
            )  # fmt: skip
        return _restated(channel, said, at_us, {"role": role, "listed_role": held.get("listed_role", held["role"])})
    if usage_point not in registry.timelines("usage_point"):
        raise NotFound(
            f"there is no usage point {usage_point!r}.",
            code="unknown_usage_point",
            place=found.name,
            remedy="A usage point is named like the first meter on it, SITE/METER.",
        )
    return _restated(channel, said, at_us, {"usage_point": usage_point})


def _restated(channel: str, said: Timeline, at_us: int, news: Body) -> list[Record]:
    """Say something else of a channel from a moment on, for as long as what the news begin with was as it then was."""
    what, held = next(iter(news)), body_at(said, at_us) or last_body(said) or {}
    parts: list[Segment] = []
    for part in segments(said):
        if part.end_us <= at_us or part.body[what] != held[what]:
            parts.append(part)
            continue
        if part.start_us < at_us:
            parts.append(part._replace(end_us=at_us))
        parts.append(Segment(max(part.start_us, at_us), part.end_us, {**part.body, **news}))
    return restate("channel", channel, said, statements(parts))
