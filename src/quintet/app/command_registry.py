"""Commands that say what the city consists of and what happened to its meters."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .command_city import absolute, actor
from .options import Common, KnownAt, ask
from .requests import MoveIn, MoveOut, RegistryExchange, RegistryList, RegistryRewire, RegistrySync

MOMENT = "a year, month or date, or a time with its offset (RFC 3339)"
At = Annotated[str, Parameter(help=f"When it happened: {MOMENT}.")]
Premise = Annotated[str, Parameter(name="PREMISE", help="A place of `quintet registry list`.")]


def registry_sync(
    file: Annotated[Path, Parameter(name="FILE", help="The list, in the columns of meters.csv or meters.parquet.")],
    /,
    *,
    dry_run: Annotated[bool, Parameter(help="Show the difference, change nothing.", negative=())] = False,
    as_of: Annotated[str | None, Parameter(help="When meters that left the list ended; default: today.")] = None,
    common: Common | None = None,
) -> int:
    """Bring the registry in step with the customer system's list."""
    return ask(common, RegistrySync(absolute(file), dry_run, as_of, actor()))


def registry_list(*, known_at: KnownAt = None, common: Common | None = None) -> int:
    """List the city's places."""
    return ask(common, RegistryList(known_at))


def registry_exchange(
    old: Annotated[str, Parameter(name="CHANNEL", help="The channel of the meter that was taken out.")],
    meter: Annotated[str, Parameter(name="METER", help="The new meter's own id, without its site.")],
    /,
    *,
    at: At,
    old_final: Annotated[str | None, Parameter(help="The old meter's last register, in its own unit.")] = None,
    new_first: Annotated[str | None, Parameter(help="The new meter's first register, in its own unit.")] = None,
    unit: Annotated[str | None, Parameter(help="The new meter's unit, where it differs.")] = None,
    dials: Annotated[int | None, Parameter(help="The new register's digits, where they differ.")] = None,
    multiplier: Annotated[str | None, Parameter(help="The new meter's factor, where it differs.")] = None,
    common: Common | None = None,
) -> int:
    """Record that a meter was replaced by another."""
    differs = {"unit": unit, "dials": None if dials is None else str(dials), "multiplier": multiplier}
    new = {"meter": meter, **{name: said for name, said in differs.items() if said is not None}}
    return ask(common, RegistryExchange(old, new, at, old_final, new_first, actor()))


def registry_rewire(
    channel: Annotated[str, Parameter(name="CHANNEL", help="A channel of the meter.")],
    /,
    *,
    start: Annotated[str, Parameter(name="--from", help=f"First moment that is corrected: {MOMENT}.")],
    place: Annotated[str | None, Parameter(help="The place where it counts, with all on its usage point.")] = None,
    usage_point: Annotated[str | None, Parameter(help="The usage point on which this channel alone is.")] = None,
    role: Annotated[str | None, Parameter(help="What this channel alone shows, as submeter or generation.")] = None,
    common: Common | None = None,
) -> int:
    """Correct where a meter counts, or as what: it was found to be wired to another flat, or behind another meter."""
    return ask(common, RegistryRewire(channel, start, place, usage_point, actor(), role))


def registry_move_in(
    premise: Premise,
    /,
    *,
    occupant: Annotated[str, Parameter(help="Who, by the customer system's number.")],
    at: At,
    common: Common | None = None,
) -> int:
    """Record that someone moved into a premise."""
    return ask(common, MoveIn(premise, occupant, at, actor()))


def registry_move_out(premise: Premise, /, *, at: At, common: Common | None = None) -> int:
    """Record that whoever lived in a premise moved out."""
    return ask(common, MoveOut(premise, at, actor()))
