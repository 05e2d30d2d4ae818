"""Commodities: a table, never a branch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .catalogue import check_keys, read_toml
from .errors import BadInput
from .unit import Unit, units


@dataclass(frozen=True, slots=True)
class Commodity:
    """One carrier: its names, the quantities it may be metered in (with the unit people read) and its ESPI codes.

    `crosses`: its network reaches beyond the city, so what is in surplus can leave. `weather`: it tells the outdoor
    temperature.
    """

    code: str
    name_en: str
    name_ko: str
    balanced: bool
    crosses: bool
    measures: Mapping[str, str]
    espi: Mapping[str, int]
    weather: bool = False

    def display_unit(self, quantity: str) -> Unit:
        """Give the unit in which a quantity of this commodity is shown."""
        name = self.measures.get(quantity)
        if name is None:
            raise BadInput(
                f"{self.code} is not metered as {quantity}.",
                code="wrong_quantity",
                remedy=f"It is metered as {', '.join(self.measures)}.",
            )
        return units()[name]


@dataclass(frozen=True, slots=True)
class Alias:
    """A publisher's word that means a commodity in a role, as `solar` means electricity from generation."""

    commodity: str
    role: str
    renewable: bool


class Commodities:
    """The table of commodities; a city may add rows of its own."""

    def __init__(self, table: dict[str, Any]) -> None:
        """Build from parsed TOML: `[commodity.X]` and `[alias.Y]` rows."""
        self.rows: dict[str, Commodity] = {}
        self.aliases: dict[str, Alias] = {}
        for code, row in table.get("commodity", {}).items():
            place = f"commodity {code}"
            optional = {"balanced", "crosses", "espi", "weather"}
            check_keys(row, required={"name_en", "name_ko", "measures"}, optional=optional, place=place)
            for quantity, unit in row["measures"].items():
                if units()[unit].quantity != quantity:
                    raise BadInput(f"{unit} does not measure {quantity}.", code="wrong_quantity", place=place)
            self.rows[code] = Commodity(
                code=code,
                name_en=row["name_en"],
                name_ko=row["name_ko"],
                balanced=row.get("balanced", True),
                crosses=row.get("crosses", True),
                measures=row["measures"],
                espi=row.get("espi", {}),
                weather=row.get("weather", False),
            )
        for word, row in table.get("alias", {}).items():
            check_keys(row, required={"commodity", "role"}, optional={"renewable"}, place=f"alias {word}")
            self.aliases[word] = Alias(row["commodity"], row["role"], row.get("renewable", False))

    def with_rows(self, table: dict[str, Any]) -> "Commodities":
        """Give this table with a city's own rows added or replaced."""
        more = Commodities(table)
        out = Commodities({})
        out.rows = {**self.rows, **more.rows}
        out.aliases = {**self.aliases, **more.aliases}
        return out

    def get(self, code: str) -> Commodity | None:
        """Find a commodity; None when unknown (the caller quarantines)."""
        return self.rows.get(code)

    def __getitem__(self, code: str) -> Commodity:
        """Find a commodity that must exist."""
        row = self.rows.get(code)
        if row is None:
            known = sorted(name for name, one in self.rows.items() if one.balanced)
            raise BadInput(
                f"unknown commodity {code}.",
                code="unknown_commodity",
                remedy=f"Known: {', '.join(known)}, and what is not balanced; a city adds a [commodity.{code}] row"
                " in city.toml.",
                said={"name": code, "known": known},
            )
        return row


@cache
def commodities() -> Commodities:
    """Give the shipped table of commodities."""
    return Commodities(read_toml("quintet.terms", "commodities.toml"))
