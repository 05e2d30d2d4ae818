"""The numbers of the load generator: data with source and reason, unknown keys refused."""

from dataclasses import dataclass

from quintet.terms.catalogue import numbers_of, read_toml


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """The numbers of `data/load.toml`; the unit stands in the name, and the file says what each is for."""

    ready_s: int
    mqtt_bundle: int
    sync_s: int
    readings_at_once: int
    longest_wait_s: int
    first_wait_ms: int
    answer_s: int
    stall_one_in: int
    under_way: int
    session_s: int
    close_s: int
    look_ms: int
    ahead_bytes: int
    days: int
    shuffled_parcels: int
    late_parcels: int
    late_one_in: int
    unpaced_rate: int
    meters_at_once: int
    behind_percent: int


LIMITS = LoadLimits(**numbers_of(read_toml("quintet.app", "load.toml"), LoadLimits.__slots__, "load.toml"))
"""The shipped numbers."""
