"""Open data as NGSI-LD: one entity a place, carrier and period, whole (normalised) or as key-values, with its context.

Water by volume is told as WaterConsumptionObserved of the Smart Data Models; their `waterConsumption` is a whole
number, here of litres used in the period, and the exact amount stands beside it. Other carriers are an
EnergyConsumption of our own, named and built alike. Every entity carries its whole @context, so that nobody needs the
network to read it.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from urllib.parse import quote

import msgspec

from .answers import Place
from .answers_open import OpenCell, OpenData
from .open_cells import SUPPRESSED
from .open_words import words

USE = "consumption"
INDICATOR = "EnergyIndicator"
"""The type of an entity that tells what is over all carriers."""
LITRES = 1000
_ENCODER = msgspec.json.Encoder(decimal_format="number")
Group = tuple[str, str | None, str, datetime, datetime]
Entity = dict[str, Any]


def ngsi_bytes(found: OpenData, *, key_values: bool) -> bytes:
    """Write the entities as one JSON array, as a broker's batch operations take it."""
    return b"[" + b",\n".join(_ENCODER.encode(one) for one in entities(found, key_values=key_values)) + b"]\n"


def entities(found: OpenData, *, key_values: bool) -> Iterator[Entity]:
    """Give the entities in the order of the cells."""
    places = {one.place: one for one in found.places}
    groups: dict[Group, list[OpenCell]] = {}
    for cell in found.cells:
        group = (cell.place, cell.commodity, cell.unit if cell.commodity else "", cell.start, cell.end)
        groups.setdefault(group, []).append(cell)
    known = {one.month: one.known_at for one in found.releases}
    for group, cells in groups.items():
        whole = _entity(found, places[group[0]], group, cells, known.get(f"{group[3]:%Y-%m}"))
        body = {name: _plain(value) for name, value in whole.items()} if key_values else whole
        yield {**body, "@context": _context(whole)}


def _entity(found: OpenData, place: Place, group: Group, cells: list[OpenCell], known_at: datetime | None) -> Entity:
    """Give one entity, normalised."""
    name, commodity, unit, start, end = group
    kind = words().entity(commodity, unit)
    type_ = kind["type"] if commodity else INDICATOR
    parts = (type_, name, commodity, unit, start.astimezone(UTC).strftime("%Y%m%dT%H%MZ"), found.resolution)
    out: Entity = {
        "id": "urn:ngsi-ld:" + ":".join(quote(part, safe="") for part in parts if part),
        "type": type_,
        "name": _property(place.name_en),
        "alternateName": _property(place.name_ko),
        "areaServed": _property(name),
        "dataProvider": _property(found.city_en),
        "dateObservedFrom": _property(_moment(start)),
        "dateObservedTo": _property(_moment(end)),
        "level": _property(place.level),
        "license": _property(found.licence or "none stated"),
        "ruleSet": _property(found.rule_set),
        "privacyFloor": _property(found.floor.digest),
    }
    if known_at is not None:
        out["knownAt"] = _property(_moment(known_at))
    if commodity:
        out |= {"commodity": _property(commodity), "unit": _property(unit)}
    observed = end.astimezone(UTC).isoformat().replace("+00:00", "Z")
    hidden = {cell.measure: cell.reason for cell in cells if cell.status == SUPPRESSED}
    if hidden:
        out["suppressed"] = _property(hidden)
    for cell in cells:
        if cell.value is not None:
            out |= _measured(cell, kind, observed)
        if cell.coverage is not None and "coverage" not in out:
            out |= {"coverage": _property(cell.coverage), "estimatedShare": _property(cell.estimated_share or 0.0)}
    return out


def _measured(cell: OpenCell, kind: Mapping[str, str], observed: str) -> Entity:
    """Give a cell's property, and for the use of a model's own carrier the model's."""
    said = words()
    name = said.property_of(cell.measure)
    code = said.units[cell.unit]["code"] if cell.unit in said.units else cell.unit
    one: Entity = {"type": "Property", "value": cell.value, "unitCode": code, "observedAt": observed}
    if cell.derived:
        one["derived"] = _property(value=True)
    if cell.customers is not None:
        one["customers"] = _property(cell.customers)
    out: Entity = {name: one}
    if cell.measure == USE and "property" in kind and cell.value is not None:
        litres = int((cell.value * LITRES).quantize(Decimal(1), ROUND_HALF_EVEN))
        out[kind["property"]] = {
            "type": "Property", "value": litres, "unitCode": said.units[kind["unit"]]["code"], "observedAt": observed,
        }  # fmt: skip
        if "water_type" in kind:
            out["waterType"] = _property(kind["water_type"])
    return out


def _property(value: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value}


def _moment(at: datetime) -> dict[str, str]:
    return {"@type": "DateTime", "@value": at.astimezone(UTC).isoformat().replace("+00:00", "Z")}


def _plain(value: Any) -> Any:
    """Give an attribute's value alone."""
    if not isinstance(value, dict):
        return value
    inner = value["value"]
    return inner["@value"] if isinstance(inner, dict) and "@value" in inner else inner


def _context(entity: Entity) -> dict[str, str]:
    """Give the terms that an entity uses; all others are our own, by @vocab."""
    used = {*entity, entity["type"], *CORE}
    return {name: iri for name, iri in words().context.items() if name in used}


CORE = ("id", "type", "Property", "DateTime", "value", "unitCode", "observedAt", "@vocab")
