"""The bounds of live push, as data."""

from dataclasses import dataclass
from typing import Self

from quintet.terms.catalogue import numbers_of, read_toml


@dataclass(frozen=True, slots=True)
class Limits:
    """How many listeners, and how much and how long one may lag behind (live.toml)."""

    listeners: int
    queue_events: int
    queue_bytes: int
    socket_bytes: int
    stall_s: int
    heartbeat_s: int
    retry_ms: int
    dwelling_pause_ms: int
    place_pause_ms: int
    write_slice: int
    pause_per_cost: int
    sweep_s: int

    @classmethod
    def shipped(cls) -> Self:
        """Give the limits that ship with this package."""
        return cls(**numbers_of(read_toml("quintet.web", "live.toml"), cls.__slots__, "live.toml"))
