"""The bounds of live push, as data."""

from dataclasses import dataclass
from typing import Any, Self

from quintet.terms.catalogue import check_keys, read_toml


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
        table: dict[str, dict[str, Any]] = read_toml("quintet.web", "live.toml")["limit"]
        check_keys(table, required=set(cls.__slots__), optional=set(), place="live.toml")
        for name, row in table.items():
            check_keys(row, required={"value", "reason"}, optional=set(), place=f"limit {name}")
        return cls(**{name: row["value"] for name, row in table.items()})
