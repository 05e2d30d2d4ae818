"""What one charge costs for one customer and month: a function per method, exact won in and out."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from quintet.terms.errors import NotFound, UsageError

from .card_rows import Charge
from .exact import ZERO, added, decimal_of

OPTION_NAMES: Mapping[str, str] = {
    "pipe_mm": "--pipe-mm", "area_m2": "--area-m2", "capacity": "--capacity", "unit_price": "--unit-price",
    "base_won": "--base-won",
}  # fmt: skip
"""How a person states each option on the command line."""


class Block(NamedTuple):
    """The part of a use between two limits (`above` < use <= `until`, None: no limit) and its price in won per unit."""

    above: Fraction
    until: Fraction | None
    quantity: Fraction
    unit_price: Fraction


class Cost(NamedTuple):
    """What a charge costs, in exact won; the blocks where it has any; its price where it has one for the whole."""

    won: Fraction
    blocks: tuple[Block, ...] = ()
    unit_price: Fraction | None = None
    of_use: bool = False


def stated(charge: Charge, options: Mapping[str, Fraction]) -> Fraction:
    """Give the option that a charge needs; says which one is missing."""
    found = options.get(charge.option)
    if found is None:
        name = OPTION_NAMES[charge.option]
        raise UsageError(
            f"{charge.name_en} depends on it.",
            code="needs_option",
            place=name,
            remedy=f"Give {name} as on the contract.",
        )
    return found


def _step(charge: Charge, use: Fraction, _: Mapping[str, Fraction]) -> Cost:
    """Choose one amount by the whole use: the first whose limit the use does not exceed."""
    at = sum(use > limit for limit in charge.limits)
    return Cost(charge.values[at])


def _blocks(charge: Charge, use: Fraction, _: Mapping[str, Fraction]) -> Cost:
    """Price each unit by the block that it lies in: sum_k (min(use, l_k) - l_(k-1))+ x rate_k."""
    if use > charge.limits[-1] and len(charge.values) == len(charge.limits):
        top = decimal_of(charge.limits[-1])
        raise NotFound(
            f"no price of {charge.name_en} is known above {top} a month.",
            code="no_price",
            place="--use",
            remedy="--cards FILE adds a card that has one.",
            said={"limit": top},
        )
    out: list[Block] = []
    bounds = [ZERO, *charge.limits, None]  # one more than prices where none was published above the last limit
    for (above, until), price in zip(pairwise(bounds), charge.values, strict=False):
        low = above or ZERO
        if use > low or not out:
            high = use if until is None else min(use, until)
            out.append(Block(low, until, high - low, price))
    won = added(block.quantity * block.unit_price for block in out)
    return Cost(won, tuple(out), out[0].unit_price if len(out) == 1 else None, of_use=True)


def _per_unit(charge: Charge, use: Fraction, _: Mapping[str, Fraction]) -> Cost:
    """Multiply use by rate."""
    return Cost(use * charge.values[0], unit_price=charge.values[0], of_use=True)


def _per_unit_stated(charge: Charge, use: Fraction, options: Mapping[str, Fraction]) -> Cost:
    """Multiply use by the price that the person states."""
    price = stated(charge, options)
    return Cost(use * price, unit_price=price, of_use=True)


def _fixed(charge: Charge, _use: Fraction, _: Mapping[str, Fraction]) -> Cost:
    """Give the same amount every month."""
    return Cost(charge.values[0])


def _fixed_stated(charge: Charge, _use: Fraction, options: Mapping[str, Fraction]) -> Cost:
    """Give the amount that the person states."""
    return Cost(stated(charge, options))


def _by_size(charge: Charge, _use: Fraction, options: Mapping[str, Fraction]) -> Cost:
    """Find an amount by size in a table that holds just these sizes."""
    size = stated(charge, options)
    if size not in charge.sizes:
        known = ", ".join(str(decimal_of(one)) for one in charge.sizes)
        raise UsageError(
            f"{decimal_of(size)} is not on the rate card.",
            code="unknown_size",
            place=OPTION_NAMES[charge.option],
            remedy=f"Known: {known}; --cards FILE adds others.",
            said={"known": known},
        )
    return Cost(charge.sizes[size])


def _by_option(charge: Charge, _use: Fraction, options: Mapping[str, Fraction]) -> Cost:
    """Multiply an option (area, capacity) by the rate."""
    return Cost(stated(charge, options) * charge.values[0], unit_price=charge.values[0])


METHODS: Mapping[str, Callable[[Charge, Fraction, Mapping[str, Fraction]], Cost]] = {
    "step": _step,
    "blocks": _blocks,
    "per_unit": _per_unit,
    "per_unit_stated": _per_unit_stated,
    "fixed": _fixed,
    "fixed_stated": _fixed_stated,
    "by_size": _by_size,
    "by_option": _by_option,
}
"""The functions behind the methods that a card's rows name."""
