"""The limits of telling people, as data (telling.toml)."""

from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import numbers_of, read_toml

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class TellingLimits:
    """When again, how often, how long; each name ends with its unit. See the file."""

    again_days: int
    retry_first_s: int
    retry_factor: int
    retry_most_s: int
    give_up_hours: int
    send_seconds: int
    senders: int
    parcels_a_pass: int
    parcels_a_day: int
    push_ttl_s: int
    push_most_bytes: int
    vapid_hours: int

    def wait_us(self, tries: int) -> int:
        """Give how long to wait after so many tries that failed (1: the first)."""
        seconds = self.retry_first_s
        for _ in range(1, tries):
            seconds = min(seconds * self.retry_factor, self.retry_most_s)
        return seconds * SECOND_US


@cache
def telling_limits() -> TellingLimits:
    """Give the limits that ship with this package."""
    table = read_toml("quintet.alerts", "telling.toml")
    return TellingLimits(**numbers_of(table, TellingLimits.__slots__, "telling.toml"))
