"""The definitions of self-sufficiency as data rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.tables import FLOW_NAMES

CERTAINTIES = {"S": "read in a source", "V": "recomputed and exact", "M": "from memory, confirm before quoting"}

REQUIRED = {
    "name_en", "name_ko", "method", "commodity", "quantity", "own", "renewable_only", "use", "explanation_en",
    "explanation_ko", "source", "certainty",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition: of which commodity, what counts as own and as used, and the method that computes it."""

    id: str
    name_en: str
    name_ko: str
    method: str
    commodity: str
    quantity: str
    own: tuple[str, ...]
    renewable_only: bool
    use: tuple[str, ...]
    explanation_en: str
    explanation_ko: str
    source: str
    certainty: str


TOTAL_KEYS = {"name_en", "name_ko", "explanation_en", "explanation_ko", "source", "certainty"}


@dataclass(frozen=True, slots=True)
class TotalDefinition:
    """One definition over totals of all carriers; `totals.py` holds its formula."""

    id: str
    name_en: str
    name_ko: str
    explanation_en: str
    explanation_ko: str
    source: str
    certainty: str


def parse_totals(table: Mapping[str, Any]) -> dict[str, TotalDefinition]:
    """Build the definitions over totals from parsed TOML, by id; refuses unknown keys and certainty marks."""
    out: dict[str, TotalDefinition] = {}
    for code, row in table["total"].items():
        check_keys(row, required=TOTAL_KEYS, optional=set(), place=f"total {code}")
        if row["certainty"] not in CERTAINTIES:
            raise BadInput("unknown certainty.", code="bad_row", place=f"total {code}")
        out[code] = TotalDefinition(id=code, **row)
    return out


@cache
def totals() -> Mapping[str, TotalDefinition]:
    """Give the shipped definitions over totals, by id."""
    return parse_totals(read_toml("quintet.ledger", "definitions.toml"))


def parse_definitions(table: Mapping[str, Any]) -> dict[str, Definition]:
    """Build the definitions from parsed TOML, by id; refuses unknown keys, flows and certainty marks."""
    out: dict[str, Definition] = {}
    for code, row in table["definition"].items():
        place = f"definition {code}"
        check_keys(row, required=REQUIRED, optional=set(), place=place)
        strange = {*row["own"], *row["use"]} - set(FLOW_NAMES)
        if strange or row["certainty"] not in CERTAINTIES:
            raise BadInput(f"unknown flow or certainty: {sorted(strange)}.", code="bad_row", place=place)
        values: dict[str, Any] = {**row, "own": tuple(row["own"]), "use": tuple(row["use"])}
        out[code] = Definition(id=code, **values)
    return out


@cache
def definitions() -> Mapping[str, Definition]:
    """Give the shipped definitions, by id."""
    return parse_definitions(read_toml("quintet.ledger", "definitions.toml"))
