"""A complex that is one customer: what the whole owes, and how it is shared over its flats, with the method shown.

Single contract: the complex owes households x the residential high-voltage bill of the average use, common area
included; each flat owes the same tariff's bill of its own use; what is left is the common share. Total contract: each
flat owes the residential low-voltage bill of its own use, and the common area the general tariff's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from quintet.terms.errors import BadInput

from .bill import Bill, compute
from .cards import Cards
from .exact import share_out
from .fees import TV_FEE
from .request import Asked


@dataclass(frozen=True, slots=True)
class Flat:
    """One flat's share: its own bill, its part of what is left (below 0 where the flats' bills exceed), and the sum."""

    name: str
    own: Bill
    common_won: int
    total_won: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """What the complex owes, what of it is common, and each flat's share; the shares add up to `total_won`."""

    whole: Bill | None
    total_won: int
    common_won: int
    flats: tuple[Flat, ...]


def _without_fees(asked: Asked) -> Asked:
    """Ask for a bill without fees that only come with it: they are each household's own, and nobody's to share."""
    return replace(asked, options={name: value for name, value in asked.options.items() if name != TV_FEE})


def complex_bill(asked: Asked, uses: Mapping[str, Fraction], common_use: Fraction, table: Cards | None = None) -> Bill:
    """Compute the single contract's bill of a whole complex: the average use, times the flats."""
    whole = sum(uses.values(), Fraction(0)) + common_use
    return compute(replace(_without_fees(asked), use=whole, households=len(uses)), table)


def allocate_single(
    asked: Asked,
    uses: Mapping[str, Fraction],
    common_use: Fraction,
    weights: Sequence[Fraction] | None = None,
    table: Cards | None = None,
) -> Allocation:
    """Share a single contract's bill: own bills first, the remainder by weights (areas; None: equally)."""
    _refuse_empty(uses)
    whole, own_bill = complex_bill(asked, uses, common_use, table), _without_fees(asked)
    own = {name: compute(own_bill.with_use(use), table) for name, use in uses.items()}
    left = int(whole.total) - sum(int(bill.total) for bill in own.values())
    return _shared(whole, own, left, weights)


def allocate_total(
    asked: Asked,
    uses: Mapping[str, Fraction],
    common_won: int,
    weights: Sequence[Fraction] | None = None,
    table: Cards | None = None,
) -> Allocation:
    """Share a total contract's bill: own bills, and the common area's bill (`common_won`, as issued) by weights."""
    _refuse_empty(uses)
    own_bill = _without_fees(asked)
    own = {name: compute(own_bill.with_use(use), table) for name, use in uses.items()}
    return _shared(None, own, common_won, weights)


def _refuse_empty(uses: Mapping[str, Fraction]) -> None:
    if not uses:
        raise BadInput(
            "a complex without flats owes nothing.", code="no_flats", place="flats", remedy="Name its flats."
        )


def _shared(whole: Bill | None, own: Mapping[str, Bill], left: int, weights: Sequence[Fraction] | None) -> Allocation:
    """Share what is left; a remainder below zero is shared as a credit."""
    if weights is not None and len(weights) != len(own):
        raise BadInput("there is not one weight for each flat.", code="bad_weights", place="flats")
    by = [Fraction(1)] * len(own) if weights is None else list(weights)
    sign = -1 if left < 0 else 1
    shares = [sign * share for share in share_out(abs(left), by)]
    flats = tuple(
        Flat(name, bill, share, int(bill.total) + share)
        for (name, bill), share in zip(own.items(), shares, strict=True)
    )
    return Allocation(whole, sum(flat.total_won for flat in flats), left, flats)
