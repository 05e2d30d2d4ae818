"""Units and quantities: every amount is a signed 64-bit integer of one fixed sub-unit per quantity."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from .catalogue import check_keys, read_toml
from .errors import BadInput


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit in which readings arrive or values are shown.

    `ratio` is sub-units (mWh, mL, mvarh) in one unit, exactly; for a rate it is sub-units in one unit over one hour.
    """

    code: str
    quantity: str
    ratio: Fraction
    rate: bool
    espi: int | None

    @property
    def decimals(self) -> int:
        """Decimal places that show one sub-unit exactly; only units of a whole power of ten have them."""
        places = len(str(self.ratio.numerator)) - 1
        if self.rate or self.ratio != 10**places:
            raise BadInput(f"{self.code} cannot show {self.quantity} exactly.", code="inexact_unit")
        return places

    def to_decimal(self, sub_units: int) -> Decimal:
        """Say an amount of sub-units in this unit, exactly and without trailing zeros."""
        places = self.decimals
        text = f"{abs(sub_units):0{places + 1}d}"
        whole, part = (text[:-places], text[-places:].rstrip("0")) if places else (text, "")
        sign = "-" if sub_units < 0 else ""
        return Decimal(f"{sign}{whole}.{part}" if part else f"{sign}{whole}")


class Units:
    """The table of units, looked up by code or alias."""

    def __init__(self, table: dict[str, Any]) -> None:
        """Build from the parsed TOML: `[quantity.X] sub_unit`, `[unit.Y] quantity, ratio, rate, aliases, espi`."""
        self.sub_units: dict[str, str] = {}
        for code, row in table["quantity"].items():
            check_keys(row, required={"sub_unit"}, optional=set(), place=f"quantity {code}")
            self.sub_units[code] = row["sub_unit"]
        self._by_name: dict[str, Unit] = {}
        for code, row in table["unit"].items():
            check_keys(row, required={"quantity", "ratio"}, optional={"rate", "aliases", "espi"}, place=f"unit {code}")
            unit = Unit(code, row["quantity"], Fraction(*row["ratio"]), row.get("rate", False), row.get("espi"))
            for name in [code, *row.get("aliases", [])]:
                if name in self._by_name or unit.quantity not in self.sub_units:
                    raise BadInput(f"unit {name} is there twice or of no known quantity.", code="bad_unit")
                self._by_name[name] = unit

    def __iter__(self) -> Iterator[str]:
        """Go through all codes and aliases."""
        return iter(self._by_name)

    def get(self, name: str) -> Unit | None:
        """Find a unit by its code or an alias; None when unknown (the caller quarantines)."""
        return self._by_name.get(name)

    def __getitem__(self, name: str) -> Unit:
        """Find a unit that must exist."""
        unit = self._by_name.get(name)
        if unit is None:
            raise BadInput(
                f"unknown unit {name}.", code="unknown_unit", remedy=f"Known: {', '.join(sorted(self._by_name))}."
            )
        return unit


@cache
def units() -> Units:
    """Give the shipped table of units."""
    return Units(read_toml("quintet.terms", "units.toml"))
