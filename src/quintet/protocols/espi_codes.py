"""The codes of NAESB ESPI 4.0 (Green Button) as data: what goes out under which code, and what comes in under it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, numbers_of, read_toml
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities
from quintet.terms.reading import Role
from quintet.terms.unit import units

OURS = "urn:quintet:espi:1"
"""The namespace of our extensions: which carrier a code means that has none of its own, and our own quality."""
LIMITS = (
    "file_bytes", "depth", "text_bytes", "entries", "readings_of_entry", "parts_of_entry", "names", "token_bytes",
    "entry_bytes", "kept_bytes",
)  # fmt: skip
KINDS = ("measured", "estimated", "refused")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a feed may at most have; beyond it is refused as a whole."""

    file_bytes: int
    depth: int
    text_bytes: int
    entries: int
    readings_of_entry: int
    parts_of_entry: int
    names: int
    token_bytes: int
    entry_bytes: int
    kept_bytes: int


@dataclass(frozen=True, slots=True)
class Written:
    """How a quantity goes out: uom code, power of ten of one sub-unit, MeasurementKind."""

    uom: int
    power: int
    kind: int


@dataclass(frozen=True, slots=True)
class Way:
    """How a role goes out: FlowDirectionKind and the usage point's roleFlags."""

    flow: int
    flags: int


@dataclass(frozen=True, slots=True)
class Codes:
    """The table, both ways."""

    limits: Limits
    encodings: Mapping[str, str]
    services: Mapping[str, int]
    """ServiceKind by commodity."""
    extended: frozenset[str]
    """Commodities that their code alone does not tell."""
    written: Mapping[str, Written]
    """By quantity."""
    ways: Mapping[Role, Way]
    carriers: Mapping[tuple[int, str], str]
    """Which commodity a code with a quantity means, where no extension says more."""
    units: Mapping[int, str]
    """Which unit a uom code means."""
    qualities: Mapping[int, str]
    """measured, estimated or refused, by QualityOfReading."""
    names: Mapping[int, str]
    """What the standard calls each QualityOfReading."""
    accumulation: frozenset[int]
    qualifier: frozenset[int]
    accumulation_written: int
    qualifier_written: int
    currency: int
    one_way: frozenset[int]
    faults: Mapping[str, str]
    """Sentences by code."""

    def role(self, flow: int | None, flags: int, commodity: int) -> Role | None:
        """Give the first role that a direction and a usage point's flags mean; None where they leave it open."""
        if not flow:
            return Role.CONSUMPTION if commodity in self.one_way else None
        found = [role for role, one in self.ways.items() if one.flow == flow and one.flags == flags]
        plain = [role for role, one in self.ways.items() if one.flow == flow and not one.flags]
        return next(iter(found + plain), None)


@cache
def codes() -> Codes:
    """Give the shipped table; raises BadInput for a row that contradicts the tables of terms."""
    table = read_toml("quintet.protocols", "espi.toml")
    known = {
        "limit", "encoding", "service", "carrier", "same", "measured", "written", "uom", "role", "quality", "amount",
        "fault",
    }  # fmt: skip
    check_keys(table, required=known, optional=set(), place="espi.toml")
    amount = _amount(table["amount"])
    services, extended = _services(table)
    return Codes(
        encodings=dict(table["encoding"]),
        limits=Limits(**numbers_of({"limit": table["limit"]}, LIMITS, "espi.toml")),
        services=services,
        extended=extended,
        written=_written(table),
        ways=_ways(table["role"]),
        carriers=_carriers(services, extended, table["same"]),
        units=_units(table["uom"]),
        qualities={int(code): row["kind"] for code, row in _qualities(table["quality"]).items()},
        names={int(code): row["name"] for code, row in table["quality"].items()},
        accumulation=frozenset(amount["accumulation"]),
        qualifier=frozenset(amount["qualifier"]),
        accumulation_written=amount["accumulation_written"],
        qualifier_written=amount["qualifier_written"],
        currency=amount["currency"],
        one_way=frozenset(amount["one_way"]),
        faults=table["fault"],
    )


def _amount(row: dict[str, Any]) -> dict[str, Any]:
    kinds = {f"{name}{end}" for name in ("accumulation", "qualifier") for end in ("", "_written", "_name")}
    needed = kinds | {"currency", "currency_why", "one_way", "one_way_why"}
    check_keys(row, required=needed, optional=set(), place="espi.toml [amount]")
    return row


def _services(table: dict[str, Any]) -> tuple[dict[str, int], frozenset[str]]:
    """Give the ServiceKind of each commodity, and which need an extension."""
    for name, row in table["service"].items():
        check_keys(row, required={"kind", "name"}, optional=set(), place=f"espi.toml [service.{name}]")
    found: dict[str, int] = {}
    for code, row in table["carrier"].items():
        check_keys(row, required={"service"}, optional={"extension"}, place=f"espi.toml [carrier.{code}]")
        if not commodities()[code].espi:
            raise BadInput("has no ESPI code.", code="bad_row", place=f"espi.toml [carrier.{code}]")
        found[code] = table["service"][row["service"]]["kind"]
    return found, frozenset(code for code, row in table["carrier"].items() if row.get("extension"))


def _written(table: dict[str, Any]) -> dict[str, Written]:
    found: dict[str, Written] = {}
    said = _units(table["uom"])
    for quantity, row in table["written"].items():
        place = f"espi.toml [written.{quantity}]"
        check_keys(row, required={"unit", "power"}, optional=set(), place=place)
        check_keys(table["measured"][quantity], required={"kind", "name"}, optional=set(), place=place)
        unit = units()[row["unit"]]
        uom = next((code for code, name in said.items() if name == unit.code), None)
        if uom is None or unit.quantity != quantity or unit.ratio * 10 ** row["power"] != 1:
            raise BadInput("is not one sub-unit, or has no uom.", code="bad_row", place=place)
        found[quantity] = Written(uom, row["power"], table["measured"][quantity]["kind"])
    return found


def _ways(table: dict[str, Any]) -> dict[Role, Way]:
    found: dict[Role, Way] = {}
    for role in Role:
        row = table[role.value]
        check_keys(row, required={"flow", "flags"}, optional=set(), place=f"espi.toml [role.{role.value}]")
        found[role] = Way(row["flow"], row["flags"])
    return found


def _carriers(
    services: Mapping[str, int], extended: frozenset[str], same: Mapping[str, Any]
) -> dict[tuple[int, str], str]:
    found: dict[tuple[int, str], str] = {}
    for code in services:
        for quantity, espi in commodities()[code].espi.items():
            if code not in extended and found.setdefault((espi, quantity), code) != code:
                raise BadInput(f"two carriers are {espi} by {quantity}.", code="bad_row", place="espi.toml [carrier]")
    for code, row in same.items():
        place = f"espi.toml [same.{code}]"
        check_keys(row, required={"as", "source", "why"}, optional=set(), place=place)
        alike = {(int(code), quantity): carrier for (espi, quantity), carrier in found.items() if espi == row["as"]}
        if not alike or alike.keys() & found.keys():
            raise BadInput("means no carrier, or one of its own.", code="bad_row", place=place)
        found |= alike
    return found


def _units(table: dict[str, Any]) -> dict[int, str]:
    found = {unit.espi: unit.code for unit in (units()[name] for name in units()) if unit.espi is not None}
    for code, row in table.items():
        check_keys(row, required={"unit"}, optional=set(), place=f"espi.toml [uom.{code}]")
        found[int(code)] = units()[row["unit"]].code
    return found


def _qualities(table: dict[str, Any]) -> dict[str, Any]:
    for code, row in table.items():
        check_keys(row, required={"name", "kind"}, optional=set(), place=f"espi.toml [quality.{code}]")
        if row["kind"] not in KINDS:
            raise BadInput(f"is none of {', '.join(KINDS)}.", code="bad_row", place=f"espi.toml [quality.{code}]")
    missing = sorted({one.espi for one in qualities().values()} - {int(code) for code in table})
    if missing:
        raise BadInput(f"lacks {missing}, under which qualities go out.", code="bad_row", place="espi.toml [quality]")
    return table
