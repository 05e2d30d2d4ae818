"""city.toml: the city, places, plants, storages, feeders, facilities and commodities: checked and made into records.

Every table refuses a key that nobody reads. What a file leaves out is not ended by that; the same file again says
nothing new. A plant, storage, feeder or facility may stand there several times with different `valid_from`.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from quintet.store.records import ALWAYS, Record
from quintet.terms.catalogue import check_keys
from quintet.terms.commodity import Commodities
from quintet.terms.errors import BadInput
from quintet.terms.period import day_start, parse_moment, to_us
from quintet.terms.reading import clock

from .snapshot import Registry
from .timeline import Body, segments
from .tree import LEVELS, ROOT

Row = dict[str, Any]
Kind = type | tuple[type, ...]

CITY: Mapping[str, Kind] = {
    "name_en": str, "name_ko": str, "timezone": str, "simulated": bool, "carriers": list, "residents": int,
    "licence": str,
}  # fmt: skip
PLACE: Mapping[str, Kind] = {
    "id": str, "level": str, "parent": str, "name_en": str, "name_ko": str, "floor_area_m2": (int, float),
    "carriers": list, "open_data": str,
}  # fmt: skip
DATED: Mapping[str, Kind] = {"id": str, "place": str, "valid_from": (str, date), "source": str}
PLANT: Mapping[str, Kind] = {**DATED, "kind": str, "inputs": list, "outputs": list, "renewable": bool}
STORAGE: Mapping[str, Kind] = {**DATED, "channels": list}
FEEDER: Mapping[str, Kind] = {
    **DATED, "commodity": str, "supply": list, "returns": list, "level": str, "places": list, "usage_points": list,
    "feeders": list,
}  # fmt: skip
FACILITY: Mapping[str, Kind] = {**DATED, "class": str, "name": str, "meters": list, "readings": dict}
COMMODITY: Mapping[str, Kind] = {
    "name_en": str,
    "name_ko": str,
    "measures": dict,
    "balanced": bool,
    "crosses": bool,
    "espi": dict,
}
TABLES: Mapping[str, Kind] = {
    "city": dict, "place": list, "plant": list, "storage": list, "feeder": list, "facility": list,
    "commodity": dict,
}  # fmt: skip


def apply_settings(registry: Registry, settings: Mapping[str, Any]) -> list[Record]:
    """Give the records that make the registry say what a parsed city.toml says. Raises BadInput, naming the row."""
    _checked(dict(settings), TABLES, set(), "city.toml")
    stated = _city(settings) + _commodities(settings) + _places(registry, settings)
    tz = clock(settings["city"]["timezone"]) if "city" in settings else registry.tz
    codes = registry.commodities.rows.keys() | settings.get("commodity", {}).keys()
    for row in _rows(settings, "plant", PLANT, {"id", "kind", "place"}):
        defaults: Row = {"inputs": [], "outputs": [], "renewable": False}
        stated.append(_dated("plant", {**defaults, **row}, tz))
    for row in _rows(settings, "storage", STORAGE, {"id", "place", "channels"}):
        stated.append(_dated("storage", row, tz))
    for row in _rows(settings, "feeder", FEEDER, {"id", "commodity", "place", "supply"}):
        _need_commodities([row["commodity"]], codes, f"feeder {row['id']}")
        stated.append(_dated("feeder", row, tz))
    for row in _rows(settings, "facility", FACILITY, {"id", "class", "place", "meters", "readings"}):
        stated.append(_dated("facility", row, tz))
    for place, said in [("[city]", settings.get("city", {})), *((row["id"], row) for row in settings.get("place", []))]:
        _need_commodities(said.get("carriers", []), codes, place)
    _refuse_circles(registry, stated)
    _refuse_shared_heads(registry, stated)
    return _news(registry, stated)


def _need_commodities(named: list[Any], known: AbstractSet[str], place: str) -> None:
    """Refuse a commodity that there is none of."""
    for code in named:
        if code not in known:
            raise BadInput(
                f"unknown commodity {code}.",
                code="unknown_commodity",
                place=place,
                remedy=f"Known: {', '.join(sorted(known))}.",
            )


def _feeders(registry: Registry, stated: list[Record]) -> list[Record]:
    """Give what was said of feeders before, and what is said now."""
    return [*registry.statements("feeder"), *(one for one in stated if one.kind == "feeder")]


def _refuse_circles(registry: Registry, stated: list[Record]) -> None:
    """Refuse feeders that hang on themselves, at any time: their loss would be counted of nothing."""
    below: dict[str, set[str]] = {}
    for record in _feeders(registry, stated):
        below.setdefault(record.key, set()).update((record.body or {}).get("feeders", ()))
    for start in sorted(below):
        seen, waiting = set[str](), [start]
        while waiting:
            children = below.get(waiting.pop(), set())
            if start in children:
                raise BadInput(
                    "hangs on itself.", code="feeder_circle", place=f"feeder {start}", remedy="Mend its `feeders`."
                )
            waiting += children - seen
            seen |= children


def _refuse_shared_heads(registry: Registry, stated: list[Record]) -> None:
    """Refuse a meter that heads two feeders at one time: what is lost behind it would be counted twice."""
    said: dict[str, dict[int, Body | None]] = {}
    for record in _feeders(registry, stated):
        said.setdefault(record.key, {})[record.valid_from_us] = record.body
    heads: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
    for name in sorted(said):
        for part in segments(tuple(sorted(said[name].items()))):
            for channel in part.body["supply"]:
                key = (channel, part.body["commodity"])
                for start, end, other in heads.get(key, ()):
                    if other != name and start < part.end_us and part.start_us < end:
                        raise BadInput(
                            f"counts {channel} as its head, and so does feeder {other}.", code="head_twice",
                            place=f"feeder {name}",
                            remedy=f"Make them one row, or state {other} with `supply = []` from its end on.",
                        )  # fmt: skip
                heads.setdefault(key, []).append((part.start_us, part.end_us, name))


def _news(registry: Registry, stated: list[Record]) -> list[Record]:
    """Keep the records that say something new; the same thing stated twice for one moment is refused."""
    unique: dict[tuple[str, str, int], Record] = {}
    for record in stated:
        key = (record.kind, record.key, record.valid_from_us)
        if unique.setdefault(key, record).body != record.body:
            raise BadInput(
                "stands there twice, differently.",
                code="duplicate_row",
                place=f"{record.kind} {record.key}",
                remedy="Keep one row, or give them different valid_from.",
            )
    out: list[Record] = []
    for record in unique.values():
        said = registry.timelines(record.kind).get(record.key, ())
        if dict(said).get(record.valid_from_us, ...) != record.body:
            out.append(record)
    return out


def _city(settings: Mapping[str, Any]) -> list[Record]:
    if "city" not in settings:
        return []
    row = settings["city"]
    _checked(row, CITY, {"name_en", "name_ko", "timezone"}, "[city]")
    clock(row["timezone"])
    return [Record("city", ROOT, ALWAYS, {"simulated": False, **row})]


def _commodities(settings: Mapping[str, Any]) -> list[Record]:
    rows: Mapping[str, Row] = settings.get("commodity", {})
    for code, row in rows.items():
        _checked(row, COMMODITY, {"name_en", "name_ko", "measures"}, f"commodity {code}")
    Commodities({"commodity": rows})
    return [Record("commodity", code, ALWAYS, dict(row)) for code, row in rows.items()]


def _places(registry: Registry, settings: Mapping[str, Any]) -> list[Record]:
    """Give the places, each below a parent of a higher level; so no circle can be."""
    levels = {place: body["level"] for place, body in registry.tree.bodies.items()}
    rows = _rows(settings, "place", PLACE, {"id", "level"})
    for row in rows:
        if row["level"] not in LEVELS[1:] or row["id"] == ROOT:
            raise BadInput(
                f"{row['id']} cannot be a {row['level']}.",
                code="bad_level",
                place=f"place {row['id']}",
                remedy=f"Below the city there are {', '.join(LEVELS[1:])}.",
            )
        levels[row["id"]] = row["level"]
    out: list[Record] = []
    for row in rows:
        parent = row.get("parent", ROOT)
        if parent not in levels or LEVELS.index(levels[parent]) >= LEVELS.index(row["level"]):
            raise BadInput(
                f"cannot stand below {parent}.",
                code="bad_parent",
                place=f"place {row['id']}",
                remedy="Its parent must be a place of this city and of a higher level.",
            )
        body: Body = {"name_en": row["id"], "name_ko": row.get("name_en", row["id"]), "parent": ROOT}
        body |= {key: value for key, value in row.items() if key != "id"}
        out.append(Record("place", row["id"], ALWAYS, body))
    return out


def _dated(kind: str, row: Row, tz: ZoneInfo) -> Record:
    """Give a row's record, from its `valid_from` on."""
    body: Body = {key: value for key, value in row.items() if key not in ("id", "valid_from")}
    for value in (part for said in body.values() for part in (said.values() if isinstance(said, dict) else [said])):
        if isinstance(value, list) and not all(isinstance(name, str) for name in value):
            raise BadInput("a list must hold channel names.", code="bad_row", place=f"{kind} {row['id']}")
    return Record(kind, row["id"], _moment_us(row.get("valid_from"), tz), body)


def _moment_us(stated: str | date | None, tz: ZoneInfo) -> int:
    """Read `valid_from`: a TOML moment or date, or the same as text; a date means the city's local day."""
    if stated is None:
        return ALWAYS
    if isinstance(stated, datetime):
        return to_us(stated)
    if isinstance(stated, date):
        return to_us(day_start(stated, tz))
    return to_us(parse_moment(stated, tz))


def _rows(settings: Mapping[str, Any], kind: str, known: Mapping[str, Kind], required: set[str]) -> list[Row]:
    """Give the checked rows `[[kind]]`."""
    rows: list[Any] = settings.get(kind, [])
    for number, row in enumerate(rows, 1):
        name = row["id"] if isinstance(row, dict) and "id" in row else f"row {number}"
        _checked(row, known, required, f"{kind} {name}")
    return rows


def _checked(row: Any, known: Mapping[str, Kind], required: set[str], place: str) -> None:
    """Refuse a row that is no table, lacks or misspells a key, or holds a value of another type."""
    if not isinstance(row, dict):
        raise BadInput("is no table.", code="bad_row", place=place, remedy=f"Its keys are {', '.join(known)}.")
    check_keys(row, required=required, optional=set(known) - required, place=place)
    for key, value in row.items():
        kind = known[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise BadInput(f"{key} = {value!r} has the wrong type.", code="bad_row", place=place)
