"""How the doors are, in the words of metrics, `top` and logs: a name, a state, plain counters."""

from collections import Counter
from collections.abc import Iterable, Sequence

from quintet.ingest.frames import DoorState
from quintet.ingest.http_door import HttpDoor

from .metrics_watch import Door
from .mqtt_children import ChildState
from .serving_limits import serving_limits

DOWN = "down"
COUNTERS = (
    "messages", "bytes", "readings", "poison", "repeated", "acknowledged", "in_flight", "oldest_unacknowledged_s",
    "connections",
)  # fmt: skip


def http_door(door: HttpDoor) -> Door:
    """Say how the HTTP door is: up, or full."""
    room = door.room
    counters = {"bodies": room.bodies, "held_bytes": room.held_bytes, "turned_away": room.turned_away}
    answered = Counter[str]()
    for (_, code), count in dict(door.answered).items():
        answered[code] += count
    figures = {name: float(value) for name, value in counters.items()}
    return Door("http", "full" if room.full else "up", figures, answered=dict(answered))


def own_doors(states: Iterable[DoorState], now_us: int, started: Sequence[ChildState] = ()) -> list[Door]:
    """Say how the doors in processes of their own are: up, troubled, disconnected from the broker, silent, or down.

    `started` are those that this process keeps: one that does not run or has never reported is down, with the reason.
    """
    kept = {one.name: one for one in started}
    doors: dict[str, Door] = {}
    for one in states:
        name = f"{one.door}-{one.number}"
        figures = {figure: float(getattr(one, figure)) for figure in COUNTERS}
        child = kept.pop(name, None)
        down = child is not None and not child.runs
        doors[name] = Door(name, DOWN if down else _state(one, now_us), figures, child.reason if child and down else "")
    return [*doors.values(), *(Door(name, DOWN, {}, child.reason) for name, child in kept.items())]


def _state(one: DoorState, now_us: int) -> str:
    if now_us - one.reported_us > serving_limits().silent_s * 1_000_000:
        return "silent"
    if not one.connected:
        return "disconnected"
    return "troubled" if one.trouble else "up"
