"""Commands on the queue of exceptions: what broke, and what to do about it."""

from typing import Annotated

from cyclopts import Parameter

from .options import Common, KnownAt, ask
from .requests import ExceptionsClose, ExceptionsList, ExceptionsReopen, ExceptionsShow

LIST = "`quintet exceptions list`"
Number = Annotated[int, Parameter(name="ID", help=f"An item of {LIST}.")]
By = Annotated[str, Parameter(help="Who says so.")]


def exceptions_list(
    *,
    state: Annotated[str, Parameter(help="open, closed or any.")] = "open",
    kind: Annotated[str | None, Parameter(help="Only this kind, such as dead_meter.")] = None,
    place: Annotated[str | None, Parameter(help="Only what is at this place or below.")] = None,
    limit: Annotated[int, Parameter(help="At most this many items, worst first.")] = 100,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """List what broke, worst first: by the won at stake and by age."""
    return ask(common, ExceptionsList(state, kind, place, limit, known_at))


def exceptions_show(number: Number, /, *, known_at: KnownAt = None, common: Common | None = None) -> int:
    """Show one item with its channels, evidence and history."""
    return ask(common, ExceptionsShow(number, known_at))


def exceptions_close(
    number: Number,
    /,
    *,
    by: By,
    reason: Annotated[str, Parameter(help="Why nothing more is to be done.")],
    common: Common | None = None,
) -> int:
    """Close an item by hand; it opens again when its cause comes back."""
    return ask(common, ExceptionsClose(number, by, reason))


def exceptions_reopen(
    number: Number,
    /,
    *,
    by: By,
    reason: Annotated[str, Parameter(help="Why it is open again.")],
    common: Common | None = None,
) -> int:
    """Open a closed item again by hand."""
    return ask(common, ExceptionsReopen(number, by, reason))
