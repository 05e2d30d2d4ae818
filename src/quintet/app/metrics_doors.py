"""How the doors are, in the words of metrics, `top` and logs: a name, a state, plain counters."""

from collections.abc import Iterable

from quintet.ingest.frames import DoorState
from quintet.ingest.http_door import HttpDoor

from .metrics_watch import Door

SILENT_US = 30_000_000
"""A door of its own reports each second or so; one that has not for so long is called silent."""
COUNTERS = (
    "messages", "bytes", "readings", "poison", "repeated", "acknowledged", "in_flight", "oldest_unacknowledged_s",
    "connections",
)  # fmt: skip


def http_door(door: HttpDoor) -> Door:
    """Say how the HTTP door is: up, or full."""
    room = door.room
    counters = {"bodies": room.bodies, "held_bytes": room.held_bytes, "turned_away": room.turned_away}
    return Door("http", "full" if room.full else "up", {name: float(value) for name, value in counters.items()})


def own_doors(states: Iterable[DoorState], now_us: int) -> list[Door]:
    """Say how the doors in processes of their own are: up, troubled, disconnected from the broker, or silent."""
    return [
        Door(f"{one.door}-{one.number}", _state(one, now_us), {name: float(getattr(one, name)) for name in COUNTERS})
        for one in states
    ]


def _state(one: DoorState, now_us: int) -> str:
    if now_us - one.reported_us > SILENT_US:
        return "silent"
    if not one.connected:
        return "disconnected"
    return "troubled" if one.trouble else "up"
