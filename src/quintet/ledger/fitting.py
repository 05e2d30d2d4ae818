"""Whether a city's factors, contracts and calorific values fit its commodities: what does not never counts."""

from collections.abc import Mapping, Sequence
from typing import Any

from quintet.terms.commodity import Commodities
from quintet.terms.errors import BadInput
from quintet.terms.unit import units

from .factor_sets import FactorSet

ENERGY = "energy"
"""A factor may count any carrier's energy: a volume has one by its calorific value."""


def refuse_unfit(chosen: FactorSet, commodities: Commodities) -> None:
    """Refuse rows of a set that can never count: of a commodity or in a unit that there is not; raises BadInput."""
    for factor in chosen.table.rows.values():
        _fits(f"factor {factor.id}", factor.commodity, units()[factor.unit].quantity, commodities, ENERGY)
    for contract in chosen.contracts:
        _fits(f"contract {contract.id}", contract.commodity, contract.quantity, commodities)
    for series in chosen.hourly:
        _fits(f"hourly factors {series.id}", series.commodity, series.quantity, commodities, ENERGY)
    for value in chosen.calorific:
        place = f"calorific {value.id}"
        _known(place, value.commodity, commodities)
        for unit, quantity in ((value.energy_unit, ENERGY), (value.volume_unit, "volume")):
            if unit not in units() or units()[unit].quantity != quantity:
                raise BadInput(f"{unit!r} is no unit of {quantity}.", code="bad_row", place=place)


def refuse_twice(rows: Sequence[Mapping[str, Any]], keys: Sequence[str], part: str) -> None:
    """Refuse rows of a list that carry the same key, differently: the later one would hide the earlier."""
    seen: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        key = tuple(row.get(name) for name in keys)
        if seen.setdefault(key, row) != row:
            raise BadInput(
                "stands there twice, differently.", code="duplicate_row",
                place=f"{part} {'/'.join(map(str, key))}", remedy="Keep one row, or give each its own name.",
            )  # fmt: skip


def _known(place: str, commodity: str, commodities: Commodities) -> None:
    if commodities.get(commodity) is None:
        raise BadInput(
            f"unknown commodity {commodity}.", code="unknown_commodity", place=place,
            remedy=f"Known: {', '.join(sorted(commodities.rows))}.",
        )  # fmt: skip


def _fits(place: str, commodity: str, quantity: str, commodities: Commodities, besides: str = "") -> None:
    """Refuse an unknown commodity, and a quantity in which it is not metered."""
    _known(place, commodity, commodities)
    measures = commodities.rows[commodity].measures
    if quantity not in measures and quantity != besides:
        raise BadInput(
            f"counts {commodity} by its {quantity}, in which it is not metered.", code="wrong_quantity", place=place,
            remedy=f"It is metered as {', '.join(measures)}.",
        )  # fmt: skip
