"""Bills: dated rate cards as data, exact arithmetic, a line for each item; nothing is fetched."""

from .bill import Bill, Line, compute
from .card_rows import Card
from .cards import Cards, cards
from .request import Asked, bill_month
from .solve import Tier, crossing_day, tier_of, what_if_less

__all__ = [
    "Asked",
    "Bill",
    "Card",
    "Cards",
    "Line",
    "Tier",
    "bill_month",
    "cards",
    "compute",
    "crossing_day",
    "tier_of",
    "what_if_less",
]
