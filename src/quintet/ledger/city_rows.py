"""What a city itself states for its ledger, as dated records.

Own rows of a factor set, the definition it is bound to, sectors of places. Records come in as plain timelines, for the
ledger fetches nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from quintet.terms.catalogue import check_keys
from quintet.terms.errors import BadInput, NotFound

from .dated import latest_day
from .definitions import definitions, totals
from .facilities import FacilityClass, classes_with, parse_classes
from .factor_sets import PARTS, Content, FactorSet, overlaid, set_of, shipped_content, shipped_set
from .gpc import protocol
from .stated import day_of

Said = Sequence[tuple[int, Mapping[str, Any] | None]]
Timelines = Callable[[str], Mapping[str, Said]]
"""Gives the statements of a kind by key, in order of time: (valid_from in microseconds, body; None: it ended)."""

PREFIX = "ledger."
"""So begin the kinds of the ledger's records; none of them says what a meter counts for."""
CHOSEN, SET, SET_NAME, SECTOR, PUBLICATION, FACILITY_CLASS = (
    f"{PREFIX}{name}" for name in ("definition", "set", "set_name", "sector", "publication", "facility_class")
)
STATUTORY = "statutory"
CURRENT, SHIPPED = "current", "shipped"
OF_SETTINGS = (
    "factor",
    "source",
    "calorific",
    "supply",
    "contract",
    "hourly",
    "sector",
    "emissions",
    "self_sufficiency",
    "facility_class",
)
"""Tables of city.toml that state the ledger's rows."""
WITHDRAWABLE = ("factor", "source", "calorific", "supply", "contract", "hourly", "sector", "facility_class")
WITHDRAWN = "withdrawn"
CHOICE_KEYS = {"count_at", "gwp", "by", "why"}
DEFINITION_KEYS = {"definition", "by", "why"}


@dataclass(frozen=True, slots=True)
class Bound:
    """The definition a city is bound to from a moment on, by whom and why."""

    since_us: int
    definition: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One record to be: `day` is the local day from which it holds (None: always)."""

    kind: str
    key: str
    day: date | None
    body: dict[str, Any]


def own_rows(timelines: Timelines) -> dict[str, dict[str, Any]]:
    """Give a city's own rows of a factor set, part by part; what was withdrawn is not there."""
    out: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        rows = {key: said[-1][1] for key, said in timelines(PREFIX + part).items()}
        out[part] = {key: dict(row) for key, row in rows.items() if row is not None and not row.get(WITHDRAWN)}
    return out


def current_content(timelines: Timelines) -> Content:
    """Give the content of the set in force: what ships, with the city's own rows on top."""
    own = own_rows(timelines)
    own["choice"] = {key: row["value"] for key, row in own["choice"].items()}
    return overlaid(shipped_content(), own)


def find_set(timelines: Timelines, name: str = CURRENT) -> FactorSet:
    """Find a set: `current`, `shipped`, a name that somebody gave, or a digest; raises NotFound for another."""
    if name == SHIPPED:
        return shipped_set()
    if name == CURRENT:
        content = current_content(timelines)
        return shipped_set() if content == shipped_set().content else set_of(CURRENT, content)
    named = timelines(SET_NAME)
    said = named[name][-1][1] if name in named else None
    digest = said["digest"] if said else name
    kept = timelines(SET).get(digest)
    body = kept[-1][1] if kept else None
    if body is None:
        known = ", ".join([CURRENT, SHIPPED, *sorted(named)])
        raise NotFound(f"there is no factor set {name!r}.", code="unknown_set", remedy=f"There are {known}.")
    return set_of(name, dict(body["content"]))


def set_statement(chosen: FactorSet) -> Statement:
    """Give the record that keeps a set's content under its digest."""
    return Statement(SET, chosen.digest, None, {"content": chosen.content})


def bound_definitions(timelines: Timelines) -> list[Bound]:
    """Give the definitions the city is or was bound to, the earliest first."""
    return [
        Bound(since, body["definition"], body["by"], body["why"])
        for since, body in timelines(CHOSEN).get(STATUTORY, ())
        if body is not None
    ]


def bound_at(timelines: Timelines, moment_us: int) -> Bound | None:
    """Give the definition the city is bound to at a moment."""
    held = [one for one in bound_definitions(timelines) if one.since_us <= moment_us]
    return held[-1] if held else None


def sectors(timelines: Timelines) -> dict[str, str]:
    """Give the sub-sector of the GPC by place, where the city has said one."""
    last = {place: said[-1][1] for place, said in timelines(SECTOR).items()}
    return {place: body["sub_sector"] for place, body in last.items() if body is not None and not body.get(WITHDRAWN)}


def facility_classes_of(timelines: Timelines) -> Mapping[str, FacilityClass]:
    """Give the classes of facilities: those that ship, with the city's own on top."""
    last = {code: said[-1][1] for code, said in timelines(FACILITY_CLASS).items()}
    return classes_with({code: body for code, body in last.items() if body is not None and not body.get(WITHDRAWN)})


def checked_definition(name: str, by: str, why: str) -> dict[str, Any]:
    """Give the body of a record that binds a city to a definition; raises BadInput where something is missing."""
    known = [*definitions(), *totals()]
    if name not in known:
        raise BadInput(
            f"there is no definition {name!r}.", code="unknown_definition", remedy=f"There are {', '.join(known)}."
        )
    if not by.strip() or not why.strip():
        raise BadInput(
            "needs a name and a reason.", code="no_reason", place="self_sufficiency", remedy="Say by and why."
        )
    return {"definition": name, "by": by.strip(), "why": why.strip()}


def statements_of(settings: Mapping[str, Any]) -> list[Statement]:
    """Give the records that the ledger's tables of a parsed city.toml state; raises BadInput naming the row."""
    out: list[Statement] = []
    for part in ("factor", "source", "calorific"):
        out += [Statement(PREFIX + part, code, None, _plain(row)) for code, row in settings.get(part, {}).items()]
    for part, keys in (("supply", ("commodity", "valid_from")), ("contract", ("id",)), ("hourly", ("id",))):
        for number, row in enumerate(settings.get(part, []), 1):
            body = _plain(row)
            if not all(key in body for key in keys):
                raise BadInput(f"lacks {' or '.join(keys)}.", code="bad_row", place=f"{part} {number}")
            out.append(Statement(PREFIX + part, "/".join(str(body[key]) for key in keys), None, body))
    out += [_sector(_plain(row)) for row in settings.get("sector", [])]
    own = {code: _plain(row) for code, row in _plain(settings.get("facility_class", {})).items()}
    parse_classes(own)
    out += [Statement(FACILITY_CLASS, code, None, row) for code, row in own.items()]
    out += _choices(_plain(settings.get("emissions", {})))
    for row in _listed(settings.get("self_sufficiency", [])):
        body = _plain(row)
        check_keys(body, required=DEFINITION_KEYS, optional={"valid_from"}, place="self_sufficiency")
        since = None if "valid_from" not in body else day_of(body.pop("valid_from"), "self_sufficiency")
        chosen = checked_definition(body["definition"], body["by"], body["why"])
        out.append(Statement(CHOSEN, STATUTORY, since, chosen))
    return out


def withdrawal(part: str, name: str, by: str, why: str, timelines: Timelines) -> Statement:
    """Give the record that withdraws a row that the city stated; raises NotFound where none is in force."""
    if not by.strip() or not why.strip():
        raise BadInput("needs a name and a reason.", code="no_reason", place=part, remedy="Say by and why.")
    if part not in WITHDRAWABLE:
        known = ", ".join(WITHDRAWABLE)
        raise BadInput(f"there is no part {part!r}.", code="unknown_part", place="PART", remedy=f"There are {known}.")
    last = {key: said[-1][1] for key, said in timelines(PREFIX + part).items()}
    held = sorted(key for key, body in last.items() if body is not None and not body.get(WITHDRAWN))
    if name not in held:
        raise NotFound(
            f"this city states no {part} {name!r}.", code="unknown_row", place="NAME",
            remedy=f"It states {', '.join(held) or 'none'}.",
        )  # fmt: skip
    return Statement(PREFIX + part, name, None, {WITHDRAWN: True, "by": by.strip(), "why": why.strip()})


def checked(statements: Sequence[Statement], timelines: Timelines) -> FactorSet:
    """Build the set that statements lead to, so that no row is taken that does not load."""
    own = own_rows(timelines)
    for one in statements:
        part = one.kind.removeprefix(PREFIX)
        if part in own and one.body.get(WITHDRAWN):
            own[part].pop(one.key, None)
        elif part in own:
            own[part][one.key] = one.body
    own["choice"] = {key: row["value"] for key, row in own["choice"].items()}
    return set_of(CURRENT, overlaid(shipped_content(), own))


def _listed(value: Any) -> list[Any]:
    """Give one table, or a list of them, as a list."""
    return value if isinstance(value, list) else [value]


def _plain(row: Any) -> dict[str, Any]:
    """Give a TOML table as JSON keeps it: days and moments as text."""
    if not isinstance(row, dict):
        raise BadInput("is no table.", code="bad_row", place="city.toml")
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in row.items()}


def _sector(row: dict[str, Any]) -> Statement:
    """Give the record of a place's sub-sector."""
    check_keys(row, required={"place", "sub_sector", "source", "published_on"}, optional=set(), place="sector")
    latest_day(row["published_on"], f"sector {row['place']}")
    if row["sub_sector"] not in protocol().rows:
        known = ", ".join(protocol().rows)
        raise BadInput(
            f"there is no sub-sector {row['sub_sector']!r}.", code="bad_row", place=f"sector {row['place']}",
            remedy=f"There are {known}.",
        )  # fmt: skip
    return Statement(SECTOR, row["place"], None, row)


def _choices(row: dict[str, Any]) -> list[Statement]:
    """Give the records of a city's choices, each with who made it and why."""
    if not row:
        return []
    check_keys(row, required={"by", "why"}, optional=CHOICE_KEYS, place="[emissions]")
    who = {"by": row["by"], "why": row["why"]}
    return [
        Statement(f"{PREFIX}choice", key, None, {"value": row[key], **who}) for key in ("count_at", "gwp") if key in row
    ]
