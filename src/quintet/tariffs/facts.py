"""What a statement of a contract may say, and whether it fits any rate card that it can lead to."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from quintet.terms.errors import BadInput

from .bill import COMMON_WON
from .card_rows import OPTIONS, Card
from .cards import Cards
from .exact import decimal_of
from .fees import TV_FEE, fees

NUMBERS = (*OPTIONS, "calorific", "correction", COMMON_WON, TV_FEE)
WORDS = ("contract", "card_city", "branch", "relief", "share")
COMMON_OF = ":common"
"""What a commodity ends in where it is a complex' common area that is billed."""
ABOVE_ZERO = ("pipe_mm", "area_m2", "capacity", "calorific", "correction")
"""What nothing is billed for where it is 0: a slip of the pen."""
OF_CARD = {"contract": "contracts", "card_city": "city", "branch": "branch"}


def _commodity(key: str) -> tuple[str, str]:
    """Give commodity and place of a statement's key."""
    commodity, _, place = key.partition(" ")
    return commodity.removesuffix(COMMON_OF), place


def _refuse(said: str, key: str, name: str, remedy: str) -> BadInput:
    commodity, place = _commodity(key)
    return BadInput(said, code="bad_row", place=f"billing {place}, {commodity}, {name}", remedy=remedy)


def refuse_unknown(key: str, body: Mapping[str, Any], table: Cards) -> None:
    """Refuse a contract, a card's city or a branch that no rate card of the utility has."""
    commodity, _ = _commodity(key)
    held = [card for card in table.rows.values() if card.commodity == commodity]
    known = {
        "contract": {name for card in held for name in card.contracts},
        "card_city": {card.city for card in held} - {""},
        "branch": {card.branch for card in held} - {""},
    }
    for name, names in known.items():
        if name in body and body[name] not in names:
            listed = ", ".join(sorted(names))
            raise _refuse(
                f"{name} {body[name]!r} is of no rate card of {commodity}.", key, name, f"Known: {listed or 'none'}."
            )


def refuse_unfit(key: str, body: Mapping[str, Any], table: Cards) -> None:
    """Refuse a fact that no rate card can take to which the statement leads: a size, a number of 0, an unread one.

    What another place states of the contract is not seen here: the cards of all contracts it leaves open count.
    """
    commodity, _ = _commodity(key)
    held = [card for card in table.rows.values() if card.commodity == commodity and _led_to(card, body)]
    if not held:
        raise _refuse(
            f"no rate card of {commodity} is for this contract, city and branch together.", key, "contract",
            "`quintet bill cards` lists which there are.",
        )  # fmt: skip
    for name in NUMBERS:
        if name in body:
            _refuse_number(key, name, Fraction(body[name]), held)


def _led_to(card: Card, body: Mapping[str, Any]) -> bool:
    contract = body.get("contract")
    return (contract is None or contract in card.contracts) and all(
        name not in body or getattr(card, OF_CARD[name]) in ("", body[name]) for name in ("card_city", "branch")
    )


def _refuse_number(key: str, name: str, value: Fraction, held: list[Card]) -> None:
    """Refuse one number that does not fit."""
    commodity, _ = _commodity(key)
    if name in ABOVE_ZERO and value <= 0:
        raise _refuse(f"{name} {decimal_of(value)} cannot be.", key, name, "State a number above 0, or leave it out.")
    if name == TV_FEE:
        if commodity != fees()[TV_FEE].commodity or value not in (0, 1):
            raise _refuse(
                f"{name} {decimal_of(value)} cannot be.", key, name,
                f"It is 1 where it comes with the bill of {fees()[TV_FEE].commodity}, else 0.",
            )  # fmt: skip
        return
    charges = [charge for card in held for charge in card.charges if charge.option == name]
    by_heat = name in ("calorific", "correction") and any(card.volume_by_heat for card in held)
    if not charges and not by_heat and name != COMMON_WON:
        raise _refuse(f"{name} is read by no rate card of this contract.", key, name, "Leave it out.")
    sizes = sorted({size for charge in charges for size in charge.sizes})
    if sizes and value not in sizes:
        listed = ", ".join(str(decimal_of(size)) for size in sizes)
        raise _refuse(
            f"{name} {decimal_of(value)} is on no rate card of this contract.", key, name,
            f"Known: {listed}; city.toml adds others as [rate_card.NAME].",
        )  # fmt: skip
