"""Where a channel stood, from when until when: whose numbers it told then."""

from typing import NamedTuple

from quintet.store.records import ALWAYS, FOREVER

from .snapshot import Registry
from .timeline import last_body, segments


class Stood(NamedTuple):
    """A channel at a place from `start_us` until `end_us` (half-open, microseconds since 1970 UTC)."""

    place: str
    start_us: int
    end_us: int


def stood(registry: Registry, channel: str) -> list[Stood]:
    """Give the stretches of a channel by its name, in order of time, without gaps from ever to ever.

    Before it was first stated to stand somewhere it is taken to have stood there already, and so after its end:
    readings that came early or late are those of that place.
    """
    said = registry.timelines("channel").get(channel, ())
    out: list[Stood] = []
    for part in segments(said):
        points = segments(registry.timelines("usage_point").get(part.body["usage_point"], ()))
        pieces = [
            Stood(point.body["place"], max(part.start_us, point.start_us), min(part.end_us, point.end_us))
            for point in points
            if max(part.start_us, point.start_us) < min(part.end_us, point.end_us)
        ]
        out += pieces or [Stood(part.body["listed_place"], part.start_us, part.end_us)]
    if not out:
        body = last_body(said)
        return [] if body is None else [Stood(registry.place_of(body["id"]), ALWAYS, FOREVER)]
    out.sort(key=lambda one: one.start_us)
    closed: list[Stood] = []
    for at, one in enumerate(out):
        end = out[at + 1].start_us if at + 1 < len(out) else FOREVER
        if closed and closed[-1].place == one.place:
            closed[-1] = closed[-1]._replace(end_us=end)
        else:
            closed.append(Stood(one.place, one.start_us if at else ALWAYS, end))
    return closed
