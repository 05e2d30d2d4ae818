"""Commands by which a person states what happened: an outage, a device that says something is wrong."""

from typing import Annotated

from cyclopts import Parameter

from .command_edit import By, Reason
from .options import Common, From, KnownAt, ask
from .requests import EventAdd, EventList, EventWithdraw

End = Annotated[str | None, Parameter(name="--to", help="First moment at which it was over; none: it goes on.")]


def event_add(
    *,
    kind: Annotated[str, Parameter(help="supply_outage, comms_outage, device_flag, clock_offset or confirmed_vacant.")],
    start: From,
    by: By,
    reason: Reason,
    end: End = None,
    place: Annotated[str | None, Parameter(help="The place it is of, with all below.")] = None,
    channel: Annotated[str | None, Parameter(help="The channel it is of.")] = None,
    detail: Annotated[
        str, Parameter(help="The flag of a device_flag; a clock_offset, as 4min; else anything worth keeping.")
    ] = "",
    common: Common | None = None,
) -> int:
    """State what happened to a place or a channel."""
    return ask(common, EventAdd(kind, start, by, reason, end, place, channel, detail))


def event_list(
    *,
    kind: Annotated[str | None, Parameter(help="Only events of this kind.")] = None,
    start: Annotated[
        str | None, Parameter(name="--from", help="Only events that go on at or after this moment.")
    ] = None,
    end: Annotated[str | None, Parameter(name="--to", help="Only events that begin before this moment.")] = None,
    place: Annotated[
        str | None, Parameter(help="Only events that touch this place, what holds it, or is in it.")
    ] = None,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """List the events that stand."""
    return ask(common, EventList(kind, start, end, known_at, place))


def event_withdraw(
    event: Annotated[int, Parameter(name="ID", help="An event of `quintet event list`.")],
    /,
    *,
    by: By,
    reason: Reason,
    common: Common | None = None,
) -> int:
    """Take an event back: it is kept, and no longer counts."""
    return ask(common, EventWithdraw(event, by, reason))
