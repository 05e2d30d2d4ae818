"""Registering a meters table: which records make the registry say what the table says.

A row is compared with what was last *listed* of its channel, not with what holds: a rewiring or an exchange that an
operator recorded is not undone by the same list coming again. Two kinds of change follow from a row that says
something new. What the numbers mean (commodity, unit, kind, cadence, clock, dials, multiplier, plate maximum, shift) is
corrected for all time, because the old reading of it was wrong. Where the meter stands and as what it counts is
corrected for all time too when no moment is given, and changes from that moment on when one is. An empty cell of an
optional column (premise, dials, multiplier, plate_max, installed, removed, replaces) says nothing and takes nothing
away; nor does a table that comes without the map.
"""

from dataclasses import dataclass

import pyarrow as pa

from quintet.store.records import ALWAYS, FOREVER, Record

from .bulk import uncollected
from .layout import mapped_meters, meter_rows, problem_table
from .listing import Listing, understand
from .placing import place_records, point_records
from .settings import apply_settings
from .snapshot import Registry
from .timeline import Body, Segment, Timeline, Timelines, clip, ended, last_body, merged, restate, segments, statements

OWN = frozenset({"id", "usage_point"})
"""Keys of a channel's body that the registry gives; all others are as listed."""
ROLE = ("role", "renewable", "listed_role")
"""Keys that say what a channel counts as; the last where a person corrected what the list says."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The records to commit, and the rows (QUARANTINE) that could not be registered."""

    records: list[Record]
    problems: pa.Table


@uncollected()
def from_dataset(
    registry: Registry,
    meters: pa.Table,
    *,
    settings: dict[str, object] | None = None,
    mapping: pa.Table | None = None,
    source: str = "meters",
) -> Registration:
    """Register a dataset's meters, after its city.toml; with a map only the mapped ones, in its cities and times.

    Meters that cannot be registered are given as problems, by name and with the remedy. The same again gives nothing.
    Raises BadInput where the table, the settings or the map cannot be taken at all.
    """
    stated = apply_settings(registry, settings) if settings is not None else []
    base = registry.with_records(stated) if stated else registry
    listing = understand(base, meter_rows(meters), mapped_meters(mapping) if mapping is not None else None)
    records = stated + listing_records(base, listing, None)
    return Registration(records, problem_table(listing.problems, source))


def listing_records(registry: Registry, listing: Listing, as_of_us: int | None) -> list[Record]:
    """Give the records that make the registry say what a listing says; see the module for what changes from when."""
    channels = registry.timelines("channel")
    points = dict(registry.timelines("usage_point"))
    spots = ((listing.rows[name], body["listed_place"]) for name, body in listing.bodies.items())
    out = place_records(registry.tree, registry.timelines("place"), spots, listing.districts)
    out += _meter_records(registry.timelines("meter"), listing)
    next_id = max(registry.channel_ids.values(), default=0) + 1
    timelines: dict[str, Timeline] = {}
    for name, body in listing.bodies.items():
        said = channels.get(name)
        if said is None:
            point = usage_point(body, listing.bodies, registry)
            timelines[name] = _window({"id": next_id, "usage_point": point, **body})
            next_id += 1
            start_us = ALWAYS if point not in points and "replaces" not in body else None
        else:
            timelines[name] = changed(said, body, as_of_us)
            point, start_us = _moved(points, said, body, as_of_us)
        if start_us is not None:
            for record in point_records(points, point, body["listed_place"], start_us):
                statement = (start_us, record.body)
                points[point] = merged(points[point], statement) if point in points else (statement,)
                out.append(record)
    _end_replaced(registry, listing.bodies, timelines)
    for name, wanted in timelines.items():
        said = channels.get(name)
        out += restate("channel", name, () if said is None else said, wanted) if said is not wanted else ()
    return out


def _meter_records(said: Timelines, listing: Listing) -> list[Record]:
    """Give the meters' own records: where they were listed, and their notes by channel name."""
    bodies: dict[str, Body] = {}
    for name, row in listing.rows.items():
        key = f"{row.site}/{row.meter}"
        body = bodies.get(key)
        if body is None:
            known = last_body(said[key]) if key in said else None
            body = bodies[key] = {"site": row.site, "meter": row.meter, "notes": dict(known["notes"]) if known else {}}
        body.update((part, value) for part, value in (("building", row.building), ("premise", row.premise)) if value)
        body["notes"][name] = row.notes
    news = {key: body for key, body in bodies.items() if key not in said or last_body(said[key]) != body}
    return [Record("meter", key, ALWAYS, body) for key, body in news.items()]


def usage_point(body: Body, listed: dict[str, Body], registry: Registry) -> str:
    """Give the usage point of a new channel: its meter's own, or that of the meter it replaces (a chain counts)."""
    known = registry.timelines("channel")
    while "replaces" in body:
        old = body["replaces"]
        held = last_body(known[old]) if old in known else None
        if held is not None:
            return held["usage_point"]
        body = listed[old]
    return f"{body['site']}/{body['meter']}"


def changed(said: Timeline, listed: Body, as_of_us: int | None) -> Timeline:
    """Give a known channel's timeline as a row wants it; the same timeline when the row says nothing new."""
    last = last_body(said)
    if last is not None and last.get("listed_role") == listed["role"]:
        # a person found it to be something else than the list still says
        listed = {**listed, "role": last["role"], "listed_role": last["listed_role"]}
    if last is None or (len(last) == len(listed) + len(OWN) and listed.items() <= last.items()):
        return said
    parts = [_corrected(part, last, listed, as_of_us) for part in segments(said)]
    bounds = ("installed_us", "removed_us")
    if any(last.get(key) != listed.get(key) for key in bounds):
        parts = _within(parts, last, listed)
    if as_of_us is not None and parts and _role(last) != _role(listed):
        end_us = parts[-1].end_us
        own = {key: parts[-1].body[key] for key in OWN}
        parts = clip(parts, ALWAYS, as_of_us)
        if as_of_us < end_us:
            parts.append(Segment(as_of_us, end_us, {**own, **listed}))
    return statements(parts)


def _role(body: Body) -> dict[str, object]:
    """Give what a channel counts as."""
    return {key: body[key] for key in ROLE if key in body}


def _corrected(part: Segment, last: Body, listed: Body, as_of_us: int | None) -> Segment:
    """Correct what a stretch says of the numbers; its role only where no moment is given and it is the last one's."""
    role = _role(listed) if as_of_us is None and _role(part.body) == _role(last) else _role(part.body)
    rest = {key: value for key, value in listed.items() if key not in ROLE}
    return part._replace(body={**{key: part.body[key] for key in OWN}, **rest, **role})


def _within(parts: list[Segment], last: Body, listed: Body) -> list[Segment]:
    """Move the bounds that a row states differently from the row before: the start, the end or both."""
    if not parts:
        return parts
    start_us, end_us = parts[0].start_us, parts[-1].end_us
    if last.get("installed_us") != listed.get("installed_us"):
        start_us = listed.get("installed_us", ALWAYS)
    if last.get("removed_us") != listed.get("removed_us"):
        end_us = listed.get("removed_us", FOREVER)
    parts[0] = parts[0]._replace(start_us=min(start_us, parts[0].end_us))
    parts[-1] = parts[-1]._replace(end_us=max(end_us, parts[-1].start_us))
    return ended(clip(parts, start_us, FOREVER), end_us)


def _window(body: Body) -> Timeline:
    """Give the timeline of a new channel: from installed to removed, as far as they are stated."""
    start_us, end_us = body.get("installed_us", ALWAYS), body.get("removed_us", FOREVER)
    return ((start_us, body),) if end_us == FOREVER else ((start_us, body), (end_us, None))


def _moved(points: Timelines, said: Timeline, body: Body, as_of_us: int | None) -> tuple[str, int | None]:
    """Give a known channel's usage point, and from when its row lists it at another place than the row before."""
    last = last_body(said)
    if last is None or last["listed_place"] == body["listed_place"]:
        return "", None
    point = last["usage_point"]
    first = points[point][0][0] if point in points else ALWAYS
    return point, as_of_us if as_of_us is not None else first


def _end_replaced(registry: Registry, listed: dict[str, Body], timelines: dict[str, Timeline]) -> None:
    """End each replaced channel when the new one is installed, unless its own row says when it was removed."""
    known = registry.timelines("channel")
    for name, body in listed.items():
        if "replaces" not in body:
            continue
        old, moment = body["replaces"], body["installed_us"]
        said = timelines[old] if old in timelines else known[old]
        last = last_body(said)
        before = last_body(known[name]) if name in known else None
        if last is None or "removed_us" in last:
            continue
        if before is not None and before.get("installed_us") == moment and before.get("replaces") == old:
            continue
        parts = segments(said)
        if before is not None and parts and parts[-1].end_us == before.get("installed_us"):
            parts[-1] = parts[-1]._replace(end_us=FOREVER)
        timelines[old] = statements(ended(parts, moment))
