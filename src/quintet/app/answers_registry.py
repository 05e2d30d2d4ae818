"""Operations on what the city consists of: places, channels, the customer system's list."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quintet.protocols.dataset import read_meters
from quintet.registry import Registry, SyncDifference, sync
from quintet.store.book import batch_known_at
from quintet.terms.errors import UsageError
from quintet.terms.period import from_us, parse_moment, to_us

from .answer import Answer, Progress, Step, document_of
from .answers_changes import refresh
from .cells import local, plain, rows_of
from .city import City
from .requests import MetersList, MetersShow, RegistryList, RegistrySync, Summary

PLACE_COLUMNS = ["place", "parent", "level", "name_en", "name_ko", "floor_area_m2", "channels"]
SYNC_COLUMNS = ["change", "channel", "what", "before", "after"]
METER_COLUMNS = ["channel", "commodity", "unit", "value_kind", "role", "cadence_min", "place", "flow"]


def registry_at(city: City, known_at: str | None) -> Registry:
    """Give the registry now, or as known at a moment; raises UsageError for one to come."""
    registry = city.registry()
    if known_at is None:
        return registry
    moment = parse_moment(known_at, registry.tz)
    if to_us(moment) > city.now():
        raise UsageError(f"{moment.isoformat()} is in the future.", code="future_known_at")
    with city.engine.snapshot() as snapshot:
        batch = batch_known_at(snapshot, to_us(moment))
    return city.registry(batch)


def registry_list(city: City, asked: RegistryList, _progress: Progress) -> Answer:
    """Give the places tree with the number of channels that count at each place itself."""
    registry = registry_at(city, asked.known_at)
    counted: dict[str, set[int]] = {}
    for row in registry.placements().select(["place", "channel"]).to_pylist():
        counted.setdefault(row["place"], set()).add(row["channel"])
    rows = [{**row, "channels": len(counted.get(row["place"], ()))} for row in registry.places().to_pylist()]
    return Answer(
        PLACE_COLUMNS,
        rows_of(PLACE_COLUMNS, rows),
        document_of({"places": plain(rows)}),
        numbers=["floor_area_m2", "channels"],
        title=f"{registry.city.name_en}: {len(rows)} places",
    )


def registry_sync(city: City, asked: RegistrySync, progress: Progress) -> Answer:
    """Bring the registry in step with the customer system's list; a dry run only shows the difference."""
    registry = city.registry()
    as_of = datetime.now(UTC) if asked.as_of is None else parse_moment(asked.as_of, registry.tz)
    progress(Step("reading the list"))
    with Path(asked.file).open("rb") as file:
        listing = read_meters(file, asked.file)
    progress(Step("comparing"))
    found = sync(registry, listing, as_of=as_of, source=asked.file)
    if not asked.dry_run:
        city.pipeline.apply_records(
            found.records, kind="registry", source=asked.file, actor=asked.actor, problems=found.problems
        )
        refresh(city, progress)
    rows = _differences(found)
    counts = {
        "added": len(found.added),
        "changed": len(found.changed),
        "ended": len(found.ended),
        "problems": found.problems.num_rows,
    }
    done = "would change" if asked.dry_run else "changed"
    notes = [f"{done}: {counts['added']} added, {counts['changed']} changed, {counts['ended']} ended"]
    if counts["problems"]:
        notes.append(f"{counts['problems']} rows cannot be taken; their meters stay as they are")
    document = {"dry_run": asked.dry_run, "as_of": local(as_of, registry.tz), **counts, "differences": plain(rows)}
    return Answer(SYNC_COLUMNS, rows_of(SYNC_COLUMNS, rows), document_of(document), notes=notes)


def _differences(found: SyncDifference) -> list[dict[str, Any]]:
    nothing: dict[str, Any] = dict.fromkeys(SYNC_COLUMNS)
    rows = [{**nothing, "change": "added", "channel": name} for name in found.added]
    rows += [
        {"change": "changed", "channel": one.channel, "what": one.what, "before": one.before, "after": one.after}
        for one in found.changed
    ]
    rows += [{**nothing, "change": "ended", "channel": name} for name in found.ended]
    rows += [
        {**nothing, "change": "problem", "channel": f"{row['site']}/{row['meter']}", "what": row["reason"]}
        for row in found.problems.to_pylist()
    ]
    return rows


def meters_list(city: City, asked: MetersList, _progress: Progress) -> Answer:
    """Give every channel, or those of a place (with all below it) or of a commodity."""
    registry = registry_at(city, asked.known_at)
    within = registry.descendants(asked.place) if asked.place else None
    if asked.commodity is not None:
        registry.commodities[asked.commodity]
    placed: dict[int, tuple[str, str]] = {}
    for row in registry.placements().sort_by([("channel", "ascending"), ("start_us", "ascending")]).to_pylist():
        placed[row["channel"]] = (row["place"], row["flow"])
    rows: list[dict[str, Any]] = []
    for row in registry.channels().sort_by("name").to_pylist():
        place, flow = placed.get(row["channel"], (None, None))
        fits = (within is None or place in within) and asked.commodity in (None, row["commodity"])
        if fits:
            rows.append({**row, "channel": row["name"], "place": place, "flow": flow})
    return Answer(
        METER_COLUMNS,
        rows_of(METER_COLUMNS, rows),
        document_of({"meters": [plain({name: row[name] for name in METER_COLUMNS}) for row in rows]}),
        numbers=["cadence_min"],
        title=f"{len(rows)} channels",
    )


def meters_show(city: City, asked: MetersShow, _progress: Progress) -> Answer:
    """Give one channel: what its numbers mean, the listing's notes, and where it counts from when until when."""
    registry = registry_at(city, asked.known_at)
    channel = registry.channel_by_name(asked.channel)
    table = registry.channels()
    facts = next(row for row in table.to_pylist() if row["channel"] == channel.id)
    facts = {key: value for key, value in facts.items() if key not in ("channel", "name")}
    counts = [
        {
            "place": row["place"],
            "flow": row["flow"],
            "sign": row["sign"],
            "from": _bound(registry, row["start_us"]),
            "to": _bound(registry, row["end_us"]),
        }
        for row in registry.placements().to_pylist()
        if row["channel"] == channel.id
    ]
    pairs = [("channel", asked.channel), *facts.items()]
    pairs += [
        ("counts", f"at {c['place']} as {c['flow']}, from {c['from'] or 'always'} to {c['to'] or 'now'}")
        for c in counts
    ]
    pairs += _notes(registry, asked.channel)
    rows = [{"what": key, "is": value} for key, value in pairs if value is not None]
    document = {"channel": asked.channel, **plain(facts), "placements": counts}
    return Answer(["what", "is"], rows_of(["what", "is"], rows), document_of(document), title=asked.channel)


def _notes(registry: Registry, channel: str) -> Iterable[tuple[str, Any]]:
    for meter in registry.meters():
        if channel in meter.channels:
            return [(key, value) for key, value in sorted(meter.notes.get(channel, {}).items())]
    return []


LONGEST_US = 2**61
"""Beyond this a bound means "always" or "for ever"."""


def _bound(registry: Registry, moment_us: int) -> str | None:
    return None if abs(moment_us) > LONGEST_US else local(from_us(moment_us), registry.tz)


def summary(city: City, _asked: Summary, _progress: Progress) -> Answer:
    """Give what this city holds."""
    registry = city.registry()
    channels = registry.channels()
    by_commodity: dict[str, int] = {}
    for name in channels["commodity"].to_pylist():
        by_commodity[name] = by_commodity.get(name, 0) + 1
    facts: dict[str, Any] = {
        "name_en": registry.city.name_en,
        "name_ko": registry.city.name_ko,
        "timezone": registry.tz.key,
        "simulated": registry.city.simulated,
        "places": registry.places().num_rows,
        "channels": channels.num_rows,
        "channels_by_commodity": dict(sorted(by_commodity.items())),
    }
    rows = [{"what": key, "is": value} for key, value in facts.items() if key != "channels_by_commodity"]
    rows += [{"what": f"channels of {name}", "is": count} for name, count in sorted(by_commodity.items())]
    return Answer(["what", "is"], rows_of(["what", "is"], rows), document_of(facts), title=registry.city.name_en)
