"""Open data in words: columns, measures, reasons, entities and unit codes, from data."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput

from .answers_open import OpenCell

FILE = "open_data.toml"
OTHER = "other"
KEYS: Mapping[str, tuple[set[str], set[str]]] = {
    "column": ({"title_en", "title_ko", "datatype", "description_en", "description_ko"}, set()),
    "measure": ({"title_en", "title_ko", "property"}, set()),
    "reason": ({"words_en", "words_ko"}, set()),
    "entity": ({"type", "source"}, {"property", "unit", "water_type"}),
    "unit": ({"code", "source"}, set()),
}
"""The tables with the keys that a row needs and may have."""


@dataclass(frozen=True, slots=True)
class Words:
    """The tables of open_data.toml."""

    columns: Mapping[str, Mapping[str, str]]
    measures: Mapping[str, Mapping[str, str]]
    reasons: Mapping[str, Mapping[str, str]]
    entities: Mapping[str, Mapping[str, str]]
    units: Mapping[str, Mapping[str, str]]
    context: Mapping[str, str]

    def entity(self, commodity: str | None, quantity_unit: str) -> Mapping[str, str]:
        """Give the entity in which a carrier is told; a model of volumes takes volumes only."""
        row = self.entities.get(commodity or "")
        return row if row is not None and quantity_unit == "m3" else self.entities[OTHER]

    def property_of(self, measure: str) -> str:
        """Name a measure as a property: emissions.scope_1 is emissionsScope1."""
        head, *rest = measure.split(".")
        return self.measures[head]["property"] + "".join(part.title() for one in rest for part in one.split("_"))


def parsed(table: dict[str, Any]) -> Words:
    """Read the tables; raises BadInput for a row that lacks a key or has one that nobody reads."""
    check_keys(table, required={*KEYS, "context"}, optional=set(), place=FILE)
    for name, (required, optional) in KEYS.items():
        for key, row in table[name].items():
            check_keys(row, required=required, optional=optional, place=f"{FILE} [{name}.{key}]")
    columns = {*OpenCell.__struct_fields__, "place_en", "place_ko", "level"}
    if set(table["column"]) != columns:
        odd = ", ".join(sorted(set(table["column"]) ^ columns))
        raise BadInput(f"the columns of the CSV differ: {odd}.", code="bad_row", place=FILE)
    return Words(
        table["column"], table["measure"], table["reason"], table["entity"], table["unit"], table["context"]
    )  # fmt: skip


@lru_cache(maxsize=1)
def words() -> Words:
    """Give what ships."""
    return parsed(read_toml(__package__ or "", FILE))
