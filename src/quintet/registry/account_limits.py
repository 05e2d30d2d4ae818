"""The bounds of signing in, as data (accounts.toml)."""

from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import numbers_of, read_toml


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """How long and how often; each name ends with its unit."""

    session_hours: int
    resident_session_days: int
    idle_minutes: int
    invitation_days: int
    link_minutes: int
    password_least: int
    password_most: int
    password_guesses_log10: int
    tries_of_name: int
    tries_of_name_here: int
    tries_of_address: int
    ipv6_prefix: int
    window_minutes: int
    hashes_at_once: int
    token_days: int
    party_most: int
    purpose_most: int
    fresh_minutes: int


@cache
def account_limits() -> AccountLimits:
    """Give the limits that ship with this package."""
    table = read_toml("quintet.registry", "accounts.toml")
    return AccountLimits(**numbers_of(table, AccountLimits.__slots__, "accounts.toml"))
