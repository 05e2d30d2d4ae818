"""The limits of a served city: data with source and reason, unknown keys refused."""

from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import numbers_of, read_toml


@dataclass(frozen=True, slots=True)
class ServingLimits:
    """The numbers of `data/serving.toml`; the unit stands in the name, and the file says what each is for."""

    head_bytes: int
    head_s: int
    own_handles: int
    door_connections: int
    stuck_s: int
    silent_s: int
    low_percent: int
    low_bytes: int
    child_first_wait_ms: int
    child_most_wait_s: int
    child_steady_s: int
    child_look_ms: int
    child_end_s: int
    intake_busy_ms: int
    intake_end_s: int
    intake_head_bytes: int
    door_claim_s: int
    switch_us: int
    full_search: int


@cache
def serving_limits() -> ServingLimits:
    """Give the shipped limits."""
    table = read_toml("quintet.app", "serving.toml")
    return ServingLimits(**numbers_of(table, ServingLimits.__slots__, "serving.toml"))
