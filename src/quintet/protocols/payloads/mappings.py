"""Formats of other people's MQTT messages as tables: those that ship, and a city's own."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml, read_toml_file
from quintet.terms.errors import BadInput
from quintet.terms.reading import ValueKind, clock
from quintet.terms.unit import units

from .payload import LOOKS
from .topics import Pattern, pattern

TIME_KINDS = ("rfc3339", "rfc3339_or_local", "rfc3339_or_epoch_ms", "epoch_s", "epoch_ms")
PAYLOADS = ("json", "number")
NAMED = re.compile(r"\{([a-z_]+)\}")
OWN_READING, OWN_BATCH = "quintet/v1/{site}/{meter+}", "quintet/v1/{site}"


@dataclass(frozen=True, slots=True)
class When:
    """Where a moment stands in a message, how it is written, and the zone of stamps without offset ("" for none)."""

    field: str
    kind: str
    tz: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One reading of a message: its path, the meter's name (and where it is a list), unit, commodity and multiplier."""

    path: tuple[str, ...]
    meter: str
    meter_many: str
    unit: str | None
    commodity: str | None
    multiplier: Decimal
    value_kind: ValueKind
    taken: bool

    @property
    def name(self) -> str:
        """Give the path as it is written."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of message: its topics, and its readings."""

    name: str
    source: str
    topic: Pattern
    ignore: tuple[Pattern, ...]
    site: str
    payload: str
    time: When | None
    clock: When | None
    absent: frozenset[str]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """What a topic means: a reading or batch of our own (no format), a message of a format, or one without readings."""

    site: str
    meter: str = ""
    format: Format | None = None
    names: tuple[tuple[str, str], ...] = ()
    ignored: bool = False


class Mappings:
    """Finds what a topic means; remembers what it has found."""

    def __init__(self, formats: Iterable[Format], most_routes: int = LOOKS.routes) -> None:
        """Use formats; among patterns of the same rank the earlier one wins. `most_routes` topics are remembered."""
        self._most = most_routes
        self.formats = tuple(formats)
        own = [(pattern(text, "own topics"), None, False) for text in (OWN_READING, OWN_BATCH)]
        theirs = [(form.topic, form, False) for form in self.formats]
        silent = [(found, form, True) for form in self.formats for found in form.ignore]
        self._patterns = sorted([*own, *theirs, *silent], key=lambda row: row[0].rank)
        self._routes: dict[str, Route | None] = {}

    def route(self, topic: str) -> Route | None:
        """Say what a topic means; None where nobody knows it."""
        try:
            return self._routes[topic]
        except KeyError:
            if len(self._routes) >= self._most:
                self._routes.clear()
            found = self._routes[topic] = self._find(topic)
            return found

    def _find(self, topic: str) -> Route | None:
        try:
            topic.encode()
        except UnicodeEncodeError:  # what is no text is no name of a site or meter
            return None
        for found, form, ignored in self._patterns:
            match = found.expression.fullmatch(topic)
            if match is None:
                continue
            names = match.groupdict()
            if form is None:
                return Route(names["site"], names.get("meter", ""))
            return Route(filled(form.site, names), "", form, tuple(names.items()), ignored)
        return None


def load_mappings(paths: Sequence[Path] = ()) -> Mappings:
    """Read the shipped formats and a city's own; a city's format of a shipped name takes its place.

    Raises BadInput naming file and format for a key that nobody reads, a topic, unit, zone or number that is none.
    """
    formats = dict(shipped_formats())
    first: list[str] = []
    for path in paths:
        table = read_toml_file(path)
        check_keys(table, required=set(), optional={"format", "take"}, place=str(path))
        for name, row in _tables(table, "format", str(path)).items():
            formats[name] = read_format(name, row, f"{path} format {name}")
            first.append(name)
        for name, wanted in _tables(table, "take", str(path)).items():
            formats[name] = _take(formats.get(name), name, wanted, str(path))
    return Mappings([*(formats[name] for name in reversed(first)), *formats.values()])


@cache
def shipped_formats() -> dict[str, Format]:
    """Give the formats that ship with the program, by name."""
    table = read_toml("quintet.protocols", "formats.toml")
    return {name: read_format(name, row, f"formats.toml format {name}") for name, row in table["format"].items()}


def read_format(name: str, row: dict[str, Any], place: str) -> Format:
    """Read one format from its table."""
    check_keys(
        row,
        required={"title", "source", "read", "topic", "site", "meter", "payload", "reading"},
        optional={"ignore", "time", "clock", "absent"},
        place=place,
    )
    if row["payload"] not in PAYLOADS:
        raise BadInput(
            f"has the payload {row['payload']!r}.", code="bad_row", place=place, remedy="Use json or number."
        )
    topic = pattern(str(row["topic"]), place)
    _check_names([str(row["site"])], topic, place)
    fields = tuple(_field(one, str(row["meter"]), row["payload"], topic, place) for one in row["reading"])
    return Format(
        name=name,
        source=str(row["source"]),
        topic=topic,
        ignore=tuple(pattern(text, place) for text in row.get("ignore", ())),
        site=str(row["site"]),
        payload=row["payload"],
        time=_when(row.get("time"), place),
        clock=_when(row.get("clock"), place),
        absent=frozenset(row.get("absent", ())),
        fields=fields,
    )


def filled(template: str, names: dict[str, str]) -> str:
    """Put a topic's names into a template; a colon would part a meter from its reading type and becomes a hyphen."""
    return NAMED.sub(lambda found: names.get(found[1], found[0]).replace(":", "-"), template)


def _field(row: dict[str, Any], meter: str, payload: str, topic: Pattern, place: str) -> Field:
    optional = {"meter", "meter_many", "unit", "commodity", "multiplier", "taken"}
    needed = {"value_kind", "field"} if payload == "json" else {"value_kind"}
    check_keys(row, required=needed, optional=optional, place=place)
    own = str(row.get("meter", meter))
    many = str(row.get("meter_many", f"{own}-{{n}}"))
    _check_names([own, many.replace("{n}", "")], topic, place)
    unit = row.get("unit")
    if unit is not None and units().get(unit) is None:
        raise BadInput(f"has the unknown unit {unit!r}.", code="unknown_unit", place=place, remedy="See units.toml.")
    try:
        multiplier = Decimal("" + row.get("multiplier", "1"))  # a TOML float would not be exact
        kind = ValueKind(row["value_kind"])
    except (InvalidOperation, ValueError, TypeError) as error:
        raise BadInput(
            f"has a multiplier or value_kind that is none: {error}.",
            code="bad_row",
            place=place,
            remedy=f'Write the multiplier as text, "0.1"; a value_kind is one of {", ".join(ValueKind)}.',
        ) from error
    path = tuple(str(row.get("field", "")).split("."))
    return Field(path, own, many, unit, row.get("commodity"), multiplier, kind, row.get("taken", True))


def _when(row: dict[str, Any] | None, place: str) -> When | None:
    if row is None:
        return None
    check_keys(row, required={"field", "kind"}, optional={"tz"}, place=place)
    if row["kind"] not in TIME_KINDS:
        raise BadInput(
            f"has a time of kind {row['kind']!r}.",
            code="bad_row",
            place=place,
            remedy=f"Use one of {', '.join(TIME_KINDS)}.",
        )
    try:
        clock(row.get("tz", "UTC"))
    except BadInput as error:
        raise BadInput(error.message, code=error.code, place=place, remedy=error.remedy) from error
    return When(str(row["field"]), row["kind"], row.get("tz", ""))


def _take(form: Format | None, name: str, wanted: Any, place: str) -> Format:
    """Take exactly these fields of a format."""
    known = [field.name for field in form.fields] if form is not None else []
    if form is None or not isinstance(wanted, list) or not set(wanted) <= set(known):
        raise BadInput(
            f"takes {wanted!r} of {name}.",
            code="bad_row",
            place=place,
            remedy=f"Known are {', '.join(known) or 'no fields: there is no such format'}.",
        )
    return replace(form, fields=tuple(replace(field, taken=field.name in wanted) for field in form.fields))


def _tables(table: dict[str, Any], key: str, place: str) -> dict[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise BadInput(f"has a {key} that is no table.", code="bad_row", place=place, remedy=f"Write [{key}.NAME].")
    return found


def _check_names(templates: Iterable[str], topic: Pattern, place: str) -> None:
    """Refuse a template that uses a name which the topic does not have."""
    missing = {found for text in templates for found in NAMED.findall(text)} - topic.names
    if missing:
        raise BadInput(
            f"uses {', '.join(sorted(missing))}, which no level of {topic.text!r} is named.",
            code="bad_topic",
            place=place,
            remedy="Name the level in the topic as {name}.",
        )
