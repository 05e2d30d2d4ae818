"""The bounds of what is kept for telling people, as data (telling.toml)."""

from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import numbers_of, read_toml
from quintet.terms.errors import QuintetError


class TooManyMessages(QuintetError):
    """More messages were asked for than a day bears."""

    status = 429
    retry_after_s = 3600


@dataclass(frozen=True, slots=True)
class KeptLimits:
    """How many and how long; see the file."""

    mails: int
    pushes: int
    webhooks: int
    contacts: int
    codes_a_day: int
    codes_of_address_a_day: int
    code_hours: int
    tests_a_day: int
    waiting: int
    kept_days: int
    shown: int


@cache
def kept_limits() -> KeptLimits:
    """Give the limits that ship with this package."""
    table = read_toml("quintet.registry", "telling.toml")
    return KeptLimits(**numbers_of(table, KeptLimits.__slots__, "telling.toml"))
