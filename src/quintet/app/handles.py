"""File handles of a served city: raised to what it may need, and shared out among who connects."""

import resource
from dataclasses import dataclass

from .serving_limits import ServingLimits


@dataclass(frozen=True, slots=True)
class Handles:
    """How many connections a city takes at once, and how many of them may be listeners."""

    connections: int
    listeners: int


def raised(listeners: int, limits: ServingLimits) -> Handles:
    """Raise this process' bound of open files to what so many listeners need, and say what it is enough for.

    The system's own bound stays: where it is lower, fewer are let in, and nobody meets a failing `accept`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = listeners + limits.door_connections + limits.own_handles
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return shared_out(wanted if soft == resource.RLIM_INFINITY else soft, listeners, limits)


def shared_out(handles: int, listeners: int, limits: ServingLimits) -> Handles:
    """Share handles out: the store's part first, then the doors' connections, then listeners up to their bound.

    Where there are few, the store has at most half of them and the doors half of the rest.
    """
    connections = handles - min(limits.own_handles, handles // 2)
    most = connections - min(limits.door_connections, connections // 2)
    return Handles(min(connections, listeners + limits.door_connections), min(listeners, most))
