"""The query parameters of the API: one table row each, from which they are read, checked and published alike."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams

from quintet.terms.errors import UsageError
from quintet.terms.period import Resolution

from .problems import unknown_parameters

SPACED_OFFSET = re.compile(r"^(\d{4}-\d\d-\d\dT[\d:.]+) (\d\d:\d\d)$")
"""A plus sign that was not escaped arrives as a space; between time and offset it can mean nothing else."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `schema` is its JSON schema; whole numbers are those of type integer; `where`: query or path."""

    name: str
    description: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False
    moment: bool = False
    where: str = "query"

    def published(self) -> dict[str, Any]:
        """Give its OpenAPI object."""
        return {
            "name": self.name,
            "in": self.where,
            "required": self.required,
            "description": self.description,
            "schema": self.schema,
        }


TIMES = "RFC 3339 with an offset, or a date, month or year, which means its start on the city's clock"
FROM = Parameter("from", f"First moment: {TIMES}.", required=True, moment=True)
TO = Parameter("to", f"First moment that no longer counts: {TIMES}.", required=True, moment=True)
RESOLUTION = Parameter(
    "resolution",
    "Length of a period; days and months are those of the city's clock.",
    {"type": "string", "enum": [step.value for step in Resolution]},
    required=True,
)
KNOWN_AT = Parameter("known_at", f"Answer as was known at this moment (default: now). {TIMES}.", moment=True)
MAX_POINTS = Parameter(
    "max_points",
    "List at most so many periods; smallest, largest and missing ones of each stretch are kept.",
    {"type": "integer", "minimum": 3, "maximum": 100_000},
)
CHANNEL = Parameter("channel", "A channel's name, SITE/METER or SITE/METER:COMMODITY.", required=True)
CURSOR = Parameter("cursor", "`next_cursor` of the page before.")
LIMIT = Parameter("limit", "Entries on a page.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})
TREE_LIMIT = Parameter(
    "limit",
    "Rows on a page, which holds whole places (at least one); left out: all of them, up to 50,000 rows.",
    {"type": "integer", "minimum": 1, "maximum": 50_000},
)
LEVEL = Parameter(
    "level",
    "Only places of this level.",
    {"type": "string", "enum": ["city", "district", "complex", "building", "premise"]},
)
PARENT = Parameter("parent", "Only places directly below this one.")
PLACE_OF_METERS = Parameter("place", "Only channels that stand in this place or below.")
COMMODITY = Parameter("commodity", "Only channels of this commodity.")
BALANCED_PLACE = Parameter("place", "The place that is balanced.", {"type": "string", "default": "city"})
FACTOR_SET = Parameter(
    "factor_set",
    "The factor set: current, shipped, a name that somebody gave, or a digest.",
    {"type": "string", "default": "current"},
)
GWP = Parameter("gwp", "Warming potentials: SAR, AR4, AR5, AR6_fossil ... (default: those of the set).")
COUNT_AT = Parameter(
    "count_at",
    "Where energy made inside is counted (default: as the city has chosen).",
    {"type": "string", "enum": ["plant", "users"]},
)
PUBLICATION = Parameter("name", "The name under which a figure was published.", required=True, where="path")
CERTAINTY_LEVEL = Parameter(
    "level",
    "How often the truth is to lie inside the interval.",
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.9},
)
UNCERTAINTY = Parameter(
    "uncertainty",
    "Also the interval in which each number truly lies, at this level (how often it is to hold the truth).",
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
)
PLACE_OF_BOOKS = Parameter("place", "The place, with all below it.", {"type": "string", "default": "city"})
PLACE_OF_NETWORKS = Parameter("place", "Only networks of this place and below it (default: the city).")
NETWORK = Parameter("network", "Only this feeder, zone or branch; not with `place`.")
YEAR = Parameter("year", "The year (default: this one).", {"type": "integer", "minimum": 1900, "maximum": 2199})
BASE_FROM = Parameter("base_from", f"First moment of the earlier period: {TIMES}.", required=True, moment=True)
BASE_TO = Parameter(
    "base_to", f"First moment that no longer counts in the earlier period: {TIMES}.", required=True, moment=True
)
METRIC = Parameter(
    "metric",
    "What is compared.",
    {"type": "string", "enum": ["emissions", "self_sufficiency"], "default": "emissions"},
)
OF = Parameter(
    "of",
    "Of emissions: total, scope_1, scope_2, scope_3, scope_2_market; else a definition of self-sufficiency.",
    {"type": "string", "default": "total"},
)
ACTIVITY = Parameter(
    "activity",
    "By what activity is counted.",
    {"type": "string", "enum": ["premises", "floor_area", "occupied"], "default": "premises"},
)
THEN = Parameter("then", f"When the earlier figure was known; what was revised since is a part. {TIMES}.", moment=True)
DWELLING = Parameter("place", "The dwelling.", required=True)
DAY = Parameter(
    "day",
    "A local day, 2025-01-31 (default: today, or the last day that has readings; a day to come: today).",
    {"type": "string", "format": "date"},
)

MONTH = Parameter(
    "month", "A calendar month, 2026-11 (default: this one).", {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"}
)
UTILITY = Parameter("utility", "A commodity that the home is metered for (default: its first).")
LENGTH = Parameter(
    "length", "How long.", {"type": "string", "enum": ["day", "week", "month", "year"], "default": "day"}
)
AT = Parameter("at", "A local day in it, 2025-01-31 (default: today).", {"type": "string", "format": "date"})
BILL_MONTH = Parameter(
    "month", "The month of the bill, 2025-10.", {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"}, required=True
)
BILL_COMMODITY = Parameter("commodity", "Of this utility only.")
COMPLEX = Parameter("place", "The complex, one customer of its supplier.", required=True)
COMPLEX_COMMODITY = Parameter("commodity", "The utility whose bill is shared.", required=True)
COMMON_WON = Parameter(
    "common_won",
    "The common area's bill in won, as it was issued.",
    {"type": "integer", "minimum": 0, "maximum": 999_999_999},
)
STATE = Parameter(
    "state", "Only items in this state.", {"type": "string", "enum": ["open", "closed", "any"], "default": "open"}
)
KIND = Parameter("kind", "Only items of this kind.")
PLACE_OF_EXCEPTIONS = Parameter("place", "Only items of this place or below.")
CHANNEL_OF_FINDINGS = Parameter("channel", "Only findings of this channel.")
PLACE_OF_FINDINGS = Parameter("place", "Only findings of channels that stand in this place or below.")
RULE = Parameter("rule", "Only findings of this rule, as D01.")
NUMBER = Parameter("number", "An item's number.", {"type": "integer", "minimum": 1}, required=True, where="path")


def read(query: QueryParams, known: Iterable[Parameter]) -> dict[str, str | int | float | None]:
    """Read a request's parameters: a value for each known one, None where it was not given.

    Raises UsageError for one that is unknown, missing, given twice, empty, or no whole number where one is due.
    """
    table = {parameter.name: parameter for parameter in known if parameter.where == "query"}
    strange = sorted(query.keys() - table.keys())
    if strange:
        raise unknown_parameters(strange, list(table))
    return {name: _value(query.getlist(name), parameter) for name, parameter in table.items()}


def in_path(given: Mapping[str, str], known: Iterable[Parameter]) -> dict[str, str | int | float | None]:
    """Read the parameters that stand in an address itself; raises as `read` does."""
    return {one.name: _value([given[one.name]], one) for one in known if one.where == "path"}


def _value(given: list[str], parameter: Parameter) -> str | int | float | None:
    name = parameter.name
    if not given and not parameter.required:
        return None
    if len(given) != 1 or not given[0]:
        wrong = "is given twice" if len(given) > 1 else "is missing"
        raise UsageError(
            f"{name} {wrong}.",
            code="bad_parameter",
            place=name,
            remedy=f"Give it once. {parameter.description}",
            said={"name": name, "fault": "twice" if len(given) > 1 else "missing"},
        )
    text = given[0]
    if "\x00" in text:
        raise UsageError(f"{name} holds a null character.", code="bad_parameter", place=name, remedy="Leave it out.")
    if parameter.schema["type"] == "integer":
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise UsageError(
                f"{text!r} is no whole number.",
                code=f"bad_{name}",
                place=name,
                remedy="Write it in digits.",
                said={"text": text, "example": "12"},
            )
        return int(text)
    if parameter.schema["type"] == "number":
        if not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", text):
            raise UsageError(
                f"{text!r} is no number.",
                code=f"bad_{name}",
                place=name,
                remedy="Write it as 0.9.",
                said={"text": text, "example": "0.9"},
            )
        return float(text)
    return SPACED_OFFSET.sub(r"\1+\2", text) if parameter.moment else text


def within(value: str | int | float | None, parameter: Parameter) -> int:
    """Give a whole number within its parameter's bounds, the default where it was not given; raises UsageError."""
    schema = parameter.schema
    number = int(schema["default"] if value is None else value)
    if not schema["minimum"] <= number <= schema["maximum"]:
        raise UsageError(
            f"{number} is out of range.",
            code=f"bad_{parameter.name}",
            place=parameter.name,
            remedy=f"Give a number from {schema['minimum']} to {schema['maximum']}.",
            said={"text": str(number), "low": schema["minimum"], "high": schema["maximum"]},
        )
    return number


def one_of(value: str, parameter: Parameter) -> str:
    """Give a word of a parameter's choices; raises UsageError for any other."""
    if value not in parameter.schema["enum"]:
        raise UsageError(
            f"{value!r} is none of them.",
            code=f"bad_{parameter.name}",
            place=parameter.name,
            remedy=f"One of {', '.join(parameter.schema['enum'])}.",
            said={"text": value, "known": parameter.schema["enum"]},
        )
    return value
